"""The aggregate posterior: where the codes of a model are, and where the prior has mass but there are no codes.

    q(z) = 1/N sum_n q(z|x_n)

A mixture of N diagonal Gaussians (Makhzani et al. 2015; Hoffman & Johnson 2016). The ELBO pulls it towards the prior,
but the two never match exactly: a hole is a place that the prior samples from but to which no image was encoded.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Normal

from vae.errors import ConfigError
from vae.evidence import check_count
from vae.latent.codes import Axes, Codes
from vae.model import generator

__all__ = [
    "ACTIVE", "INSIDE", "RATIO", "Draws", "Holes", "active_units", "grid_log_density", "holes", "log_density",
    "plane_log_density", "prior_draws", "prior_log_density",
]  # fmt: skip

Array = NDArray[Any]
ACTIVE = 0.01  # variance of the posterior means above which a unit is active (Burda et al. 2016)
RATIO = 0.01  # value of q(z) / p(z) below which there is a hole
INSIDE = 0.95  # holes are looked for in the region with this share of the prior's mass
_REACH = 4.0  # half the width of a grid around the prior's mean
_BLOCK = 256, 2048  # points and images at once, 4 MB: fitting into the cache makes it twice as fast


class Holes(NamedTuple):
    """A line (W,) for J = 1, or a plane (H, W), of latents: the prior, the aggregate posterior, and holes.

    Attributes:
        x, y: (W,) and (H,), coordinates of the cell centres, increasing; for a line y is a single 0.
        log_q: (H, W) float64, log density of the aggregate posterior on the line or plane, nats.
        log_p: (H, W) float64, that of the prior.
        hole: (H, W) bool, the cells that are holes.
        share: fraction of the prior's mass in these cells, in [0, 1].
        places: (K, 2), the centres of the deepest holes, kept apart from each other, deepest first.
    """

    x: Array
    y: Array
    log_q: Array
    log_p: Array
    hole: Array
    share: float
    places: Array


class Draws(NamedTuple):
    """Samples from the prior, compared with the aggregate posterior.

    Attributes:
        z: (S, J) float32.
        log_ratio: (S,) float64, log q(z) / p(z), nats.
    """

    z: Array
    log_ratio: Array

    @property
    def share(self) -> float:
        """Fraction of the samples that fall into holes, q < `RATIO` p: an estimate of the prior's mass there."""
        return float((self.log_ratio < math.log(RATIO)).mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the fraction."""
        return math.sqrt(self.share * (1 - self.share) / len(self.z))


def log_density(codes: Codes, z: Array) -> Array:
    """Evaluates the aggregate posterior, log q(z) = log 1/N sum_n N(z | mu_n, diag sigma_n^2).

    The exponents are matrix products, z^2 . (-1 / 2 sigma^2) + z . (mu / sigma^2) + c, in float64 relative to the mean
    of the codes, and memory does not grow with N or M.

    Arguments:
        codes: of N images, see `latent.encode`.
        z: (M, J).

    Returns:
        (M,) float64, nats.

    Raises:
        ConfigError: the latents are not (M, J), or not finite.
    """
    points = _checked(z, codes.mean.shape[1])
    middle = torch.from_numpy(codes.mean.mean(0, dtype=np.float64))
    mean, variance = torch.from_numpy(codes.mean).double() - middle, torch.from_numpy(codes.deviation).double() ** 2
    constant = -0.5 * (mean**2 / variance + (2 * math.pi * variance).log()).sum(1)
    points = points - middle
    return _log_mixture(
        torch.cat([points**2, points], 1), torch.cat([-0.5 / variance, mean / variance], 1), constant
    )  # fmt: skip


def grid_log_density(codes: Codes, x: Array, y: Array) -> Array:
    """Evaluates the aggregate posterior for J = 2 on a grid along the coordinate axes, as a product of two matrices.

    q(x_i, y_j) = 1/N sum_n N(x_i | mu_n1, sigma_n1^2) N(y_j | mu_n2, sigma_n2^2) takes (W + H) N exponentials
    instead of W H N.

    Arguments:
        codes: of N images.
        x, y: (W,) and (H,), values of the first and the second coordinate.

    Returns:
        (H, W) float64, nats; about -708 where q underflows in float64.

    Raises:
        ConfigError: J is not 2, or the values are not finite.
    """
    across, up = (np.asarray(each, np.float64)[:, None] for each in (x, y))
    if codes.mean.shape[1] != 2:
        raise ConfigError(f"A grid along both coordinates needs J = 2; these codes have J = {codes.mean.shape[1]}.")
    points = [_checked(each, 1) for each in (across, up)]
    sums = torch.zeros(len(y), len(x), dtype=torch.float64)
    for first in range(0, len(codes.mean), _BLOCK[1]):
        some = slice(first, first + _BLOCK[1])
        mean, deviation = (torch.from_numpy(each[some]).double() for each in (codes.mean, codes.deviation))
        parts = [Normal(mean[:, j], deviation[:, j]).log_prob(points[j]).exp() for j in range(2)]
        sums += parts[1] @ parts[0].T
    return (sums / len(codes.mean)).clamp_min(np.finfo(np.float64).tiny).log().numpy()


def plane_log_density(codes: Codes, axes: Axes, plane: Array) -> Array:
    """Evaluates the marginal of the aggregate posterior on a plane, in the plane's coordinates.

    The marginal of a diagonal Gaussian on a plane with directions D (2, J) is N(D (mu - c), D diag(sigma^2) D^T), whose
    covariance is not diagonal unless D is along the coordinates.

    Arguments:
        codes: of N images.
        axes: the plane; its directions have unit length and are orthogonal.
        plane: (M, 2).

    Returns:
        (M,) float64, nats.

    Raises:
        ConfigError: the coordinates are not (M, 2) or not finite, or the directions do not span a plane.
    """
    directions = _directions(axes)
    points = _checked(plane, 2)
    mean = (torch.from_numpy(codes.mean).double() - torch.from_numpy(axes.centre).double()) @ directions.T
    middle = mean.mean(0)
    mean, points = mean - middle, points - middle
    variance = torch.from_numpy(codes.deviation).double() ** 2
    a, b, c = (variance @ (directions[i] * directions[j]) for i, j in ((0, 0), (0, 1), (1, 1)))
    determinant = a * c - b * b
    p, q, r = c / determinant, -b / determinant, a / determinant  # the precision's entries
    x, y = mean.T
    linear = torch.stack([p * x + q * y, q * x + r * y], 1)
    constant = -0.5 * ((linear * mean).sum(1) + determinant.log()) - math.log(2 * math.pi)
    u, v = points.T
    features = torch.stack([u * u, u * v, v * v, u, v], 1)
    return _log_mixture(features, torch.cat([torch.stack([-0.5 * p, -q, -0.5 * r], 1), linear], 1), constant)


def prior_log_density(z: Array) -> Array:
    """Returns log p(z) of latents (M, J) under N(0, I), (M,) float64, nats."""
    z = z.astype(np.float64)
    return -0.5 * (z * z).sum(-1) - 0.5 * z.shape[-1] * math.log(2 * math.pi)


def holes(codes: Codes, axes: Axes, side: int = 121, places: int = 6) -> Holes:
    """Finds where the aggregate posterior is far below the prior, on a plane, or on the line for J = 1.

    A cell is a hole if q < `RATIO` p, inside the disc (or interval) that holds `INSIDE` of the prior's mass. For
    J > 2 both densities are marginals on the plane, so a place may be covered there although most of the latents that
    project to it are not; `prior_draws` uses all J dimensions.

    Arguments:
        codes: of N images.
        axes: the plane; for the line J = 1, `latent.coordinate_axes(means, 0, 0)`.
        side: cells along each axis, from -4 to 4 around the prior's mean.
        places: K at most, centres of holes: where p log p/q, the integrand of KL[p || q], is largest.

    Raises:
        ConfigError: the directions do not span a plane, or side is not a whole number from 8 to 1000.
    """
    check_count("The side of a grid", side, 1000)
    line = codes.mean.shape[1] == 1
    directions = np.ones((1, 1)) if line else _directions(axes).numpy()
    origin = -directions @ axes.centre.astype(np.float64)  # the prior's mean in the coordinates of the line or plane
    steps = [middle + _REACH * (2 * np.arange(side) + 1 - side) / side for middle in origin]
    cells = np.stack(np.meshgrid(*steps), -1).reshape(-1, len(steps))
    log_q = log_density(codes, cells + axes.centre) if line else plane_log_density(codes, axes, cells)
    log_p = prior_log_density(cells - origin)
    squared = ((cells - origin) ** 2).sum(1)
    edge = -2 * math.log(1 - INSIDE) if not line else float(Normal(0.0, 1.0).icdf(torch.tensor((1 + INSIDE) / 2))) ** 2
    hole = (log_q < log_p + math.log(RATIO)) & (squared <= edge)
    share = float(np.exp(log_p[hole]).sum()) * (2 * _REACH / side) ** len(steps)
    middles = _middles(cells, np.where(hole, np.exp(log_p) * (log_p - log_q), 0), places)
    if line:
        middles = np.pad(middles, ((0, 0), (0, 1)))
    shape = (1 if line else side, side)
    return Holes(
        steps[0], np.zeros(1) if line else steps[1], log_q.reshape(shape), log_p.reshape(shape), hole.reshape(shape),
        share, middles,
    )  # fmt: skip


def prior_draws(codes: Codes, draws: int = 1000, seed: int = 0) -> Draws:
    """Samples z ~ p(z), and computes how far q(z) is below p(z) there, in all J dimensions.

    q is the mixture over the given images only. In many dimensions a few thousand narrow Gaussians fill almost nothing,
    whatever the model; more images increase q, so the fraction in holes is an upper estimate.

    Arguments:
        codes: of N images.
        draws: S, number of samples from the prior.
        seed: of the samples.

    Raises:
        ConfigError: draws is not a whole number from 1 to 1,000,000.
    """
    check_count("The number of samples", draws, 10**6)
    z = torch.randn(draws, codes.mean.shape[1], generator=generator(seed)).numpy()
    return Draws(z, log_density(codes, z) - prior_log_density(z))


def active_units(means: Array, threshold: float = ACTIVE) -> Array:
    """Tells which latent units are active: Var_x(E_q[z_j]) > threshold (Burda, Grosse & Salakhutdinov 2016).

    Arguments:
        means: (N, J), posterior means.
        threshold: of the variance; 0.01 in the paper.

    Returns:
        (J,) bool.
    """
    return means.var(0, dtype=np.float64) > threshold


def _log_mixture(features: Tensor, weights: Tensor, constant: Tensor) -> Array:
    """Returns log 1/N sum_n exp(features . weights_n + constant_n), (M,), from (M, F), (N, F) and (N,) in float64."""
    weights = torch.cat([weights, constant[:, None]], 1)
    features = torch.cat([features, torch.ones(len(features), 1, dtype=torch.float64)], 1)
    parts = []
    for part in features.split(_BLOCK[0]):
        top = torch.full((len(part),), -math.inf, dtype=torch.float64)
        total = torch.zeros_like(top)
        for block in weights.split(_BLOCK[1]):
            exponent = part @ block.T
            higher = torch.maximum(top, exponent.amax(1))
            total = total * (top - higher).exp() + exponent.sub_(higher[:, None]).exp_().sum(1)
            top = higher
        parts.append(top + total.log())
    return (torch.cat(parts) - math.log(len(weights))).numpy()


def _middles(cells: Array, depth: Array, count: int, apart: float = 0.6) -> Array:
    """Returns the deepest cells, each at some distance from the previous ones."""
    found: list[Array] = []
    depth = depth.copy()
    while len(found) < count and depth.max() > 0:
        found.append(cells[depth.argmax()])
        depth[((cells - found[-1]) ** 2).sum(1) < apart**2] = 0
    return np.array(found, np.float32).reshape(-1, cells.shape[1])


def _directions(axes: Axes) -> Tensor:
    directions = torch.from_numpy(axes.directions).double()
    if not torch.allclose(directions @ directions.T, torch.eye(2, dtype=torch.float64), atol=1e-4):
        raise ConfigError("A plane needs two orthogonal directions of unit length; these are not, or J = 1.")
    return directions


def _checked(z: Array, size: int) -> Tensor:
    z = np.asarray(z, np.float64)
    if z.ndim != 2 or z.shape[1] != size or not np.isfinite(z).all():
        raise ConfigError(f"Points must have shape (M, {size}) and be finite; these, of shape {z.shape}, do not.")
    return torch.from_numpy(z.copy())
