"""What the server keeps of the page Probe: planes as a classifier sees them, doubt, and images by class."""

import math
import zlib
from typing import NamedTuple

import numpy as np
import scipy  # which imports `scipy.ndimage` when it is first used
import streamlit as st

from pages.cache import latent as latent_cache
from pages.cache import models, uses
from pages.cache.kept import kept
from vae import latent
from vae.latent import Axes, aggregate
from vae.uses import classifier, probe

SIDE = 100  # cells along the longer side of a plane
SLICE = 72  # of a plane of J > 2, which is worked out at each click
REACH = 4.5  # of the quadrature over the prior, from its mean
CELLS = 121  # along each of its sides
MOST = 10_000  # test images that are judged
CODES = 2000  # of them, whose mixture is the density on a plane of J > 2
STEP = 1 / 4096  # nats between two levels that are sent to the browser
_ROOM = 2.5  # cells around a name on a region


class Judge(NamedTuple):
    """A classifier in use.

    Attributes:
        key: another one for another classifier.
        judge: it.
        classes: how many it knows.
        own: whether a visitor brought it.
    """

    key: str
    judge: probe.Judge
    classes: int
    own: bool = False


class Square(NamedTuple):
    """A square of a plane about a place (a, b), as far as `reach` to each side, with `side` cells along it."""

    a: float
    b: float
    reach: float
    side: int

    def steps(self, two: bool) -> tuple[np.ndarray, np.ndarray]:
        """Returns the middles of the cells, across and up; of a line one row, at 0."""
        steps = self.reach * (2 * np.arange(self.side) + 1 - self.side) / self.side
        return self.a + steps, self.b + steps if two else np.zeros(1)


class Plane(NamedTuple):
    """A plane as a classifier sees it.

    Attributes:
        axes: where it lies.
        square: what of it was classified.
        lattice: what the classifier says on it.
        levels: of log p(y|z) in steps of `STEP` below 0, class by class, row by row, deflated for the browser.
        names: class, across and up of where a region has room for its name.
    """

    axes: Axes
    square: Square
    lattice: probe.Lattice
    levels: np.ndarray
    names: list[tuple[int, float, float]]


class Doubts(NamedTuple):
    """Shares of doubt, and latents (M, J) to look at: unsure ones, and sure ones where no data lies."""

    doubt: probe.Doubt
    unsure: np.ndarray
    astray: np.ndarray


def shipped(model: models.Model) -> Judge | None:
    """Returns the classifier of a model's data, or None where there can be none."""
    name = models.images(model).name
    if not uses.can_be_judged(name):
        return None
    net = uses.judge(name)
    return Judge(f"classifier of {name}", net, net.head.out_features)


# planes


def through(model: models.Model, data_name: str, axes: Axes, judge: Judge) -> Plane:
    """Returns a plane as a classifier sees it, moved so that the latent in use lies on it."""
    z, side = models.z(model), SIDE
    if len(z) > 2:
        beside = (z - axes.lift(axes.project(z[None]))[0]).round(3)  # a step on the plane is none beside it
        axes, side = axes._replace(centre=axes.centre + beside), SLICE
    square = _window(model, axes, side)
    away = float(np.abs(axes.project(z[None])[0] - square[:2]).max())
    if away > square.reach:
        square = square._replace(reach=math.ceil(4.2 * away) / 4)
    directions, centre = tuple(axes.directions.ravel().tolist()), tuple(axes.centre.tolist())
    return _seen(model, data_name, judge.key, directions, centre, square, judge)


@st.cache_resource(max_entries=24, show_spinner=False)
def _seen(
    model: models.Model, data_name: str, key: str, directions: tuple[float, ...], centre: tuple[float, ...],
    square: Square, _judge: Judge,
) -> Plane:  # fmt: skip
    axes = Axes(np.array(centre, np.float32), np.array(directions, np.float32).reshape(2, -1), np.zeros(2))
    return seen(model, axes, square, _judge)


def _window(model: models.Model, axes: Axes, side: int) -> Square:
    """Lays a square over 96 % of the codes along each direction and, with a prior, over three deviations of it."""
    points = np.quantile(axes.project(models.codes(model).mean), [0.02, 0.98], axis=0)
    if not models.record(model[0]).autoencoder:
        prior = axes.project(np.zeros((1, len(axes.centre))))
        points = np.concatenate([points, prior - 3, prior + 3])
    low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
    a, b = ((low + high) / 2).round(3).tolist()
    return Square(a, b, round(1.04 * max(float((high - low).max()) / 2, 1e-2), 3), side)


def seen(model: models.Model, axes: Axes, square: Square, judge: Judge) -> Plane:
    """Returns a square of a plane as a classifier sees it."""
    found = probe.lattice(models.load(model), judge.judge, axes, *square.steps(bool(axes.directions[1].any())))
    levels = np.clip(np.rint(-found.log_probability / STEP), 0, 65535).astype("<u2").transpose(2, 0, 1)
    planes = np.ascontiguousarray(levels).view(np.uint8).reshape(-1, 2).T.tobytes()
    return Plane(axes, square, found, np.frombuffer(zlib.compress(planes, 6), np.uint8), _rooms(found))


