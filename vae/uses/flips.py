"""The nearest point of latent space that a classifier assigns to another class, and the path to it.

    z* = argmin |z - z0|   over   argmax_y p(y|z) != argmax_y p(y|z0)

The decoded z* lies just across the decision boundary: a counterfactual explanation among the images that the decoder
can generate.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import scipy  # `scipy.sparse` is imported on first use
import torch
from numpy.typing import NDArray

from vae.errors import ConfigError
from vae.latent import Axes
from vae.model import VAE
from vae.uses.probe import Judge, Lattice, decoded_log_probabilities

__all__ = ["Flip", "along", "by_gradient", "over_density", "straight"]

Array = NDArray[Any]
_POINTS = 33  # evaluated on a line segment before bisection
_NEAREST = 8  # candidate points of a lattice, of which bisection finds the nearest
_HALVINGS = 12
_ITERATIONS = 15
_NEAR = 1e-3  # relative size of the last step
_SHARES = (1.0, 0.5, 0.25, 0.1)  # fractions of a step, of which the first that decreases the merit function is taken
_BEYOND = 1.2  # times the distance to the boundary estimated by the gradient
_MOVES = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))  # on a lattice, in both directions


class Flip(NamedTuple):
    """A path from a latent to the first point on it that the classifier assigns to another class.

    Attributes:
        path: (S, J) float32, from the start to that point.
        start, end: the classes of its two end points.
    """

    path: Array
    start: int
    end: int

    @property
    def z(self) -> Array:
        """(J,), the end point z*."""
        return self.path[-1]

    @property
    def distance(self) -> float:
        """Distance of the end point from the start, |z* - z0|."""
        return float(np.linalg.norm(self.path[-1].astype(np.float64) - self.path[0]))

    @property
    def length(self) -> float:
        """Length of the path."""
        return float(np.linalg.norm(np.diff(self.path.astype(np.float64), axis=0), axis=1).sum())


def along(model: VAE, judge: Judge, path: Array, to: int | None = None) -> Flip | None:
    """Finds the first point of a path that the classifier assigns to another class, to 2^-12 of a step.

    Arguments:
        model: the VAE.
        judge: the classifier.
        path: (S, J), the vertices of the path, S at least 2; each segment is evaluated in 32 steps.
        to: the target class; None for any other class.

    Returns:
        The flip, or None if the path has none.

    Raises:
        ConfigError, DataError: as for `decoded_log_probabilities`.
    """
    steps = np.linspace(0, 1, _POINTS)[1:, None]
    pieces = [path[:1], *(a + steps * (b - a) for a, b in pairwise(path))]
    points = np.concatenate(pieces).astype(np.float32)
    classes = decoded_log_probabilities(model, judge, points).argmax(1)
    flipped = np.flatnonzero(classes != classes[0] if to is None else (classes == to) & (classes != classes[0]))
    if not len(flipped):
        return None
    first = int(flipped[0])
    low, high, end = points[first - 1], points[first], int(classes[first])
    for _ in range(_HALVINGS):
        middle = ((low + high) / 2).astype(np.float32)
        found = int(decoded_log_probabilities(model, judge, middle[None]).argmax())
        if found == end:
            high = middle
        elif to is None and found != classes[0]:  # a third class lies in between
            high, end = middle, found
        else:
            low = middle
    corners = path[: (first - 1) // (_POINTS - 1) + 1].astype(np.float32)
    return Flip(np.concatenate([corners, high[None]]), int(classes[0]), end)


def straight(
    model: VAE, judge: Judge, found: Lattice, axes: Axes, start: Array, to: int | None = None
) -> Flip | None:  # fmt: skip
    """Finds the nearest point of another class on a lattice, and refines it by bisection on the line to it.

    Arguments:
        model: the VAE.
        judge: the classifier.
        found: the class probabilities on the plane.
        axes: the plane.
        start: (J,), a latent on the plane.
        to: the target class; None for any other class.

    Returns:
        The flip, whose distance is accurate to about half a cell of the lattice; None if the plane has no such class.
    """
    place = axes.project(start[None])[0]
    mine = int(decoded_log_probabilities(model, judge, start[None]).argmax())
    others = _others(found, mine, to)
    if not len(others):
        return None
    places = found.places[others]
    nearest = places[((places - place) ** 2).sum(1).argsort(kind="stable")[:_NEAREST]]
    return _nearest(model, judge, start, axes.lift(nearest), to)


def over_density(
    model: VAE, judge: Judge, found: Lattice, axes: Axes, log_q: Array, start: Array, to: int | None = None
) -> Flip | None:  # fmt: skip
    """Finds the path of least cost on a plane to another class, where steps cost more the lower q(z) is.

        cost = int (1 + max log q - log q(z)) |dz|

    Dijkstra's algorithm (1959) finds the shortest path on the lattice, with steps to neighbours and knight's moves.

    Arguments:
        model, judge, found, axes, start, to: as for `straight`.
        log_q: (H, W), log q(z) at the points of the lattice, nats.

    Returns:
        The flip, or None if the plane has no such class.

    Raises:
        ConfigError: the shape of the densities is not that of the lattice.
    """
    if log_q.shape != found.winner.shape:
        raise ConfigError(
            f"There must be a density for each point of the lattice, {found.winner.shape}; these are {log_q.shape}."
        )
    place = axes.project(start[None])[0]
    mine = int(decoded_log_probabilities(model, judge, start[None]).argmax())
    others = _others(found, mine, to)
    if not len(others):
        return None
    first = int(((found.places - place) ** 2).sum(1).argmin())
    cost, before = scipy.sparse.csgraph.dijkstra(_graph(found, log_q), indices=first, return_predecessors=True)
    at = int(others[cost[others].argmin()])
    nodes = [at]
    while nodes[-1] != first:
        nodes.append(int(before[nodes[-1]]))
    path = axes.lift(found.places[nodes[-2::-1]]) if len(nodes) > 1 else axes.lift(found.places[[at]])
    return along(model, judge, np.concatenate([start[None], path]), to)


def _others(found: Lattice, mine: int, to: int | None) -> Array:
    """Returns the indices of the points of the lattice that belong to another class, or to the target class."""
    winner = found.winner.ravel()
    return np.flatnonzero((winner != mine) if to is None else (winner == to) & (winner != mine))


def _graph(found: Lattice, log_q: Array) -> Any:
    price = 1 + log_q.max() - log_q.astype(np.float64)
    height, width = price.shape
    number = np.arange(height * width).reshape(height, width)
    steps = [np.diff(each)[0] if len(each) > 1 else 0.0 for each in (found.y, found.x)]
    rows, columns, costs = [], [], []
    for down, right in _MOVES:
        if down >= height or abs(right) >= width:
            continue
        left = slice(max(0, -right), width - max(0, right)), slice(max(0, right), width - max(0, -right))
        one, other = (slice(0, height - down), left[0]), (slice(down, height), left[1])
        rows.append(number[one].ravel())
        columns.append(number[other].ravel())
        length = np.hypot(down * steps[0], right * steps[1])
        costs.append((length * (price[one] + price[other]) / 2).ravel())
    edges = np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))
    graph = scipy.sparse.coo_array(edges, shape=(number.size, number.size))
    return graph + graph.T


def by_gradient(
    model: VAE, judge: Judge, start: Array, to: int | None = None, towards: Sequence[Array] = ()
) -> Flip | None:  # fmt: skip
    """Finds a nearby point of another class in all J dimensions, using the gradient with respect to z.

    For each class k, g(z) = log p(y0|z) - log p(k|z) is repeatedly linearised, and z moves to the orthogonal projection
    of z0 onto the linearised boundary g = 0,

        z <- z0 + (dg . (z - z0) - g) dg / |dg|^2

    (Hasofer & Lind 1974; Rackwitz & Fiessler 1978; compare DeepFool, Moosavi-Dezfooli et al. 2016), or by a
    fraction of the step if the full step does not decrease a merit function. The result is exact for a linear decoder
    with a linear classifier; otherwise it is a local minimum of the distance, hence an upper bound.

    Arguments:
        model: the VAE.
        judge: the classifier, which must be differentiable.
        start: (J,), z0.
        to: the target class; None for any other class.
        towards: further latents (J,); flips are also searched for on the lines from z0 to them.

    Returns:
        The nearest flip found, or None.

    Raises:
        ConfigError, DataError: as for `decoded_log_probabilities`.
    """
    scores = decoded_log_probabilities(model, judge, start[None])[0]
    mine = int(scores.argmax())
    wanted = [k for k in range(len(scores)) if k != mine and to in (None, k)]
    ends = [np.asarray(each, np.float32) for each in towards]
    if wanted:
        feet = _feet(model, judge, start, mine, wanted)
        ends += [start + _BEYOND * (foot - start) for foot in feet]
    finite = [end for end in ends if np.isfinite(end).all()]
    return _nearest(model, judge, start, np.stack(finite), to) if finite else None


def _nearest(model: VAE, judge: Judge, start: Array, ends: Array, to: int | None) -> Flip | None:
    """Returns the nearest flip on the lines from a latent (J,) to others (E, J)."""
    shares = np.linspace(0, 1, _POINTS)
    points = start + shares[:, None, None] * (ends - start)
    classes = decoded_log_probabilities(model, judge, points.reshape(-1, len(start))).argmax(1).reshape(_POINTS, -1)
    mine = classes[0, 0]
    flipped = (classes != mine) if to is None else (classes == to) & (classes != mine)
    lengths = np.linalg.norm(ends - start, axis=1)
    first = np.where(flipped.any(0), flipped.argmax(0), _POINTS)
    best: Flip | None = None
    for way in np.lexsort([lengths, first * lengths]):  # likely nearest first, so that most need no bisection
        if first[way] == _POINTS or (best and shares[first[way] - 1] * lengths[way] >= best.distance):
            continue
        end = start + shares[first[way]] * (ends[way] - start)
        found = along(model, judge, np.stack([start, end]), to)
        if found is not None and (best is None or found.distance < best.distance):
            best = found
    return best


@torch.inference_mode(False)
def _feet(model: VAE, judge: Judge, start: Array, mine: int, wanted: Sequence[int]) -> Array:
    """Returns for each class (K, J) the point found on its boundary with the class of z0."""
    origin = torch.from_numpy(np.array(start, np.float32)).to(model.device)
    classes = torch.tensor(wanted)

    def gap(z: torch.Tensor) -> torch.Tensor:
        scores = judge(model.decoded_mean(z).cpu())
        picked = classes if len(z) == len(classes) else classes.repeat(len(z) // len(classes))
        return scores[:, mine] - scores.gather(1, picked[:, None])[:, 0]

    z = origin.repeat(len(wanted), 1)
    for _ in range(_ITERATIONS):
        with torch.enable_grad():
            at = z.detach().clone().requires_grad_()
            g = gap(at)
            (slope,) = torch.autograd.grad(g.sum(), at)
        with torch.no_grad():
            g = g.detach().to(z.device)
            square = slope.square().sum(1).clamp_min(1e-20)
            away = z - origin
            step = ((slope * away).sum(1) - g)[:, None] * slope / square[:, None] - away
            weight = 2 * (away + step).norm(dim=1) / square.sqrt() + 1e-6  # large enough for a descent direction
            tried = torch.stack([z + share * step for share in _SHARES])
            gaps = gap(tried.flatten(0, 1)).to(z.device).reshape(len(_SHARES), -1)
            merit = 0.5 * (tried - origin).square().sum(2) + weight * gaps.abs()
            before = 0.5 * away.square().sum(1) + weight * g.abs()
            good = merit < before
            choice = torch.where(good.any(0), good.int().argmax(0), len(_SHARES) - 1)
            z = tried[choice, torch.arange(len(wanted))]
            if bool((step.norm(dim=1) <= _NEAR * away.norm(dim=1)).all()):
                break
    return z.cpu().numpy()
