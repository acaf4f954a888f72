"""Every estimator of log p(x) on the same images, and the file that stores the results."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import kl_divergence

from vae.errors import DAMAGE, CheckpointError
from vae.evidence import estimates as evidence
from vae.evidence.annealing import Start, annealed_importance_sampling
from vae.evidence.checks import check_pixels
from vae.evidence.estimates import Estimate, mean_error
from vae.evidence.exact import exact, is_known
from vae.evidence.importance import importance_sampling_path
from vae.model import VAE, locate, result_file
from vae.model import generator as seeded
from vae.paths import given, write_aside

__all__ = [
    "Budget",
    "Comparison",
    "checksum",
    "compare",
    "comparison_file",
    "load_comparison",
    "save_comparison",
    "table",
]

_FORMAT = 1
_FIELDS = ("value", "standard_error", "ess", "k_hat", "error_bound", "edge")  # of an Estimate, (B,) each
_OWN = {  # the settings that only this method depends on
    **{kind: (kind,) for kind in ("elbo", "naive", "importance")},
    **{"exact": ("tolerance",), "ais": ("chains", "steps", "start")},
}
_TOGETHER = {"importance": 256, "naive": 1024}  # images at once, so that memory stays flat

Told = Callable[[str, float], None]  # gets the current method and its completed fraction; may raise to stop


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much work each estimator may do.

    Attributes:
        elbo: number of samples.
        importance: numbers of samples, increasing, along one stream.
        naive: the same.
        chains: of annealed importance sampling.
        steps: number of its temperatures.
        start: its base; at this cost the encoder's q gives a smaller error than the prior.
        tolerance: of the exact method, in nats; its own default if None.
    """

    elbo: int = 100
    importance: tuple[int, ...] = (64, 5000)
    naive: tuple[int, ...] = (1000, 10_000, 100_000, 1_000_000)
    chains: int = 4
    steps: int = 60
    start: Start = "encoder"
    tolerance: float | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the estimates: "elbo", "importance_64", ..., "naive_1000", ..., "ais", "exact"."""
        importance, naive = ([f"{kind}_{n}" for n in getattr(self, kind)] for kind in ("importance", "naive"))
        return "elbo", *importance, *naive, "ais", "exact"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The results of all estimators on the same B images.

    Attributes:
        estimates: by name, in the order of `Budget.methods`, those that are finished. Values of "exact" are NaN where
            it did not converge, and everywhere if there is no exact method for the model.
        encoder_kl: KL[q(z|x) || p(z)] of each image, (B,), nats.
        settings: the budget and everything else that the numbers depend on; plain JSON.
    """

    estimates: Mapping[str, Estimate]
    encoder_kl: Tensor
    settings: Mapping[str, Any] = field(default_factory=dict)

    def reference(self) -> tuple[Tensor, str]:
        """Returns the reference for the other estimates, (B,) nats, and its kind: "exact", or the "best" lower bound.

        The latter is the largest of the lower bounds of each image (Cremer, Li & Duvenaud 2018).
        """
        exact = self.estimates.get("exact")
        if exact is not None and bool(exact.value.isfinite().any()):
            return exact.value, "exact"
        bounds = [estimate.value for name, estimate in self.estimates.items() if name != "exact"]
        return torch.stack(bounds).amax(0), "best"


