"""Checks of the input of estimators."""

from __future__ import annotations

import torch
from torch import Tensor

from vae.errors import ConfigError, DataError
from vae.model import VAE

__all__ = ["MOST_SAMPLES", "check_count", "check_image", "check_pixels"]

MOST_SAMPLES = 10**9


def check_count(what: str, count: int, most: int = MOST_SAMPLES) -> None:
    """Raises ConfigError if a count is not a whole number from 1 to `most`; `what` is the subject of the message."""
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= most:
        raise ConfigError(f"{what} must be a whole number from 1 to {most:,}; it is {count!r}.")


def check_image(model: VAE, x: Tensor) -> None:
    """Raises DataError if x is not a single image (1, D) that passes `check_pixels`."""
    check_pixels(model, x)
    if len(x) != 1:
        raise DataError(
            f"This needs a single image, (1, {x.shape[1]}); there are {len(x)}. Select one with x[i : i + 1]."
        )


def check_pixels(model: VAE, x: Tensor) -> None:
    """Raises DataError if x is not (B, D), not finite float32, or grey under a Bernoulli."""
    if x.ndim != 2 or x.shape[1] != model.config.pixels or len(x) == 0:
        raise DataError(
            f"Images must have shape (B, {model.config.pixels}) with B at least 1; theirs is {tuple(x.shape)}."
        )
    if x.dtype != torch.float32 or not bool(x.isfinite().all()):
        raise DataError(f"Pixels must be finite float32 numbers; these {x.dtype} are not. Make them with VAE.pixels.")
    if model.config.likelihood == "bernoulli" and not bool(((x == 0) | (x == 1)).all()):
        raise DataError(
            "A Bernoulli likelihood needs pixels that are 0 or 1; some are grey. Make them with VAE.pixels."
        )
