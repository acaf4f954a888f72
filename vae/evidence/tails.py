"""The shape of the tail of importance weights, for all images at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vae.model import in_double

__all__ = ["pareto_k"]

_FEWEST = 25  # weights; a fifth of them makes a tail of five
_TOGETHER = 2**22  # numbers at once: 32 MB
_PRIOR = 10  # number of weights that the prior, k = 1/2, counts for


def pareto_k(log_weights: Tensor) -> Tensor:
    """Fits the shape k of the tail of importance weights, a generalised Pareto distribution (Vehtari et al. 2024).

    The weights have about 1/k finite moments: below 0.5 the error is asymptotically normal, above 0.7 the estimate is
    unreliable. The tail is the largest 3 sqrt(K) weights, or a fifth of them if K <= 225; the fit is the empirical
    Bayes estimate of Zhang & Stephens (2009), with k shrunk towards 1/2 as if by ten more weights.

    Arguments:
        log_weights: (K, B), nats.

    Returns:
        (B,) float64, on the CPU; NaN (unknown) for fewer than 25 weights or if the largest are all equal, and inf if
        the range of the tail exceeds that of float64.
    """
    count, images = log_weights.shape
    if count < _FEWEST:
        return torch.full((images,), math.nan, dtype=torch.float64)
    size = int(3 * math.sqrt(count)) if count > 225 else count // 5
    grid = 30 + math.isqrt(size)
    together = max(1, _TOGETHER // (grid * size))
    return torch.cat([_fitted(part, size, grid) for part in log_weights.split(together, 1)]).cpu()


def _fitted(log_weights: Tensor, size: int, grid: int) -> Tensor:
    """Fits k to the `size` largest weights of each image, on a grid of values of b = -k / sigma."""
    largest = in_double(log_weights.topk(size + 1, 0).values).flip(0)
    largest = largest - largest[-1]
    excess = largest[1:].exp() - largest[0].exp()  # above the largest weight below the tail, increasing
    place = torch.arange(1, grid + 1, dtype=torch.float64, device=excess.device)[:, None]
    b = (1 - (grid / (place - 0.5)).sqrt()) / (3 * excess[int(size / 4 + 0.5) - 1]) + 1 / excess[-1]
    k = torch.log1p(-b[:, None] * excess).mean(1)
    share = (size * ((-b / k).log() - k - 1)).softmax(0)
    middle = (share * b).sum(0)
    k = torch.log1p(-middle * excess).mean(0)
    k = (size * k + _PRIOR / 2) / (size + _PRIOR)
    unknown = largest[1:].amax(0) - largest[1:].amin(0) < torch.finfo(torch.float64).tiny
    return k.nan_to_num(math.inf, math.inf, math.inf).masked_fill(unknown, math.nan)
