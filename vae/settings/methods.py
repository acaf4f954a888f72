"""Methods that are chosen by name, and their default settings."""

from __future__ import annotations

import re
from typing import Literal, get_args

from vae.errors import ConfigError

__all__ = [
    "EVIDENCE", "GIVES", "PROJECTED", "PROJECTIONS", "SAMPLES", "STEPS", "Evidence", "Gives", "Projection",
    "check_device", "check_evidence",
]  # fmt: skip

Evidence = Literal["elbo", "naive", "importance", "ais", "exact"]
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)
SAMPLES: dict[Evidence, int] = {"elbo": 100, "naive": 100, "importance": 100, "ais": 8}  # samples per image, or chains
STEPS = 200  # temperatures of AIS

Projection = Literal["tsne", "umap"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
PROJECTED = 2000  # test images that are projected

Gives = Literal["probabilities", "logits", "mean", "mean and log variance"]  # by a decoder from elsewhere
GIVES: dict[Gives, int] = {"probabilities": 1, "logits": 1, "mean": 1, "mean and log variance": 2}  # numbers per pixel


def check_device(name: str) -> str:
    """Returns the name of a device after checking that it is valid; whether the device exists is not checked.

    Raises:
        ConfigError: it is not the name of a device.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", name):
        raise ConfigError(f"device must be auto, cpu, cuda, cuda:N with a number N, or mps; it is {name!r}.")
    return name


def check_evidence(
    method: Evidence, samples: int | None = None, steps: int | None = None, replicates: int = 1, jackknife: bool = False
) -> None:
    """Rejects choices that have no effect on a method; the arguments are those of `evidence.evaluation.evaluate`.

    Raises:
        ConfigError: the method is unknown, or a choice does not apply to it.
    """
    if method not in EVIDENCE:
        raise ConfigError(f"method must be one of {', '.join(EVIDENCE)}; it is {method!r}.")
    if method == "exact" and (samples is not None or replicates > 1):
        raise ConfigError("Samples and replicates apply to Monte Carlo methods; exact is not one. Leave them out.")
    if method != "ais" and steps is not None:
        raise ConfigError(f"A number of steps applies only to ais; the method is {method}. Leave it out.")
    if jackknife and method != "importance":
        raise ConfigError(f"The jackknife applies only to importance sampling; the method is {method}. Leave it out.")
