"""The notice shown while the pool computes, in a fixed place below the title, so that nothing else moves."""

import contextlib

import streamlit as st
from streamlit.errors import StreamlitInvalidLayoutContextError

from pages import cache
from pages.ui.language import _

_PLACE = "place for waiting"


def begin() -> None:
    """Creates the place at the lower edge of the title; call it beside the title."""
    st.session_state[_PLACE] = st.container(key="waiting").empty()
    cache.kept.tell = show


def show(before: int | None) -> None:
    """Shows the number of tasks ahead of the user's, or removes the notice for None.

    A fragment shows nothing when it reruns, because Streamlit does not let it write into the title.
    """
    place = st.session_state.get(_PLACE)
    if place is None:
        return
    with contextlib.suppress(StreamlitInvalidLayoutContextError):
        if before is None:
            place.empty()
        elif before:
            place.caption(
                ":material/hourglass_top: " + _("Computing; {count} ahead of you in the queue").format(count=before)
            )
        else:
            place.caption(":material/hourglass_top: " + _("Computing …"))
