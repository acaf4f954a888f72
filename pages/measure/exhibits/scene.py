"""The models that the page Decoder variance shows side by side, the image in use, and what its steps share."""

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
    """What the steps are about.

    Attributes:
        records: of the models that are shown, by name.
        chosen: the record of the model in use, which may not be among them.
        dataset: the images of the first of them; () where there is none.
        row: of the test image in use.
    """

    records: dict[str, Record]
    chosen: Record
    dataset: vae.Dataset
    row: int

    @property
    def models(self) -> dict[str, cache.Model]:
        """The models that are shown, by name."""
        return {name: cache.model_id(name) for name in self.records}

    @property
    def pixels(self) -> int:
        """The numbers that an image has."""
        return math.prod(self.dataset.test.images.shape[1:])

    @property
    def ceiling(self) -> float:
        """The most nats that an image of 8 bits can have on average."""
        return self.pixels * math.log(256)


def gaussian(record: Record) -> bool:
    """Whether a model has a variance of its own, with a floor that can be moved."""
    own = isinstance(record.model, ModelConfig)
    return own and record.model.likelihood != "bernoulli" and not record.autoencoder


def find() -> Scene:
    """Returns the exhibits that are there, and the model in use beside them where it can be shown."""
    there = {record.name: record for record in catalogue()[0]}
    chosen = there[state.model()]
    exhibits = [name for name in EXHIBITS if name in there]
    dataset = cache.images(cache.model_id(chosen.name if gaussian(chosen) or not exhibits else exhibits[0]))
    names = [name for name in exhibits if cache.images(cache.model_id(name)).name == dataset.name]
    if gaussian(chosen) and chosen.name not in names:
        names.append(chosen.name)
    row = min(state.image(), len(dataset.test) - 1)  # perhaps chosen on another page
    return Scene({name: there[name] for name in names}, chosen, dataset, row)


def title(scene: Scene, name: str) -> str:
    """Names a model by what bounds its variance."""
    config = scene.records[name].model
    if config.likelihood == "gaussian-shared":
        what = _("One variance")
    elif config.log_variance_floor is None:
        what = _("No floor")
    else:
        what = _("Floor at {floor:g}").format(floor=config.log_variance_floor)
    return what if name in EXHIBITS else f"{name}: {what}"


def columns(scene: Scene) -> Iterator[str]:
    """Opens a column for each model, under its title."""
    for name, column in zip(scene.records, st.columns(max(2, len(scene.records)), gap="medium"), strict=False):
        with column:
            st.markdown(f"**{title(scene, name)}**")
            yield name


def chart(figure: go.Figure, kind: str, name: str, alt: str, height: int) -> None:
    """Shows the figure of a model, so many pixels high, or more when presenting."""
    figure.update_layout(height=state.larger(height))
    st.plotly_chart(figure, key=f"variance.{kind}.{name}", config={"displayModeBar": False}, alt=f"{alt}, {name}")


def colours(kind: str, low: str, high: str) -> None:
    """Shows once what the colours of all columns mean."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(low, width="content")
        st.image(figures.png_uri(figures.variance.gradient(kind)), alt=f"{low} – {high}", width=140)
        st.caption(high, width="content")


def show_decoded(scene: Scene, decoded: latent.Decoded, draw: bool = True) -> None:
    """Shows p(x|z); sigma's colours are the same everywhere, unlike those of `pictures.sigma`."""
    mean, deviation, sample = (values[0] for values in decoded)
    images = {_("mean of p(x|z)"): pictures.plain(mean, 4)}
    if draw:
        images[_("sample of p(x|z)")] = pictures.plain(sample, 4)
    images[pictures.sigma_words(deviation)] = pictures.sigma(deviation, 4, figures.variance.SHOWN_DEVIATIONS[1])
    with st.container(horizontal=True, gap="xsmall"):
        for caption, image in images.items():
            width = 60 if len(scene.records) > 3 else 84 if draw else 104  # so many fit into a column
            st.image(figures.png_uri(image), caption=caption, alt=caption, width=width)


def code(scene: Scene, name: str) -> np.ndarray:
    """Returns the mean of q(z|x) (J,) of the image in use."""
    found: np.ndarray = cache.codes(scene.models[name]).mean[scene.row]
    return found
