"""The variance of a Gaussian decoder: nats pixel by pixel, residuals compared with sigma, and other floors.

    log p(x|z) = sum_d -1/2 [ (x_d - mu_d)^2 / sigma_d^2 + log 2 pi sigma_d^2 ]

If sigma is correct, E (x_d - mu_d)^2 = sigma_d^2: residuals are as large as predicted. It is learned only where the
codes of training images are, and nothing makes it grow elsewhere (Arvanitidis, Hansen & Hauberg 2018; Detlefsen,
Jorgensen & Hauberg 2019), so residuals are compared with it at the codes and away from them. Results are NumPy arrays,
ready for a figure.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from vae.errors import ConfigError, DataError
from vae.evidence import check_pixels
from vae.model import VAE, ModelConfig

__all__ = [
    "ByDistance", "Calibration", "border", "calibration", "deviation_by_level", "floor_path", "mean_deviation",
    "nats_by_pixel", "nearest", "observed_over_predicted", "outwards", "residuals_by_distance", "with_floor",
]  # fmt: skip

Array = NDArray[Any]
_BATCH = 500  # latents decoded at once: three arrays of 500 x 784 fit into the cache


class Calibration(NamedTuple):
    """Residuals of pixels, grouped by their predicted standard deviation into K bins that are not empty.

    Attributes:
        predicted: (K,), root mean square of sigma in the bin, in units of the pixel scale [0, 1].
        observed: (K,), root mean square of x - mu there; the same if sigma is correct.
        share: (K,), fraction of all pixels in the bin.
    """

    predicted: Array
    observed: Array
    share: Array


class ByDistance(NamedTuple):
    """Latents grouped by distance from the data into K bins that are not empty; medians over the latents of a bin.

    Attributes:
        distance: (K,), in units of z.
        deviation: (K,), mean sigma over the pixels.
        residual: (K,), root mean square of x - mu over the pixels.
        standardised: (K,), root mean square of (x - mu) / sigma; 1 if sigma is correct, more if it is too small.
        latents: (K,), number of latents.
    """

    distance: Array
    deviation: Array
    residual: Array
    standardised: Array
    latents: Array


def with_floor(model: VAE, floor: float | None) -> VAE:
    """Returns a Gaussian model with the same weights but another floor of log sigma^2; its means are the same.

    Arguments:
        model: left unchanged; its weights are shared with the result.
        floor: lower bound on the log variance, or None for no bound.

    Raises:
        ConfigError: the floor is out of range, or the decoder has no variance.
    """
    if model.config.likelihood == "bernoulli":
        raise ConfigError("A floor applies to the variance of a Gaussian; a Bernoulli decoder has no variance.")
    if not isinstance(model.config, ModelConfig):
        raise ConfigError("The floor can be changed only for models that were built here; this one is imported.")
    config = dataclasses.replace(model.config, log_variance_floor=floor)
    decoder = copy.copy(model.decoder)
    decoder.config = config  # type: ignore[assignment]  # mypy takes it for a submodule
    return VAE(model.encoder, decoder, config)


def border(images: Tensor, share: float = 0.99) -> Array:
    """Finds the pixels that are 0 in at least a given fraction of images, so that they are known in advance.

    Arguments:
        images: (N, H, W) or (N, H, W, 3) uint8; a pixel in colour is 0 if its three values are.
        share: fraction of the images.

    Returns:
        (H, W) bool.

    Raises:
        DataError: there are no images.
    """
    if images.ndim not in (3, 4) or not len(images):
        raise DataError(f"border needs at least one image, (N, H, W) or (N, H, W, 3); it got {tuple(images.shape)}.")
    black = torch.zeros(images.shape[1:3], dtype=torch.int64)
    for part in images.split(_BATCH):
        dark = part == 0
        black += (dark if part.ndim == 3 else dark.all(3)).sum(0)
    return (black >= share * len(images)).numpy()


@torch.inference_mode()
def nats_by_pixel(model: VAE, z: Array, x: Tensor) -> Array:
    """Averages log p(x|z) of each pixel over pairs of a latent and an image; the sum is the mean of log p(x|z).

    Arguments:
        model: a VAE with a Gaussian likelihood.
        z: (B, J).
        x: (B, D) pixels, see `VAE.pixels`.

    Returns:
        (H, W) float64, nats; a pixel in colour has the sum of its three values' nats.

    Raises:
        ConfigError: the likelihood is not Gaussian.
        DataError: z and x do not match each other or the model.
    """
    total = torch.zeros(model.config.pixels, dtype=torch.float64)
    for p, part in _pairs(model, z, x):
        total += p.log_prob(part).double().sum(0)
    return (total / len(x)).reshape(model.config.planes).sum(2).numpy()


def deviation_by_level(mean: Array, deviation: Array, edges: tuple[float, float] = (0.1, 0.9)) -> tuple[float, ...]:
    """Returns the mean sigma of dark pixels (mu below the first edge), of those between, and of bright ones.

    Arguments:
        mean, deviation: of one p(x|z), of any shape, pixel scale [0, 1].
        edges: levels that separate background, edges of strokes, and ink.
    """
    level = np.digitize(mean, edges)
    return tuple(float(deviation[level == i].mean()) if (level == i).any() else math.nan for i in range(3))


@torch.inference_mode()
def mean_deviation(model: VAE, z: Array) -> Array:
    """Returns the mean of sigma over the values of an image, (N,), for latents (N, J).

    Raises:
        ConfigError: the likelihood is not Gaussian.
        DataError: the latents are not (N, J).
    """
    return np.concatenate([_normal(model.decoder, part).scale.mean(-1).numpy() for part in _latents(model, z)])


@torch.inference_mode()
def calibration(model: VAE, z: Array, x: Tensor, edges: Array) -> Calibration:
    """Compares residuals with their predicted standard deviation.

    Arguments:
        model, z, x: as for `nats_by_pixel`.
        edges: (K - 1,) of sigma, increasing; values beyond them fall into the first and the last of K bins.

    Raises:
        ConfigError, DataError: as for `nats_by_pixel`.
    """
    bins = len(edges) + 1
    sums = np.zeros((3, bins))
    for p, part in _pairs(model, z, x):
        sigma, residual = p.scale.double().numpy().ravel(), (part - p.loc).double().numpy().ravel()
        place = np.digitize(sigma, edges)
        sums += [np.bincount(place, weights, bins) for weights in (np.ones_like(sigma), sigma**2, residual**2)]
    count, predicted, observed = sums[:, sums[0] > 0]
    return Calibration(np.sqrt(predicted / count), np.sqrt(observed / count), count / count.sum())


@torch.inference_mode()
def observed_over_predicted(model: VAE, z: Array, x: Tensor) -> tuple[float, float | None]:
    """Returns the ratio of the residuals of all pixels to sigma, and its standard error.

        r = sqrt( sum (x - mu)^2 / sum sigma^2 )

    The error is that of a ratio of two means over the images, to first order; it is None for a single image.

    Arguments:
        model, z, x: as for `nats_by_pixel`.

    Raises:
        ConfigError, DataError: as for `nats_by_pixel`.
    """
    squares = [((part - p.loc).double().square().sum(1), p.scale.double().square().sum(1))
               for p, part in _pairs(model, z, x)]  # fmt: skip
    observed, predicted = (torch.cat(each).numpy() for each in zip(*squares, strict=True))
    ratio = math.sqrt(observed.mean() / predicted.mean())
    if len(x) < 2:
        return ratio, None
    spread = (observed - ratio**2 * predicted).std(ddof=1) / (2 * ratio * predicted.mean())
    return ratio, float(spread / math.sqrt(len(x)))


def outwards(means: Array, lengths: Sequence[float]) -> Array:
    """Walks from codes away from the prior's mean, along the ray through each.

    Arguments:
        means: (N, J) codes; one at 0 goes along the first coordinate.
        lengths: (S,), distances, in units of z.

    Returns:
        (S*N, J), all codes at the first length first.
    """
    norm = np.linalg.norm(means, axis=1, keepdims=True)
    first = np.eye(1, means.shape[1], dtype=means.dtype)
    rays = np.where(norm > 0, means / np.maximum(norm, np.finfo(np.float32).tiny), first)
    return np.concatenate([means + length * rays for length in lengths])


def nearest(z: Array, means: Array) -> tuple[Array, Array]:
    """Returns the distance (N,) from latents (N, J) to the nearest of the codes (M, J), and the index of that code "
    "(N,)."""
    codes = torch.from_numpy(np.array(means, np.float32))
    found = [
        torch.cdist(part, codes, compute_mode="donot_use_mm_for_euclid_dist").min(1)
        for part in torch.from_numpy(np.array(z, np.float32)).split(_BATCH)
    ]
    return torch.cat([each.values for each in found]).numpy(), torch.cat([each.indices for each in found]).numpy()