def compare(
    model: VAE,
    x: Tensor,
    *,
    generator: torch.Generator | None = None,
    budget: Budget | None = None,
    about: Mapping[str, Any] | None = None,
    known: Comparison | None = None,
    keep: Callable[[Comparison], None] | None = None,
    progress: Told | None = None,
) -> Comparison:
    """Runs every estimator on the same images.

    Arguments:
        model: the VAE.
        x: (B, D) pixels, as returned by `VAE.pixels`.
        generator: source of the randomness. Each method has a stream of its own, so reusing known results does not
            change the others.
        budget: how much work to do.
        about: what else the numbers depend on, to be recorded: the model's checksum, the images, the seed.
        known: an earlier comparison; its results are reused where the settings that they depend on are the same.
        keep: called with the comparison so far after each method.
        progress: called with the current method and its completed fraction.

    Raises:
        ConfigError: the budget has a number that a method does not allow.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    check_pixels(model, x)
    budget = budget or Budget()
    settings = json.loads(json.dumps({**asdict(budget), **(about or {}), "format": _FORMAT}))
    with torch.no_grad():
        encoder_kl = kl_divergence(model.encoder(x.to(model.device)), model.prior).cpu().double()
    done = {}
    if known and len(known.encoder_kl) == len(x):
        old = known.settings
        done = {name: e for name, e in known.estimates.items() if _same(old, settings, name.partition("_")[0])}
    result = Comparison(estimates=done, encoder_kl=encoder_kl, settings=settings)
    at = generator.device if generator else "cpu"
    seeds = torch.randint(2**62, (5,), generator=generator, device=at).tolist()
    for name, seed in zip(_OWN, seeds, strict=True):
        methods = [method for method in budget.methods if method.partition("_")[0] == name]
        if done.keys() >= set(methods):
            continue
        tell = None if progress is None else partial(progress, name)
        found = _run(model, x, name, budget, seeded(seed, at), tell)
        merged = done | dict(zip(methods, found, strict=True))
        done = {method: merged[method] for method in budget.methods if method in merged}
        result = Comparison(estimates=done, encoder_kl=encoder_kl, settings=settings)
        if keep:
            keep(result)
    return result


def _same(old: Mapping[str, Any], new: Mapping[str, Any], kind: str) -> bool:
    """Whether settings are the same, apart from those that only other methods depend on."""
    foreign = {key for other, keys in _OWN.items() if other != kind for key in keys}
    return all(old.get(key) == value for key, value in new.items() if key not in foreign)


def _run(
    model: VAE, x: Tensor, name: str, budget: Budget, generator: torch.Generator, tell: evidence.Progress | None
) -> list[Estimate]:
    """Runs the methods of one group."""
    if name == "elbo":
        return [evidence.elbo(model, x, budget.elbo, generator, progress=tell)]
    if name == "ais":
        return [annealed_importance_sampling(
            model, x, chains=budget.chains, steps=budget.steps, start=budget.start, generator=generator, progress=tell
        )]  # fmt: skip
    if name == "exact":
        if not is_known(model.config):
            none = torch.full((len(x),), math.nan, dtype=torch.float64)
            return [Estimate(none, torch.zeros_like(none), 0, 0, 0.0, error_bound=torch.full_like(none, math.inf))]
        return [exact(model, x, tolerance=budget.tolerance, progress=tell)]
    parts, before = [], 0
    for part in x.split(_TOGETHER[name]):
        inner = evidence.part_of(tell, before / len(x), len(part) / len(x))
        path: Iterator[Estimate]
        if name == "naive":
            path = evidence.naive_monte_carlo_path(model, part, budget.naive, generator, progress=inner)
        else:
            path = importance_sampling_path(model, part, budget.importance, generator, progress=inner)
        parts.append(list(path))
        before += len(part)
    return [_joined(estimates) for estimates in zip(*parts, strict=True)]


def _joined(parts: tuple[Estimate, ...]) -> Estimate:
    """Joins the estimates of parts of the images."""
    arrays = {
        name: torch.cat([getattr(part, name) for part in parts])
        for name in _FIELDS
        if getattr(parts[0], name) is not None
    }
    decodes, seconds = sum(part.decodes for part in parts), sum(part.seconds for part in parts)
    return Estimate(**arrays, samples=parts[0].samples, decodes=decodes, seconds=seconds)


def comparison_file(name_or_path: str | Path, data_name: str) -> Path:
    """Returns the path of the comparison of a model on a data set, see `vae.model.results`.

    Raises:
        CheckpointError: there is no such model.
    """
    return result_file(name_or_path, f"evidence-{data_name}.npz")


def checksum(name_or_path: str | Path) -> str:
    """Returns the SHA-256 of a model's file, which identifies the model in a comparison."""
    return hashlib.sha256(locate(name_or_path).read_bytes()).hexdigest()


