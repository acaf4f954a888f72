"""What the server keeps between runs: models and arrays shared by all sessions, read only.

Models are known by name and time of writing, so a model that was trained again is read again.
"""

import gc
from gettext import gettext as _
from typing import Literal

import numpy as np
import streamlit as st
import torch

import vae
from vae import (
    annealing,
    checkpoints,
    distributions,
    evaluation,
    evidence,
    exact,
    figures,
    figures_variance,
    gaps,
    latent,
    planes,
    variance,
)
from vae.errors import CheckpointError, DataError

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


# the evidence


@st.cache_resource(max_entries=4, show_spinner=False)
def _pixels_of_all(likelihood: vae.config.Likelihood, data_name: str) -> torch.Tensor:
    return distributions.prepare_pixels(_dataset(data_name).test.images, likelihood, vae.generator(0))


def pixels(model: Model, data_name: str, rows: tuple[int, ...]) -> torch.Tensor:
    """Returns test images (B, D) as the model's likelihood wants them, an image always with the same noise."""
    return _pixels_of_all(_record(model).model.likelihood, data_name)[list(rows)]


def comparison(model: Model, data_name: str) -> vae.Comparison | None:
    """Returns what `python -m vae compare` found, if it was run to its end for this model as it is and on this data."""
    file = vae.comparison_file(model[0], data_name)
    return _comparison(model, data_name, file.stat().st_mtime) if file.is_file() else None


@st.cache_resource(max_entries=16, show_spinner=False)
def _comparison(model: Model, data_name: str, written: float) -> vae.Comparison | None:
    try:
        found = vae.load_comparison(vae.comparison_file(model[0], data_name))
    except CheckpointError:
        return None
    same = found.settings.get("model") == vae.checksum(model[0]) and found.settings.get("data") == data_name
    whole = set(found.estimates) >= set(vae.Budget().methods)
    return found if same and whole and found.settings.get("seed") == 0 else None


