"""What the pages of one session share, the names it is kept under, and how it stands in the link."""

import contextlib
import math
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

MODEL = "model"
_IMAGE = "image"
_Z = "z"
_SEED = "seed"
_DRAWING = "drawing"
_ASKED = "drawing in use"
_READ = "link read"
DEFAULT_MODEL = "mnist-2d"


def model() -> str:
    """The name of the model in use."""
    return st.session_state.get(MODEL) or DEFAULT_MODEL


def use_model(name: str) -> None:
    """Puts a model in use; to be called before the sidebar is drawn, as a callback is."""
    st.session_state[MODEL] = name


def image() -> int:
    """The row of the test image in use."""
    return st.session_state.get(_IMAGE, 0)


def use_image(row: int) -> None:
    """Puts a test image in use, and with it the mean of its q(z|x) as z."""
    ask_for_drawing(False)
    st.session_state[_IMAGE] = row
    st.session_state[_Z] = None


def z() -> tuple[float, ...] | None:
    """The latent in use where it is not an image's; it may be one of another model, with another J."""
    return st.session_state.get(_Z)


def use_z(z: tuple[float, ...]) -> None:
    """Puts a latent in use."""
    st.session_state[_Z] = z


class Drawing(NamedTuple):
    """What was drawn or uploaded last.

    Attributes:
        image: (H, W) in [0, 255].
        id: another one for each drawing.
        strokes: of the pen, as the pad keeps them, so that it can go on with them.
        ground: the image under the strokes, if there is one.
    """

    image: NDArray[np.uint8]
    id: str
    strokes: list[Any]
    ground: NDArray[np.uint8] | None


def drawing() -> NDArray[np.uint8] | None:
    """The image (H, W) in [0, 255] that was drawn or uploaded last."""
    drawn = drawn_last()
    return None if drawn is None else drawn.image


def drawn_last() -> Drawing | None:
    """What was drawn or uploaded last, and how."""
    return st.session_state.get(_DRAWING)


def use_drawing(drawn: Drawing | None) -> None:
    """Keeps what was drawn."""
    st.session_state[_DRAWING] = drawn


def drawing_is_asked_for() -> bool:
    """Whether pages that are about one image are to be about the drawing."""
    return drawing() is not None and st.session_state.get(_ASKED, False)


def ask_for_drawing(wanted: bool) -> None:
    """Puts the drawing in use in place of a test image, or takes it back."""
    st.session_state[_ASKED] = wanted


def seed() -> int:
    """The seed of what is drawn on the pages."""
    return st.session_state.get(_SEED, 0)


def draw_again() -> None:
    """Makes all that is drawn come out anew."""
    st.session_state[_SEED] = seed() + 1


def read_link() -> None:
    """Takes the image and the latent from the link, once a session; what is no such thing is passed over."""
    if st.session_state.setdefault(_READ, False):
        return
    st.session_state[_READ] = True
    with contextlib.suppress(ValueError, KeyError):
        use_image(max(int(st.query_params[_IMAGE]), 0))
    with contextlib.suppress(ValueError, KeyError):
        values = tuple(float(number) for number in st.query_params[_Z].split(","))
        if all(math.isfinite(value) and abs(value) <= 1000 for value in values):
            use_z(values)


def write_link() -> None:
    """Puts the image and the latent into the link, where they are not the first ones."""
    latent = z()
    for name, value in ((_IMAGE, str(image()) if image() else ""), (_Z, ",".join(f"{v:.4g}" for v in latent or ()))):
        if st.query_params.get(name, "") != value:
            if value:
                st.query_params[name] = value
            else:
                del st.query_params[name]