@torch.inference_mode()
def residuals_by_distance(model: VAE, z: Array, x: Tensor, distance: Array, edges: Array) -> ByDistance:
    """Measures sigma and the residuals at increasing distances from the data.

    Arguments:
        model: a VAE with a Gaussian likelihood.
        z: (B, J).
        x: (B, D), compared with p(x|z): the pixels of the image whose code is nearest to z.
        distance: (B,) from z to that code.
        edges: (K - 1,) increasing; a distance equal to an edge falls below it.

    Raises:
        ConfigError, DataError: as for `nats_by_pixel`.
    """
    rows = []
    for p, part in _pairs(model, z, x):
        residual = part - p.loc
        ratio = (residual / p.scale).double().square().mean(-1).sqrt()
        rows.append(torch.stack([p.scale.double().mean(-1), residual.double().square().mean(-1).sqrt(), ratio]))
    values = np.vstack([distance, torch.cat(rows, 1).numpy()])
    place = np.digitize(distance, edges, right=True)
    bins = [values[:, place == k] for k in np.unique(place)]
    far, deviation, residuals, ratios = np.array([np.median(each, 1) for each in bins]).T
    return ByDistance(far, deviation, residuals, ratios, np.array([each.shape[1] for each in bins]))


@torch.inference_mode()
def floor_path(model: VAE, z: Array, x: Tensor, floors: Sequence[float]) -> Array:
    """Returns log p(x|z) under each of K floors of log sigma^2, (K, B) float64, nats.

    Arguments:
        model, z, x: as for `nats_by_pixel`.
        floors: (K,).

    Raises:
        ConfigError, DataError: as for `nats_by_pixel` and `with_floor`.
    """
    latents = torch.cat(list(_latents(model, z)))
    check_pixels(model, x)
    decoders = (with_floor(model, floor).decoder for floor in floors)
    return np.stack([_normal(decoder, latents).log_prob(x).double().sum(-1).numpy() for decoder in decoders])


def _normal(decoder: nn.Module, z: Tensor) -> Normal:
    p = decoder(z)
    if isinstance(p, Independent) and isinstance(p.base_dist, Normal):
        return p.base_dist
    raise ConfigError("A Bernoulli decoder has no variance of its own; choose a model with a Gaussian decoder.")


def _latents(model: VAE, z: Array) -> Iterator[Tensor]:
    if z.ndim != 2 or z.shape[1] != model.config.latent or not len(z) or not np.isfinite(z).all():
        raise DataError(
            f"Latents must have shape (N, {model.config.latent}), N at least 1, and be finite; these, of shape "
            f"{z.shape}, do not."
        )
    yield from torch.from_numpy(np.array(z, np.float32)).split(_BATCH)


def _pairs(model: VAE, z: Array, x: Tensor) -> Iterator[tuple[Normal, Tensor]]:
    check_pixels(model, x)
    if len(z) != len(x):
        raise DataError(f"Each image needs one latent; there are {len(x)} images and {len(z)} latents.")
    for part, pixels in zip(_latents(model, z), x.split(_BATCH), strict=True):
        yield _normal(model.decoder, part), pixels
