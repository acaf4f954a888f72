"""Which model and which test images the panels are about."""

from typing import NamedTuple

import streamlit as st

import vae
from pages import cache
from pages.ui import examples, pictures, state, words
from pages.ui.language import _
from vae import figures
from vae.model import AnyConfig


class Chosen(NamedTuple):
    """The model in use, the data set of the image that all panels are about, its row, and those of the race."""

    model: cache.Model
    config: AnyConfig
    dataset: vae.Dataset
    row: int
    rows: tuple[int, ...]

    @property
    def name(self) -> str:
        """What the image is called."""
        drawn = len(self.dataset.test) == 1
        return words.classes(self.dataset)[0] if drawn else _("test image {row}").format(row=self.row)


def images(model: cache.Model) -> Chosen:
    """Lets a visitor choose among one test image of each class or varied ones, any by its number, or the drawing."""
    config, dataset, drawing = cache.record(model[0]).model, cache.images(model), state.drawing()
    if drawing is not None and drawing.shape == config.image_shape:
        if state.drawing_is_asked_for():
            return _drawing(model, cache.drawing(drawing))
        st.button(
            _("Your drawing"), icon=":material/draw:", key="likelihood.drawing", on_click=state.ask_for_drawing,
            args=(True,),
        )  # fmt: skip
    last = len(dataset.test) - 1
    row = min(state.image(), last)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            _("Test image"), 0, last, row, width=140,
            help=_("Its number in the test set. Or choose one below, or click on the plane."),
        )  # fmt: skip
        if number != row:
            state.use_image(int(number))
            row = int(number)
        which = 1
        if examples.by_class(model):
            which = int(st.number_input(_("Which of each class"), 1, 50, 1, key="likelihood.which", width=160))
        whole = st.segmented_control(
            _("The race is run for"), [False, True], default=False, required=True, key="likelihood.whole",
            format_func=lambda every: _("all of these") if every else _("this image"),
        )  # fmt: skip
    shown = examples.show(model, "likelihood.image.", state.use_image, used=row, which=which)
    return Chosen(model, config, dataset, row, tuple(shown) if whole else (row,))


def _drawing(model: cache.Model, dataset: vae.Dataset) -> Chosen:
    """Shows the drawing, and the way back to the test images."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        image = dataset.test.images[0].numpy() / 255
        name = words.classes(dataset)[0]
        st.image(figures.png_uri(pictures.plain(image, 4)), caption=name, alt=name, width=112)
        st.button(
            _("Back to the test images"), icon=":material/arrow_back:", key="likelihood.back",
            on_click=state.ask_for_drawing, args=(False,),
        )  # fmt: skip
    return Chosen(model, cache.record(model[0]).model, dataset, 0, (0,))
