"""Adaptive midpoint integration, over a line or a plane, of many positive functions that share an expensive part.

A posterior fills a millionth of the plane, and decoding is expensive. One survey of the whole domain is therefore
followed by finer and finer grids, built only where a function still matters. Each point is decoded once for all
functions that need it.

- A grid is made of tiles with m nodes per side. A tile belongs to a function if its nodes come close enough to the
  maximum of that function; if they do so at a side of the tile, the neighbour is added too, so that the covered region
  grows until its rim is negligible, beyond the surveyed domain if need be.
- A peak narrower than a coarse step may be missed. Starting points (the encoder's mean, and the highest nodes of the
  survey) therefore climb to their modes by Newton's method, and the tile of a mode is kept until the step is smaller
  than the width of the peak.
- A function is done when two grids agree, one with half the step of the other. The error stated for the finer one is
  the last change; the square of that change for a smooth function that is nowhere narrower than the step, since halving
  the step then squares the error; and the larger of the last two changes if there are kinks.

The midpoint rule needs no weights and, for a smooth function that vanishes at the rim, converges faster than any power
of the step (Trefethen & Weideman 2014); the kinks of a ReLU network leave an error of the order of the step squared.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import max_pool2d

from vae.evidence.modes import climb
from vae.evidence.tiles import NODES, NOTHING, Layer, Tiles, children, function_of, pack

__all__ = ["Grid", "Integrals", "log_integrals"]

Array = NDArray[Any]
Density = Callable[[Tensor, Tensor], Tensor]

_LEVELS = 16  # from a step of 1/8 to one of 4e-6
_TILES = 400_000  # of one function in one grid; a function that needs more is given up
_UNRESOLVED = 0.25  # fraction of the integral in one node above which a grid is too coarse to be trusted
_SLACK = 20  # additional nats below the maximum that still matter while a grid is too coarse to resolve it


class Grid(NamedTuple):
    """Nodes of the finest grid of one function.

    Attributes:
        z: (N, J).
        log_density: (N,), the function's logarithm there.
        step: h; the integral is h^J times the sum over the nodes.
    """

    z: Array
    log_density: Array
    step: float

    def by_mass(self, count: int) -> Grid:
        """Returns K nodes that each represent 1 / K of the mass, at its quantiles (k + 1/2) / K in the grid's order.

        A plain mean over them is thus an average under the density; a node with a large mass occurs more than once.

        Arguments:
            count: K.

        Returns:
            The grid of these nodes, z (K, J) and log_density (K,).
        """
        mass = np.exp(self.log_density - self.log_density.max(), dtype=np.float64).cumsum()
        at = np.searchsorted(mass, (np.arange(count) + 0.5) / count * mass[-1])
        return Grid(self.z[at], self.log_density[at], self.step)


class Integrals(NamedTuple):
    """Integrals of F functions.

    Attributes:
        log_value: (F,) float64, NaN where it did not converge.
        error: (F,) nats, from the last changes between grids, plus a fortieth of the tolerance for what is outside;
            infinite where it did not converge.
        edge: (F,) fraction of the integral in the nodes at the rim of the covered region.
        evaluations: number of points decoded.
        grids: for each function, the nodes that were to be kept.
    """

    log_value: Array
    error: Array
    edge: Array
    evaluations: int
    grids: list[Grid]


def log_integrals(
    densities: Density,
    paired: Density,
    starts: Tensor,
    radius: float,
    tolerance: float,
    *,
    kinks: bool = False,
    climbs: int = 4,
    keep: int | None = 0,
    told: Callable[[float], None] | None = None,
    nodes: int = NODES,
) -> Integrals:
    """Integrates F functions exp g_f(z) over z in R^J, J = 1 or 2.

    Arguments:
        densities: g at (S, J) points of the functions (R,), as (S, R).
        paired: g at (N, J) points, each for one of the functions (N,), as (N,); differentiable.
        starts: (F, J), a point for each function from which to climb to a mode.
        radius: the survey covers [-radius, radius]^J.
        tolerance: allowed error, in nats.
        kinks: whether the functions have kinks; their error falls so slowly that two grids can agree by chance.
        climbs: number of further starting points for each function, the highest nodes of the survey.
        keep: how many nodes of each function to keep, by mass as in `Grid.by_mass`; None for all, once each.
        told: called with the fraction of functions done after each chunk; may raise an exception to stop the work.
        nodes: number of points at which to evaluate `densities` at once.
    """
    count, dims = starts.shape
    reach = 6 - math.log(tolerance)  # nats below the maximum that matter
    left_out = 10 * math.exp(-reach)  # mass that the region may miss: on mixtures, up to 6 of these units were measured
    value, error, edge = np.full(count, -np.inf), np.full(count, np.inf), np.zeros(count)
    changes = np.full((2, count), np.inf)
    done = np.zeros(count, bool)
    grids = [Grid(np.zeros((0, dims)), np.zeros(0), math.nan)] * (count if keep != 0 else 0)

    layer = Layer(densities, dims, told, nodes)
    side = math.ceil(radius / layer.tile)
    domain = np.array(list(itertools.product(range(-side, side), repeat=dims)))
    tiles = layer.lay(pack(np.arange(count).repeat(len(domain)), np.tile(domain, (count, 1))))
    modes = _modes(paired, starts, tiles, layer, 2 * side, climbs)
    tiles = layer.flood(tiles, modes.highest(count), reach)

    for level in range(_LEVELS):
        rows, total, top, rim = layer.totals(tiles)
        changes[:, rows] = np.abs(total - value[rows]), changes[0, rows]
        value[rows], edge[rows] = total, rim
        error[rows] = (changes[:, rows].max(0) if kinks else changes[0, rows]) + left_out
        if not kinks:
            aliased = layer.aliased(tiles)
            fine = rows[(aliased < tolerance / 2) & (changes[0, rows] < 1)]
            error[fine] = np.maximum(changes[0, fine] ** 2, aliased[np.isin(rows, fine)]) + left_out
        resolved = np.exp(top + dims * math.log(layer.step) - total) < _UNRESOLVED
        resolved &= layer.step < 1.25 * modes.narrowest(value + math.log(tolerance))[rows]
        finished = resolved & (error[rows] <= tolerance) & (top > NOTHING)
        done[rows[finished]] = True
        if keep != 0:
            for row in rows[finished]:
                mine = slice(*np.searchsorted(function_of(tiles.keys), [row, row + 1]))
                z, height = layer.nodes(tiles.keys[mine]).reshape(-1, dims), tiles.values[mine].ravel()
                grid = Grid(z, height, layer.step)
                grids[row] = grid if keep is None else grid.by_mass(keep)
        layer.share = float(done.mean())
        _, sizes = np.unique(function_of(tiles.keys), return_counts=True)
        going = np.zeros(count, bool)
        going[rows] = ~finished & (sizes < _TILES) & (top > NOTHING)
        if not going.any() or level == _LEVELS - 1:
            break
        highest = modes.highest(count)
        highest[rows] = np.maximum(highest[rows], top)
        least = highest - reach - _SLACK
        known = resolved & (changes[0, rows] < 1)
        # a wide plateau far below a sharp peak may hold as much: the rest is at most exp(-reach) of the integral
        plain = total - np.log(sizes) - dims * math.log(layer.tile) - reach
        least[rows[known]] = np.minimum(highest[rows] - reach - 2, plain)[known]
        finer = children(tiles, np.where(going, least, np.inf))
        layer.step /= 2
        sharp = modes.sharper_than(4 * layer.step, going, highest - reach)
        under = pack(sharp.rows, np.floor(sharp.z / layer.tile).astype(np.int64))
        tiles = layer.flood(layer.lay(np.union1d(finer, under)), highest, reach)
    value[~done], error[~done] = np.nan, np.inf
    if told:
        told(1.0)
    return Integrals(value, error, edge, layer.evaluations, grids)


class _Modes(NamedTuple):
    """Peaks found by climbing, each of one function."""

    rows: Array  # (N,)
    z: Array  # (N, J)
    height: Array  # (N,) g at the peak
    width: Array  # (N,) the least standard deviation
    mass: Array  # (N,) nats, of the Gaussian that fits the peak (Laplace)

    def highest(self, count: int) -> Array:
        """Returns the height of the highest peak of each function, (F,)."""
        result = np.full(count, -np.inf)
        np.maximum.at(result, self.rows, self.height)
        return result

    def narrowest(self, least: Array) -> Array:
        """Returns the width of the narrowest peak of each function with a mass above `least`, (F,)."""
        result = np.full(len(least), np.inf)
        heavy = self.mass > least[self.rows]
        np.minimum.at(result, self.rows[heavy], self.width[heavy])
        return result

    def sharper_than(self, width: float, going: Array, least: Array) -> _Modes:
        """Returns the peaks that a grid may miss."""
        chosen = going[self.rows] & (self.width < width) & (self.height > least[self.rows])
        return _Modes(*(field[chosen] for field in self))


def _modes(paired: Density, starts: Tensor, tiles: Tiles, layer: Layer, across: int, climbs: int) -> _Modes:
    """Climbs, for functions that the survey does not resolve, from given points and from the highest nodes."""
    count, dims = starts.shape
    rows = torch.arange(count)
    with torch.no_grad():
        given = paired(starts, rows).cpu().numpy()
    _, total, top, _ = layer.totals(tiles)
    coarse = np.exp(top + dims * math.log(layer.step) - total) > _UNRESOLVED
    coarse |= given > top + 1
    best = tiles.values.max(1).reshape(count, 1, *(across,) * dims)
    around = torch.from_numpy(best if dims == 2 else best[..., None])
    peaks = around == max_pool2d(around, (3, 3 if dims == 2 else 1), 1, (1, 1 if dims == 2 else 0))
    heights, places = around.where(peaks, -torch.inf).flatten(1).topk(min(climbs, across**dims))
    good = coarse[:, None] & heights.isfinite().numpy()
    owner, rank = np.nonzero(good)
    index = owner * across**dims + places.numpy()[owner, rank]
    node = tiles.values[index].argmax(1)
    z = np.concatenate([starts.numpy()[coarse], layer.nodes(tiles.keys[index])[np.arange(len(index)), node]])
    owner = np.concatenate([np.flatnonzero(coarse), owner])
    if not len(owner):
        return _Modes(owner, z, *np.zeros((3, 0)))
    return _Modes(owner, *climb(paired, torch.from_numpy(z).float(), torch.from_numpy(owner)))
