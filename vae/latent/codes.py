"""What a trained model has learned: codes of a set of images, decoded planes, and how much each dimension carries.

Inputs and results are NumPy arrays, float32 or uint8, ready for a figure.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from vae.errors import ConfigError
from vae.model import VAE, draw, generator, pixel_deviation

__all__ = [
    "ALL_COLLAPSED", "COLLAPSED", "Axes", "Codes", "Decoded", "coordinate_axes", "decode", "encode", "manifold",
    "normal_quantiles", "principal_axes",
]  # fmt: skip

Array = NDArray[Any]  # float32 in practice; NumPy's types lose that at each product
# nats of mean KL below which a dimension has collapsed to the prior, and a whole posterior: z then contains almost no
# information about the image or its class
COLLAPSED, ALL_COLLAPSED = 0.01, 0.1
_TINY = np.finfo(np.float32).tiny  # variance of the codes of an encoder whose output is constant


class Codes(NamedTuple):
    """q(z|x) of N images.

    Attributes:
        mean, deviation: (N, J), mu_z(x) and sigma_z(x).
        kl: (N, J), KL[q(z_j|x) || N(0, 1)] in nats; its mean over images is the information that dimension j carries.
    """

    mean: Array
    deviation: Array
    kl: Array


class Decoded(NamedTuple):
    """p(x|z) of N latents: mean, standard deviation and one sample, each (N, H, W) in units of the pixel scale [0, 1].

    In colour each is (N, H, W, 3).
    """

    mean: Array
    deviation: Array
    sample: Array


class Axes(NamedTuple):
    """A plane in latent space: z = centre + a u + b v.

    Attributes:
        centre: (J,).
        directions: (2, J), u and v, of unit length.
        share: (2,), fractions of the variance of the means along u and v, in [0, 1].
    """

    centre: Array
    directions: Array
    share: Array

    def project(self, z: Array) -> Array:
        """Returns the plane's coordinates (N, 2) of latents (N, J)."""
        return (z - self.centre) @ self.directions.T

    def lift(self, plane: Array) -> Array:
        """Returns the latents (N, J) of the plane's coordinates (N, 2)."""
        return self.centre + plane @ self.directions


@torch.inference_mode()
def encode(model: VAE, images: Tensor, *, seed: int = 0, batch: int = 2000) -> Codes:
    """Encodes images.

    Arguments:
        model: the VAE.
        images: (N, H, W) or (N, H, W, 3) uint8 in [0, 255].
        seed: of the dequantisation or binarisation noise.
        batch: images encoded at once; fewer if they are large.
    """
    noise = generator(seed)
    parts = []
    for part in images.split(model.config.at_once(batch)):
        q = model.encoder(model.pixels(part.cpu(), noise).to(model.device)).base_dist
        kl = kl_divergence(q, Normal(torch.zeros_like(q.loc), torch.ones_like(q.loc)))
        parts.append(torch.stack([q.loc, q.scale, kl]))
    return Codes(*torch.cat(parts, 1).cpu().numpy())


@torch.inference_mode()
def decode(model: VAE, z: Array, *, seed: int = 0, batch: int = 2000) -> Decoded:
    """Decodes latents (N, J).

    Arguments:
        model: the VAE.
        z: (N, J).
        seed: of the sample x ~ p(x|z).
        batch: latents decoded at once; fewer if images are large.

    Raises:
        ConfigError: the latents are not (N, J), or not finite.
    """
    with np.errstate(over="ignore"):
        z = np.array(z, np.float32)  # a copy, since torch needs writable memory
    if z.ndim != 2 or z.shape[1] != model.config.latent or not np.isfinite(z).all():
        raise ConfigError(
            f"Latents must have shape (N, {model.config.latent}) and be finite; these, of shape {z.shape}, do not."
        )
    noise = generator(seed, model.device)
    parts = []
    for part in torch.from_numpy(z).split(model.config.at_once(batch)):
        p = model.decoder(part.to(model.device))
        parts.append(torch.stack([p.mean, pixel_deviation(p), draw(p, noise)]))
    return Decoded(*torch.cat(parts, 1).unflatten(-1, model.config.image_shape).cpu().numpy())


def normal_quantiles(count: int) -> Array:
    """Returns the quantiles Phi^-1((i + 1/2) / count) of N(0, 1), increasing: equal steps of the prior's mass.

    Raises:
        ConfigError: the count is less than 1.
    """
    if count < 1:
        raise ConfigError(f"There must be at least one quantile; {count} were requested.")
    middle = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return Normal(0.0, 1.0).icdf(middle).float().numpy()


def manifold(model: VAE, axes: Axes, side: int = 20) -> tuple[Array, Array]:
    """Decodes a square grid of a plane, spaced by the normal quantile function (Kingma & Welling 2013, appendix A).

    Arguments:
        model: the VAE.
        axes: the plane.
        side: images along each axis.

    Returns:
        The coordinates (side,) along both axes, increasing, and the means (side, side, *image_shape); row 0 is the top,
        where the second coordinate is largest, as on a map.
    """
    steps = normal_quantiles(side)
    across, up = np.meshgrid(steps, steps[::-1])
    plane = np.stack([across.ravel(), up.ravel()], 1)
    means = decode(model, axes.lift(plane)).mean
    return steps, means.reshape(side, side, *means.shape[1:])


def coordinate_axes(means: Array, first: int, second: int, centre: Array | None = None) -> Axes:
    """Returns the plane of two latent coordinates through a point (the prior's mean when None).

    Arguments:
        means: (N, J), posterior means, for the fractions of variance.
        first, second: the coordinates, counted from 0; the same one twice, as for J = 1, gives a line.
        centre: (J,); its values for these two coordinates are replaced by 0.

    Raises:
        ConfigError: they are not among the J coordinates.
    """
    size = means.shape[1]
    if not (0 <= first < size and 0 <= second < size):
        raise ConfigError(
            f"Coordinates are numbered from 0 to {size - 1}; {first} and {second} are not both among them."
        )
    origin = np.zeros(size, np.float32) if centre is None else centre.astype(np.float32).copy()
    origin[[first, second]] = 0
    variance = means.var(0)
    directions = np.eye(size, dtype=np.float32)[[first, second]]
    share = variance[[first, second]] / max(variance.sum(), _TINY)
    if first == second:
        directions[1], share[1] = 0, 0
    return Axes(origin, directions, share)


def principal_axes(means: Array) -> Axes:
    """Returns the plane of the two principal directions of posterior means (N, J), through their mean (Pearson 1901).

    Raises:
        ConfigError: there are fewer than two images or two dimensions.
    """
    if min(means.shape) < 2:
        raise ConfigError(f"A plane needs at least 2 images and 2 dimensions; the means have shape {means.shape}.")
    centre = means.mean(0)
    _, singular, directions = np.linalg.svd(means - centre, full_matrices=False)
    share = singular**2 / max((singular**2).sum(), _TINY)
    # the sign of a direction is arbitrary: its largest entry is made positive, so that the picture never flips
    plane = directions[:2] * np.sign(directions[:2][np.arange(2), np.abs(directions[:2]).argmax(1)])[:, None]
    return Axes(centre, plane, share[:2])
