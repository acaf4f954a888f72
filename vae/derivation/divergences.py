"""The Kullback-Leibler divergence of one distribution from another, in nats (Kullback & Leibler 1951).

    KL[p || q] = integral of p(x) log p(x) / q(x) dx          continuous
    KL[p || q] = sum_i p_i log p_i / q_i                      discrete

It is never negative, and 0 only if p = q (Gibbs' inequality). It is not symmetric.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vae.errors import ConfigError

__all__ = ["discrete_kl", "normal_kl"]


def normal_kl(mean: float, deviation: float, other_mean: float, other_deviation: float) -> float:
    """Computes KL[N(mean, deviation^2) || N(other_mean, other_deviation^2)] on the real line, in nats.

    log s'/s + (s^2 + (m - m')^2) / 2 s'^2 - 1/2

    Raises:
        ConfigError: a standard deviation is not positive.
    """
    if not (deviation > 0 and other_deviation > 0):
        raise ConfigError(f"A standard deviation must be above 0; these are {deviation:g} and {other_deviation:g}.")
    ratio = deviation / other_deviation
    return 0.5 * (ratio**2 + ((mean - other_mean) / other_deviation) ** 2 - 1) - math.log(ratio)


def discrete_kl(p: Sequence[float], q: Sequence[float]) -> float:
    """Computes KL[p || q] of two distributions over the same values, nats; infinite where q is 0 and p is not.

    Arguments:
        p, q: non-negative weights with a positive sum; they are normalised.

    Raises:
        ConfigError: they differ in length, or are not such weights.
    """
    one, other = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if one.shape != other.shape or any((each < 0).any() or not each.sum() > 0 for each in (one, other)):
        raise ConfigError(
            f"Two distributions need equally many weights, none below 0; these are {p!r:.60} and {q!r:.60}."
        )
    one, other = one / one.sum(), other / other.sum()
    some = one > 0
    with np.errstate(divide="ignore"):
        return float((one[some] * (np.log(one[some]) - np.log(other[some]))).sum())
