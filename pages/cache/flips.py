"""Cached paths from a latent to the nearest point that a classifier assigns to another class."""

from typing import NamedTuple

import numpy as np
import streamlit as st

from pages.cache import models, probe
from vae.latent import Axes
from vae.uses import flips
from vae.uses import probe as judging

STEPS = 41  # points along a path at which class probabilities are computed


class Flips(NamedTuple):
    """Paths from a latent to another class, on a plane.

    Attributes:
        plane: the class probabilities on the plane.
        log_q: (H, W), log q(z) on the plane; None for a model without q.
        ways: the straight path and, if there is a density, the path along high density.
        shares: class probabilities (`STEPS`, K) along each path, equally spaced in length, including both ends.
    """

    plane: probe.Plane
    log_q: np.ndarray | None
    ways: dict[str, flips.Flip]
    shares: dict[str, np.ndarray]


def ways(model: models.Model, data_name: str, judge: probe.Judge, z: tuple[float, ...], to: int | None) -> Flips:
    """Finds the nearest points of another class from a latent, on the plane for J <= 2, otherwise by gradient."""
    plane, density = None, None
    if len(z) <= 2:  # requested here because the pool computes it, see `probe.doubts`
        axes = models.axes(model, (0, len(z) - 1))
        plane = probe.through(model, data_name, axes, judge, np.array(z, np.float32))
        density = probe.log_q(model, data_name, plane)
    return _ways(model, data_name, judge.key, z, to, judge, plane, density)


@st.cache_resource(max_entries=64, show_spinner=False)
def _ways(
    model: models.Model, data_name: str, key: str, z: tuple[float, ...], to: int | None, _judge: probe.Judge,
    _plane: probe.Plane | None, _density: np.ndarray | None,
) -> Flips:  # fmt: skip
    start = np.array(z, np.float32)
    if _plane is None:
        plane, density, found = _steepest(model, data_name, start, to, _judge)
    else:
        plane, density, found = _plane, _density, _on_plane(model, start, to, _judge, _plane, _density)
    return Flips(plane, density, found, {name: _shares(model, _judge, way.path) for name, way in found.items()})


def _shares(model: models.Model, judge: probe.Judge, path: np.ndarray) -> np.ndarray:
    at = np.concatenate([[0], np.linalg.norm(np.diff(path.astype(np.float64), axis=0), axis=1).cumsum()])
    steps = np.linspace(0, at[-1], STEPS)
    z = np.stack([np.interp(steps, at, values) for values in path.T], 1)
    z[-1] = path[-1]
    return np.exp(judging.decoded_log_probabilities(models.load(model), judge.judge, z))


def _on_plane(
    model: models.Model, start: np.ndarray, to: int | None, judge: probe.Judge, plane: probe.Plane,
    density: np.ndarray | None,
) -> dict[str, flips.Flip]:  # fmt: skip
    """Searches the plane for J = 2, or the line for J = 1."""
    given = models.load(model), judge.judge, plane.lattice, plane.axes
    found = {"straight": flips.straight(*given, start, to)}
    if density is not None and len(start) == 2:
        found["density"] = flips.over_density(*given, density, start, to)
    return {name: way for name, way in found.items() if way is not None}


def _steepest(
    model: models.Model, data_name: str, start: np.ndarray, to: int | None, judge: probe.Judge
) -> tuple[probe.Plane, np.ndarray | None, dict[str, flips.Flip]]:
    """Searches by gradient, and returns the plane through the start, the flip and a code of the flip's class."""
    net, means = models.load(model), models.codes(model).mean[: probe.MOST]
    winner = probe.reconstructions(model, data_name, judge).argmax(1)
    mine = int(judging.decoded_log_probabilities(net, judge.judge, start[None]).argmax())
    away = ((means - start) ** 2).sum(1)
    others = [k for k in np.unique(winner).tolist() if k != mine and to in (None, k)]
    nearest = {k: means[np.where(winner == k, away, np.inf).argmin()] for k in others}
    found = flips.by_gradient(net, judge.judge, start, to, list(nearest.values()))
    if found is None:
        return probe.through(model, data_name, models.axes(model, None), judge, start), None, {}
    other = nearest.get(found.end, means[away.argmax()])
    axes = _through(start, found.z, other)
    corners = axes.project(np.stack([start, found.z, other]))
    reach = 1.25 * float(np.abs(corners).max())
    plane = probe.seen(model, axes, probe.Square(0.0, 0.0, reach, probe.SLICE), judge)
    density = probe.log_q(model, data_name, plane)
    named = {"straight": found}
    if density is not None:
        over = flips.over_density(net, judge.judge, plane.lattice, axes, density, start, to)
        named |= {"density": over} if over is not None else {}
    return plane, density, named


def _through(start: np.ndarray, first: np.ndarray, second: np.ndarray) -> Axes:
    """Returns the plane through three latents; its first direction leads from the start to the first of the others."""
    u = (first - start).astype(np.float64)
    u /= max(np.linalg.norm(u), 1e-12)
    candidates = [(second - start).astype(np.float64), *np.eye(len(start))]
    for v in candidates:
        v = v - (v @ u) * u
        if np.linalg.norm(v) > 1e-3:
            break
    return Axes(start, np.stack([u, v / np.linalg.norm(v)]).astype(np.float32), np.zeros(2))
