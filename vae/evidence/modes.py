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

_ENOUGH = 1e-3  # nats that a step must gain for the climb to continue


def climb(paired: Density, z: Tensor, rows: Tensor, steps: int = 12) -> tuple[Array, Array, Array, Array]:
    """Climbs to modes by Newton's method, damped where a step would go down (Levenberg 1944).

    Arguments:
        paired: g at (N, J) points, each for one of the functions (N,), as (N,).
        z: (N, J), the starting points.
        rows: (N,), the functions.
        steps: of the climb.

    Returns:
        The points (N, J), g there (N,), the smallest width (N,) of each peak, and the log integral (N,) of the Gaussian
        fitted to it.
    """
    damping = torch.ones(len(z), 1)
    z, (height, slope, bend) = z.clone(), _derivatives(paired, z, rows)
    going = torch.arange(len(z))
    for _ in range(steps):
        up, down, hard = slope[going], -bend[going], damping[going]
        curve, frame = torch.linalg.eigh(down)
        along = (frame.mT @ up[..., None])[..., 0]
        move = (frame @ (along / (curve.abs() + hard * up.norm(dim=-1, keepdim=True) + 1e-6))[..., None])[..., 0]
        move *= (0.5 / move.norm(dim=-1, keepdim=True).clamp_min(1e-12)).clamp_max(1)
        trial = z[going] + move
        found = _derivatives(paired, trial, rows[going])
        gain = found[0] - height[going]
        better = going[gain > 0]
        z[better], height[better], slope[better], bend[better] = (part[gain > 0] for part in (trial, *found))
        damping[going] = torch.where(gain[:, None] > 0, hard / 10, hard * 4).clamp(1e-6, 1e6)
        going = going[(gain > _ENOUGH) | (gain <= 0) & (damping[going, 0] < 100)]
        if not len(going):
            break
    # at a kink of a ReLU network the slope, not the curvature, determines how fast the peak falls off
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
    # where g is not finite there is nothing to climb, and eigh would fail
    return height.detach().cpu(), slope.detach().nan_to_num(0, 0, 0), torch.stack(bend, -2).detach().nan_to_num(0, 0, 0)
