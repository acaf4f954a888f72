"""What the quadrature is held against: one even grid over the plane, and fine float64 grids where a posterior is."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.errors import DataError
from vae.evidence import CHUNK, pairwise_log_prob, posterior
from vae.model import VAE

__all__ = ["Reference", "brute", "double", "log_joint", "mass_elsewhere", "radius_for", "reference"]

_CELL = 8  # steps of the quadrature's finest grid along the side of a cell
_MOST_NODES = 1_000_000  # of one image in one grid


class Reference(NamedTuple):
    """log p(x) of one image in float64, from grids over the cells that hold its posterior.

    Attributes:
        log_p: nats, of the finest grid; not a number where the quadrature found no posterior to look around.
        change: nats, from the grid with twice the step (or four times, if that is more, with ReLU's kinks): the
            reference's own convergence.
        step: of the finest grid.
        cells: (C, 2) whole numbers, the cells' places.
        side: of a cell.
    """

    log_p: float
    change: float
    step: float
    cells: NDArray[np.int64]
    side: float


def double(model: VAE) -> VAE:
    """Returns a float64 copy of a model."""
    return copy.deepcopy(model).double()


def log_joint(model: VAE, x: Tensor, z: Tensor) -> Tensor:
    """Returns log p(x, z) of points (S, J) and images (B, D), as (S, B)."""
    return pairwise_log_prob(model.decoder(z), x) + model.prior.log_prob(z)[:, None]


def _blocks(radius: float, side: int, every: int = 1) -> Iterator[Tensor]:
    """Yields the nodes of an even grid over [-radius, radius]^2, some rows at a time, and only every so many blocks."""
    axis = torch.linspace(-radius, radius, side, dtype=torch.float64)
    rows = max(1, CHUNK // side)
    for first in range(0, side, rows * every):
        yield torch.cartesian_prod(axis[first : first + rows], axis).float()


@torch.inference_mode()
def brute(model: VAE, x: Tensor, radius: float, side: int, every: int = 1) -> tuple[Tensor, float]:
    """Computes log p(x) on an even grid over [-radius, radius]^2 (trapezoids whose rim counts for nothing).

    Arguments:
        model, x: a VAE with J = 2, and images (B, D).
        radius: half the side of the square.
        side: nodes along it.
        every: do one block of rows in so many, and scale the seconds up; the values are then not numbers.

    Returns:
        The values (B,) in nats, and the seconds.
    """
    start = time.perf_counter()
    total = torch.full((len(x),), -math.inf, dtype=torch.float64)
    nodes = 0
    for z in _blocks(radius, side, every):
        total = torch.logaddexp(total, log_joint(model, x, z).double().logsumexp(0))
        nodes += len(z)
    value = total + 2 * math.log(2 * radius / (side - 1))
    if every > 1:
        value = torch.full_like(value, math.nan)
    return value, (time.perf_counter() - start) * side**2 / nodes


@torch.no_grad()
def reference(model: VAE, exact_model: VAE, x: Tensor, enough: float) -> Reference:
    """Computes log p(x) of one image (1, D) in float64.

    The nodes that `vae.posterior` keeps say where to look: all cells that hold one, and their neighbours.
    Grids over these start at twice its finest step, which is halved until two agree; or three, where there are kinks.

    Arguments:
        model, exact_model: the VAE, and its float64 copy.
        x: the image, float32.
        enough: nats within which two grids agree.
    """
    try:
        found = posterior(model, x)
    except DataError:
        return Reference(math.nan, math.nan, math.nan, np.zeros((0, 2), np.int64), 1.0)
    side = _CELL * found.step
    held = np.unique(np.floor(found.z / side).astype(np.int64), axis=0)
    around = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), -1).reshape(1, 9, 2)
    cells = np.unique((held[:, None] + around).reshape(-1, 2), axis=0)
    agreements = 2 if model.config.activation == "relu" else 1  # where there are kinks, two grids may agree by chance
    value, changes, nodes = math.nan, [math.inf] * agreements, _CELL // 2
    while math.isnan(value) or (max(changes) > enough and len(cells) * nodes**2 <= _MOST_NODES):
        before, value = value, _over(exact_model, x.double(), cells, side, nodes)
        changes = [*changes[1:], math.inf if math.isnan(before) else abs(value - before)]
        nodes *= 2
    return Reference(value, max(changes), side / (nodes // 2), cells, side)


def _over(model: VAE, x: Tensor, cells: NDArray[np.int64], side: float, nodes: int) -> float:
    """Adds up p(x, z) at the midpoints of nodes x nodes squares in each cell."""
    middle = (np.arange(nodes) + 0.5) / nodes
    within = np.stack(np.meshgrid(middle, middle, indexing="ij"), -1).reshape(1, -1, 2)
    total = torch.full((1,), -math.inf, dtype=torch.float64)
    together = max(1, CHUNK // nodes**2)
    for first in range(0, len(cells), together):
        points = torch.from_numpy(((cells[first : first + together, None] + within) * side).reshape(-1, 2))
        for z in points.split(CHUNK):
            total = torch.logaddexp(total, log_joint(model, x, z).logsumexp(0))
    return float(total) + 2 * math.log(side / nodes)


@torch.inference_mode()
def mass_elsewhere(model: VAE, x: Tensor, references: list[Reference], radius: float, side: int) -> Tensor:
    """Returns the share (B,) of each p(x) that an even grid sees outside the cells of its reference.

    It tells whether the quadrature, which said where to look, has missed a mode.
    """
    total = torch.full((len(x),), -math.inf, dtype=torch.float64)
    sets = [_numbers(each.cells) for each in references]
    for z in _blocks(radius, side):
        found = log_joint(model, x, z).double()
        points = z.double().numpy()
        for i, each in enumerate(references):
            inside = np.isin(_numbers(np.floor(points / each.side).astype(np.int64)), sets[i])
            found[torch.from_numpy(inside), i] = -math.inf
        total = torch.logaddexp(total, found.logsumexp(0))
    log_p = torch.tensor([each.log_p for each in references], dtype=torch.float64)
    return (total + 2 * math.log(2 * radius / (side - 1)) - log_p).exp()


def _numbers(places: NDArray[np.int64]) -> NDArray[Any]:
    return (places[:, 0] << 32) + places[:, 1]


@torch.inference_mode()
def radius_for(model: VAE, x: Tensor, references: list[Reference]) -> float:
    """Returns half the side of a square that holds what the encoder believes in, and all cells of the references."""
    q: Any = model.encoder(x).base_dist
    ends = [float((np.abs(each.cells) + 1).max()) * each.side for each in references if len(each.cells)]
    return math.ceil(max(6.0, float((q.loc.abs() + 8 * q.scale).amax()), *ends))
