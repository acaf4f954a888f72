"""Modes of posteriors in few dimensions, by Newton's method."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["climb"]

Array = NDArray[Any]
Density = Callable[[Tensor, Tensor], Tensor]


def climb(paired: Density, z: Tensor, rows: Tensor, steps: int = 12) -> tuple[Array, Array, Array, Array]:
    """Climbs to modes by Newton's method, damped where a step would go down (Levenberg 1944).

    Arguments:
        paired: g at (N, J) points of the functions (N,), as (N,).
        z: (N, J), where to start.
        rows: (N,), the functions.
        steps: of the climb.

    Returns:
        The points (N, J), g there (N,), the least width (N,) of each peak and the log integral (N,) of the Gaussian
        that fits it.
    """
    damping = torch.ones(len(z), 1)
    height, slope, bend = _derivatives(paired, z, rows)
    for _ in range(steps):
        curve, frame = torch.linalg.eigh(-bend)
        along = (frame.mT @ slope[..., None])[..., 0]
        move = (frame @ (along / (curve.abs() + damping * slope.norm(dim=-1, keepdim=True) + 1e-6))[..., None])[..., 0]
        move *= (0.5 / move.norm(dim=-1, keepdim=True).clamp_min(1e-12)).clamp_max(1)
        trial = z + move
        found = _derivatives(paired, trial, rows)
        better = found[0] > height
        z = torch.where(better[:, None], trial, z)
        height = torch.where(better, found[0], height)
        slope = torch.where(better[:, None], found[1], slope)
        bend = torch.where(better[:, None, None], found[2], bend)
        damping = torch.where(better[:, None], damping / 10, damping * 4).clamp(1e-6, 1e6)
    # at a kink of a ReLU network the slope, not the curvature, says how fast the peak falls off
    precision = torch.maximum(torch.linalg.eigvalsh(-bend).clamp_min(1e-4), slope.square().sum(-1, keepdim=True))
    mass = height.double() + 0.5 * (math.log(2 * math.pi) - precision.double().log()).sum(-1)
    return z.numpy(), height.numpy(), precision.amax(-1).rsqrt().numpy(), mass.numpy()


def _derivatives(paired: Density, z: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns g (N,), its gradient (N, J) and its Hessian (N, J, J)."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        height = paired(z, rows)
        (slope,) = torch.autograd.grad(height.sum(), z, create_graph=True)
        bend = [torch.autograd.grad(part, z, retain_graph=True)[0] for part in slope.sum(0)]
    # where g is not a number there is nothing to climb, and eigh would refuse
    return height.detach(), slope.detach().nan_to_num(0, 0, 0), torch.stack(bend, -2).detach().nan_to_num(0, 0, 0)
