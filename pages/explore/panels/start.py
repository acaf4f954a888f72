"""The starting point of a panel: the current image or latent, another test image, or the drawing."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages import cache
from pages.ui import pictures, state, words
from pages.ui.language import _
from vae import figures, latent


class Start(NamedTuple):
    """A latent (J,) with an image, uint8, that it was encoded from or decodes to, and a description."""

    z: NDArray
    image: NDArray[np.uint8]
    words: str
    row: int | None = None


def in_use(model: cache.Model) -> Start:
    """Returns the current test image, or the latent if one was chosen by hand."""
    row = cache.row(model)
    if row is not None:
        return of_row(model, row)
    z = cache.z(model)
    return Start(z, figures.picture(latent.decode(cache.load(model), z[None]).mean[0]), _("the current z, decoded"))


def of_row(model: cache.Model, row: int) -> Start:
    """Returns a test image."""
    dataset = cache.images(model)
    return Start(cache.codes(model).mean[row], dataset.test.images[row].numpy(), words.image(dataset, row), row)


def of_drawing(model: cache.Model) -> Start | None:
    """Returns the drawing, if there is one of the model's size."""
    drawing = state.drawing()
    if drawing is None or drawing.shape != cache.record(model[0]).model.image_shape:
        return None
    return Start(cache.latent.encoded(model, drawing), drawing, _("your drawing"))


def picture(one: Start, says: str = "{words}") -> None:
    """Shows the image of a starting point."""
    caption = says.format(words=one.words)
    st.image(figures.png_uri(pictures.plain(one.image / 255, 4)), caption=caption, alt=caption, width=112)


def choose(model: cache.Model, key: str, label: str) -> Start:
    """Returns the current image or latent, or the drawing if the user prefers it."""
    drawn = of_drawing(model)
    if drawn is None:
        return in_use(model)
    names = {"use": _("current image or z"), "drawing": _("your drawing")}
    picked = st.segmented_control(
        label, list(names), default="use", required=True, format_func=names.__getitem__, key=f"{key}.start"
    )
    return drawn if picked == "drawing" else in_use(model)
