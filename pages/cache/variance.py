"""Caches for the page Decoder variance."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.cache import models
from pages.cache.kept import kept
from vae import figures, latent
from vae.uses import variance

NEAR = 1000  # test images, at most, for residuals at their codes


@kept()
def variance_plane(model: models.Model, data_name: str, plane: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns coordinates (S,) that extend beyond all codes, the same on both axes, and the mean sigma (S, S) there."""
    reach = np.ceil(1.1 * max(1, np.abs(models.axes(model, plane).project(models.codes(model).mean)).max()))
    steps = np.linspace(-reach, reach, 41, dtype=np.float32)
    cells = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    return steps, variance.mean_deviation(models.load(model), models.axes(model, plane).lift(cells)).reshape(41, 41)


def variance_map(
    model: models.Model, data_name: str, plane: tuple[int, int] | None, row: int, titles: tuple[str, str]
) -> go.Figure:
    steps, deviation = variance_plane(model, data_name, plane)
    points = models.axes(model, plane).project(models.codes(model).mean)
    return figures.variance.deviation_map(
        (steps, steps), deviation, points[:800], points[row], figures.variance.SHOWN_DEVIATIONS, titles
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def border(data_name: str) -> np.ndarray:
    """Returns a mask (H, W) of the pixels that are 0 in nearly all test images."""
    return variance.border(models.dataset(data_name).test.images)


@kept(here=True)
def nats_by_pixel(model: models.Model, data_name: str, rows: range) -> np.ndarray:
    """Returns log p(x|z) by pixel (H, W), averaged over test images at the means of their q(z|x)."""
    picked = tuple(rows)
    return variance.nats_by_pixel(
        models.load(model), models.codes(model).mean[list(picked)], models.pixels(model, data_name, picked)
    )


@kept()
def residuals(
    model: models.Model, data_name: str, beyond: float
) -> tuple[variance.Calibration, variance.Calibration | None, variance.ByDistance]:
    """Returns residuals against sigma at the codes, at points farther than `beyond` from all codes, and by distance."""
    means = models.codes(model).mean
    near = tuple(range(min(NEAR, len(means))))
    edges = np.geomspace(1e-4, 10, 21)
    inside = variance.calibration(models.load(model), means[: len(near)], models.pixels(model, data_name, near), edges)
    z = variance.outwards(means[:200], (0, 0.5, 1, 2, 3, 4, 6, 8, 10))
    distance, rows = variance.nearest(z, means)
    x = models.pixels(model, data_name, tuple(rows.tolist()))
    curve = variance.residuals_by_distance(models.load(model), z, x, distance, np.array([0, 0.5, 1, 2, 3, 4, 6, 8]))
    out = distance > beyond
    far = variance.calibration(models.load(model), z[out], x[out], edges) if out.any() else None
    return inside, far, curve


@kept(here=True)
def floor_path(model: models.Model, data_name: str, row: int, floors: tuple[float, ...]) -> np.ndarray:
    """Returns log p(x|z) of a test image at the mean of its q(z|x), (K,), for each floor of log sigma^2."""
    z = models.codes(model).mean[[row]]
    return variance.floor_path(models.load(model), z, models.pixels(model, data_name, (row,)), floors)[:, 0]


@st.cache_data(max_entries=256, show_spinner=False)
def decode_floored(model: models.Model, data_name: str, row: int, floor: float) -> latent.Decoded:
    """Decodes the posterior mean of a test image with another floor of log sigma^2."""
    return latent.decode(variance.with_floor(models.load(model), floor), models.codes(model).mean[[row]])
