"""The exact evidence log p(x), where it can be computed, as a reference for every estimate.

    a linear decoder with a Gaussian, any J     N(x | b, W W^T + Psi), in closed form: `vae.evidence.linear`
    any decoder, J = 1 or 2                     log of the integral of p(z) p(x|z) dz, by adaptive quadrature

The same quadrature gives the posterior p(z|x), and the path from a base r(z), the prior or q(z|x), to the posterior:

    p_beta(z) ~ r(z) (p(x, z) / r(z))^beta      log p(x) = integral over beta of E_beta[log p(x, z) / r(z)]

the thermodynamic identity (Gelman & Meng 1998; Masrani, Le & Wood 2019). With r = q the integrand at 0 is the ELBO.
"""

from __future__ import annotations

import math
import time
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.errors import ConfigError, DataError
from vae.evidence.checks import check_image, check_pixels
from vae.evidence.estimates import Estimate, Progress, part_of
from vae.evidence.linear import is_linear_gaussian, linear_evidence
from vae.evidence.quadrature import Integrals
from vae.evidence.rounding import MEASURED, rounding
from vae.evidence.tempered import MOST_RADIUS, Tempered
from vae.model import VAE, AnyConfig, noise_like

__all__ = ["Posterior", "ThermodynamicPath", "exact", "is_known", "posterior", "thermodynamic_path"]

_BATCH = 500  # images whose coarse grids are held at once
_USUAL_RADIUS = 12.0
_TOO_SHARP = "The posterior of this image is too sharp or too wide for a grid. Choose another image, or use AIS."


class Posterior(NamedTuple):
    """p(z|x) of one image on a grid.

    Attributes:
        z: (N, J), nodes.
        weight: (N,), their fractions of the mass, which sum to 1.
        step: distance between nodes.
        log_p: log p(x), nats.
        error: nats, bound on the error of log_p: that of the quadrature plus that of float32 (`vae.evidence.rounding`).
        edge: fraction of the mass at the rim of the grid.
        kl_prior: KL[p(z|x) || p(z)], nats; naive Monte Carlo needs about exp(it) samples (Chatterjee & Diaconis 2018).
    """

    z: NDArray
    weight: NDArray
    step: float
    log_p: float
    error: float
    edge: float
    kl_prior: float

    def level(self, share: float) -> float:
        """Returns log p(z|x) on the boundary of the smallest region that holds a given share of the mass, nats."""
        weight = np.sort(self.weight)[::-1]
        last = min(int(np.searchsorted(weight.cumsum(), share)), len(weight) - 1)
        return math.log(weight[last]) - self.z.shape[1] * math.log(self.step)

    def prior_mass(self, share: float) -> float:
        """Returns the probability that a sample from the prior falls into that region."""
        inside = np.log(self.weight) - self.z.shape[1] * math.log(self.step) >= self.level(share)
        density = np.exp(-0.5 * (self.z[inside] ** 2).sum(1)) / (2 * math.pi) ** (self.z.shape[1] / 2)
        return float(density.sum() * self.step ** self.z.shape[1])

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Samples (count, J): a node according to its mass, then a uniform point of its cell."""
        weight, nodes = torch.from_numpy(self.weight), torch.from_numpy(self.z)
        weight = weight if generator is None else weight.to(generator.device)
        nodes = nodes[torch.multinomial(weight, count, replacement=True, generator=generator).cpu()]
        jitter = noise_like(nodes, generator, torch.Tensor.uniform_, -0.5, 0.5)
        return (nodes + self.step * jitter).float()


class ThermodynamicPath(NamedTuple):
    """The integrand of the thermodynamic identity for one image.

    Attributes:
        betas: (K,), from 0 to 1.
        integrand: (K,), E_beta[log p(x, z) / r(z)], nats; with the prior as base this is E_beta[log p(x|z)].
        log_z: (K,), log of the integral of r(z)^(1 - beta) p(x, z)^beta, from 0 at beta = 0 to log p(x) at beta = 1.
    """

    betas: NDArray
    integrand: NDArray
    log_z: NDArray


def is_known(config: AnyConfig) -> bool:
    """Whether log p(x) can be computed exactly: J <= 2, or a linear decoder with a Gaussian likelihood."""
    return config.latent <= 2 or is_linear_gaussian(config)


@torch.inference_mode(False)
def exact(model: VAE, x: Tensor, *, tolerance: float | None = None, progress: Progress | None = None) -> Estimate:
    """Computes log p(x).

    Arguments:
        model: a VAE with J <= 2, or with a linear decoder and a Gaussian likelihood.
        x: (B, D) pixels, as returned by `VAE.pixels`.
        tolerance: nats allowed for the error of the quadrature; by default 1e-2 for a network with ReLU, whose kinks
            make a smaller one too expensive, otherwise 1e-4, and 1e-5 for a Bernoulli.
        progress: called with the fraction of the images that are done.

    Returns:
        The values, with `error_bound` in nats: that of the quadrature plus that of float32, measured in float64
        (`vae.evidence.rounding`). A value is NaN where the grids did not converge. The error of a linear decoder is
        only that of rounding in float64, and is given as 0.

    Raises:
        ConfigError: J is above 2 and the decoder is not linear and Gaussian, or the tolerance is not above 0.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    check_pixels(model, x)
    start = time.perf_counter()
    if is_linear_gaussian(model.config):
        value = linear_evidence(model, x)
        zero = torch.zeros_like(value)
        return Estimate(value, zero, 0, 0, time.perf_counter() - start, error_bound=zero)
    tolerance = _tolerance(model, tolerance)
    parts: list[Integrals] = []
    lost: list[tuple[Tensor, Tensor]] = []
    first = 0
    while first < len(x):
        part = x[first : first + _BATCH]
        wide = Tempered(model, part).radius
        part = part[: max(1, round(_BATCH * min(1, (_USUAL_RADIUS / wide) ** model.config.latent)))]
        tell = part_of(progress, first / len(x), len(part) / len(x))
        joint = Tempered(model, part)
        parts.append(joint.integrate(tolerance, keep=MEASURED, progress=tell))
        lost.append(rounding(joint.double().paired, parts[-1].grids))
        first += len(part)
    value, error, edge = (torch.from_numpy(np.concatenate(column)) for column in list(zip(*parts, strict=True))[:3])
    shift, left = (torch.cat(column) for column in zip(*lost, strict=True))
    value, error = value + shift, error + left
    decodes = sum(part.evaluations for part in parts)
    seconds = time.perf_counter() - start
    return Estimate(value, torch.zeros_like(value), 0, decodes, seconds, error_bound=error, edge=edge)


