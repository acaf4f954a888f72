"""Who comes with a bare address: a visitor to be shown around, until something is in use."""

import streamlit as st

from pages.ui import state

_BARE = "came with a bare address"


def note() -> None:
    """Notes, once a session, whether the address says nothing but a language; to be called before one is written."""
    if _BARE not in st.session_state:
        st.session_state[_BARE] = not st.query_params.keys() - {state.LANGUAGE}


def is_here() -> bool:
    """Whether this session is that of someone who came with a bare address."""
    return st.session_state.get(_BARE, False)


def has_nothing_in_use() -> bool:
    """Whether a newcomer has not chosen an image or a latent yet."""
    return is_here() and state.z() is None and state.image(first=-1) == -1
