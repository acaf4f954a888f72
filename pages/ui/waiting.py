"""What a visitor is told while the pool works for them: in one place under the title, so that nothing else moves."""

import contextlib

import streamlit as st
from streamlit.errors import StreamlitInvalidLayoutContextError

from pages import cache
from pages.ui.language import _

_PLACE = "place for waiting"


def begin() -> None:
    """Makes the place, over the lower edge of the title; to be called beside that."""
    st.session_state[_PLACE] = st.container(key="waiting").empty()
    cache.kept.tell = show


def show(before: int | None) -> None:
    """Says how many pieces of work come before the visitor's, or nothing any more for None.

    A part of the page that runs again by itself says nothing: Streamlit does not let it write into the title.
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
