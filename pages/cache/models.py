"""Caches of models and of arrays, shared by all sessions and read only.

Models are identified by name and modification time, so a model that was trained again is read again.
"""

import contextlib
import gc
import math
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st
import torch

import vae
from pages.cache.kept import kept
from pages.cache.sets import Model, dataset, model_id, stand_in
from pages.ui import state
from pages.ui.language import _
from vae import data, derivation, evidence, latent
from vae.derivation import Plane
from vae.errors import CheckpointError, DataError
from vae.evidence import ThermodynamicPath, annealing, evaluation, exact_evidence, gaps, is_known, posterior
from vae.model import ModelConfig, best_device, kept_results, prepare_pixels, results
from vae.report import is_report_on

STAND_INS = 500  # samples of a model that replace test images


@st.cache_resource(show_spinner=False)
def warm() -> None:
    """Exempts everything loaded so far from garbage collection, because each run ends with a full collection."""
    gc.collect()
    gc.freeze()


@st.cache_resource(max_entries=64, show_spinner=False)
def _record(model: Model) -> vae.Record:
    return vae.read_record(model[0])


def record(name: str) -> vae.Record:
    return _record(model_id(name))


@st.cache_resource(max_entries=12, show_spinner=False)
def load(model: Model) -> vae.VAE:
    return vae.load(model[0])


def quick(model: Model) -> vae.VAE:
    """Returns a model on the fastest device for estimators of log p(x): a GPU if there is one."""
    return load(model) if best_device().type == "cpu" else _on_gpu(model)


@st.cache_resource(max_entries=12, show_spinner=False)
def _on_gpu(model: Model) -> vae.VAE:
    return vae.load(model[0], str(best_device()))


def images(model: Model) -> vae.Dataset:
    """Returns the data set of a model or, if it is not available, images that replace it."""
    record = _record(model)
    if record.data in data.names():
        found = dataset(record.data)
        if found.image_shape == record.model.image_shape:
            return found
    return dataset("mnist-sample") if record.model.image_shape == (28, 28) else _own_draws(model)


@st.cache_resource(max_entries=16, show_spinner=False)
def _own_draws(model: Model) -> vae.Dataset:
    """Returns samples from a model as unlabelled images, for a model whose data set is not available."""
    z = np.random.default_rng(0).standard_normal((STAND_INS, _record(model).model.latent), np.float32)
    drawn = latent.decode(load(model), z).mean.clip(0, 1)  # a linear decoder leaves [0, 1]
    return stand_in(f"draws-of-{model[0]}-{model[1]:.6f}", (drawn * 255).round().astype(np.uint8))


@kept(here=True)
def _codes(model: Model, data_name: str) -> latent.Codes:
    return latent.encode(load(model), dataset(data_name).test.images)


def codes(model: Model) -> latent.Codes:
    """Returns q(z|x) of all test images."""
    return _codes(model, images(model).name)


def row(model: Model, first: int = 0) -> int | None:
    """Returns the row of the current test image, `first` if none was chosen; None if a latent was chosen instead."""
    chosen = state.z()
    if chosen is not None and len(chosen) == _record(model).model.latent:
        return None
    return min(state.image(first), len(images(model).test) - 1)


def z(model: Model, first: int = 0) -> np.ndarray:
    """Returns the current latent (J,): the chosen one, else the mean of q(z|x) of the current image."""
    place = row(model, first)
    return np.array(state.z(), np.float32) if place is None else codes(model).mean[place]


def carried(model: Model) -> tuple[np.ndarray, str]:
    """Returns the information in each dimension (J,) and its unit: KL in nats, or code variance (autoencoder)."""
    if record(model[0]).autoencoder:
        return codes(model).mean.var(0), _("variance")
    return codes(model).kl.mean(0), _("nats")


def axes(model: Model, plane: tuple[int, int] | None) -> latent.Axes:
    """Returns the plane of two coordinates or, for None, of the first two principal directions."""
    return _axes(model, images(model).name, plane)


