"""Two estimators of the gradient of an expectation over q(z|x) with respect to q's mean and standard deviation.

    reparameterised   d/d mu E_q[f(z)] = E_eps[f'(mu + sigma * eps)]          d/d sigma: f'(z) * eps
    score function    d/d mu E_q[f(z)] = E_q[f(z) d/d mu log q(z)]            f(z) (z - mu) / sigma^2
                                                                              d/d sigma: f(z) (eps^2 - 1) / sigma

with f(z) = log p(x|z) and z = mu + sigma * eps (Kingma & Welling 2013; Williams 1992). Both are unbiased. The second
uses f(z) but not its slope, so its noise is of the order of f itself; the mean of f may be subtracted as a baseline.
"""

from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.errors import ConfigError
from vae.evidence import CHUNK, check_count, check_image
from vae.model import VAE, draw

__all__ = ["ESTIMATORS", "Gradients", "gradient_draws", "true_gradient"]

Array = NDArray[Any]
ESTIMATORS = ("reparameterised", "score", "baseline")
_NODES = 60  # per axis


class Gradients(NamedTuple):
    """Single-sample estimates of the gradient of one image's ELBO, nats per unit of z: (S, 2, J), mu first, then sigma.

    The contribution of the KL is in closed form in all of them.

    Attributes:
        reparameterised: through z = mu + sigma * eps.
        score: f(z) times the slope of log q(z).
        baseline: the same for f minus the mean of f over the other samples (Kool, van Hoof & Welling 2019).
    """

    reparameterised: Array
    score: Array
    baseline: Array

    def variance(self, name: str) -> Array:
        """Returns the variance of one of `ESTIMATORS` for a single sample, (2, J)."""
        return np.asarray(getattr(self, name).var(0, ddof=1))

    def ratio(self, name: str) -> float:
        """Returns its variance relative to that of the reparameterised estimator, summed over mu and sigma of all j."""
        return float(self.variance(name).sum() / self.variance("reparameterised").sum())

    def running(self, name: str, counts: Array) -> tuple[Array, Array]:
        """Returns the mean over the first samples and its standard error, (K, 2, J) each, for counts (K,) of at "
        "least 2."""
        values = getattr(self, name).astype(np.float64)
        shifted = values - values[0]  # avoids cancellation in the sum of squares
        n = counts[:, None, None]
        mean, square = (sums.cumsum(0)[counts - 1] / n for sums in (shifted, shifted**2))
        return mean + values[0], np.sqrt((square - mean**2).clip(0) / (n - 1))


@torch.inference_mode(False)
def gradient_draws(model: VAE, x: Tensor, draws: int, generator: torch.Generator | None = None) -> Gradients:
    """Computes the gradient of the ELBO of one image (1, D) in mu and sigma of its q(z|x), from each of S samples.

    Arguments:
        model: the VAE.
        x: (1, D) pixels, as returned by `VAE.pixels`.
        draws: S, number of samples, at least 2; the same samples for all estimators.
        generator: source of the randomness.

    Raises:
        ConfigError: draws is not a whole number from 2 to a million.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli.
    """
    check_image(model, x)
    check_count("The number of samples", draws, 10**6)
    if draws < 2:
        raise ConfigError("A variance needs at least 2 samples; there is 1.")
    x = x.clone()
    with torch.no_grad():
        q = model.encoder(x)
        mean, deviation = q.base_dist.loc[0], q.base_dist.scale[0]
        z = draw(q, generator, (draws,))[:, 0]
        eps = (z - mean) / deviation
    values, slopes = _slopes(model.decoder, x, z)
    kl = torch.stack([-mean, 1 / deviation - deviation])
    own = torch.stack([eps / deviation, (eps.square() - 1) / deviation], 1)  # the slopes of log q
    less = (values - values.mean()) * (draws / (draws - 1))  # f minus its mean over the other samples
    found = (torch.stack([slopes, slopes * eps], 1), values[:, None, None] * own, less[:, None, None] * own)
    return Gradients(*((kl + each).numpy() for each in found))


@torch.inference_mode(False)
def true_gradient(model: VAE, x: Tensor) -> Array:
    """Computes the gradient of the ELBO of one image (1, D) in mu and sigma, (2, J) float64, for J = 1 or 2.

    The expectation is a Gauss-Hermite sum of the reparameterised slopes.

    Raises:
        ConfigError: J is above 2.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli.
    """
    check_image(model, x)
    latent = model.config.latent
    if latent > 2:
        raise ConfigError(
            f"The exact gradient is a sum over nodes for J = 1 or 2; this model has J = {latent}. Use samples."
        )
    line, mass = np.polynomial.hermite_e.hermegauss(_NODES)
    eps = torch.from_numpy(np.stack(np.meshgrid(*[line] * latent), -1).reshape(-1, latent))
    weight = torch.from_numpy(np.stack(np.meshgrid(*[mass] * latent), -1).reshape(-1, latent).prod(-1))
    with torch.no_grad():
        q = model.encoder(x.clone()).base_dist
        mean, deviation = q.loc[0].double(), q.scale[0].double()
    _, slopes = _slopes(copy.deepcopy(model.decoder).double(), x.clone().double(), mean + deviation * eps)
    weight = (weight / math.sqrt(2 * math.pi) ** latent)[:, None]
    along = torch.stack([(weight * slopes).sum(0), (weight * slopes * eps).sum(0)])
    return np.asarray((along + torch.stack([-mean, 1 / deviation - deviation])).numpy())


def _slopes(decoder: torch.nn.Module, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """Returns log p(x|z) (S,) of one image and its gradient in z (S, J)."""
    values, slopes = [], []
    with torch.enable_grad():
        for part in z.split(CHUNK):
            here = part.detach().requires_grad_()
            value = decoder(here).log_prob(x)
            slopes += torch.autograd.grad(value.sum(), here)
            values.append(value.detach())
    return torch.cat(values), torch.cat(slopes)
