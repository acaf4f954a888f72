"""What training maximises: callables from a model and pixels to one number per image, with its parts.

log p(x) >= ELBO(x) = E_q[log p(x|z)] - KL[q(z|x) || p(z)]      Kingma & Welling (2013), equation 3
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae.errors import ConfigError
from vae.model.distributions import draw
from vae.model.vae import VAE
from vae.settings import TrainConfig

__all__ = ["ELBO", "IWAE", "Autoencoder", "Objective", "Terms", "objective_of"]


class Terms(NamedTuple):
    """The parts of the ELBO, and the objective that training maximises, in nats.

    Attributes:
        reconstruction: (B,), E_q[log p(x|z)].
        kl: (B,), KL[q(z|x) || p(z)].
        kl_by_dimension: (B, J), KL[q(z_j|x) || p(z_j)]; its sum over j is `kl`.
        objective: (B,), whose mean training maximises; the ELBO unless the settings say otherwise.
    """

    reconstruction: Tensor
    kl: Tensor
    kl_by_dimension: Tensor
    objective: Tensor

    @property
    def elbo(self) -> Tensor:
        """(B,), reconstruction - kl."""
        return self.reconstruction - self.kl


class Objective(Protocol):
    """Anything that scores images (B, D) under a model; training maximises the mean of `Terms.objective`."""

    def __call__(self, model: VAE, x: Tensor, generator: torch.Generator | None = None) -> Terms: ...


@dataclass(frozen=True)
class ELBO:
    """The variational lower bound, with L reparameterised samples and the KL in closed form.

    1/L sum_l log p(x | mu + sigma * eps_l) - beta KL[N(mu, sigma^2) || N(0, I)],   eps_l ~ N(0, I)

    With free bits lambda the KL in the objective is sum_j max(lambda, mean over the batch of KL_j), the same for each
    image: the KL of a dimension below lambda has no gradient, and so does not push the dimension towards collapse.

    Arguments:
        samples: L.
        beta: weight of the KL (Higgins et al. 2017).
        free_bits: lambda, nats per dimension (Kingma et al. 2016).
    """

    samples: int = 1
    beta: float = 1.0
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        _check_samples(self.samples)

    def __call__(self, model: VAE, x: Tensor, generator: torch.Generator | None = None) -> Terms:
        q = model.encoder(x)
        z = draw(q, generator, (self.samples,))
        reconstruction = model.decoder(z).log_prob(x).mean(0)
        by_dimension = _kl_by_dimension(q)
        kl = by_dimension.sum(-1)
        charged = by_dimension.mean(0).clamp(min=self.free_bits).sum() if self.free_bits else kl
        return Terms(reconstruction, kl, by_dimension, reconstruction - self.beta * charged)


@dataclass(frozen=True)
class IWAE:
    """The importance-weighted bound, which tightens with k (Burda, Grosse & Salakhutdinov 2016).

    log 1/k sum_i w_i,   log w_i = log p(x|z_i) + beta (log p(z_i) - log q(z_i|x)),   z_i = mu + sigma * eps_i

    beta = 1 gives the bound; a smaller beta, for a warm-up, does not. Gradients use the reparameterised samples.

    Arguments:
        samples: k.
        beta: weight of log p(z) - log q(z|x).
    """

    samples: int = 1
    beta: float = 1.0

    def __post_init__(self) -> None:
        _check_samples(self.samples)

    def __call__(self, model: VAE, x: Tensor, generator: torch.Generator | None = None) -> Terms:
        q = model.encoder(x)
        z = draw(q, generator, (self.samples,))
        log_likelihood = model.decoder(z).log_prob(x)
        log_weight = log_likelihood + self.beta * (model.prior.log_prob(z) - q.log_prob(z))
        by_dimension = _kl_by_dimension(q)
        bound = log_weight.logsumexp(0) - math.log(self.samples)
        return Terms(log_likelihood.mean(0), by_dimension.sum(-1), by_dimension, bound)


@dataclass(frozen=True)
class Autoencoder:
    """A plain autoencoder: the same two networks, log p(x | mu_z(x)), and no KL. Its `elbo` is not a bound."""

    def __call__(self, model: VAE, x: Tensor, generator: torch.Generator | None = None) -> Terms:
        mean = model.encoder(x).mean
        reconstruction = model.decoder(mean).log_prob(x)
        return Terms(reconstruction, torch.zeros_like(reconstruction), torch.zeros_like(mean), reconstruction)


def objective_of(config: TrainConfig, beta: float | None = None) -> Objective:
    """Returns the objective that a config names.

    Arguments:
        config: how a model is trained.
        beta: current weight of the KL, in a warm-up or after a change during training; that of the config if None.
    """
    weight = config.beta if beta is None else beta
    if config.objective == "elbo":
        return ELBO(config.samples, weight, config.free_bits)
    return IWAE(config.samples, weight) if config.objective == "iwae" else Autoencoder()


def _kl_by_dimension(q: Independent) -> Tensor:
    return kl_divergence(q.base_dist, Normal(torch.zeros(()), torch.ones(())))


def _check_samples(samples: object) -> None:
    if not isinstance(samples, int) or isinstance(samples, bool) or samples < 1:
        raise ConfigError(f"samples must be a whole number, at least 1; it is {samples!r}.")
