"""Caches for the first chapters of the lesson: grids, sequences of samples, gradients."""

from typing import NamedTuple

import numpy as np
import streamlit as st
import torch

import vae
from pages.cache import models
from pages.cache.kept import kept
from vae import evidence
from vae.derivation import Plane, integrand, log_likelihood_plane, log_posterior
from vae.evidence import Posterior, gaps
from vae.uses import variance

DRAWS = 100_000  # samples of a naive Monte Carlo run
RUNS = 3
_SIDE = 161  # nodes along a side of the plane
_PRIOR = 2000  # samples over which the gradient under the prior is averaged


class Slopes(NamedTuple):
    """Average gradients of log p(x|z) with respect to the biases of the decoder's last layer.

    Attributes:
        posterior: (D,), averaged over p(z|x), which is the gradient of log p(x).
        prior: (D,), averaged over p(z), which is not.
        pixel: the index at which the two differ most.
        measured: the derivative there by finite differences, nats per unit of bias.
    """

    posterior: np.ndarray
    prior: np.ndarray
    pixel: int
    measured: float


def wide(model: models.Model, row: int) -> float:
    """Returns half the side of a square that contains nearly all of the prior and the code of an image."""
    return float(max(4.0, np.ceil(np.abs(models.codes(model).mean[row]).max() + 0.5)))


def plane(model: models.Model, data_name: str, row: int) -> Plane:
    """Returns densities on the latent plane for an image; the whole plane is no wider than the prior."""
    line, likelihood = _likelihood(model, data_name, row)
    return models.posterior_plane(model, data_name, row, 1000)._replace(x=line, y=line, log_likelihood=likelihood)


@kept()
def _likelihood(model: models.Model, data_name: str, row: int) -> tuple[np.ndarray, np.ndarray]:
    line = np.linspace(-(half := wide(model, row)), half, _SIDE, dtype=np.float32)
    return line, log_likelihood_plane(models.load(model), models.pixels(model, data_name, (row,)), line, line)


@st.cache_data(max_entries=256, show_spinner=False)
def deviation_by_level(model: models.Model, data_name: str, row: int) -> tuple[float, ...]:
    """Returns the mean sigma of background, edge and ink pixels at the mean of q(z|x) of a test image."""
    decoded = models.reconstructions(model, data_name, (row,))
    return variance.deviation_by_level(decoded.mean[0], decoded.deviation[0])


@kept(here=True)
def grid_evidence(model: models.Model, data_name: str, row: int, side: int) -> float:
    x = models.pixels(model, data_name, (row,))
    return integrand.grid_evidence(models.load(model), x, side, wide(model, row))


@kept()
def posterior(model: models.Model, data_name: str, row: int) -> Posterior:
    return evidence.posterior(models.quick(model), models.pixels(model, data_name, (row,)))


@kept()
def slopes(model: models.Model, data_name: str, row: int) -> Slopes:
    """Returns the gradients under the posterior and the prior, and a finite difference in one pixel."""
    net, x, found = models.load(model), models.pixels(model, data_name, (row,)), posterior(model, data_name, row)
    right = integrand.posterior_slope(net, x, found)
    draws = np.random.default_rng(0).standard_normal((_PRIOR, net.config.latent), np.float32)
    wrong = integrand.prior_slope(net, x, draws)
    pixel = int(np.abs(right - wrong).argmax())
    return Slopes(right, wrong, pixel, integrand.bias_slope(net, x, found, pixel))


@st.cache_resource(max_entries=12, show_spinner=False)
def stream(model: models.Model, data_name: str, row: int, seed: int, count: int = DRAWS) -> integrand.Stream:
    """Returns the first samples of a run from the prior, with log p(x|z) of each."""
    x = models.pixels(model, data_name, (row,))
    return integrand.stream(models.load(model), x, count, vae.generator(seed))


@kept()
def enough(model: models.Model, data_name: str, row: int, within: float) -> int | None:
    """Returns the number of samples that sufficed in half of a few runs, or None if none did."""
    runs = np.stack([integrand.running(stream(model, data_name, row, seed).log_likelihood) for seed in range(RUNS)])
    return integrand.enough(runs, posterior(model, data_name, row).log_p, within)


@kept()
def best_gaussian(model: models.Model, data_name: str, row: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns mean (J,), standard deviation (J,) and ELBO of the best diagonal Gaussian q for an image."""
    x = models.pixels(model, data_name, (row,))
    *_, best = gaps.refine(models.quick(model), x, generator=vae.generator(0))
    return best.mean[0].numpy(), best.deviation[0].numpy(), float(best.elbo[0])


@kept(here=True)
def hits_of_encoder(model: models.Model, data_name: str, row: int, count: int) -> int:
    """Returns how many samples from q(z|x) fall into the region with 99% of the posterior mass."""
    view = plane(model, data_name, row)
    z = view.mean + view.deviation * np.random.default_rng(0).standard_normal((count, 2), np.float32)
    x = models.pixels(model, data_name, (row,))
    found = posterior(model, data_name, row)
    return int((log_posterior(models.load(model), x, z, found.log_p) > view.levels[0]).sum())


@kept(here=True)
def densities_at_code(model: models.Model, data_name: str, row: int) -> tuple[float, float]:
    """Returns log p(x|z) and log p(z|x) of an image at the mean of its q(z|x), for J <= 2."""
    net, x, z = models.load(model), models.pixels(model, data_name, (row,)), models.codes(model).mean[[row]]
    with torch.inference_mode():
        likelihood = float(net.decoder(torch.from_numpy(z)).log_prob(x))
    return likelihood, float(log_posterior(net, x, z, posterior(model, data_name, row).log_p)[0])


@kept(here=True)
def first_average(model: models.Model, data_name: str, row: int, draws: int = 100) -> float:
    """Returns the naive Monte Carlo estimate from the first samples, nats."""
    x = models.pixels(model, data_name, (row,))
    return float(integrand.running(integrand.stream(models.load(model), x, draws, vae.generator(0)).log_likelihood)[-1])