def save_comparison(path: Path, comparison: Comparison) -> None:
    """Writes a comparison as .npz: arrays, and the settings as JSON. Errors and diagnostics are stored as float32.

    Raises:
        CheckpointError: the file cannot be written; whatever was at the path before is still there.
    """
    arrays = {"settings": np.array(json.dumps(dict(comparison.settings)))}
    arrays["encoder_kl"] = comparison.encoder_kl.numpy().astype(np.float32)
    for method, estimate in comparison.estimates.items():
        arrays[f"{method}.cost"] = np.array([estimate.samples, estimate.decodes, estimate.seconds])
        for name in _FIELDS:
            column = getattr(estimate, name)
            if column is not None:
                arrays[f"{method}.{name}"] = column.numpy().astype(np.float64 if name == "value" else np.float32)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    write_aside(path, file.getvalue())


def load_comparison(path: Path) -> Comparison:
    """Reads a comparison.

    Raises:
        CheckpointError: there is no such file, or it is damaged, not a comparison, or of another version.
    """
    path = given(path)
    if not path.is_file():
        raise CheckpointError(f"There is no comparison at {path}; `vae compare NAME` makes one.")
    try:
        with np.load(
            io.BytesIO(path.read_bytes()), allow_pickle=False
        ) as file:  # given a path, np.load would leave damaged files open
            settings = json.loads(str(file["settings"][()]))
            if settings["format"] != _FORMAT:
                raise ValueError(f"format {settings['format']}, but this version reads {_FORMAT}")
            encoder_kl = torch.from_numpy(file["encoder_kl"].astype(np.float64))
            estimates = {}
            for method in [key.removesuffix(".cost") for key in file.files if key.endswith(".cost")]:
                samples, decodes, seconds = file[f"{method}.cost"].astype(np.float64).tolist()
                columns = {name: file[f"{method}.{name}"] for name in _FIELDS if f"{method}.{name}" in file.files}
                if any(column.shape != encoder_kl.shape or encoder_kl.ndim != 1 for column in columns.values()):
                    raise ValueError(f"{method} does not have {tuple(encoder_kl.shape)} images")
                tensors = {name: torch.from_numpy(column.astype(np.float64)) for name, column in columns.items()}
                estimates[method] = Estimate(**tensors, samples=int(samples), decodes=int(decodes), seconds=seconds)
    except DAMAGE as error:
        raise CheckpointError(
            f"{path} is not a complete comparison ({error!s:.200}). Run the comparison again."
        ) from error
    return Comparison(estimates=estimates, encoder_kl=encoder_kl, settings=settings)


def table(comparison: Comparison) -> str:
    """Formats a comparison as a Markdown table; errors are relative to the exact values, where these are known."""
    heads = "method", "mean, nats", "standard error", "Monte Carlo error", "seconds", "mean error", "worst error"
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    truth = comparison.estimates["exact"].value if "exact" in comparison.estimates else None
    for method, estimate in comparison.estimates.items():
        if not len(value := estimate.value[estimate.value.isfinite()]):
            continue
        noise = mean_error(estimate, estimate.value.isfinite()).item()
        spread = f"{value.std().item() / math.sqrt(len(value)):.3f}" if len(value) > 1 else "–"
        cells = [method, f"{value.mean():.3f}", spread, f"{noise:.3f}", f"{estimate.seconds:.1f}", "–", "–"]
        if truth is not None and method != "exact":
            error = (estimate.value - truth)[truth.isfinite() & estimate.value.isfinite()]
            if len(error):
                cells[-2:] = f"{error.mean():.3f}", f"{error[error.abs().argmax()]:.3f}"
        lines.append(f"| {' | '.join(cells)} |")
    images = len(comparison.encoder_kl)
    notes = [f"{images} images", f"KL of the encoder {comparison.encoder_kl.mean():.2f} nats"]
    if truth is not None and bool((known := truth.isfinite()).any()):
        if (bound := comparison.estimates["exact"].error_bound) is not None:
            notes.append(f"exact within {bound[known].max():.1g} nats")
        notes += [f"{lost} not converged"] if (lost := int((~known).sum())) else []
    return "\n".join([*lines, "", "; ".join(notes) + "."])
