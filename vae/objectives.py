"""What training maximises: small callables from a model and pixels to one number an image, in two parts.

log p(x) >= ELBO(x) = E_q[log p(x|z)] - KL[q(z|x) || p(z)]      Kingma & Welling (2013), equation 3
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.distributions import kl_divergence

from vae.config import TrainConfig
from vae.distributions import draw
from vae.errors import ConfigError
from vae.models import VAE

__all__ = ["ELBO", "Autoencoder", "Objective", "Terms", "objective_of"]


class Terms(NamedTuple):
    """The two parts of the ELBO, in nats.

    Attributes:
        reconstruction: (B,), E_q[log p(x|z)].
        kl: (B,), KL[q(z|x) || p(z)].
    """

    reconstruction: Tensor
    kl: Tensor

    @property
    def elbo(self) -> Tensor:
        """(B,), reconstruction - kl."""
        return self.reconstruction - self.kl


class Objective(Protocol):
    """Anything that scores images (B, D) under a model; training maximises the mean of `Terms.elbo`."""

    def __call__(self, model: VAE, x: Tensor, generator: torch.Generator | None = None) -> Terms: ...


@dataclass(frozen=True)
class ELBO:
    """The variational lower bound, with L reparameterised samples and the KL in closed form.

    1/L sum_l log p(x | mu + sigma * eps_l) - KL[N(mu, sigma^2) || N(0, I)],   eps_l ~ N(0, I)
    """

    samples: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.samples, int) or isinstance(self.samples, bool) or self.samples < 1:
            raise ConfigError(f"samples must be a whole number, at least 1; it is {self.samples!r}.")

    def __call__(self, model: VAE, x: Tensor, generator: torch.Generator | None = None) -> Terms:
        q = model.encoder(x)
        z = draw(q, generator, (self.samples,))
        return Terms(model.decoder(z).log_prob(x).mean(0), kl_divergence(q, model.prior))


@dataclass(frozen=True)
class Autoencoder:
    """A plain autoencoder: the same two nets, log p(x | mu_z(x)), and no KL. Its `elbo` bounds nothing."""

    def __call__(self, model: VAE, x: Tensor, generator: torch.Generator | None = None) -> Terms:
        reconstruction = model.decoder(model.encoder(x).mean).log_prob(x)
        return Terms(reconstruction, torch.zeros_like(reconstruction))


def objective_of(config: TrainConfig) -> Objective:
    """Returns the objective that a config names."""
    return ELBO(config.samples) if config.objective == "elbo" else Autoencoder()
