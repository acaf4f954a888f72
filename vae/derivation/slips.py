"""The effect of typos in the source, computed as printed.

The chapter that the lesson follows prints z = mu + sigma^2 * eps for z = mu + sigma * eps, and an integral without dz.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["heights", "kl_to_prior"]

Array = NDArray[Any]


def kl_to_prior(mean: Array, deviation: Array) -> float:
    """Returns KL[N(mean, diag deviation^2) || N(0, I)] = 1/2 sum_j (mu^2 + sigma^2 - 1 - log sigma^2), nats.

    Arguments:
        mean, deviation: (J,), means and standard deviations.
    """
    mean, deviation = mean.astype(np.float64), deviation.astype(np.float64)
    return float(0.5 * (mean**2 + deviation**2 - 1).sum() - np.log(deviation).sum())


def heights(mean: float, deviation: float, step: float) -> float:
    """Sums q log q/p over a grid of one coordinate, q = N(mean, deviation^2) and p = N(0, 1), without the width dz.

    Multiplied by the step it is the KL divergence; without that factor it doubles when the step is halved.

    Arguments:
        mean, deviation: mean and standard deviation of q.
        step: of the grid, which extends 10 standard deviations to each side.
    """
    side = math.ceil(10 * deviation / step)
    z = mean + step * np.arange(-side, side + 1)
    log_q = -0.5 * ((z - mean) / deviation) ** 2 - math.log(deviation)
    return float((np.exp(log_q) / math.sqrt(2 * math.pi) * (log_q + 0.5 * z**2)).sum())
