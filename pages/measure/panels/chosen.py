"""Which model and which test images the panels are about."""

from gettext import gettext as _
from typing import NamedTuple

import numpy as np
import streamlit as st

import vae
from pages.ui import cache, pictures, state
from vae import figures


class Chosen(NamedTuple):
    """The model in use, its data, the image that all panels are about, and those that the race is about."""

    model: cache.Model
    config: vae.ModelConfig
    dataset: vae.Dataset
    row: int
    rows: tuple[int, ...]


def images(model: cache.Model) -> Chosen:
    """Lets a visitor choose among one test image of each class, or any by its number."""
    dataset = cache.images(model)
    labels = dataset.test.labels.numpy()
    row = min(state.image(), len(labels) - 1)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            _("Test image"), 0, len(labels) - 1, row, width=140,
            help=_("Its number in the test set. Or choose one below, or click on the plane."),
        )  # fmt: skip
        if number != row:
            state.use_image(int(number))
            row = int(number)
        which = st.number_input(_("Which of each class"), 1, 50, 1, key="likelihood.which", width=160)
        whole = st.segmented_control(
            _("The race is run for"), [False, True], default=False, required=True, key="likelihood.whole",
            format_func=lambda every: _("all of these") if every else _("this image"),
        )  # fmt: skip
    shown = []
    with st.container(horizontal=True, gap="small"):
        for label, name in enumerate(dataset.classes):
            found = np.flatnonzero(labels == label)
            if not len(found):
                continue
            shown.append(int(found[min(int(which), len(found)) - 1]))
            with st.container(width=64, gap="small"):
                image = figures.png_uri(pictures.grey(dataset.test.images[shown[-1]].numpy() / 255, 2))
                alt = _("test image {row}, {name}").format(row=shown[-1], name=name)
                st.image(image, width=56, alt=alt)
                st.button(
                    name, key=f"likelihood.image.{label}", width="stretch", on_click=state.use_image, args=(shown[-1],),
                    type="primary" if shown[-1] == row else "secondary", help=alt,
                )  # fmt: skip
    return Chosen(model, cache.record(model[0]).model, dataset, row, tuple(shown) if whole else (row,))
