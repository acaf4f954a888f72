"""The evidence of a linear decoder in closed form: probabilistic PCA and factor analysis (Tipping & Bishop 1999)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vae.model import VAE, AnyConfig, Decoder, floored, in_double

__all__ = ["is_linear_gaussian", "linear_evidence"]


def is_linear_gaussian(config: AnyConfig) -> bool:
    """Whether x is a linear map of z plus Gaussian noise with a constant variance, so that p(x) is Gaussian."""
    return config.linear and config.likelihood != "bernoulli"


def linear_evidence(model: VAE, x: Tensor) -> Tensor:
    """Computes log N(x | b, W W^T + Psi), with the Woodbury identity and the determinant lemma in J dimensions.

    Arguments:
        model: a VAE that satisfies `is_linear_gaussian`.
        x: (B, D) pixels.

    Returns:
        (B,) float64, nats.
    """
    assert isinstance(model.decoder, Decoder)
    location, psi = model.decoder.location, model.decoder.log_variance
    assert isinstance(location, torch.nn.Linear) and isinstance(psi, torch.nn.Parameter)
    weight, bias, variances, x = (in_double(each.detach()) for each in (location.weight, location.bias, psi, x))
    log_variance = floored(variances, model.config.log_variance_floor).expand(model.config.pixels)
    precision = (-log_variance).exp()
    centred = x.to(bias.device) - bias
    inner = torch.eye(model.config.latent).to(weight) + weight.T @ (precision[:, None] * weight)
    factor = torch.linalg.cholesky(inner)
    seen = torch.linalg.solve_triangular(factor, ((precision * centred) @ weight).T, upper=False)
    distance = (precision * centred.square()).sum(-1) - seen.square().sum(0)
    log_determinant = log_variance.sum() + 2 * factor.diagonal().log().sum()
    return -0.5 * (distance + log_determinant + model.config.pixels * math.log(2 * math.pi)).cpu()
