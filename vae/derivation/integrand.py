"""p(x) = integral of p(x|z) p(z) dz as a sum over a grid, its gradient, and how few prior samples contribute.

    grad log p(x) = grad p(x) / p(x) = E_{p(z|x)}[grad log p(x|z)]          Fisher's identity

so the gradient of the logarithm needs the posterior, which needs p(x). It is computed for a term added to the decoder's
last layer, before the sigmoid of the mean: an image whose pixel d is the slope of log p(x) in the bias b_d of that
pixel.
"""

from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vae.errors import ConfigError
from vae.evidence import CHUNK, Posterior, check_count, check_image, pairwise_log_prob
from vae.model import VAE, standard_normal

__all__ = ["Stream", "bias_slope", "enough", "grid_evidence", "posterior_slope", "prior_slope", "running", "stream"]

Array = NDArray[Any]
_MOST_SIDE = 2000


class Stream(NamedTuple):
    """Samples from the prior, and what each contributes to naive Monte Carlo.

    Attributes:
        z: (L, J).
        log_likelihood: (L,), log p(x|z), nats.
    """

    z: Array
    log_likelihood: Array


@torch.inference_mode()
def grid_evidence(model: VAE, x: Tensor, side: int, wide: float) -> float:
    """Sums log p(x) = log sum_i p(x|z_i) p(z_i) h^J over the midpoints of side^J cells of [-wide, wide]^J.

    Arguments:
        model: a VAE with J = 1 or 2.
        x: (1, D) pixels, as returned by `VAE.pixels`.
        side: cells along a side, each of width h = 2 wide / side.
        wide: half of the square's side, in units of z.

    Returns:
        Nats. A grid coarser than the posterior either misses it, or hits it and extends it over a whole cell.

    Raises:
        ConfigError: J is above 2, or side is not a whole number from 1 to 2,000.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli.
    """
    check_image(model, x)
    size = model.config.latent
    if size > 2:
        raise ConfigError(f"A grid fills latent space for J = 1 or 2; this model has J = {size}.")
    check_count("The number of cells along a side", side, _MOST_SIDE)
    step = 2 * wide / side
    line = torch.arange(side) * step - wide + step / 2
    z = torch.cartesian_prod(*[line] * size).reshape(-1, size)
    log_w = [pairwise_log_prob(model.decoder(part), x)[:, 0] + model.prior.log_prob(part) for part in z.split(CHUNK)]
    return float(torch.cat(log_w).double().logsumexp(0)) + size * math.log(step)


@torch.inference_mode()
def stream(model: VAE, x: Tensor, count: int, generator: torch.Generator) -> Stream:
    """Draws samples from the prior, and evaluates log p(x|z) at each.

    Raises:
        ConfigError: count is not a positive whole number.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli.
    """
    check_image(model, x)
    check_count("The number of samples", count)
    z = torch.randn(count, model.config.latent, generator=generator)
    parts = [pairwise_log_prob(model.decoder(part), x)[:, 0] for part in z.split(CHUNK)]
    return Stream(z.numpy(), torch.cat(parts).numpy())


def running(log_likelihood: Array) -> Array:
    """Returns the estimate log 1/L sum_l p(x|z_l) after each sample, (..., L), for log p(x|z_l) (..., L), in nats."""
    count = np.arange(1, log_likelihood.shape[-1] + 1)
    return np.logaddexp.accumulate(log_likelihood.astype(np.float64), -1) - np.log(count)


def enough(estimates: Array, log_p: float, within: float) -> int | None:
    """Returns the smallest L from which on half of the runs stay this close to log p(x), or None if they never do.

    Arguments:
        estimates: (R, L) running estimates of R runs, nats.
        log_p: log p(x), nats.
        within: nats.
    """
    off = np.abs(estimates - log_p) > within
    last = np.where(off.any(1), estimates.shape[1] - off[:, ::-1].argmax(1), 0)  # samples up to the last that is off
    middle = int(np.sort(last)[(len(last) - 1) // 2]) + 1
    return middle if middle <= estimates.shape[1] else None


def posterior_slope(model: VAE, x: Tensor, found: Posterior) -> Array:
    """Averages the slopes of log p(x|z) over the posterior, (D,), nats per unit of bias: the gradient of log p(x).

    Raises:
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli.
    """
    return _mean_slope(model, x, found.z, found.weight)


def prior_slope(model: VAE, x: Tensor, z: Array) -> Array:
    """Averages them over samples from the prior (L, J) instead, (D,), which is not the gradient."""
    return _mean_slope(model, x, z, np.full(len(z), 1 / len(z)))


def bias_slope(model: VAE, x: Tensor, found: Posterior, pixel: int, step: float = 1e-3) -> float:
    """Measures d log p(x) / d b for one pixel d, by increasing and decreasing the bias a little.

    It uses neither gradients nor the posterior: p(x|z) p(z) is summed twice over the same nodes, in float64.

    Arguments:
        model: the VAE.
        x: (1, D) pixels, as returned by `VAE.pixels`.
        found: the posterior, for its nodes.
        pixel: d.
        step: change of the bias.
    """
    check_image(model, x)
    decoder, shift = _shifted(model)
    z, sides = torch.from_numpy(found.z).double(), []
    prior = standard_normal(z.shape[1])
    for way in (step, -step):
        with torch.no_grad():
            shift.zero_()[pixel] = way
            sides.append(torch.cat([decoder(part).log_prob(x.double()) for part in z.split(CHUNK)]) + prior.log_prob(z))
    return float(sides[0].logsumexp(0) - sides[1].logsumexp(0)) / (2 * step)


@torch.inference_mode(False)  # gradients are needed, whatever mode the caller is in
def _mean_slope(model: VAE, x: Tensor, z: Array, weight: Array) -> Array:
    check_image(model, x)
    decoder, shift = _shifted(model)
    shift.requires_grad_()
    pairs = zip(torch.from_numpy(z).double().split(CHUNK), torch.from_numpy(weight).split(CHUNK), strict=True)
    for part, share in pairs:
        with torch.enable_grad():
            (share @ decoder(part).log_prob(x.clone().double())).backward()
    assert shift.grad is not None
    return shift.grad.numpy()


@torch.inference_mode(False)
def _shifted(model: VAE) -> tuple[nn.Module, Tensor]:
    """Returns the decoder in float64, and the term added to its last layer, (D,) zeros."""
    decoder, shift = (
        copy.deepcopy(model.decoder).double().requires_grad_(False),
        torch.zeros(model.config.pixels).double(),
    )
    assert isinstance(decoder.location, nn.Module)
    decoder.location.register_forward_hook(lambda _layer, _inputs, out: out + shift)
    return decoder, shift
