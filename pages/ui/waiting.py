"""The notice shown while the pool computes, in a fixed place below the title, so that nothing else moves."""

import contextlib
from collections.abc import Iterator

import streamlit as st
from streamlit.errors import StreamlitInvalidLayoutContextError

from pages import cache
from pages.ui.language import _

_PLACE, _LAST = "place for waiting", "last notice of waiting"


def begin() -> None:
    """Creates the place at the lower edge of the title; call it beside the title."""
    st.session_state[_PLACE], st.session_state[_LAST] = st.container(key="waiting").empty(), None
    cache.kept.tell = show


@contextlib.contextmanager
def here() -> Iterator[None]:
    """Shows the notice at this place instead: a part of a page that reruns by itself cannot write into the title."""
    title, st.session_state[_PLACE] = st.session_state.get(_PLACE), st.empty()
    if (last := st.session_state.get(_LAST)) is not None:
        show(last)  # at once, so that it does not flicker when the part reruns
    try:
        yield
    finally:
        st.session_state[_PLACE] = title


def show(before: int | None) -> None:
    """Shows the number of tasks ahead of the user's, or removes the notice for None.

    A fragment shows nothing when it reruns, unless it is within `here`.
    """
    place, st.session_state[_LAST] = st.session_state.get(_PLACE), before
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
