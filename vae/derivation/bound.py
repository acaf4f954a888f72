"""The derivation of the bound in numbers: each line of it for one image, J = 1 or 2, every sum in nats.

    log p(x) = E_q[log p(x)]                                             q integrates to 1
             = E_q[log p(x, z) / p(z|x)]                                 Bayes, at every z
             = E_q[log p(x, z) / q(z|x)] + E_q[log q(z|x) / p(z|x)]      times q / q
             = ELBO + KL[q(z|x) || p(z|x)]
             = E_q[log p(x|z)] - KL[q(z|x) || p(z)] + KL[q(z|x) || p(z|x)]

The source is Kingma & Welling (2013), equations 1 to 3. Expectations are sums over nodes of q, by the trapezoidal or
the midpoint rule, which share no nodes, and p(z|x) = p(x, z) / integral of p(x, z) dz is normalised on nodes of its
own, never by the log p(x) on the left. The agreement at the end of a line is thus not that of one sum written twice.
"""

from __future__ import annotations

import copy
import math
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.errors import DataError
from vae.evidence import CHUNK, check_count, check_image, exact_evidence, pairwise_log_prob, posterior
from vae.model import LOG_2_PI, VAE, draw

__all__ = ["Derivation", "Sum", "derive"]

Array = NDArray[Any]
_REACH, _STEP = 6.0, 1 / 4  # of the nodes, in standard deviations of q
_LEAST = 1e-12  # mass of a node relative to that of the largest, below which the posterior is omitted


class Sum(NamedTuple):
    """A sum, and a bound on its error."""

    value: float
    error: float


class Derivation(NamedTuple):
    """The terms of the derivation, in nats, and S samples from q(z|x) at which to evaluate it.

    Attributes:
        log_p: log p(x), integrated over the whole plane.
        normaliser: log of the integral of p(x, z) over the region of the posterior, on other nodes; it normalises
        p(z|x). mass: integral of q, which is 1 (without a unit).
        bound: E_q[log p(x, z) / q(z|x)], the ELBO, on one set of nodes.
        gap: E_q[log q(z|x) / p(z|x)], the KL to the posterior, on the other set.
        reconstruction: E_q[log p(x|z)].
        regulariser: KL[q(z|x) || p(z)], in closed form.
        z: (S, J), samples from q(z|x).
        log_likelihood, log_prior, log_q: (S,), log p(x|z), log p(z) and log q(z|x) at these samples.
    """

    log_p: Sum
    normaliser: Sum
    mass: Sum
    bound: Sum
    gap: Sum
    reconstruction: Sum
    regulariser: float
    z: Array
    log_likelihood: Array
    log_prior: Array
    log_q: Array

    @property
    def log_joint(self) -> Array:
        """(S,), log p(x, z)."""
        return self.log_likelihood + self.log_prior

    @property
    def log_posterior(self) -> Array:
        """(S,), log p(z|x) = log p(x, z) - log of the integral of p(x, z)."""
        return self.log_joint - self.normaliser.value


@torch.inference_mode(False)
@torch.no_grad()
def derive(
    model: VAE,
    x: Tensor,
    draws: int = 40,
    generator: torch.Generator | None = None,
    *,
    base: Literal["encoder", "prior"] = "encoder",
) -> Derivation:
    """Computes every term of the derivation for one image (1, D) in float64.

    The lines hold for any q, even a poor one: with the prior as q the bound is E_p(z)[log p(x|z)]. The error of a sum
    over q is the difference between the trapezoidal and the midpoint rule; for the gap, the error of p(z|x) is added.

    Arguments:
        model: a VAE with J = 1 or 2.
        x: (1, D) pixels, as returned by `VAE.pixels`.
        draws: S, number of samples.
        generator: source of the randomness.
        base: the distribution used as q, q(z|x) or p(z).

    Raises:
        ConfigError: J is above 2, or draws is not a whole number from 1 to `evidence.MOST_SAMPLES`.
        DataError: x is not (1, D), not finite float32, or grey under a Bernoulli; or log p(x) cannot be integrated.
    """
    check_image(model, x)
    check_count("The number of samples", draws)
    x = x.clone()
    evidence = exact_evidence(model, x)
    log_p = Sum(float(evidence.value[0]), 0.0 if evidence.error_bound is None else float(evidence.error_bound[0]))
    if not math.isfinite(log_p.value):
        raise DataError(
            "log p(x) of this image cannot be integrated: its posterior is too sharp. Choose another image."
        )
    q = model.encoder(x) if base == "encoder" else model.prior.expand((1,))
    mean, deviation = q.base_dist.loc[0].double(), q.base_dist.scale[0].double()
    decoder = copy.deepcopy(model.decoder).double()

    def log_likelihood(z: Tensor) -> Tensor:
        return torch.cat([pairwise_log_prob(decoder(part), x.double())[:, 0] for part in z.split(CHUNK)])

    def logs(eps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """z = mu + sigma * eps, log p(x|z), log p(z) and log q(z|x)."""
        z = mean + deviation * eps
        return z, log_likelihood(z), _log_normal(z), _log_normal(eps) - deviation.log().sum()

    near = posterior(model, x)  # tells where the mass is; the sums over it are computed here, in float64
    cells = torch.from_numpy(near.z[near.weight > _LEAST * near.weight.max()]).double()

    def total(shift: float) -> float:
        z = cells + shift * near.step
        return float((log_likelihood(z) + _log_normal(z)).logsumexp(0)) + len(mean) * math.log(near.step)

    normaliser = total(0.5)
    normalised = Sum(normaliser, abs(normaliser - total(0.0)))

    def sums(shift: float) -> list[float]:
        eps, weight = _nodes(len(mean), shift)
        _, likelihood, prior, own = logs(eps)
        joint = likelihood + prior
        terms = (torch.ones_like(own), joint - own, own - (joint - normaliser), likelihood)
        return [float(weight @ term) for term in terms]

    trapezoids, midpoints = sums(0.0), sums(0.5)
    mass, bound, _, reconstruction = (
        Sum(a, abs(a - b)) for a, b in zip(trapezoids, midpoints, strict=True)
    )  # the gap uses the other nodes
    gap = Sum(midpoints[2], abs(midpoints[2] - trapezoids[2]) + normalised.error)
    regulariser = float(0.5 * (mean.square() + deviation.square() - 1).sum() - deviation.log().sum())
    z = draw(q, generator, (draws,))[:, 0].double()
    z, *seen = logs((z - mean) / deviation)
    sums_of_q = mass, bound, gap, reconstruction, regulariser
    return Derivation(log_p, normalised, *sums_of_q, z.numpy(), *(each.numpy() for each in seen))


def _log_normal(v: Tensor) -> Tensor:
    return -0.5 * (v.square() + LOG_2_PI).sum(-1)


def _nodes(latent: int, shift: float) -> tuple[Tensor, Tensor]:
    """Returns equally spaced nodes (N, J) in units of q's standard deviations, and their fractions of its mass (N,)."""
    count = round(_REACH / _STEP)
    line = (np.arange(-count, count + 1 if shift == 0 else count) + shift) * _STEP
    nodes = torch.from_numpy(np.stack(np.meshgrid(*[line] * latent), -1).reshape(-1, latent))
    return nodes, (_log_normal(nodes) + latent * math.log(_STEP)).exp()
