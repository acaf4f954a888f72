"""The error of float32 in the logarithm of an integral, measured in float64 at nodes that represent the mass.

Each processor sums the products of a matrix in its own order, so the error of a log density g is not known beforehand,
and a bound that holds for any order is a hundred times the actual error or more. But whatever g32 was summed,

    log sum exp g = log sum exp g32 + log E[exp(g - g32)]        over the nodes, weighted by their mass exp g32

so K nodes, chosen by their mass, reveal the error of float32 on any processor once g is known there in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from vae.evidence.estimates import CHUNK
from vae.evidence.quadrature import Grid
from vae.model import unchecked

__all__ = ["MEASURED", "rounding"]

MEASURED = 32  # K, number of nodes of each function


def rounding(accurate: Callable[[Tensor, Tensor], Tensor], grids: Sequence[Grid]) -> tuple[Tensor, Tensor]:
    """Measures the error that float32 has left in F log integrals.

    Arguments:
        accurate: g in float64 at (N, J) points, each for one of the functions (N,), as (N,).
        grids: for each function, K nodes by mass, see `Grid.by_mass`; or none, if it did not converge.

    Returns:
        (F,) float64 nats, the correction to add to the log integrals, and (F,), a bound on the remaining error: twice
        the standard deviation of g - g32 over the nodes, which is 2 sqrt(K) standard errors of its mean.
    """
    shift, error = torch.zeros(2, len(grids), dtype=torch.float64)
    known = [row for row, grid in enumerate(grids) if len(grid.z)]
    for first in range(0, len(known), CHUNK // MEASURED):
        rows = known[first : first + CHUNK // MEASURED]
        z = (
            torch.from_numpy(np.stack([grids[row].z for row in rows])).float().double()
        )  # the values at which g32 was evaluated
        single = torch.from_numpy(np.stack([grids[row].log_density for row in rows])).double()
        with torch.no_grad(), unchecked():
            g = accurate(z.flatten(0, 1), torch.tensor(rows).repeat_interleave(z.shape[1]))
        off = g.cpu().view_as(single) - single
        shift[rows] = off.logsumexp(1) - math.log(z.shape[1])
        error[rows] = 2 * off.std(1)
    return shift, error
