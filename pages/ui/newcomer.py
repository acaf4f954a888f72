"""Recognises newcomers, who opened the explorer without a link and have not selected anything yet."""

import streamlit as st

from pages.ui import state

_BARE = "came with a bare address"


def note() -> None:
    """Records once per session whether the address has no parameters but a language; call it before any is written."""
    if _BARE not in st.session_state:
        st.session_state[_BARE] = not st.query_params.keys() - {state.LANGUAGE}


def is_here() -> bool:
    """Whether this session started from an address without parameters."""
    return st.session_state.get(_BARE, False)


def has_nothing_in_use() -> bool:
    """Whether this is a newcomer who has not selected an image or a latent yet."""
    return is_here() and state.z() is None and state.image(first=-1) == -1
