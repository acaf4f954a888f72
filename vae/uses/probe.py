"""A classifier seen through a VAE: what it says of decoded means, between the data as well as at them.

    p(y|z) = p(y | x = E[x|z])

A VAE serves as a map of images that a classifier may meet (Vanbrabant et al. 2026): each place of latent space has an
image, and each image a class. What is probed is the classifier on decoded means, which are smoother than data;
`agreement` says how far the two are apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.errors import ConfigError, DataError
from vae.latent import Axes, aggregate
from vae.model import VAE

__all__ = [
    "Agreement", "Doubt", "Judge", "Lattice", "agreement", "decoded_log_probabilities", "doubt", "extremes", "lattice",
    "log_probabilities", "margins",
]  # fmt: skip

Array = NDArray[Any]
Judge = Callable[[Tensor], Tensor]  # log p(y|x) up to a constant, (N, K), for pixels (N, D) in [0, 1]
_BATCH = 2000
_VALUES = 10_000 * 28 * 28  # of images that become floats together


class Lattice(NamedTuple):
    """What a classifier says on a lattice of a plane, or of the line of J = 1.

    Attributes:
        x, y: (W,) and (H,), coordinates on the plane, increasing; y is one 0 for a line.
        log_probability: (H, W, K) float32, log p(y|z).
    """

    x: Array
    y: Array
    log_probability: Array

    @property
    def winner(self) -> Array:
        """(H, W), the likeliest class of each place."""
        return self.log_probability.argmax(-1)

    @property
    def confidence(self) -> Array:
        """(H, W), the probability of the likeliest class."""
        return np.exp(self.log_probability.max(-1))

    @property
    def entropy(self) -> Array:
        """(H, W), -sum_y p(y|z) log p(y|z), nats."""
        return -(np.exp(self.log_probability) * self.log_probability).sum(-1)

    @property
    def places(self) -> Array:
        """(H * W, 2), coordinates of all places, row by row."""
        return np.stack(np.meshgrid(self.x, self.y), -1).reshape(-1, 2)


class Doubt(NamedTuple):
    """Shares of the prior's mass, each for every threshold of confidence.

    Attributes:
        thresholds: (T,) probabilities of the likeliest class.
        unsure: (T,), where the classifier is below the threshold.
        astray: (T,), where it is at the threshold or above and no data lies: q(z) < `aggregate.RATIO` p(z).
        empty: the share where no data lies, whatever the classifier says.
        draws: S of the prior that the shares are of; 0 for a quadrature.
    """

    thresholds: Array
    unsure: Array
    astray: Array
    empty: float
    draws: int

    def standard_error(self, share: float) -> float:
        """Returns that of a share: sqrt(s (1 - s) / S) of draws, 0 of a quadrature."""
        return math.sqrt(share * (1 - share) / self.draws) if self.draws else 0.0


class Agreement(NamedTuple):
    """What a classifier says of images, held against what it says of their reconstructions.

    Attributes:
        table: (K, K) int, images by class, as it sees the image (rows) and its reconstruction (columns).
        accuracy: share of the images that it has right; nan without labels.
        accuracy_decoded: the same of their reconstructions.
    """

    table: Array
    accuracy: float
    accuracy_decoded: float

    @property
    def same(self) -> float:
        """Share of the images whose reconstruction is of the same class to the classifier."""
        return float(np.trace(self.table) / max(self.table.sum(), 1))


@torch.inference_mode()
def log_probabilities(judge: Judge, images: Tensor) -> Array:
    """Returns log p(y|x) of images (N, H, W) or (N, H, W, 3) uint8, (N, K) float32.

    Raises:
        DataError: the classifier takes images of another size.
    """
    parts = images.flatten(1).split(max(1, _VALUES // max(1, images[0].numel())))
    return np.concatenate([_judged(judge, part.float() / 255) for part in parts])


@torch.inference_mode()
def decoded_log_probabilities(model: VAE, judge: Judge, z: Array) -> Array:
    """Returns log p(y | x = E[x|z]) of latents (N, J), (N, K) float32.

    Raises:
        ConfigError: the latents are not (N, J), or not finite.
        DataError: the classifier takes images of another size.
    """
    z = np.array(z, np.float32)
    if z.ndim != 2 or z.shape[1] != model.config.latent or not np.isfinite(z).all():
        raise ConfigError(f"Latents must be (N, {model.config.latent}) and finite; these {z.shape} are not.")
    parts = torch.from_numpy(z).split(model.config.at_once(_BATCH))
    return np.concatenate([_judged(judge, model.decoded_mean(part.to(model.device)).cpu()) for part in parts])


def _judged(judge: Judge, x: Tensor) -> Array:
    try:
        return judge(x).log_softmax(1).numpy()
    except RuntimeError as error:  # what PyTorch says of shapes that do not fit
        raise DataError(f"The classifier does not take images of {x.shape[1]:,} values.") from error


def lattice(model: VAE, judge: Judge, axes: Axes, x: Array, y: Array) -> Lattice:
    """Decodes and classifies a lattice of a plane.

    Arguments:
        model: the VAE.
        judge: the classifier.
        axes: the plane.
        x, y: (W,) and (H,), coordinates on it.

    Raises:
        ConfigError, DataError: as for `decoded_log_probabilities`.
    """
    empty = Lattice(np.asarray(x), np.asarray(y), np.empty(0))
    found = decoded_log_probabilities(model, judge, axes.lift(empty.places))
    return empty._replace(log_probability=found.reshape(len(y), len(x), -1))


def doubt(
    log_probability: Array, log_ratio: Array, thresholds: Array, weights: Array | None = None
) -> Doubt:  # fmt: skip
    """Measures how much of the prior lies where no class is sure, and how much where one is and no data lies.

    Arguments:
        log_probability: (M, K), log p(y|z) at draws from the prior, or at the places of a quadrature.
        log_ratio: (M,), log q(z) / p(z) there, nats.
        thresholds: (T,) of the probability of the likeliest class.
        weights: (M,), the prior's mass about each place, in any unit; None for draws.

    Raises:
        DataError: there are no places, or not as many of one as of the other.
    """
    if not len(log_probability) or len(log_probability) != len(log_ratio):
        raise DataError("There must be a log ratio for each place, and at least one place.")
    mass = np.full(len(log_ratio), 1.0) if weights is None else np.asarray(weights, np.float64)
    mass = mass / mass.sum()
    confidence = np.exp(log_probability.max(1))
    order = confidence.argsort(kind="stable")
    bare = log_ratio < math.log(aggregate.RATIO)
    below = np.searchsorted(confidence[order], thresholds)  # how many places are below each threshold
    whole, empty = (np.concatenate([[0.0], each[order].cumsum()]) for each in (mass, mass * bare))
    return Doubt(
        np.asarray(thresholds), whole[below], np.maximum(empty[-1] - empty[below], 0), float(empty[-1]),
        len(mass) if weights is None else 0,
    )  # fmt: skip


def margins(log_probability: Array) -> tuple[Array, Array]:
    """Returns the likeliest class (N,) and by how many nats it leads the second, log p(y1|x) / p(y2|x), (N,)."""
    second, first = np.sort(log_probability, 1)[:, -2:].T
    return log_probability.argmax(1), first - second


def extremes(log_probability: Array, label: int, count: int) -> tuple[Array, Array]:
    """Finds the images of a class, as the classifier sees them, that it is most and least sure of.

    Arguments:
        log_probability: (N, K), log p(y|x).
        label: of the class, from 0.
        count: of each, at most.

    Returns:
        Rows of the most typical ones, whose class leads the second by most nats, the first most; and of the least sure
        ones, the least sure first. A row is in one of the two alone.
    """
    winner, margin = margins(log_probability)
    rows = np.flatnonzero(winner == label)
    rows = rows[margin[rows].argsort(kind="stable")]
    least = rows[: min(count, len(rows) // 2)]
    return rows[len(least) :][::-1][:count], least


def agreement(of_images: Array, of_decoded: Array, labels: Array | None = None) -> Agreement:
    """Holds what a classifier says of images against what it says of their reconstructions.

    Arguments:
        of_images: (N, K), log p(y|x) of images.
        of_decoded: (N, K), the same of their reconstructions.
        labels: (N,), their classes.
    """
    size = of_images.shape[1]
    seen, decoded = of_images.argmax(1), of_decoded.argmax(1)
    table = np.bincount(seen * size + decoded, minlength=size * size).reshape(size, size)
    right = [math.nan if labels is None else float((each == labels).mean()) for each in (seen, decoded)]
    return Agreement(table, *right)
