"""What the server keeps between runs: models and arrays shared by all sessions, read only.

Models are known by name and time of writing, so a model that was trained again is read again.
"""

import gc
from gettext import gettext as _
from typing import Any

import numpy as np
import streamlit as st

import vae
from vae import checkpoints, evidence, figures, latent
from vae.errors import DataError

Model = tuple[str, float]


@st.cache_resource(show_spinner=False)
def warm() -> None:
    """Takes what is loaded by now out of the garbage collector's sight: each run is followed by a full collection."""
    gc.collect()
    gc.freeze()


def model_id(name: str) -> Model:
    """Returns what a model is known by."""
    return name, checkpoints.locate(name).stat().st_mtime


@st.cache_resource(max_entries=64, show_spinner=False)
def _record(model: Model) -> vae.Record:
    return vae.read_record(model[0])


def record(name: str) -> vae.Record:
    return _record(model_id(name))


@st.cache_resource(max_entries=12, show_spinner=False)
def load(model: Model) -> vae.VAE:
    return vae.load(model[0])


@st.cache_resource(max_entries=4, show_spinner=False)
def _dataset(name: str) -> vae.Dataset:
    return vae.load_dataset(name, fetch=False)


def dataset(name: str) -> vae.Dataset:
    """Returns a data set from disk; for MNIST, where it was not fetched or is damaged, the sample that ships."""
    try:
        return _dataset(name)
    except DataError:
        if name != "mnist":
            raise
        return _dataset("mnist-sample")


def images(model: Model) -> vae.Dataset:
    """Returns the data set of a model."""
    return dataset(_record(model).training.data)


@st.cache_resource(max_entries=16, show_spinner=False)
def _codes(model: Model, data_name: str) -> latent.Codes:
    return latent.encode(load(model), _dataset(data_name).test.images)


def codes(model: Model) -> latent.Codes:
    """Returns q(z|x) of all test images."""
    return _codes(model, images(model).name)


def carried(model: Model) -> tuple[np.ndarray, str]:
    """Returns what each dimension carries (J,), and its unit: KL in nats, or the variance of an autoencoder's codes."""
    if record(model[0]).training.objective == "autoencoder":
        return codes(model).mean.var(0), _("variance")
    return codes(model).kl.mean(0), _("nats")


def axes(model: Model, plane: tuple[int, int] | None) -> latent.Axes:
    """Returns the plane of two coordinates, or that of the principal directions for None."""
    return _axes(model, images(model).name, plane)


@st.cache_resource(max_entries=64, show_spinner=False)
def _axes(model: Model, data_name: str, plane: tuple[int, int] | None) -> latent.Axes:
    means = _codes(model, data_name).mean
    return latent.principal_axes(means) if plane is None else latent.coordinate_axes(means, *plane)


@st.cache_resource(max_entries=16, show_spinner=False)
def latent_map(
    model: Model, data_name: str, plane: tuple[int, int] | None, titles: tuple[str, str], legend: str
) -> object:
    test = _dataset(data_name)
    points = axes(model, plane).project(codes(model).mean)
    return figures.latent_map(points, test.test.labels.numpy(), test.classes, titles, legend)


@st.cache_resource(max_entries=16, show_spinner=False)
def manifold(model: Model, data_name: str, plane: tuple[int, int] | None, titles: tuple[str, str], side: int) -> object:
    return figures.manifold_sheet(*latent.manifold(load(model), axes(model, plane), side), titles)


@st.cache_data(max_entries=256, show_spinner=False)
def decode(model: Model, z: tuple[float, ...], seed: int) -> latent.Decoded:
    return latent.decode(load(model), np.array([z], np.float32), seed=seed)


@st.cache_data(max_entries=64, show_spinner=False)
def samples(model: Model, count: int, seed: int) -> latent.Decoded:
    """Decodes draws from the prior."""
    z = np.random.default_rng(seed).standard_normal((count, _record(model).model.latent), np.float32)
    return latent.decode(load(model), z, seed=seed)


@st.cache_data(max_entries=64, show_spinner=False)
def reconstructions(model: Model, data_name: str, rows: tuple[int, ...]) -> latent.Decoded:
    """Decodes the posterior means of test images."""
    return latent.decode(load(model), _codes(model, data_name).mean[list(rows)])


@st.cache_data(max_entries=8, show_spinner=False)
def reconstructions_so_far(model: Model, data_name: str, rows: tuple[int, ...]) -> latent.Decoded:
    """Decodes the posterior means of a few test images by a model in training, which is not kept."""
    so_far = vae.load(model[0])
    return latent.decode(so_far, latent.encode(so_far, _dataset(data_name).test.images[list(rows)]).mean)


@st.cache_data(max_entries=1024, show_spinner=False)
def naive_path(model: Model, data_name: str, rows: tuple[int, ...], sizes: tuple[int, ...], seed: int) -> np.ndarray:
    """Returns naive Monte Carlo (K, B) at K numbers of samples, along one stream of draws."""
    x = _pixels(model, data_name, rows)
    path = evidence.naive_monte_carlo_path(load(model), x, sizes, vae.generator(seed))
    return np.stack([estimate.value.numpy() for estimate in path])


@st.cache_data(max_entries=256, show_spinner=False)
def elbo(model: Model, data_name: str, rows: tuple[int, ...], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ELBO (B,) and its standard error (B,)."""
    estimate = evidence.elbo(load(model), _pixels(model, data_name, rows), count, vae.generator(1))
    return estimate.value.numpy(), estimate.standard_error.numpy()


def _pixels(model: Model, data_name: str, rows: tuple[int, ...]) -> Any:
    return load(model).pixels(_dataset(data_name).test.images[list(rows)], vae.generator(0))
