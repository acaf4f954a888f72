"""Caches for chapters 10 to 14 of the lesson: estimators compared, samples classified, codes used as features."""

from typing import NamedTuple

import numpy as np
import streamlit as st
import torch

import vae
from pages import cache
from pages.cache import models
from pages.cache.kept import kept
from pages.ui.language import _
from vae import data, evidence, latent
from vae.errors import CheckpointError
from vae.evidence import annealing, closeness, exact_evidence, is_known
from vae.latent import surgery
from vae.uses import classifier, features, oddities

FAMILY = ("mnist-2d", "mnist-5d", "mnist-10d", "mnist-20d")  # same likelihood, increasing latent dimension
NAIVE = (100, 1000, 10_000)  # samples of the naive estimate for one image
RUNS = 5  # of the naive estimate, since a single one may be close by chance
BOUND = 100  # samples of the bound
JUDGED = 1000  # samples to classify
IMAGES = 300  # images of each kind to score
FAR = ("scrambled", "inverted", "noise")  # so far from digits that quadrature takes ten seconds per image
SIZES = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 60_000)


class Contest(NamedTuple):
    """Two estimators of log p(x) for an image, nats.

    Attributes:
        naive: estimates of the first run, by number of samples.
        away: mean absolute error over the runs, by number of samples.
        away_error: its standard error for the largest number of samples.
        bound: the ELBO.
        bound_error: its standard error.
        truth: log p(x), or the best lower bound.
        exact: whether it is log p(x).
    """

    naive: dict[int, float]
    away: dict[int, float]
    away_error: float
    bound: float
    bound_error: float
    truth: float
    exact: bool


@kept()
def contest(model: models.Model, data_name: str, row: int) -> Contest:
    """Returns the naive estimate and the bound for a test image, and the reference for both."""
    net, x = models.load(model), models.pixels(model, data_name, (row,))
    runs = np.array(
        [
            [float(each.value[0]) for each in evidence.naive_monte_carlo_path(net, x, NAIVE, vae.generator(seed))]
            for seed in range(RUNS)
        ]
    )
    bound = evidence.elbo(net, x, BOUND, vae.generator(0))
    own, error = float(bound.value[0]), float(bound.standard_error[0])
    truth, known = _truth(model, data_name, row, max(own, float(runs.max())))
    away = np.abs(runs - truth)
    return Contest(
        dict(zip(NAIVE, runs[0].tolist(), strict=True)), dict(zip(NAIVE, away.mean(0).tolist(), strict=True)),
        float(away[:, -1].std(ddof=1)) / RUNS**0.5, own, error, truth, known,
    )  # fmt: skip


def _truth(model: models.Model, data_name: str, row: int, least: float) -> tuple[float, bool]:
    """Returns log p(x) of a test image and True, or the best lower bound (at least `least`) and False."""
    exact = models.evidence_of(model, data_name, (row,))
    if exact is not None and np.isfinite(exact[0][0]):
        return float(exact[0][0]), True
    kept = models.comparison(model, data_name)
    if kept is not None and row < len(kept.encoder_kl):
        return float(kept.reference()[0][row]), False
    x = models.pixels(model, data_name, (row,))
    ais = annealing.annealed_importance_sampling(
        models.quick(model), x, chains=4, steps=60, start="encoder", generator=vae.generator(0)
    )
    return max(float(ais.value[0]), least), False


@st.cache_data(max_entries=64, show_spinner=False)
def closer(model: models.Model, data_name: str, samples: int) -> closeness.Closeness | None:
    """Compares the naive estimate with the bound on all images of the built-in comparison; None without one."""
    kept = models.comparison(model, data_name)
    if kept is None or f"naive_{samples}" not in kept.estimates:
        return None
    naive, bound = (kept.estimates[name].value for name in (f"naive_{samples}", "elbo"))
    return closeness.closeness(naive, bound, kept.reference()[0])


# classified samples


def can_be_judged(data_name: str) -> bool:
    """Whether a classifier can be trained on a data set: grey images with at least two classes."""
    found = models.dataset(data_name)
    return len(found.image_shape) == 2 and found.labelled and bool((found.train.labels != found.train.labels[0]).any())


def judge(data_name: str) -> classifier.Classifier:
    """Returns the classifier of a data set: the saved one, else one trained now, which takes seconds."""
    with st.spinner(_("Training a classifier ..."), show_time=True):
        return _judge(data_name)


@st.cache_resource(max_entries=4, show_spinner=False)
def _judge(data_name: str) -> classifier.Classifier:
    try:
        return classifier.load_classifier(classifier.classifier_file(data_name))
    except CheckpointError:
        return classifier.train_classifier(models.dataset(data_name))


