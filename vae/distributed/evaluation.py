"""Evaluation on several processes, with the numbers of one: `torchrun --nproc-per-node=N -m vae evaluate ...`.

The images are divided into parts, each processed by one rank. An estimator draws the random numbers of one part after
the other from a single stream, so a rank also draws those of the other parts and discards them, which is fast compared
with decoding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vae import evidence
from vae.distributed.processes import rank, ranks, total
from vae.errors import ConfigError
from vae.evidence import Estimate, Progress, evaluation, importance, part_of
from vae.model import VAE

__all__ = ["evaluate_share", "refuse_alone"]

# images per part, and latents decoded at once, as in the estimators
_PARTS: dict[evaluation.Method, tuple[int, int]] = {
    "elbo": (evidence.CHUNK, evidence.CHUNK),
    "importance": (importance.GROUP, importance.CHUNK),
    "exact": (64, 0),
}
_FIELDS = ("value", "standard_error", "ess", "k_hat", "error_bound", "edge")


def evaluate_share(
    model: VAE,
    x: Tensor,
    method: evaluation.Method,
    *,
    generator: torch.Generator,
    samples: int | None = None,
    steps: int | None = None,
    replicates: int = 1,
    jackknife: bool = False,
    progress: Progress | None = None,
) -> list[Estimate]:
    """Estimates log p(x) or its bound like `evaluate`, with the images shared among ranks; each rank returns all of it.

    Arguments:
        model, x, method, samples, steps, replicates, jackknife: as for `evaluate`, the same on all ranks.
        generator: source of the randomness, in the same state on all ranks.
        progress: called with the completed fraction of this rank's work.

    Returns:
        R estimates; their seconds are those of the slowest rank.

    Raises:
        ConfigError, DataError: as for `evaluate`; or the method cannot be shared.
        JobError: another rank has failed.
    """
    refuse_alone(method)
    evidence.check_count("The number of replicates", replicates, 1000)
    size, chunk = _PARTS[method]
    parts = x.split(size)
    mine = range(rank(), len(parts), ranks())
    options: dict[str, Any] = {"samples": samples, "steps": steps, "jackknife": jackknife, "generator": generator}
    estimates = []
    for replicate in range(replicates):
        found: dict[int, Estimate] = {}
        for i, part in enumerate(parts):
            if i in mine:
                done = (replicate * len(mine) + len(found)) / (replicates * len(mine))
                tell = part_of(progress, done, 1 / (replicates * len(mine)))
                (found[i],) = evaluation.evaluate(model, part, method, progress=tell, **options)
            elif chunk:
                _pass_over(len(part), model.config.latent, samples or evaluation.SAMPLES[method], chunk, generator)
        estimates.append(_together(found, [len(part) for part in parts]))
    return estimates


def refuse_alone(method: evaluation.Method) -> None:
    """Raises ConfigError if there are several ranks and a method cannot be shared."""
    if ranks() > 1 and method not in _PARTS:
        raise ConfigError(
            f"Only {', '.join(_PARTS)} can be shared by ranks; {method} uses samples in common. Run it without "
            "torchrun."
        )


def _pass_over(images: int, latent: int, samples: int, chunk: int, generator: torch.Generator) -> None:
    """Draws, and discards, the random numbers that an estimator would draw for a part of the images."""
    step = max(1, chunk // images)
    for first in range(0, samples, step):
        torch.empty(min(step, samples - first), images, latent).normal_(generator=generator)


def _together(found: dict[int, Estimate], sizes: list[int]) -> Estimate:
    """Joins the parts of all ranks; rank 0 has the first part, and so knows which figures there are."""
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    figures: dict[str, Tensor | None] = {}
    for field in _FIELDS:
        whole = torch.zeros(1 + sum(sizes), dtype=torch.float64)
        for i, estimate in found.items():
            if (part := getattr(estimate, field)) is not None:
                whole[starts[i] : starts[i] + sizes[i]] = part
                whole[-1] = 1
        whole = total(whole)
        figures[field] = whole[:-1] if whole[-1] else None
    decodes = total(_number(sum(estimate.decodes for estimate in found.values())))
    seconds = total(_number(sum(estimate.seconds for estimate in found.values())), greatest=True)
    samples = total(_number(max((estimate.samples for estimate in found.values()), default=0)), greatest=True)
    value, error = figures.pop("value"), figures.pop("standard_error")
    assert value is not None and error is not None
    return Estimate(value, error, int(samples), int(decodes), float(seconds), **figures)


def _number(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)  # the same type on every rank, even one without images