def _rooms(found: probe.Lattice) -> list[tuple[int, float, float]]:
    """Returns for each class with a region the place of it that is farthest from all others."""
    names, edge = [], (1 if len(found.y) > 1 else 0, 1)  # outside of what was classified no class is known
    for label in np.unique(found.winner).tolist():
        padded = np.pad(found.winner == label, [(each, each) for each in edge])
        depth = scipy.ndimage.distance_transform_edt(padded)[edge[0] : edge[0] + len(found.y), 1:-1]
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        if depth[row, column] >= _ROOM:
            names.append((label, float(found.x[column]), float(found.y[row])))
    return names


# the density of the codes


def log_q(model: models.Model, data_name: str, found: Plane) -> np.ndarray | None:
    """Returns log q(z) (H, W) on a plane, nats: of training images, at J > 2 of test images; None without q."""
    record = models.record(model[0])
    if record.autoencoder:
        return None
    if record.model.latent <= 2:
        return _log_q(model, data_name, found.square)
    key = (*found.axes.directions.ravel().tolist(), *found.axes.centre.tolist(), *found.square)
    return _log_q_of_slice(model, data_name, key, found)


@kept(ships=False)
def _log_q(model: models.Model, data_name: str, square: Square) -> np.ndarray:
    """Returns log q(z) on a square of the plane of J = 2, or on the line of J = 1."""
    codes = latent_cache.codes_of_training(model, data_name)
    two = codes.mean.shape[1] > 1
    x, y = square.steps(two)
    found = aggregate.grid_log_density(codes, x, y) if two else aggregate.log_density(codes, x[:, None])[None]
    return found.astype(np.float32)


@st.cache_resource(max_entries=24, show_spinner=False)
def _log_q_of_slice(model: models.Model, data_name: str, key: tuple[float, ...], _found: Plane) -> np.ndarray:
    codes = latent.Codes(*(each[:CODES] for each in models.codes(model)))
    log_density = aggregate.log_density(codes, _found.axes.lift(_found.lattice.places))
    return log_density.reshape(_found.lattice.winner.shape).astype(np.float32)


# doubt


def doubts(model: models.Model, data_name: str, judge: Judge) -> Doubts:
    """Measures doubt over the prior: on a grid at J <= 2, else by draws; to be asked of models with a prior alone."""
    size = models.record(model[0]).model.latent
    square = Square(0.0, 0.0, REACH, CELLS if size == 2 else CELLS * 10)
    # what the pool works out is asked for here: a function that Streamlit caches may not write to the page meanwhile
    density = _log_q(model, data_name, square) if size <= 2 else None
    draws = latent_cache.prior_draws(model, data_name)
    return _doubts(model, data_name, judge.key, square, judge, draws, density)


@st.cache_resource(max_entries=24, show_spinner=False)
def _doubts(
    model: models.Model, data_name: str, key: str, square: Square, _judge: Judge, _draws: aggregate.Draws,
    _density: np.ndarray | None,
) -> Doubts:  # fmt: skip
    net, size, draws = models.load(model), models.record(model[0]).model.latent, _draws
    judged = probe.decoded_log_probabilities(net, _judge.judge, draws.z)
    if _density is None:
        found = probe.doubt(judged, draws.log_ratio, classifier.THRESHOLDS)
    else:
        z = probe.Lattice(*square.steps(size == 2), np.empty(0)).places[:, :size]
        log_p = aggregate.prior_log_density(z)
        log_ratio = _density.ravel() - log_p
        said = probe.decoded_log_probabilities(net, _judge.judge, z)
        found = probe.doubt(said, log_ratio, classifier.THRESHOLDS, np.exp(log_p))
    confidence = judged.max(1)
    bare = np.flatnonzero(draws.log_ratio < np.log(aggregate.RATIO))
    unsure, astray = confidence.argsort(kind="stable"), bare[(-confidence[bare]).argsort(kind="stable")]
    return Doubts(found, draws.z[unsure[:12]], draws.z[astray[:12]])


# images


def of_images(data_name: str, judge: Judge) -> np.ndarray:
    """Returns log p(y|x) (N, K) of the test images."""
    return _of_images(data_name, judge.key, judge)


@st.cache_resource(max_entries=8, show_spinner=False)
def _of_images(data_name: str, key: str, _judge: Judge) -> np.ndarray:
    return probe.log_probabilities(_judge.judge, models.dataset(data_name).test.images[:MOST])


def reconstructions(model: models.Model, data_name: str, judge: Judge) -> np.ndarray:
    """Returns log p(y|x) (N, K) of the reconstructions of the test images, decoded from the means of q(z|x)."""
    return _reconstructions(model, data_name, judge.key, judge)


@st.cache_resource(max_entries=24, show_spinner=False)
def _reconstructions(model: models.Model, data_name: str, key: str, _judge: Judge) -> np.ndarray:
    return probe.decoded_log_probabilities(models.load(model), _judge.judge, models.codes(model).mean[:MOST])


def agreement(model: models.Model, data_name: str, judge: Judge) -> probe.Agreement:
    """Holds what a classifier says of test images against what it says of their reconstructions."""
    test = models.dataset(data_name).test
    known = test.labelled and judge.classes == len(models.dataset(data_name).classes)
    labels = test.labels[:MOST].numpy() if known else None
    return probe.agreement(of_images(data_name, judge), reconstructions(model, data_name, judge), labels)