@kept()
def sureness(model: models.Model, data_name: str, fitted: bool) -> np.ndarray:
    """Returns the classifier's confidence (N,) in decoded samples of N(0, I), or of a Gaussian fitted to the codes."""
    random, size = np.random.default_rng(0), models.record(model[0]).model.latent
    z = random.standard_normal((JUDGED, size))
    if fitted:
        means = cache.latent.codes_of_training(model, data_name).mean.astype(np.float64)
        z = means.mean(0) + z @ np.linalg.cholesky(np.cov(means.T).reshape(size, size)).T
    return classifier.confidences(_judge(data_name), latent.decode(models.load(model), z.astype(np.float32)).mean)[0]


@st.cache_data(max_entries=8, show_spinner=False)
def sureness_of_images(data_name: str) -> dict[str, np.ndarray]:
    """Returns the classifier's confidence in test images, averages of two, and random pixels."""
    images = models.dataset(data_name).test.images[:JUDGED].numpy().astype(np.float32) / 255
    noise = np.random.default_rng(0).random(images.shape, np.float32)
    sets: dict[str, np.ndarray] = {"test": images, "averages": (images + np.roll(images, 1, 0)) / 2, "noise": noise}
    return {name: classifier.confidences(_judge(data_name), each)[0] for name, each in sets.items()}


def share_sure(confidence: np.ndarray) -> float:
    """Returns the fraction of images on which the classifier is confident."""
    return float(classifier.share_sure(confidence, np.array([classifier.SURE]))[0])


# odd images


def other_data(data_name: str) -> str | None:
    """Returns another data set on disk with images of the same size, or None."""
    other = "mnist" if data_name == "fashion-mnist" else "fashion-mnist"
    same = models.dataset(data_name).image_shape == (28, 28)
    return other if same and data.available(other) else None


@st.cache_resource(max_entries=8, show_spinner=False)
def odd_images(data_name: str, kind: str) -> torch.Tensor:
    """Returns images of a kind, derived from the first test images; "ordinary" leaves them unchanged."""
    if kind == "other":
        other = other_data(data_name)
        assert other is not None
        return models.dataset(other).test.images[:IMAGES]
    images = models.dataset(data_name).test.images[:IMAGES]
    return next((oddities.odd(images, each) for each in oddities.ODDITIES if each == kind), images)


@kept()
def bounds(model: models.Model, data_name: str, kind: str) -> np.ndarray:
    """Returns the ELBO (N,) of images of a kind, from 10 samples."""
    net = models.load(model)
    x = net.pixels(odd_images(data_name, kind), vae.generator(0))
    return evidence.elbo(net, x, 10, vae.generator(1)).value.numpy()


@kept(here=True)
def score(model: models.Model, data_name: str, row: int, kind: str) -> tuple[float, float | None]:
    """Returns the ELBO of an altered test image, from 100 samples, and log p(x) if that is fast to compute."""
    image = models.dataset(data_name).test.images[row : row + 1]
    for each in oddities.ODDITIES:
        image = oddities.odd(image, each) if each == kind else image
    net = models.load(model)
    x = net.pixels(image, vae.generator(0))
    bound = float(evidence.elbo(net, x, BOUND, vae.generator(1)).value[0])
    if kind in FAR or not is_known(net.config):
        return bound, None
    truth = float(exact_evidence(net, x).value[0])
    return bound, truth if np.isfinite(truth) else None


# features


def kept_features(model: models.Model, data_name: str) -> features.Features | None:
    """Returns the accuracies on a model's codes, if they have been measured."""
    file = features.features_file(model[0], data_name)
    return _kept_features(model, data_name, file.stat().st_mtime if file.is_file() else 0.0)


@st.cache_resource(max_entries=32, show_spinner=False)
def _kept_features(model: models.Model, data_name: str, written: float) -> features.Features | None:
    return features.kept_features(model[0], models.dataset(data_name)) if written else None


@st.cache_resource(max_entries=8, show_spinner=False)
def measure_features(model: models.Model, data_name: str) -> features.Features:
    """Measures them, once for all who wait, and saves them beside the model."""
    return features.make_features(model[0], models.dataset(data_name))


# decomposition of the mean KL


@kept()
def _taken_apart(model: models.Model, data_name: str) -> list[surgery.Surgery]:
    codes = cache.latent.codes_of_training(model, data_name)
    sizes = sorted({min(size, len(codes.mean)) for size in SIZES})
    return surgery.growth(codes, sizes)


def taken_apart(model: models.Model) -> list[surgery.Surgery]:
    """Returns the terms of the mean KL for increasing numbers of training images, up to all of them."""
    with st.spinner(_("Sampling from the aggregate posterior ...")):
        return _taken_apart(model, models.images(model).name)
