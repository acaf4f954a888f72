"""Which of two estimates of log p(x) comes nearer, image by image: naive Monte Carlo, or the bound."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from vae.errors import ConfigError

__all__ = ["Closeness", "closeness"]


class Closeness(NamedTuple):
    """How far two estimates are from a third on the same images, those where all have a value.

    Attributes:
        images: how many.
        first: mean of |first - truth|, nats.
        second: mean of |second - truth|, nats.
        share: share of the images on which the first is nearer, ties counting half.
    """

    images: int
    first: float
    second: float
    share: float


def closeness(first: Tensor, second: Tensor, truth: Tensor) -> Closeness:
    """Compares two estimates (B,) with what is held for the truth, (B,), nats.

    Raises:
        ConfigError: there is no image on which all three are numbers.
    """
    known = first.isfinite() & second.isfinite() & truth.isfinite()
    if not bool(known.any()):
        raise ConfigError("Estimates are compared on images where both are known, and the truth too; there are none.")
    one, two = ((each - truth)[known].abs() for each in (first, second))
    nearer = (one < two).double() + 0.5 * (one == two)
    return Closeness(int(known.sum()), float(one.mean()), float(two.mean()), float(nearer.mean()))
