"""What estimators refuse."""

from __future__ import annotations

import torch
from torch import Tensor

from vae.errors import ConfigError, DataError
from vae.model import VAE

__all__ = ["MOST_SAMPLES", "check_count", "check_image", "check_pixels"]

MOST_SAMPLES = 10**9


def check_count(what: str, count: int, most: int = MOST_SAMPLES) -> None:
    """Raises ConfigError where a count is not a whole number from 1 to `most`; `what` starts the sentence."""
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= most:
        raise ConfigError(f"{what} must be a whole number from 1 to {most:,}; it is {count!r}.")


def check_image(model: VAE, x: Tensor) -> None:
    """Raises DataError where x is not one image (1, D) as `check_pixels` wants it."""
    check_pixels(model, x)
    if len(x) != 1:
        raise DataError(f"This is about one image, (1, {x.shape[1]}); there are {len(x)}. Take x[i : i + 1].")


def check_pixels(model: VAE, x: Tensor) -> None:
    """Raises DataError where x is not (B, D), not finite float32, or grey under a Bernoulli."""
    if x.ndim != 2 or x.shape[1] != model.config.pixels or len(x) == 0:
        raise DataError(
            f"Images must come as (B, {model.config.pixels}) pixels, B at least 1; they are {tuple(x.shape)}."
        )
    if x.dtype != torch.float32 or not bool(x.isfinite().all()):
        raise DataError(f"Pixels must be finite float32 numbers; these {x.dtype} are not. Take them from VAE.pixels.")
    if model.config.likelihood == "bernoulli" and not bool(((x == 0) | (x == 1)).all()):
        raise DataError("A Bernoulli is a likelihood of pixels 0 and 1; some are grey. Take them from VAE.pixels.")
