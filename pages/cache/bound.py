"""Caches for the chapters on the bound: its derivation, its gradient, its terms."""

from typing import Any, Literal, NamedTuple

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

import vae
from pages.cache import models
from pages.cache.kept import kept
from vae import derivation, evidence, latent
from vae.derivation import Gradients, regulariser

Array = NDArray[Any]
DRAWS, MEANS = 4000, 1000  # samples for the variance of a gradient, and test images on a map
INSIDE = -2 * np.log(0.01)  # squared radius that contains 99% of a prior in two dimensions
COUNTS = np.unique(np.geomspace(2, 100_000, 60).round().astype(int))


class Code(NamedTuple):
    """q(z|x) of an image, (J,) each."""

    mean: Array
    deviation: Array


class Map(NamedTuple):
    """The codes of test images by a model, and averages over them.

    Attributes:
        codes: (N, J), means of q(z|x).
        labels: (N,).
        spread: root mean square of the codes' coordinates.
        deviation: geometric mean of sigma.
        inside: share of the codes within the radius that holds 99% of the prior.
        reconstruction, kl: terms of the ELBO on all held-out images, nats, from the model's card.
    """

    codes: Array
    labels: Array
    spread: float
    deviation: float
    inside: float
    reconstruction: float
    kl: float


@kept(here=True)
def derived(
    model: models.Model, data_name: str, row: int, base: Literal["encoder", "prior"] = "encoder"
) -> derivation.Derivation:
    """Returns every term of the derivation for a test image, with forty samples."""
    x = models.pixels(model, data_name, (row,))
    return derivation.derive(models.load(model), x, 40, vae.generator(0), base=base)


@st.cache_data(max_entries=256, show_spinner=False)
def code(model: models.Model, data_name: str, row: int) -> Code:
    """Returns q(z|x) of a test image, whose pixels have the same noise as for the other values."""
    net, x = models.load(model), models.pixels(model, data_name, (row,))  # cached tensors must not be in inference mode
    with torch.inference_mode():
        q = net.encoder(x).base_dist
        return Code(q.loc[0].numpy(), q.scale[0].numpy())


@kept(here=True)
def reconstruction(model: models.Model, data_name: str, row: int) -> tuple[float, float, Array]:
    """Returns L1 of a test image in nats, its standard error, and the mean of p(x|z) at the mean of q as an image."""
    x = models.pixels(model, data_name, (row,))
    bound = evidence.elbo(models.load(model), x, 2000, vae.generator(1))
    found = code(model, data_name, row)
    kl = float(sum(part.sum() for part in regulariser.paid(*found)))
    picture = latent.decode(models.load(model), found.mean[None]).mean[0]
    return float(bound.value[0]) + kl, float(bound.standard_error[0]), picture


@kept()
def gradient_draws(model: models.Model, data_name: str, row: int) -> Gradients:
    """Returns single-sample gradients of the ELBO of a test image with respect to mu and sigma."""
    x = models.pixels(model, data_name, (row,))
    return derivation.gradient_draws(models.load(model), x, DRAWS, vae.generator(0))


@kept(here=True)
def running_estimate(model: models.Model, data_name: str, row: int) -> regulariser.Running:
    """Returns the Monte Carlo estimate of L2 of a test image as a function of the number of samples."""
    return regulariser.running_estimate(*code(model, data_name, row), COUNTS, vae.generator(0))


@st.cache_resource(max_entries=16, show_spinner=False)
def map_of(model: models.Model, data_name: str) -> Map:
    """Returns the codes of a model for the map, with averages."""
    codes, labels = models.codes(model), models.dataset(data_name).test.labels.numpy()
    held_out = models.record(model[0]).held_out
    spread, inside = np.sqrt((codes.mean**2).mean()), ((codes.mean**2).sum(1) < INSIDE).mean()
    return Map(
        codes.mean[:MEANS], labels[:MEANS], float(spread), float(np.exp(np.log(codes.deviation).mean())), float(inside),
        held_out["reconstruction"], held_out["kl"],
    )  # fmt: skip
