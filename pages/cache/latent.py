"""Caches for the pages on latent space: codes, colours, encoded drawings, holes."""

from typing import Literal, NamedTuple

import numpy as np
import streamlit as st
import torch

from pages.cache import models
from pages.cache.kept import kept
from pages.ui.language import _
from vae import figures, latent
from vae.errors import CheckpointError
from vae.latent import Difference, Neighbours, aggregate, neighbours, projections
from vae.model import place_for

MOST_CODES = 60_000  # as many as MNIST has; of a larger set, the first are used
SIDE = 61  # cells along a side of the plane of holes
CLUSTERS = 10  # the default
MIXTURE = 10_000  # training images, at most, in the mixture whose density colours the points


@kept(ships=False)
def codes_of_training(model: models.Model, data_name: str) -> latent.Codes:
    """Returns q(z|x) of the training images, 60,000 at most, without a spinner, for other cached functions."""
    return latent.encode(models.load(model), models.dataset(data_name).train.images[:MOST_CODES])


def training_codes(model: models.Model) -> latent.Codes:
    """Returns q(z|x) of the training images, 60,000 at most, whose mixture is the aggregate posterior."""
    with st.spinner(_("Encoding the training images ...")):
        return codes_of_training(model, models.images(model).name)


@kept()
def mean_kl(model: models.Model, data_name: str) -> tuple[float, int]:
    """Returns the mean of KL[q(z|x) || p(z)] over the training images, nats, and their number."""
    kl = codes_of_training(model, data_name).kl.sum(1)
    return float(kl.mean()), len(kl)


@st.cache_data(max_entries=64, show_spinner=False)
def _encoded(model: models.Model, shape: tuple[int, ...], content: bytes) -> np.ndarray:
    image = torch.from_numpy(np.frombuffer(content, np.uint8).reshape(shape).copy())
    return latent.encode(models.load(model), image[None]).mean[0]


def encoded(model: models.Model, drawing: np.ndarray) -> np.ndarray:
    """Returns the mean (J,) of q(z|x) of a drawn image (H, W) uint8."""
    return _encoded(model, drawing.shape, drawing.tobytes())


def first_of_class(model: models.Model) -> dict[int, int]:
    """Returns the row of the first test image of each class; empty if there are no labels."""
    data = models.images(model)
    if not data.labelled:
        return {}
    labels = data.test.labels.numpy()
    return {int(label): int(row) for label, row in zip(*np.unique(labels, return_index=True), strict=True)}


class Colouring(NamedTuple):
    """The colouring of test images on a map.

    Attributes:
        kind: by class or, without labels, by the density of the aggregate posterior at the codes or by k-means
            clusters of the codes.
        labels: (N,) numbers of classes or clusters, or levels of the density, see `vae.figures.groups`.
        groups: number of classes or clusters; 0 for levels.
        reach: log q(z) of the lowest and the highest level, nats.
    """

    kind: Literal["classes", "density", "clusters"]
    labels: np.ndarray
    groups: int = 0
    reach: tuple[float, float] = (0.0, 0.0)

    @property
    def colours(self) -> tuple[str, ...]:
        """The colour "#rrggbb" of each label."""
        return figures.group_colours(self.groups) if self.groups else figures.LEVELS


def colouring(model: models.Model, count: int | None = None) -> Colouring:
    """Returns the colouring of the test images.

    Arguments:
        model: by name and modification time.
        count: of clusters, if there are no labels; None for the density or, for a plain autoencoder, ten clusters.
    """
    data = models.images(model)
    if data.labelled:
        return Colouring("classes", data.test.labels.numpy(), len(data.classes))
    if count is None and not models.record(model[0]).autoencoder:
        labels, reach = _density(model, data.name)
        return Colouring("density", labels, reach=reach)
    found = clusters(model, count or CLUSTERS)
    return Colouring("clusters", found.labels, len(found.centres))


@kept(here=True)
def _density(model: models.Model, data_name: str) -> tuple[np.ndarray, tuple[float, float]]:
    data = models.dataset(data_name)
    mixture = latent.encode(models.load(model), data.train.images[:MIXTURE])
    return figures.levels(aggregate.log_density(mixture, models.codes(model).mean))


def clusters(model: models.Model, count: int) -> latent.Clusters:
    """Returns k-means clusters of the codes of the test images."""
    return _clusters(model, models.images(model).name, count)


@kept(here=True)
def _clusters(model: models.Model, data_name: str, count: int) -> latent.Clusters:
    return latent.k_means(models.codes(model).mean, count)


def varied(model: models.Model, count: int = CLUSTERS) -> list[int]:
    """Returns the rows of varied test images: a typical one from each cluster of codes."""
    return [int(row) for row in latent.typical(models.codes(model).mean, clusters(model, count))]


@st.cache_data(max_entries=64, show_spinner=False)
def nearest_codes(model: models.Model, data_name: str, z: tuple[float, ...], count: int) -> Neighbours:
    """Returns the test images whose posterior means are nearest to a latent."""
    return neighbours(np.array(z, np.float32), models.codes(model).mean, count)


@st.cache_data(max_entries=64, show_spinner=False)
def nearest_images(data_name: str, shape: tuple[int, ...], content: bytes, count: int) -> Neighbours:
    """Returns the test images whose pixels are nearest to those of an image, given as bytes."""
    image = np.frombuffer(content, np.uint8).reshape(shape)
    return neighbours(image, models.dataset(data_name).test.images.numpy(), count)


@st.cache_data(max_entries=64, show_spinner=False)
def difference(
    model: models.Model, data_name: str, of: int, minus: int, images: int | None
) -> tuple[Difference, tuple[int, int]]:
    """Returns the difference between the mean codes of two classes, and the number of images in each."""
    labels = models.dataset(data_name).test.labels.numpy()
    means = models.codes(model).mean
    sets = [means[labels == label][:images] for label in (of, minus)]
    return latent.difference(*sets), (len(sets[0]), len(sets[1]))


@kept()
def holes(model: models.Model, data_name: str, plane: tuple[int, int] | None) -> aggregate.Holes:
    """Returns the holes on a plane, where the prior has mass but the aggregate posterior has almost none."""
    return aggregate.holes(training_codes(model), models.axes(model, plane), SIDE)


@kept()
def prior_draws(model: models.Model, data_name: str) -> aggregate.Draws:
    """Returns prior samples with their density under the aggregate posterior of the training images."""
    return aggregate.prior_draws(training_codes(model))


def projection(model: models.Model, method: projections.Method) -> np.ndarray | None:
    """Returns the points (N, 2) of the first test images by t-SNE or UMAP, if they were computed before."""
    data = models.images(model)
    file = projections.projection_file(model[0], data.name, method)
    return _kept(model, data.name, method, file.stat().st_mtime) if file.is_file() else None


@st.cache_resource(max_entries=32, show_spinner=False)
def _kept(model: models.Model, data_name: str, method: projections.Method, written: float) -> np.ndarray | None:
    found = projections.kept_projection(model[0], models.dataset(data_name), method)
    return None if found is None else found.points


@st.cache_resource(max_entries=32, show_spinner=False)
def compute_projection(model: models.Model, data_name: str, method: projections.Method) -> np.ndarray:
    """Computes them, once for all who wait, and saves them to disk if there is a writable folder."""
    dataset = models.dataset(data_name)
    try:
        place_for(model[0], projections.projection_file(model[0], data_name, method).name)
    except CheckpointError:
        return latent.project(latent.encode(models.load(model), dataset.test.images[: projections.IMAGES]).mean, method)
    return projections.make_projection(model[0], dataset, method).points
