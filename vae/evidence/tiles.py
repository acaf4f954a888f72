"""Grids built tile by tile, where each of many functions needs them.

A tile is m^J nodes of one grid that belong to one function; its key is the function's number and the tile's
coordinates in one integer, so that sets of tiles are sorted arrays.
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

__all__ = ["NODES", "NOTHING", "Layer", "Tiles", "children", "function_of", "pack"]

Array = NDArray[Any]
Density = Callable[[Tensor, Tensor], Tensor]

NOTHING = -1e30  # replaces a log density that is not finite
_COARSEST = 1 / 8  # step of the first grid
_SIDE = 4  # m, nodes along the side of a tile
NODES = 1024  # decoded at once, so that the results stay in the cache
_BITS = 22  # per coordinate of a tile
_HALF = 1 << (_BITS - 1)
_PLACE = (1 << (2 * _BITS)) - 1


class Tiles(NamedTuple):
    """Tiles of one grid, each of one function, sorted by function."""

    keys: Array  # (P,) function and coordinates in one number
    values: Array  # (P, m^J) float32, g at the nodes


class Layer:
    """The grid of one step size: creates tiles, lets them spread, and sums them."""

    def __init__(
        self, densities: Density, dims: int, told: Callable[[float], None] | None, at_once: int = NODES
    ) -> None:
        self.densities, self.dims, self.told, self.at_once = densities, dims, told, at_once
        self.step, self.evaluations, self.share = _COARSEST, 0, 0.0
        self.shape = (_SIDE,) * dims
        self.within = np.array(list(itertools.product(range(_SIDE), repeat=dims))) + 0.5  # (m^J, J), in steps

    @property
    def tile(self) -> float:
        """Side of a tile."""
        return self.step * _SIDE

    def nodes(self, keys: Array) -> Array:
        """Returns the nodes of tiles, (P, m^J, J)."""
        return (_place(keys, self.dims)[:, None] * _SIDE + self.within) * self.step

    def lay(self, keys: Array) -> Tiles:
        """Evaluates tiles, decoding each distinct place once."""
        places, which = np.unique(keys & _PLACE, return_inverse=True)
        order = np.argsort(which, kind="stable")
        values = np.empty((len(keys), len(self.within)), np.float32)
        chunk = self.at_once // len(self.within)
        bounds = np.searchsorted(which[order], np.arange(0, len(places) + chunk, chunk))
        for i, (first, last) in enumerate(itertools.pairwise(bounds)):
            mine = order[first:last]
            z = self.nodes(places[i * chunk : (i + 1) * chunk])
            rows, column = np.unique(function_of(keys[mine]), return_inverse=True)
            points = torch.from_numpy(z.reshape(-1, self.dims)).float()
            found = self.densities(points, torch.from_numpy(rows)).cpu().numpy().reshape(*z.shape[:2], len(rows))
            values[mine] = np.nan_to_num(found[which[mine] - i * chunk, :, column], True, NOTHING, NOTHING, NOTHING)
            if self.told:
                self.told(self.share)
        self.evaluations += places.size * len(self.within)
        return Tiles(keys, values)

    def flood(self, tiles: Tiles, highest: Array, reach: float) -> Tiles:
        """Adds the neighbours of tiles that matter at a side, until none is missing."""
        highest, new = highest.copy(), tiles
        while len(new.keys):
            np.maximum.at(highest, function_of(new.keys), new.values.max(1))
            wanted = [
                _shifted(new.keys[side.max(1) > (highest - reach)[function_of(new.keys)]], axis, way, self.dims)
                for axis, way, side in self.sides(new.values)
            ]
            new = self.lay(np.setdiff1d(np.concatenate(wanted), tiles.keys))
            tiles = Tiles(np.concatenate([tiles.keys, new.keys]), np.concatenate([tiles.values, new.values]))
        order = np.argsort(tiles.keys)
        return Tiles(tiles.keys[order], tiles.values[order])

    def sides(self, values: Array) -> list[tuple[int, int, Array]]:
        """Returns the nodes at each side of tiles: axis, direction, (P, m^(J-1))."""
        square = values.reshape(-1, *self.shape)
        return [
            (axis, way, square.take(0 if way < 0 else -1, 1 + axis).reshape(len(square), -1))
            for axis in range(self.dims)
            for way in (-1, 1)
        ]

    def aliased(self, tiles: Tiles) -> Array:
        """Returns the error of each function that has tiles due to too large a step, relative to its integral.

        For a Gaussian with standard deviation s it is 2 exp(-2 (pi s / h)^2) (Poisson summation), and where the
        function falls off like one, its second difference is -(h / s)^2; the mean over nodes ignores any cancellation.
        """
        rows, firsts = np.unique(function_of(tiles.keys), return_index=True)
        each = np.repeat(np.arange(len(rows)), np.diff([*firsts, len(tiles.keys)]))
        top = np.maximum.reduceat(tiles.values.max(1), firsts)
        square = tiles.values.reshape(-1, *self.shape)
        weights = np.exp(square - top[each].reshape(-1, *[1] * self.dims))
        off = np.zeros(len(tiles.keys))
        for axis in range(1, self.dims + 1):
            bend = -np.diff(square, 2, axis).clip(-1e9, -1e-2)
            inner = weights.take(range(1, _SIDE - 1), axis)
            off += (inner * 2 * np.exp(-2 * np.pi**2 / bend)).reshape(len(off), -1).sum(1) * _SIDE / (_SIDE - 2)
        whole = np.add.reduceat(weights.reshape(len(off), -1).sum(1, dtype=np.float64), firsts)
        return np.add.reduceat(off, firsts) / whole

    def totals(self, tiles: Tiles) -> tuple[Array, Array, Array, Array]:
        """Returns the functions that have tiles, their log integrals, maxima, and fractions at the rim."""
        rows, firsts = np.unique(function_of(tiles.keys), return_index=True)
        each = np.repeat(np.arange(len(rows)), np.diff([*firsts, len(tiles.keys)]))
        top = np.maximum.reduceat(tiles.values.max(1), firsts).astype(np.float64)
        weights = np.exp(tiles.values - top[each, None])
        whole = np.add.reduceat(weights.sum(1, dtype=np.float64), firsts)
        rim = np.zeros(len(rows))
        for axis, way, side in self.sides(weights):
            bare = ~np.isin(_shifted(tiles.keys, axis, way, self.dims), tiles.keys)
            np.add.at(rim, each[bare], side[bare].sum(1))
        return rows, np.log(whole) + top + self.dims * math.log(self.step), top, rim / whole


def children(tiles: Tiles, least: Array) -> Array:
    """Returns the tiles of half the size that cover the parts of tiles reaching `least` (F,) of their function."""
    dims = round(math.log(tiles.values.shape[1], _SIDE))
    half = tiles.values.reshape(-1, *(2, _SIDE // 2) * dims).max(tuple(range(2, 2 * dims + 1, 2)))
    index = np.argwhere(half > least[function_of(tiles.keys)].reshape(-1, *[1] * dims))
    parent = tiles.keys[index[:, 0]]
    return np.unique(pack(function_of(parent), 2 * _place(parent, dims) + index[:, 1:]))


def pack(rows: Array, places: Array) -> Array:
    """Packs functions (P,) and coordinates (P, J) into one integer each, sorted by function first."""
    key = rows.astype(np.int64)
    for axis in range(2):
        key = (key << _BITS) + (places[:, axis] + _HALF if axis < places.shape[1] else 0)
    return key


def function_of(keys: Array) -> Array:
    return keys >> (2 * _BITS)


def _place(keys: Array, dims: int) -> Array:
    return np.stack([(keys >> _BITS) & ((1 << _BITS) - 1), keys & ((1 << _BITS) - 1)], 1)[:, :dims] - _HALF


def _shifted(keys: Array, axis: int, way: int, dims: int) -> Array:
    return keys + way * (1 << (_BITS * (1 - axis)))
