"""The second term of the ELBO, L2 = -KL[q(z|x) || p(z)], in closed form and estimated from samples, in nats.

    L2 = 1/2 sum_j (1 + log sigma_j^2 - mu_j^2 - sigma_j^2)           Kingma & Welling (2013), appendix B
       = E_q[log p(z) - log q(z|x)] ~ 1/L sum_l log p(z_l) - log q(z_l|x)

The KL of a dimension has two parts, one for its mean, mu^2 / 2, and one for its variance,
(sigma^2 - 1 - log sigma^2) / 2; both are 0 at the prior.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from vae.errors import ConfigError

__all__ = ["Paid", "Running", "draw_deviation", "paid", "running_estimate"]

Array = NDArray[Any]
_CHUNK = 4096  # always drawn together: torch's first samples depend on how many are drawn


class Paid(NamedTuple):
    """The KL of each dimension of q(z|x), split in two, (J,) each, nats; -(place + width) summed over j is L2."""

    place: Array
    width: Array


class Running(NamedTuple):
    """An estimate of L2 from increasing numbers of samples.

    Attributes:
        counts: (K,), numbers of samples.
        value: (K,), nats.
        error: (K,), standard error, nats.
    """

    counts: Array
    value: Array
    error: Array


def paid(mean: Array, deviation: Array) -> Paid:
    """Computes the KL of N(mean, deviation^2) to N(0, 1) in each dimension (J,), in two parts: mean and variance.

    Raises:
        ConfigError: a standard deviation is not positive.
    """
    mean, deviation = _checked(mean, deviation)
    return Paid(mean**2 / 2, (deviation**2 - 1) / 2 - np.log(deviation))


def draw_deviation(mean: Array, deviation: Array) -> float:
    """Computes the standard deviation of log p(z) - log q(z|x) at one sample z ~ q, in nats.

    It is the square root of sum_j (1 - sigma_j^2)^2 / 2 + mu_j^2 sigma_j^2; divided by sqrt(L), it is the error of L.

    Raises:
        ConfigError: a standard deviation is not positive.
    """
    mean, deviation = _checked(mean, deviation)
    return math.sqrt(((1 - deviation**2) ** 2 / 2 + (mean * deviation) ** 2).sum())


def running_estimate(mean: Array, deviation: Array, counts: Array, generator: torch.Generator) -> Running:
    """Estimates L2 from samples z ~ q, without using the closed form.

    Arguments:
        mean, deviation: (J,), mean and standard deviation of q(z|x).
        counts: (K,) numbers of samples, increasing, the first at least 2.
        generator: source of the randomness.

    Raises:
        ConfigError: a standard deviation is not positive, or the counts do not increase from at least 2.
    """
    mean, deviation = _checked(mean, deviation)
    if not (len(counts) and counts[0] >= 2 and (np.diff(counts) > 0).all()):
        raise ConfigError(f"The numbers of samples must be at least 2 and increasing; they are {counts!r:.80}.")
    log_w = []
    for _ in range(0, int(counts[-1]), _CHUNK):
        eps = torch.randn((_CHUNK, len(mean)), generator=generator, dtype=torch.float64).numpy()
        log_p, log_q = -0.5 * (mean + deviation * eps) ** 2, -0.5 * eps**2 - np.log(deviation)
        log_w.append((log_p - log_q).sum(1))  # 2 pi cancels
    terms = np.concatenate(log_w)
    shifted = terms - terms[0]  # avoids cancellation in the sum of squares
    average, square = (sums.cumsum()[counts - 1] / counts for sums in (shifted, shifted**2))
    return Running(counts, average + terms[0], np.sqrt((square - average**2).clip(0) / (counts - 1)))


def _checked(mean: Array, deviation: Array) -> tuple[Array, Array]:
    mean, deviation = np.asarray(mean, np.float64), np.asarray(deviation, np.float64)
    if not (deviation > 0).all():
        raise ConfigError(f"A standard deviation must be above 0; the smallest is {deviation.min():g}.")
    return mean, deviation