@torch.inference_mode(False)
def posterior(model: VAE, x: Tensor, *, tolerance: float | None = None, progress: Progress | None = None) -> Posterior:
    """Computes p(z|x) of one image (1, D) on a grid, for J = 1 or 2; progress is called with 0 per chunk, then with 1.

    Raises:
        ConfigError: J is above 2, or the tolerance is not above 0.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli; or the grids did not converge.
    """
    check_image(model, x)
    joint = Tempered(model, x)
    found = joint.integrate(_tolerance(model, tolerance), keep=None, progress=progress)
    if not math.isfinite(found.log_value[0]):
        raise DataError(_TOO_SHARP)
    z, log_weight, step = found.grids[0]
    weight = np.exp(log_weight - log_weight.max(), dtype=np.float64)
    weight /= weight.sum()
    log_prior = -0.5 * (z**2).sum(1) - z.shape[1] / 2 * math.log(2 * math.pi)
    single = float(found.log_value[0])
    kl_prior = max(0.0, float(weight @ (log_weight - single - log_prior)))
    shift, left = (float(column) for column in rounding(joint.double().paired, [found.grids[0].by_mass(MEASURED)]))
    return Posterior(z, weight, step, single + shift, float(found.error[0]) + left, float(found.edge[0]), kl_prior)


@torch.inference_mode(False)
def thermodynamic_path(
    model: VAE,
    x: Tensor,
    betas: NDArray,
    *,
    base: Literal["prior", "encoder"] = "prior",
    tolerance: float = 1e-2,
    progress: Progress | None = None,
) -> ThermodynamicPath:
    """Computes the integrand of the thermodynamic identity for one image (1, D), for J = 1 or 2.

    Arguments:
        model: the VAE.
        x: (1, D) pixels, as returned by `VAE.pixels`.
        betas: (K,) in [0, 1].
        base: r(z), where the path starts: the prior, or q(z|x).
        tolerance: nats within which the grids of each beta must agree; the error of float32 comes on top.
        progress: called with the fraction of the betas done after each chunk; may raise an exception to stop the work.

    Raises:
        ConfigError: J is above 2, a beta is outside [0, 1], or the tolerance is not above 0.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli; the grids did not converge; or the
            base is q, and it extends beyond a grid.
    """
    check_image(model, x)
    if not (betas.ndim == 1 and len(betas) and ((betas >= 0) & (betas <= 1)).all()):
        raise ConfigError(f"Betas must be numbers from 0 to 1; they are {betas!r:.80}.")
    tempered = Tempered(model, x[:1].expand(len(betas), -1), torch.from_numpy(betas).float(), base)
    if base == "encoder" and tempered.reach > MOST_RADIUS:  # the grid would keep growing for hours
        raise DataError(
            "The path from the encoder's q is too sharp or too wide for a grid: q extends to "
            f"|z| = {tempered.reach:.0f}, a grid to {MOST_RADIUS:.0f}. Start from the prior, or choose another image."
        )
    found = tempered.integrate(_tolerance(model, tolerance), keep=None, progress=progress)
    if not np.isfinite(found.log_value).all():
        raise DataError(_TOO_SHARP)
    integrand = np.zeros(len(betas))
    # neighbouring betas share most of their nodes, so each node is decoded once
    nodes = np.concatenate([grid.z for grid in found.grids])
    ends = np.cumsum([len(grid.z) for grid in found.grids])[:-1]
    _, first, which = np.unique(nodes @ np.array([1, 2**20])[: nodes.shape[1]], return_index=True, return_inverse=True)
    gains = np.split(tempered.gain(torch.from_numpy(nodes[first]).float())[which], ends)
    for k, (grid, gain) in enumerate(zip(found.grids, gains, strict=True)):
        weight = np.exp(grid.log_density - grid.log_density.max(), dtype=np.float64)
        integrand[k] = weight @ gain / weight.sum()
    return ThermodynamicPath(betas, integrand, found.log_value)


def _tolerance(model: VAE, tolerance: float | None) -> float:
    """Checks that the method applies to this model, and returns the tolerance."""
    if model.config.latent > 2:
        raise ConfigError(
            "log p(x) is exact for J = 1 or 2 latent dimensions, or for a linear decoder with a Gaussian likelihood; "
            f"this model has J = {model.config.latent}. Use importance sampling or AIS."
        )
    if tolerance is None:
        smooth = 1e-5 if model.config.likelihood == "bernoulli" else 1e-4
        return 1e-2 if model.config.kinks else smooth
    if not (math.isfinite(tolerance) and 1e-9 <= tolerance <= 10):
        raise ConfigError(f"The tolerance must be from 1e-9 to 10 nats; it is {tolerance!r}.")
    return tolerance
