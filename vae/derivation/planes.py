"""Densities on the latent plane for one image, J = 2: where p(x|z) is large, and how few prior samples fall there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.errors import ConfigError
from vae.evidence import CHUNK, check_image, pairwise_log_prob, posterior
from vae.model import VAE

__all__ = ["Plane", "log_likelihood_plane", "log_posterior", "posterior_plane"]

Array = NDArray[Any]
_SIDE = 121  # nodes along a side of a picture
_SHARES = (0.99, 0.9, 0.5)  # of the posterior, enclosed by its contours


class Plane(NamedTuple):
    """The latent plane of one image.

    Attributes:
        x, y: (W,), (H,), nodes of a picture of the whole plane.
        log_likelihood: (H, W), log p(x|z) at these nodes, nats.
        fine_x, fine_y: nodes of a picture of the posterior's neighbourhood.
        fine: (H, W), log p(x|z) at these nodes, nats.
        log_posterior: (H, W), log p(z|x) at these nodes, nats.
        levels: log p(z|x) on the contours that enclose 99, 90 and 50% of the posterior, increasing.
        mean, deviation: (2,), mean and standard deviation of q(z|x).
        samples: (S, 2), samples from the prior.
        hit: (S,), which of them are inside the 99% contour.
        share: probability that a sample is.
        kl: KL[p(z|x) || p(z)], nats.
    """

    x: Array
    y: Array
    log_likelihood: Array
    fine_x: Array
    fine_y: Array
    fine: Array
    log_posterior: Array
    levels: tuple[float, ...]
    mean: Array
    deviation: Array
    samples: Array
    hit: Array
    share: float
    kl: float


@torch.inference_mode()
def log_likelihood_plane(model: VAE, x: Tensor, across: Array, up: Array) -> Array:
    """Evaluates log p(x|z) of one image on a plane, for J = 2.

    Arguments:
        model: the VAE.
        x: (1, D) pixels, as returned by `VAE.pixels`.
        across, up: (W,) and (H,), the grid's coordinates z1 and z2.

    Returns:
        (H, W), nats.

    Raises:
        ConfigError: the model does not have two latent dimensions.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli.
    """
    check_image(model, x)
    if model.config.latent != 2:
        raise ConfigError(
            f"log p(x|z) can be drawn on a plane only for J = 2; this model has J = {model.config.latent}."
        )
    z = torch.from_numpy(np.stack(np.meshgrid(across, up), -1).reshape(-1, 2).astype(np.float32))
    parts = [pairwise_log_prob(model.decoder(part), x[:1]) for part in z.split(CHUNK)]
    return torch.cat(parts).reshape(len(up), len(across)).numpy()


@torch.inference_mode()
def log_posterior(model: VAE, x: Tensor, z: Array, log_p: float) -> Array:
    """Returns log p(z|x) = log p(x|z) + log p(z) - log p(x) of one image (1, D) at latents (N, J), (N,) nats."""
    check_image(model, x)
    at = torch.from_numpy(z)
    parts = [pairwise_log_prob(model.decoder(part), x)[:, 0] + model.prior.log_prob(part) for part in at.split(CHUNK)]
    return torch.cat(parts).numpy() - log_p


def posterior_plane(model: VAE, x: Tensor, wide: float, draws: int, generator: torch.Generator) -> Plane:
    """Computes the densities on the plane for one image.

    Arguments:
        model: a VAE with J = 2.
        x: (1, D) pixels, as returned by `VAE.pixels`.
        wide: the whole plane is [-wide, wide]^2.
        draws: S, number of samples from the prior.
        generator: source of the randomness.

    Raises:
        ConfigError: the model does not have two latent dimensions.
        DataError: x is not (1, D), not finite float32, or grey; or the posterior is too sharp for a grid.
    """
    whole = np.linspace(-wide, wide, _SIDE, dtype=np.float32)
    far = log_likelihood_plane(model, x, whole, whole)
    found = posterior(model, x)
    with torch.inference_mode():
        q = model.encoder(x[:1]).base_dist
        z = torch.randn(draws, 2, generator=generator)
        log_joint = pairwise_log_prob(model.decoder(z), x[:1])[:, 0] + model.prior.log_prob(z)
    mean, deviation = q.loc[0].numpy(), q.scale[0].numpy()
    heavy = found.z[found.weight > 1e-4 * found.weight.max()]
    ends = np.concatenate([heavy, [mean - 2.5 * deviation, mean + 2.5 * deviation]])
    middle, reach = (ends.max(0) + ends.min(0)) / 2, 0.7 * np.ptp(ends, 0).max()
    across, up = (np.linspace(m - reach, m + reach, _SIDE, dtype=np.float32) for m in middle)
    near = log_likelihood_plane(model, x, across, up)
    log_prior = -0.5 * (across**2 + up[:, None] ** 2) - np.log(2 * np.pi)
    levels = tuple(found.level(share) for share in _SHARES)
    return Plane(
        whole, whole, far, across, up, near, near + log_prior - found.log_p, levels, mean, deviation, z.numpy(),
        log_joint.numpy() - found.log_p > levels[0], found.prior_mass(_SHARES[0]), found.kl_prior,
    )  # fmt: skip
