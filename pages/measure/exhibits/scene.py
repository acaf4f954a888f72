"""The models shown side by side on the page Decoder variance, the current image, and helpers for all steps."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import vae
from pages import cache
from pages.ui import pictures, state
from pages.ui.language import _
from vae import Record, catalogue, figures, latent
from vae.model import ModelConfig

EXHIBITS = ("mnist-2d", "mnist-free-variance-2d", "mnist-shared-variance-2d")


class Scene(NamedTuple):
    """The models and the image that the steps show.

    Attributes:
        records: of the models shown, by name.
        chosen: the record of the current model, which may not be among them.
        dataset: the images of these models.
        row: of the current test image.
    """

    records: dict[str, Record]
    chosen: Record
    dataset: vae.Dataset
    row: int

    @property
    def models(self) -> dict[str, cache.Model]:
        """The models shown, by name."""
        return {name: cache.model_id(name) for name in self.records}

    @property
    def pixels(self) -> int:
        """The number of values per image."""
        return math.prod(self.dataset.test.images.shape[1:])

    @property
    def ceiling(self) -> float:
        """Upper bound on the mean log-likelihood of an 8-bit image, nats."""
        return self.pixels * math.log(256)


def gaussian(record: Record) -> bool:
    """Whether a model has a learned variance with a floor that can be changed."""
    own = isinstance(record.model, ModelConfig)
    return own and record.model.likelihood != "bernoulli" and not record.autoencoder


def find() -> Scene:
    """Returns the available exhibits, together with the current model if it can be shown."""
    there = {record.name: record for record in catalogue()[0]}
    chosen = there[state.model()]
    exhibits = [name for name in EXHIBITS if name in there]
    dataset = cache.images(cache.model_id(chosen.name if gaussian(chosen) or not exhibits else exhibits[0]))
    names = [name for name in exhibits if cache.images(cache.model_id(name)).name == dataset.name]
    if gaussian(chosen) and chosen.name not in names:
        names.append(chosen.name)
    row = min(state.image(), len(dataset.test) - 1)  # it may have been selected on another page
    return Scene({name: there[name] for name in names}, chosen, dataset, row)


def title(scene: Scene, name: str) -> str:
    """Names a model by the bound on its variance."""
    config = scene.records[name].model
    if config.likelihood == "gaussian-shared":
        what = _("One variance")
    elif config.log_variance_floor is None:
        what = _("No floor")
    else:
        what = _("Floor at {floor:g}").format(floor=config.log_variance_floor)
    return what if name in EXHIBITS else f"{name}: {what}"


def columns(scene: Scene) -> Iterator[str]:
    """Opens a column with a title for each model."""
    for name, column in zip(scene.records, st.columns(max(2, len(scene.records)), gap="medium"), strict=False):
        with column:
            st.markdown(f"**{title(scene, name)}**")
            yield name


def chart(figure: go.Figure, kind: str, name: str, alt: str, height: int) -> None:
    """Shows the figure of a model with a height in pixels, enlarged in presenter mode."""
    figure.update_layout(height=state.larger(height))
    st.plotly_chart(figure, key=f"variance.{kind}.{name}", config={"displayModeBar": False}, alt=f"{alt}, {name}")


def colours(kind: str, low: str, high: str) -> None:
    """Shows one colour scale for all columns."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(low, width="content")
        st.image(figures.png_uri(figures.variance.gradient(kind)), alt=f"{low} – {high}", width=140)
        st.caption(high, width="content")


def show_decoded(scene: Scene, decoded: latent.Decoded, draw: bool = True) -> None:
    """Shows p(x|z), with the same colour scale of sigma for all models."""
    mean, deviation, sample = (values[0] for values in decoded)
    images = {_("mean of p(x|z)"): pictures.plain(mean, 4)}
    if draw:
        images[_("sample of p(x|z)")] = pictures.plain(sample, 4)
    images[pictures.sigma_words(deviation)] = pictures.sigma(deviation, 4, figures.variance.SHOWN_DEVIATIONS[1])
    with st.container(horizontal=True, gap="xsmall"):
        for caption, image in images.items():
            width = 60 if len(scene.records) > 3 else 84 if draw else 104  # px, so that all fit in a column
            st.image(figures.png_uri(image), caption=caption, alt=caption, width=width)


def code(scene: Scene, name: str) -> np.ndarray:
    """Returns the mean of q(z|x), (J,), of the current image."""
    found: np.ndarray = cache.codes(scene.models[name]).mean[scene.row]
    return found
