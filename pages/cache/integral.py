"""What the server keeps between runs of the lesson's first chapters: grids, draws one after the other, slopes."""

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

DRAWS = 100_000  # of a run of naive Monte Carlo
RUNS = 3
_SIDE = 161  # nodes along a side of the plane
_PRIOR = 2000  # draws that the prior's slope is averaged over


class Slopes(NamedTuple):
    """The gradient of log p(x) in the biases of the decoder's last layer, and what is not.

    Attributes:
        posterior: (D,), averaged over p(z|x).
        prior: (D,), over p(z).
        pixel: where the two differ most.
        measured: the slope there by finite differences, nats per unit of bias.
    """

    posterior: np.ndarray
    prior: np.ndarray
    pixel: int
    measured: float


def wide(model: models.Model, row: int) -> float:
    """Returns half the side of a square that holds nearly all of the prior and an image's code."""
    return float(max(4.0, np.ceil(np.abs(models.codes(model).mean[row]).max() + 0.5)))


def plane(model: models.Model, data_name: str, row: int) -> Plane:
    """Returns the latent plane of an image, the whole of it no wider than the prior."""
    line, likelihood = _likelihood(model, data_name, row)
    return models.posterior_plane(model, data_name, row, 1000)._replace(x=line, y=line, log_likelihood=likelihood)


@kept()
def _likelihood(model: models.Model, data_name: str, row: int) -> tuple[np.ndarray, np.ndarray]:
    line = np.linspace(-(half := wide(model, row)), half, _SIDE, dtype=np.float32)
    return line, log_likelihood_plane(models.load(model), models.pixels(model, data_name, (row,)), line, line)


@st.cache_data(max_entries=256, show_spinner=False)
def deviation_by_level(model: models.Model, data_name: str, row: int) -> tuple[float, ...]:
    """Returns the mean sigma of background, edges and ink at the mean of q(z|x) of a test image."""
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
    """Returns the gradient of log p(x), by the posterior, by the prior, and measured in one pixel."""
    net, x, found = models.load(model), models.pixels(model, data_name, (row,)), posterior(model, data_name, row)
    right = integrand.posterior_slope(net, x, found)
    draws = np.random.default_rng(0).standard_normal((_PRIOR, net.config.latent), np.float32)
    wrong = integrand.prior_slope(net, x, draws)
    pixel = int(np.abs(right - wrong).argmax())
    return Slopes(right, wrong, pixel, integrand.bias_slope(net, x, found, pixel))


@st.cache_resource(max_entries=12, show_spinner=False)
def stream(model: models.Model, data_name: str, row: int, seed: int, count: int = DRAWS) -> integrand.Stream:
    """Returns the first draws of a run from the prior, with log p(x|z) of each."""
    x = models.pixels(model, data_name, (row,))
    return integrand.stream(models.load(model), x, count, vae.generator(seed))


@kept()
def enough(model: models.Model, data_name: str, row: int, within: float) -> int | None:
    """Returns how many draws were enough in half of a few runs, or None where none were."""
    runs = np.stack([integrand.running(stream(model, data_name, row, seed).log_likelihood) for seed in range(RUNS)])
    return integrand.enough(runs, posterior(model, data_name, row).log_p, within)


@kept()
def best_gaussian(model: models.Model, data_name: str, row: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns mean (J,), deviation (J,) and ELBO of the best diagonal Gaussian q for an image."""
    x = models.pixels(model, data_name, (row,))
    *_, best = gaps.refine(models.quick(model), x, generator=vae.generator(0))
    return best.mean[0].numpy(), best.deviation[0].numpy(), float(best.elbo[0])


@kept(here=True)
def hits_of_encoder(model: models.Model, data_name: str, row: int, count: int) -> int:
    """Returns how many of so many draws from q(z|x) fall where 99 % of the posterior lies."""
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
    """Returns what naive Monte Carlo says after its first draws, nats."""
    x = models.pixels(model, data_name, (row,))
    return float(integrand.running(integrand.stream(models.load(model), x, draws, vae.generator(0)).log_likelihood)[-1])
