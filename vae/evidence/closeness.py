"""Which of two estimates of log p(x), such as naive Monte Carlo and the bound, is closer to the truth, by image."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from vae.errors import ConfigError

__all__ = ["Closeness", "closeness"]


class Closeness(NamedTuple):
    """Distances of two estimates from the truth, over the images for which all three are known.

    Attributes:
        images: number of such images.
        first: mean of |first - truth|, nats.
        second: mean of |second - truth|, nats.
        share: fraction of the images on which the first is closer, ties counting half.
    """

    images: int
    first: float
    second: float
    share: float


def closeness(first: Tensor, second: Tensor, truth: Tensor) -> Closeness:
    """Compares two estimates (B,) with the (presumed) true values, (B,), in nats.

    Raises:
        ConfigError: there is no image for which all three are known.
    """
    known = first.isfinite() & second.isfinite() & truth.isfinite()
    if not bool(known.any()):
        raise ConfigError("Estimates are compared on images where both and the true value are known; there are none.")
    one, two = ((each - truth)[known].abs() for each in (first, second))
    nearer = (one < two).double() + 0.5 * (one == two)
    return Closeness(int(known.sum()), float(one.mean()), float(two.mean()), float(nearer.mean()))