@st.cache_resource(max_entries=64, show_spinner=False)
def _axes(model: Model, data_name: str, plane: tuple[int, int] | None) -> latent.Axes:
    means = _codes(model, data_name).mean
    return latent.principal_axes(means) if plane is None else latent.coordinate_axes(means, *plane)


@st.cache_data(max_entries=256, show_spinner=False)
def decode(model: Model, z: tuple[float, ...], seed: int) -> latent.Decoded:
    return latent.decode(load(model), np.array([z], np.float32), seed=seed)


@st.cache_data(max_entries=64, show_spinner=False)
def samples(model: Model, count: int, seed: int) -> latent.Decoded:
    """Decodes samples from the prior."""
    z = np.random.default_rng(seed).standard_normal((count, _record(model).model.latent), np.float32)
    return latent.decode(load(model), z, seed=seed)


@st.cache_data(max_entries=64, show_spinner=False)
def reconstructions(model: Model, data_name: str, rows: tuple[int, ...]) -> latent.Decoded:
    """Decodes the posterior means of test images."""
    return latent.decode(load(model), _codes(model, data_name).mean[list(rows)])


@st.cache_data(max_entries=8, show_spinner=False)
def reconstructions_so_far(model: Model, data_name: str, rows: tuple[int, ...]) -> latent.Decoded:
    """Decodes the posterior means of a few test images with a model in training, which is not cached."""
    so_far = vae.load(model[0])
    return latent.decode(so_far, latent.encode(so_far, dataset(data_name).test.images[list(rows)]).mean)


# the evidence


_VALUES = 10_000 * 28 * 28  # of test images converted to floats together


@st.cache_resource(max_entries=4, show_spinner=False)
def _pixels_of_piece(likelihood: vae.model.Likelihood, dequantised: bool, data_name: str, piece: int) -> torch.Tensor:
    found, size = dataset(data_name), piece_size(data_name)
    images, noise = found.test.images[piece * size : (piece + 1) * size], vae.generator(piece)
    return prepare_pixels(images, likelihood, noise, grey=len(found.image_shape) == 2, dequantised=dequantised)


