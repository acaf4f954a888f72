"""Two ways to the gradient of an expectation over q(z|x) in q's own mean and deviation, draw by draw.

    reparameterised   d/d mu E_q[f(z)] = E_eps[f'(mu + sigma * eps)]          d/d sigma: f'(z) * eps
    score function    d/d mu E_q[f(z)] = E_q[f(z) d/d mu log q(z)]            f(z) (z - mu) / sigma^2
                                                                              d/d sigma: f(z) (eps^2 - 1) / sigma

with f(z) = log p(x|z) and z = mu + sigma * eps (Kingma & Welling 2013; Williams 1992). Both are right on average. The
second knows f(z) but not its slope, so its noise is of the size of f itself; what f is on average may be taken off as a
baseline.
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
_NODES = 60  # an axis


class Gradients(NamedTuple):
    """The gradient of one image's ELBO as single draws see it, nats per unit of z: (S, 2, J), mu first and then sigma.

    The KL's part is in closed form in all of them.

    Attributes:
        reparameterised: through z = mu + sigma * eps.
        score: f(z) times the slope of log q(z).
        baseline: the same, of f less the mean of f at the other draws (Kool, van Hoof & Welling 2019).
    """

    reparameterised: Array
    score: Array
    baseline: Array

    def variance(self, name: str) -> Array:
        """Returns the variance of a single draw of one of `ESTIMATORS`, (2, J)."""
        return np.asarray(getattr(self, name).var(0, ddof=1))

    def ratio(self, name: str) -> float:
        """Returns how many times the variance of the reparameterised one it has, summed over mu and sigma of all j."""
        return float(self.variance(name).sum() / self.variance("reparameterised").sum())

    def running(self, name: str, counts: Array) -> tuple[Array, Array]:
        """Returns the mean over the first draws and its standard error, (K, 2, J) each, for counts (K,) from 2 up."""
        values = getattr(self, name).astype(np.float64)
        shifted = values - values[0]  # so that the sum of squares does not cancel
        n = counts[:, None, None]
        mean, square = (sums.cumsum(0)[counts - 1] / n for sums in (shifted, shifted**2))
        return mean + values[0], np.sqrt((square - mean**2).clip(0) / (n - 1))


@torch.inference_mode(False)
def gradient_draws(model: VAE, x: Tensor, draws: int, generator: torch.Generator | None = None) -> Gradients:
    """Computes the gradient of the ELBO of one image (1, D) in mu and sigma of its q(z|x), from each of S draws.

    Arguments:
        model: the VAE.
        x: pixels as the likelihood wants them, see `VAE.pixels`.
        draws: S, at least 2; the same for all estimators.
        generator: their source.

    Raises:
        ConfigError: draws is not a whole number from 2 to a million.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli.
    """
    check_image(model, x)
    check_count("The number of draws", draws, 10**6)
    if draws < 2:
        raise ConfigError("A variance needs at least 2 draws; there is 1.")
    x = x.clone()
    with torch.no_grad():
        q = model.encoder(x)
        mean, deviation = q.base_dist.loc[0], q.base_dist.scale[0]
        z = draw(q, generator, (draws,))[:, 0]
        eps = (z - mean) / deviation
    values, slopes = _slopes(model.decoder, x, z)
    kl = torch.stack([-mean, 1 / deviation - deviation])
    own = torch.stack([eps / deviation, (eps.square() - 1) / deviation], 1)  # the slopes of log q
    less = (values - values.mean()) * (draws / (draws - 1))  # the mean of the others, at each draw
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
        raise ConfigError(f"The gradient is summed over nodes for J = 1 or 2; this model has J = {latent}. Take draws.")
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
