"""Probes a classifier through a VAE: its predictions on decoded means, at the codes of the data and between them.

    p(y|z) = p(y | x = E[x|z])

A VAE serves as a map of the inputs of a classifier (Vanbrabant et al. 2026): each point of latent space decodes to an
image, and each image has a predicted class. The classifier is evaluated on decoded means, which are smoother than
data; `agreement` measures how much its predictions differ between the two.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
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
    "lattice_csv", "log_probabilities", "margins",
]  # fmt: skip

Array = NDArray[Any]
Judge = Callable[[Tensor], Tensor]  # log p(y|x) up to a constant, (N, K), for pixels (N, D) in [0, 1]
_BATCH = 2000
_VALUES = 10_000 * 28 * 28  # pixel values converted to floats at once


class Lattice(NamedTuple):
    """Class probabilities on a lattice of a plane, or of the line for J = 1.

    Attributes:
        x, y: (W,) and (H,), coordinates on the plane, increasing; for a line y is a single 0.
        log_probability: (H, W, K) float32, log p(y|z).
    """

    x: Array
    y: Array
    log_probability: Array

    @property
    def winner(self) -> Array:
        """(H, W), the most probable class of each point."""
        return self.log_probability.argmax(-1)

    @property
    def confidence(self) -> Array:
        """(H, W), the probability of the most probable class."""
        return np.exp(self.log_probability.max(-1))

    @property
    def entropy(self) -> Array:
        """(H, W), -sum_y p(y|z) log p(y|z), nats."""
        return -(np.exp(self.log_probability) * self.log_probability).sum(-1)

    @property
    def places(self) -> Array:
        """(H * W, 2), coordinates of all points, row by row."""
        return np.stack(np.meshgrid(self.x, self.y), -1).reshape(-1, 2)


class Doubt(NamedTuple):
    """Fractions of the prior's mass, as functions of a threshold on the classifier's confidence.

    Attributes:
        thresholds: (T,), values of the probability of the most probable class.
        unsure: (T,), the fraction where the confidence is below the threshold.
        astray: (T,), the fraction where it is not, although there are no data: q(z) < `aggregate.RATIO` p(z).
        empty: the fraction where there are no data, whatever the confidence.
        draws: S, number of samples from the prior; 0 for a quadrature.
    """

    thresholds: Array
    unsure: Array
    astray: Array
    empty: float
    draws: int

    def standard_error(self, share: float) -> float:
        """Returns the standard error of a fraction: sqrt(s (1 - s) / S) for samples, 0 for a quadrature."""
        return math.sqrt(share * (1 - share) / self.draws) if self.draws else 0.0


class Agreement(NamedTuple):
    """The predictions of a classifier on images, compared with those on their reconstructions.

    Attributes:
        table: (K, K) int, number of images by predicted class, of the image (rows) and its reconstruction (columns).
        accuracy: fraction of the images classified correctly; nan without labels.
        accuracy_decoded: the same for their reconstructions.
    """

    table: Array
    accuracy: float
    accuracy_decoded: float

    @property
    def same(self) -> float:
        """Fraction of the images whose reconstruction is assigned to the same class."""
        return float(np.trace(self.table) / max(self.table.sum(), 1))


@torch.inference_mode()
def log_probabilities(judge: Judge, images: Tensor) -> Array:
    """Returns log p(y|x), (N, K) float32, for images (N, H, W) or (N, H, W, 3) uint8.

    Raises:
        DataError: the classifier expects images of another size.
    """
    parts = images.flatten(1).split(max(1, _VALUES // max(1, images[0].numel())))
    return np.concatenate([_judged(judge, part.float() / 255) for part in parts])


@torch.inference_mode()
def decoded_log_probabilities(model: VAE, judge: Judge, z: Array) -> Array:
    """Returns log p(y | x = E[x|z]), (N, K) float32, for latents (N, J).

    Raises:
        ConfigError: the latents are not (N, J), or not finite.
        DataError: the classifier expects images of another size.
    """
    z = np.array(z, np.float32)
    if z.ndim != 2 or z.shape[1] != model.config.latent or not np.isfinite(z).all():
        raise ConfigError(f"Latents must be (N, {model.config.latent}) and finite; these {z.shape} are not.")
    parts = torch.from_numpy(z).split(model.config.at_once(_BATCH))
    return np.concatenate([_judged(judge, model.decoded_mean(part.to(model.device)).cpu()) for part in parts])


def _judged(judge: Judge, x: Tensor) -> Array:
    try:
        return judge(x).log_softmax(1).numpy()
    except RuntimeError as error:  # PyTorch's error for shapes that do not match
        raise DataError(f"The classifier does not take images of {x.shape[1]:,} values.") from error


def lattice(model: VAE, judge: Judge, axes: Axes, x: Array, y: Array) -> Lattice:
    """Decodes and classifies a lattice of a plane.

    Arguments:
        model: the VAE.
        judge: the classifier.
        axes: the plane.
        x, y: (W,) and (H,), coordinates on the plane.

    Raises:
        ConfigError, DataError: as for `decoded_log_probabilities`.
    """
    empty = Lattice(np.asarray(x), np.asarray(y), np.empty(0))
    found = decoded_log_probabilities(model, judge, axes.lift(empty.places))
    return empty._replace(log_probability=found.reshape(len(y), len(x), -1))


def lattice_csv(
    found: Lattice, axes: Axes, classes: Sequence[str], log_q: Array | None = None, *, prior: bool = True
) -> bytes:
    """Writes a lattice as CSV in UTF-8: a line with the names of the columns, then one row per point, from the bottom.

    The columns, in this order:

    - `a` and `b`: the coordinates on the plane; absent if J <= 2, since the plane is then the whole latent space;
    - `z_1` to `z_J`: the latent;
    - `class`: the most probable class;
    - `p_` and the name of a class: p(y|z), for each class;
    - `log_prior`: log p(z), nats; absent without a prior;
    - `log_q`: log q(z), nats; absent if it is not given.

    Numbers have as many digits as are needed to recover the same float32.

    Arguments:
        found: the class probabilities on the lattice.
        axes: its plane.
        classes: K, the names of the classes.
        log_q: (H, W), log q(z) at the points of the lattice, nats.
        prior: whether the model has a prior, which a plain autoencoder does not.

    Raises:
        ConfigError: the number of names is not that of the classes, or the shape of the densities not the lattice's.
    """
    shape = found.log_probability.shape
    if len(classes) != shape[2] or (log_q is not None and log_q.shape != shape[:2]):
        raise ConfigError(
            f"A lattice of {shape[0]} x {shape[1]} points needs a name for each of its {shape[2]} classes, and a "
            "density for each point or none; these do not fit."
        )
    z = axes.lift(found.places)
    names, columns = [f"z_{j}" for j in range(1, z.shape[1] + 1)], [z]
    if z.shape[1] > 2:
        names, columns = ["a", "b", *names], [found.places, z]
    place = len(names)
    names += [f"p_{name}" for name in classes]
    columns.append(np.exp(found.log_probability.reshape(-1, shape[2])))
    if prior:
        names.append("log_prior")
        columns.append(aggregate.prior_log_density(z)[:, None])
    if log_q is not None:
        names.append("log_q")
        columns.append(log_q.reshape(-1, 1))
    numbers = np.concatenate(columns, 1).astype(np.float32).astype(np.str_).tolist()
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*names[:place], "class", *names[place:]])
    for row, winner in zip(numbers, found.winner.ravel().tolist(), strict=True):
        writer.writerow([*row[:place], classes[winner], *row[place:]])
    return file.getvalue().encode()


def doubt(
    log_probability: Array, log_ratio: Array, thresholds: Array, weights: Array | None = None
) -> Doubt:  # fmt: skip
    """Measures how much of the prior's mass lies where the classifier is unsure, and where it is sure without data.

    Arguments:
        log_probability: (M, K), log p(y|z) at samples from the prior, or at the nodes of a quadrature.
        log_ratio: (M,), log q(z) / p(z) there, nats.
        thresholds: (T,), for the probability of the most probable class.
        weights: (M,), the prior's mass at each point, up to a factor; None for samples.

    Raises:
        DataError: there are no points, or the numbers of rows differ.
    """
    if not len(log_probability) or len(log_probability) != len(log_ratio):
        raise DataError("There must be a log ratio for each point, and at least one point.")
    mass = np.full(len(log_ratio), 1.0) if weights is None else np.asarray(weights, np.float64)
    mass = mass / mass.sum()
    confidence = np.exp(log_probability.max(1))
    order = confidence.argsort(kind="stable")
    bare = log_ratio < math.log(aggregate.RATIO)
    below = np.searchsorted(confidence[order], thresholds)  # number of points below each threshold
    whole, empty = (np.concatenate([[0.0], each[order].cumsum()]) for each in (mass, mass * bare))
    return Doubt(
        np.asarray(thresholds), whole[below], np.maximum(empty[-1] - empty[below], 0), float(empty[-1]),
        len(mass) if weights is None else 0,
    )  # fmt: skip


def margins(log_probability: Array) -> tuple[Array, Array]:
    """Returns the most probable class (N,) and its margin over the second, log p(y1|x) / p(y2|x), (N,), nats."""
    second, first = np.sort(log_probability, 1)[:, -2:].T
    return log_probability.argmax(1), first - second


def extremes(log_probability: Array, label: int, count: int) -> tuple[Array, Array]:
    """Finds the images assigned to a class with the largest and the smallest margins.

    Arguments:
        log_probability: (N, K), log p(y|x).
        label: index of the class, from 0.
        count: number of images of each kind, at most.

    Returns:
        Rows of the most typical images, by decreasing margin, and rows of the least certain ones, by increasing margin.
        No row is in both.
    """
    winner, margin = margins(log_probability)
    rows = np.flatnonzero(winner == label)
    rows = rows[margin[rows].argsort(kind="stable")]
    least = rows[: min(count, len(rows) // 2)]
    return rows[len(least) :][::-1][:count], least


def agreement(of_images: Array, of_decoded: Array, labels: Array | None = None) -> Agreement:
    """Compares the predictions of a classifier on images with those on their reconstructions.

    Arguments:
        of_images: (N, K), log p(y|x) of images.
        of_decoded: (N, K), the same for their reconstructions.
        labels: (N,), the true classes.
    """
    size = of_images.shape[1]
    seen, decoded = of_images.argmax(1), of_decoded.argmax(1)
    table = np.bincount(seen * size + decoded, minlength=size * size).reshape(size, size)
    right = [math.nan if labels is None else float((each == labels).mean()) for each in (seen, decoded)]
    return Agreement(table, *right)
