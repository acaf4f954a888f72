"""Walks through latent space: from latent to latent, along one coordinate, by a difference of means, to neighbours.

    straight     z(t) = (1 - t) a + t b
    spherical    the direction rotates uniformly, the length changes linearly             Shoemake (1985); White (2016)

Samples from N(0, I) in many dimensions lie near a sphere of radius sqrt(J), and the straight line between two of them
passes through its interior; a spherical walk keeps their distance from the origin.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.errors import ConfigError, DataError
from vae.evidence import check_count

__all__ = ["Difference", "Neighbours", "difference", "neighbours", "spherical", "straight", "traversals"]

Array = NDArray[Any]
_MOST_STEPS = 10_000
_BLOCK = 2**22  # numbers at once, 32 MB as float64


class Difference(NamedTuple):
    """The mean of one set of latents minus that of another, and its bootstrap distribution.

    Attributes:
        mean: (J,).
        resampled: (R, J), the same for sets drawn with replacement (Efron 1979).
    """

    mean: Array
    resampled: Array

    @property
    def angle(self) -> Array:
        """(R,) angles in degrees between each resampled difference and the mean; 90 if one of them is 0."""
        lengths = self.length * np.linalg.norm(self.mean)
        cosine = (self.resampled @ self.mean) / np.where(lengths > 0, lengths, 1)
        return np.degrees(np.arccos(np.clip(cosine, -1, 1)))

    @property
    def length(self) -> Array:
        """(R,) lengths of the resampled differences."""
        return np.linalg.norm(self.resampled, axis=1)


class Neighbours(NamedTuple):
    """The nearest of N points, nearest first: their indices (K,) and Euclidean distances (K,) float64."""

    rows: Array
    distance: Array


def straight(start: Array, end: Array, steps: int) -> Array:
    """Returns a straight walk, (steps, J) float32, both ends included.

    Arguments:
        start, end: (J,).
        steps: at least 2.

    Raises:
        ConfigError: the ends are not finite vectors of equal size, or steps is not a whole number from 2 to 10,000.
    """
    a, b, t = _checked(start, end, steps)
    return ((1 - t) * a + t * b).astype(np.float32)


def spherical(start: Array, end: Array, steps: int) -> Array:
    """Returns a spherical walk, (steps, J) float32, both ends included.

    z(t) = r(t) [sin((1 - t) w) a/|a| + sin(t w) b/|b|] / sin w, where w is the angle between a and b, and
    r(t) = (1 - t)|a| + t|b|. For ends of equal length this is the formula of Shoemake (1985), as used by White (2016).

    If the ends have the same direction, or one is 0, the walk is straight. For opposite ends the plane of rotation is
    not unique: the rotation then goes towards the coordinate axis farthest from them (for J = 1, straight through 0).

    Arguments, raises: as for `straight`.
    """
    a, b, t = _checked(start, end, steps)
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) == 0 or len(a) == 1:
        return straight(start, end, steps)
    u, v = a / lengths[0], b / lengths[1]
    sideways = v - (v @ u) * u
    sine = np.linalg.norm(sideways)
    w = np.arctan2(sine, v @ u)
    if sine < 1e-9:
        if v @ u > 0:
            return straight(start, end, steps)
        sideways = np.eye(len(u))[np.abs(u).argmin()]
        sideways -= (sideways @ u) * u
    sideways /= np.linalg.norm(sideways)
    walk = ((1 - t) * lengths[0] + t * lengths[1]) * (np.cos(t * w) * u + np.sin(t * w) * sideways)
    walk[[0, -1]] = a, b
    return walk.astype(np.float32)


def traversals(z: Array, dimensions: Array | list[int], values: Array) -> Array:
    """Returns a table of latents (R, S, J) float32: in each row z with one coordinate set to each of the values.

    Arguments:
        z: (J,).
        dimensions: R of its coordinates, counted from 0.
        values: (S,), the same for all rows; or (R, S).

    Raises:
        ConfigError: a dimension is not among the J, a number is not finite, or shapes do not match.
    """
    z, values = np.asarray(z, np.float32), np.asarray(values, np.float32)
    rows = np.asarray(dimensions)
    if z.ndim != 1 or rows.ndim != 1 or not np.isin(rows, np.arange(len(z))).all():
        raise ConfigError(f"Dimensions are numbered from 0 to {z.size - 1}; these are {list(dimensions)}.")
    if values.ndim not in (1, 2) or values.shape[:-1] not in ((), rows.shape):
        raise ConfigError(f"Values must have shape (S,) or ({len(rows)}, S); theirs is {values.shape}.")
    if not (np.isfinite(values).all() and np.isfinite(z).all()):
        raise ConfigError("Latents must be finite numbers; some are not.")
    table = np.tile(z, (len(rows), values.shape[-1], 1))
    table[np.arange(len(rows)), :, rows] = values
    return table


def difference(of: Array, minus: Array, resamples: int = 200, seed: int = 0) -> Difference:
    """Returns the mean of one set of latents minus that of another (Larsen et al. 2016), with bootstrap replicates.

    Arguments:
        of: (N, J).
        minus: (M, J).
        resamples: R, number of pairs of sets drawn with replacement.
        seed: of the resampling.

    Raises:
        DataError: a set is empty, or the two differ in J.
        ConfigError: resamples is not a whole number from 1 to 10,000.
    """
    check_count("The number of resamples", resamples, _MOST_STEPS)
    if of.ndim != 2 or minus.ndim != 2 or of.shape[1:] != minus.shape[1:] or not min(len(of), len(minus)):
        raise DataError(
            f"Both sets must hold latents (N, J) with the same J; their shapes are {of.shape} and {minus.shape}."
        )
    random = np.random.default_rng(seed)
    means = [part.mean(0, dtype=np.float64) for part in (of, minus)]
    resampled = np.zeros((resamples, of.shape[1]))
    for sign, part in ((1, of), (-1, minus)):
        for row in resampled:
            # how often each latent was sampled
            row += sign * (random.multinomial(len(part), np.full(len(part), 1 / len(part))) @ part) / len(part)
    return Difference((means[0] - means[1]).astype(np.float32), resampled.astype(np.float32))


def neighbours(point: Array, points: Array, count: int) -> Neighbours:
    """Finds the nearest of N points, latents (N, J) or images (N, H, W) or (N, H, W, 3), by Euclidean distance.

    Images uint8 in [0, 255] are measured on the pixel scale [0, 1].

    Arguments:
        point: (J,), (H, W) or (H, W, 3).
        points: (N, J), (N, H, W) or (N, H, W, 3).
        count: K; all of them if there are fewer. Ties are in the order of the points.

    Raises:
        ConfigError: count is not a whole number from 1 to 10,000.
        DataError: there are no points, or they differ from the given point in shape or type.
    """
    check_count("The number of neighbours", count, _MOST_STEPS)
    if not len(points) or points.shape[1:] != point.shape or (points.dtype == np.uint8) != (point.dtype == np.uint8):
        raise DataError(
            f"Neighbours must have the shape and type of the point, {point.shape} {point.dtype}; these have "
            f"{points.shape[1:]} {points.dtype}, and there are {len(points)}."
        )
    scale = 255 if points.dtype == np.uint8 else 1
    step = max(1, _BLOCK // point.size)
    squared = np.concatenate([
        ((part.reshape(len(part), -1).astype(np.float64) - point.ravel()) ** 2).sum(1)
        for part in (points[first : first + step] for first in range(0, len(points), step))
    ])  # fmt: skip
    rows = squared.argsort(kind="stable")[:count]
    return Neighbours(rows, np.sqrt(squared[rows]) / scale)


def _checked(start: Array, end: Array, steps: int) -> tuple[Array, Array, Array]:
    """Returns both ends (J,) as float64, and the fractions of the way (steps, 1)."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    if a.ndim != 1 or a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ConfigError(f"A walk needs two finite latents of shape (J,); their shapes are {a.shape} and {b.shape}.")
    check_count("The number of steps", steps, _MOST_STEPS)
    if steps < 2:
        raise ConfigError("A walk has at least 2 steps, its ends; this has 1.")
    return a, b, np.linspace(0, 1, steps)[:, None]
