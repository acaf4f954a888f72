"""Cached values of the page Probe: class probabilities on planes, uncertainty, and images by class."""

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
SLICE = 72  # the same for J > 2, where a plane is computed at each click
REACH = 4.5  # half the width of the grid for the quadrature over the prior
CELLS = 121  # along each side of that grid
MOST = 10_000  # test images that are classified
CODES = 2000  # test images in the mixture q(z) on a plane for J > 2
STEP = 1 / 4096  # nats between two quantisation levels sent to the browser
_ROOM = 2.5  # cells that must be free around the name of a region


class Judge(NamedTuple):
    """A classifier in use.

    Attributes:
        key: identifies the classifier.
        judge: returns its scores.
        classes: number of its classes.
        own: whether a user has uploaded it.
    """

    key: str
    judge: probe.Judge
    classes: int
    own: bool = False


class Square(NamedTuple):
    """A square of a plane with centre (a, b), half width `reach`, and `side` cells along each side."""

    a: float
    b: float
    reach: float
    side: int

    def steps(self, two: bool) -> tuple[np.ndarray, np.ndarray]:
        """Returns the horizontal and vertical coordinates of the cell centres; a line has a single row at 0."""
        steps = self.reach * (2 * np.arange(self.side) + 1 - self.side) / self.side
        return self.a + steps, self.b + steps if two else np.zeros(1)


class Plane(NamedTuple):
    """The class probabilities on a plane.

    Attributes:
        axes: its position and directions.
        square: the part of it that was classified.
        lattice: the class probabilities.
        levels: -log p(y|z) in steps of `STEP`, class by class and row by row, compressed for the browser.
        names: for each class, the position of its name within its largest region: the class, two coordinates, and the
            distance from there to the edge of the region.
    """

    axes: Axes
    square: Square
    lattice: probe.Lattice
    levels: np.ndarray
    names: list[tuple[int, float, float, float]]


class Doubts(NamedTuple):
    """Fractions of the prior's mass, and example latents (M, J): of low confidence, and of high far from the data."""

    doubt: probe.Doubt
    unsure: np.ndarray
    astray: np.ndarray


def shipped(model: models.Model) -> Judge | None:
    """Returns the classifier of a model's data, or None if none can be trained on them."""
    name = models.images(model).name
    if not uses.can_be_judged(name):
        return None
    net = uses.judge(name)
    return Judge(f"classifier-{name}", net, net.head.out_features)


# planes


def through(model: models.Model, data_name: str, axes: Axes, judge: Judge, z: np.ndarray) -> Plane:
    """Returns the class probabilities on a plane, translated so that it contains a latent (J,)."""
    side = SIDE
    if len(z) > 2:
        beside = (z - axes.lift(axes.project(z[None]))[0]).round(3)  # unchanged by a step within the plane
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
    """Returns a square with 96% of the codes along each direction and, given a prior, +-3 standard deviations."""
    points = np.quantile(axes.project(models.codes(model).mean), [0.02, 0.98], axis=0)
    if not models.record(model[0]).autoencoder:
        prior = axes.project(np.zeros((1, len(axes.centre))))
        points = np.concatenate([points, prior - 3, prior + 3])
    low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
    a, b = ((low + high) / 2).round(3).tolist()
    return Square(a, b, round(1.04 * max(float((high - low).max()) / 2, 1e-2), 3), side)


def seen(model: models.Model, axes: Axes, square: Square, judge: Judge) -> Plane:
    """Computes the class probabilities on a square of a plane."""
    found = probe.lattice(models.load(model), judge.judge, axes, *square.steps(bool(axes.directions[1].any())))
    levels = np.clip(np.rint(-found.log_probability / STEP), 0, 65535).astype("<u2").transpose(2, 0, 1)
    planes = np.ascontiguousarray(levels).view(np.uint8).reshape(-1, 2).T.tobytes()
    return Plane(axes, square, found, np.frombuffer(zlib.compress(planes, 6), np.uint8), _rooms(found))


def _rooms(found: probe.Lattice) -> list[tuple[int, float, float, float]]:
    """Returns for each class the point farthest from the edge of its largest region with room, and how far that is."""
    names, edge = [], (1 if len(found.y) > 1 else 0, 1)  # no class is known outside the classified square
    step = float(found.x[1] - found.x[0])
    for label in np.unique(found.winner).tolist():
        own = found.winner == label
        padded = np.pad(own, [(each, each) for each in edge])
        depth = scipy.ndimage.distance_transform_edt(padded)[edge[0] : edge[0] + len(found.y), 1:-1]
        regions, count = scipy.ndimage.label(own)
        roomy = scipy.ndimage.maximum(depth, regions, range(1, count + 1)) >= _ROOM
        if not roomy.any():
            continue
        largest = 1 + np.where(roomy, np.bincount(regions.ravel())[1:], 0).argmax()
        row, column = np.unravel_index(np.where(regions == largest, depth, 0).argmax(), depth.shape)
        names.append((label, float(found.x[column]), float(found.y[row]), step * float(depth[row, column])))
    return names


# the density of the codes


def log_q(model: models.Model, data_name: str, found: Plane) -> np.ndarray | None:
    """Returns log q(z) (H, W), nats, of training images, or for J > 2 of test images; None for a model without q."""
    record = models.record(model[0])
    if record.autoencoder:
        return None
    if record.model.latent <= 2:
        return _log_q(model, data_name, found.square)
    key = (*found.axes.directions.ravel().tolist(), *found.axes.centre.tolist(), *found.square)
    return _log_q_of_slice(model, data_name, key, found)


@kept(ships=False)
def _log_q(model: models.Model, data_name: str, square: Square) -> np.ndarray:
    """Returns log q(z) on a square of the plane for J = 2, or on the line for J = 1."""
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
    """Measures uncertainty over the prior, on a grid for J <= 2 and by sampling otherwise; needs a prior."""
    size = models.record(model[0]).model.latent
    square = Square(0.0, 0.0, REACH, CELLS if size == 2 else CELLS * 10)
    # the pool's values are requested here: a function cached by Streamlit must not write to the page
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
    """Compares the predictions of a classifier on test images with those on their reconstructions."""
    test = models.dataset(data_name).test
    known = test.labelled and judge.classes == len(models.dataset(data_name).classes)
    labels = test.labels[:MOST].numpy() if known else None
    return probe.agreement(of_images(data_name, judge), reconstructions(model, data_name, judge), labels)