def piece_size(data_name: str) -> int:
    """Returns how many test images are converted at a time; `pixels` draws the noise of piece i from `generator(i)`."""
    return max(1, _VALUES // math.prod(dataset(data_name).image_shape))


def pixels(model: Model, data_name: str, rows: tuple[int, ...]) -> torch.Tensor:
    """Returns test images (B, D) prepared for the model's likelihood; each image always has the same noise."""
    config, size = _record(model).model, piece_size(data_name)
    dequantised = isinstance(config, ModelConfig) or config.dequantised
    pieces = {row // size for row in rows} or {0}
    found = {piece: _pixels_of_piece(config.likelihood, dequantised, data_name, piece) for piece in pieces}
    if len(found) == 1:
        (piece,) = found
        return found[piece][[row - piece * size for row in rows]]
    return torch.stack([found[row // size][row % size] for row in rows])


def comparison(model: Model, data_name: str) -> vae.Comparison | None:
    """Returns the result of `vae compare`, if it is complete and for this model and data set."""
    for file in results(model[0], vae.comparison_file(model[0], data_name).name):
        if file.is_file() and (found := _comparison(model, data_name, file, file.stat().st_mtime)):
            return found
    return None


@st.cache_resource(max_entries=16, show_spinner=False)
def _comparison(model: Model, data_name: str, file: Path, written: float) -> vae.Comparison | None:
    try:
        found = vae.load_comparison(file)
    except CheckpointError:
        return None
    same = found.settings.get("model") == vae.checksum(model[0]) and found.settings.get("data") == data_name
    whole = set(found.estimates) >= set(vae.Budget().methods)
    return found if same and whole and found.settings.get("seed") == 0 else None


def kept_beside(model: Model) -> list[tuple[str, str, float]]:
    """Returns the stored reports and comparisons about the current weights of a model.

    Returns:
        For each, "report" or "comparison", the name of the data set, and the time of writing in seconds since 1970.
    """
    found = []
    for kind, start, end in (("report", "report-", ".json"), ("comparison", "evidence-", ".npz")):
        for file in kept_results(model[0], f"{start}*{end}"):
            name = file.name.removeprefix(start).removesuffix(end)
            with contextlib.suppress(OSError):  # it was removed meanwhile
                written = file.stat().st_mtime
                if comparison(model, name) if kind == "comparison" else _is_report(model, file, written):
                    found.append((kind, name, written))
    return found


@st.cache_resource(max_entries=64, show_spinner=False)
def _is_report(model: Model, file: Path, written: float) -> bool:
    return is_report_on(file, model[0])


@kept()
def evidence_of(model: Model, data_name: str, rows: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns log p(x) (B,) and its error bound (B,), or None if it cannot be computed exactly."""
    if not is_known(_record(model).model):
        return None
    kept = comparison(model, data_name)
    if kept is not None and kept.reference()[1] == "exact" and max(rows) < len(kept.encoder_kl):
        exact = kept.estimates["exact"]
        assert exact.error_bound is not None
        return exact.value.numpy()[list(rows)], exact.error_bound.numpy()[list(rows)]
    estimate = exact_evidence(quick(model), pixels(model, data_name, rows))
    assert estimate.error_bound is not None
    return estimate.value.numpy(), estimate.error_bound.numpy()


@kept(here=True)
def elbo(model: Model, data_name: str, rows: tuple[int, ...], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ELBO (B,) and its standard error (B,)."""
    estimate = evidence.elbo(load(model), pixels(model, data_name, rows), count, vae.generator(1))
    return estimate.value.numpy(), estimate.standard_error.numpy()


@kept(here=True)
def own_elbo(model: Model, data_name: str, row: int) -> float:
    """Returns the ELBO of a test image, from the same samples as that of a refined q."""
    return float(next(gaps.refine(load(model), pixels(model, data_name, (row,)), generator=vae.generator(0))).elbo[0])


@kept()
def needed(model: Model, data_name: str, row: int) -> float:
    """Returns KL[p(z|x) || p(z)] of a test image if it can be computed, else that of q(z|x), nats."""
    if _record(model).model.latent <= 2:
        try:
            return posterior(quick(model), pixels(model, data_name, (row,))).kl_prior
        except DataError:
            pass
    return float(_codes(model, data_name).kl[row].sum())


@kept()
def posterior_plane(model: Model, data_name: str, row: int, draws: int) -> Plane:
    """Returns the densities on the latent plane for an image."""
    farthest = max(np.abs(each.mean).max() for each in (codes(model), _codes(model, data_name)))
    wide = float(np.ceil(max(3.5, 1.05 * farthest)))
    return derivation.posterior_plane(load(model), pixels(model, data_name, (row,)), wide, draws, vae.generator(0))


@kept()
def thermodynamic_path(
    model: Model, data_name: str, row: int, base: Literal["prior", "encoder"], betas: tuple[float, ...]
) -> ThermodynamicPath:
    """Returns the thermodynamic path of a test image."""
    return evidence.thermodynamic_path(quick(model), pixels(model, data_name, (row,)), np.array(betas), base=base)


@kept()
def sandwich(
    model: Model, data_name: str, row: int, start: annealing.Start, steps: int, chains: int
) -> list[tuple[float, float]]:
    """Returns the AIS estimates of log p(x) from below and above, each with its standard error, nats."""
    x, noise = pixels(model, data_name, (row,)), vae.generator(0)
    halves = evaluation.sandwich(quick(model), x, chains=chains, steps=steps, start=start, generator=noise)
    return [(float(half.value[0]), float(half.standard_error[0])) for half in halves]
