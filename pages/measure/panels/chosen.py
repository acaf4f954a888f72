"""The model and the test image that the panels show."""

from typing import NamedTuple

import streamlit as st

import vae
from pages import cache
from pages.ui import examples, pictures, state, steps, words
from pages.ui.language import _
from vae import figures
from vae.model import AnyConfig


class Chosen(NamedTuple):
    """The current model, the data set of the image shown by all panels, and its row."""

    model: cache.Model
    config: AnyConfig
    dataset: vae.Dataset
    row: int

    @property
    def drawn(self) -> bool:
        """Whether the image is the drawing."""
        return self.dataset.name != cache.images(self.model).name

    @property
    def name(self) -> str:
        """The name of the image."""
        return words.classes(self.dataset)[0] if self.drawn else _("test image {row}").format(row=self.row)

    @property
    def shown(self) -> tuple[int, ...]:
        """The rows of all images offered as examples."""
        which = int(st.session_state.get("likelihood.which") or 1)
        return tuple(examples.rows(self.model, which).values())


def find(model: cache.Model) -> Chosen:
    """Returns the current test image, or the drawing if it is requested."""
    config, drawing = cache.record(model[0]).model, state.drawing()
    if drawing is not None and drawing.shape == config.image_shape and state.drawing_is_asked_for():
        return Chosen(model, config, cache.drawing(drawing), 0)
    dataset = cache.images(model)
    return Chosen(model, config, dataset, min(state.image(), len(dataset.test) - 1))


def show(chosen: Chosen) -> None:
    """Draws the choice of another test image, or of the drawing."""
    if chosen.drawn:
        image = chosen.dataset.test.images[0].numpy() / 255
        st.image(figures.png_uri(pictures.plain(image, 1)), alt=chosen.name, width=40)
        st.caption(chosen.name, width="content")
        st.button(
            _("Back to the test images"), icon=":material/arrow_back:", key="likelihood.back",
            on_click=state.ask_for_drawing, args=(False,),
        )  # fmt: skip
        return
    drawing = state.drawing()
    if drawing is not None and drawing.shape == chosen.config.image_shape:
        st.button(
            _("Your drawing"), icon=":material/draw:", key="likelihood.drawing", on_click=state.ask_for_drawing,
            args=(True,),
        )  # fmt: skip
    steps.choose_image("likelihood", chosen.model, chosen.dataset, chosen.row)
