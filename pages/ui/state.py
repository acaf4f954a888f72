"""What the pages of one session share, and the names it is kept under."""

import streamlit as st

MODEL = "model"
_IMAGE = "image"
_SEED = "seed"
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
    """Puts a test image in use."""
    st.session_state[_IMAGE] = row


def seed() -> int:
    """The seed of what is drawn on the pages."""
    return st.session_state.get(_SEED, 0)


def draw_again() -> None:
    """Makes all that is drawn come out anew."""
    st.session_state[_SEED] = seed() + 1