@st.cache_data(max_entries=256, show_spinner=False)
def evidence_of(model: Model, data_name: str, rows: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns log p(x) (B,) and its error bound (B,), or None where it is not known exactly."""
    if not exact.is_known(_record(model).model):
        return None
    estimate = exact.exact(load(model), pixels(model, data_name, rows))
    assert estimate.error_bound is not None
    return estimate.value.numpy(), estimate.error_bound.numpy()


@st.cache_data(max_entries=256, show_spinner=False)
def elbo(model: Model, data_name: str, rows: tuple[int, ...], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ELBO (B,) and its standard error (B,)."""
    estimate = evidence.elbo(load(model), pixels(model, data_name, rows), count, vae.generator(1))
    return estimate.value.numpy(), estimate.standard_error.numpy()


@st.cache_data(max_entries=256, show_spinner=False)
def own_elbo(model: Model, data_name: str, row: int) -> float:
    """Returns the ELBO of a test image, from the same draws as that of a refined q."""
    return float(next(gaps.refine(load(model), pixels(model, data_name, (row,)), generator=vae.generator(0))).elbo[0])


@st.cache_data(max_entries=256, show_spinner=False)
def needed(model: Model, data_name: str, row: int) -> float:
    """Returns KL[p(z|x) || p(z)] of a test image where it is known, else the encoder's, in nats."""
    if _record(model).model.latent <= 2:
        try:
            return exact.posterior(load(model), pixels(model, data_name, (row,))).kl_prior
        except DataError:
            pass
    return float(_codes(model, data_name).kl[row].sum())


@st.cache_resource(max_entries=32, show_spinner=False)
def posterior_plane(model: Model, data_name: str, row: int, draws: int) -> planes.Plane:
    """Returns what is on the latent plane of a test image."""
    wide = float(np.ceil(max(3.5, 1.05 * np.abs(_codes(model, data_name).mean).max())))
    return planes.posterior_plane(load(model), pixels(model, data_name, (row,)), wide, draws, vae.generator(0))


@st.cache_data(max_entries=64, show_spinner=False)
def thermodynamic_path(
    model: Model, data_name: str, row: int, base: Literal["prior", "encoder"], betas: tuple[float, ...]
) -> exact.Path:
    """Returns the thermodynamic path of a test image."""
    return exact.thermodynamic_path(load(model), pixels(model, data_name, (row,)), np.array(betas), base=base)


@st.cache_data(max_entries=64, show_spinner=False)
def sandwich(
    model: Model, data_name: str, row: int, start: annealing.Start, steps: int, chains: int
) -> list[tuple[float, float]]:
    """Returns what AIS says of a test image from below, and from above, each with its standard error, nats."""
    x, noise = pixels(model, data_name, (row,)), vae.generator(0)
    halves = evaluation.sandwich(load(model), x, chains=chains, steps=steps, start=start, generator=noise)
    return [(float(half.value[0]), float(half.standard_error[0])) for half in halves]


# the decoder's variance


@st.cache_resource(max_entries=16, show_spinner=False)
def variance_plane(model: Model, data_name: str, plane: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns coordinates (S,) past all codes, the same both ways, and the mean sigma (S, S) there."""
    reach = np.ceil(1.1 * max(1, np.abs(axes(model, plane).project(_codes(model, data_name).mean)).max()))
    steps = np.linspace(-reach, reach, 41, dtype=np.float32)
    cells = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    return steps, variance.mean_deviation(load(model), axes(model, plane).lift(cells)).reshape(41, 41)


@st.cache_resource(max_entries=64, show_spinner=False)
def variance_map(
    model: Model, data_name: str, plane: tuple[int, int] | None, row: int, titles: tuple[str, str]
) -> object:
    steps, deviation = variance_plane(model, data_name, plane)
    points = axes(model, plane).project(_codes(model, data_name).mean)
    return figures_variance.deviation_map(
        (steps, steps), deviation, points[:800], points[row], figures_variance.SHOWN_DEVIATIONS, titles
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def border(data_name: str) -> np.ndarray:
    """Returns the pixels (H, W) that are 0 in nearly all test images."""
    return variance.border(_dataset(data_name).test.images)


@st.cache_data(max_entries=64, show_spinner=False)
def nats_by_pixel(model: Model, data_name: str, rows: range) -> np.ndarray:
    """Returns log p(x|z) pixel by pixel (H, W), a mean over test images at the means of their q(z|x)."""
    z = _codes(model, data_name).mean[list(rows)]
    return variance.nats_by_pixel(load(model), z, pixels(model, data_name, tuple(rows)))


@st.cache_resource(max_entries=16, show_spinner=False)
def residuals(
    model: Model, data_name: str, beyond: float
) -> tuple[variance.Calibration, variance.Calibration | None, variance.ByDistance]:
    """Returns residuals against sigma at the codes, farther than `beyond` from all of them, and by distance."""
    means = _codes(model, data_name).mean
    near = tuple(range(min(1000, len(means))))
    edges = np.geomspace(1e-4, 10, 21)
    inside = variance.calibration(load(model), means[: len(near)], pixels(model, data_name, near), edges)
    z = variance.outwards(means[:200], (0, 0.5, 1, 2, 3, 4, 6, 8, 10))
    distance, rows = variance.nearest(z, means)
    x = pixels(model, data_name, tuple(rows.tolist()))
    curve = variance.residuals_by_distance(load(model), z, x, distance, np.array([0, 0.5, 1, 2, 3, 4, 6, 8]))
    out = distance > beyond
    far = variance.calibration(load(model), z[out], x[out], edges) if out.any() else None
    return inside, far, curve


@st.cache_data(max_entries=256, show_spinner=False)
def floor_path(model: Model, data_name: str, row: int, floors: tuple[float, ...]) -> np.ndarray:
    """Returns log p(x|z) of a test image at the mean of its q(z|x), (K,), under each floor of log sigma^2."""
    z = _codes(model, data_name).mean[[row]]
    return variance.floor_path(load(model), z, pixels(model, data_name, (row,)), floors)[:, 0]


@st.cache_data(max_entries=256, show_spinner=False)
def decode_floored(model: Model, data_name: str, row: int, floor: float) -> latent.Decoded:
    """Decodes the posterior mean of a test image under another floor of log sigma^2."""
    return latent.decode(variance.with_floor(load(model), floor), _codes(model, data_name).mean[[row]])
