"""Additions to each page of a class: the lecturer's switch to lead, and the students' notice of following."""

import streamlit as st

from pages.classroom import lead, roles
from pages.ui import state
from pages.ui.browser.mount import component
from pages.ui.language import _, said
from vae.errors import VAEError

__all__ = ["show_following", "show_switch"]

_SWITCH = "lead.on"


def show_switch() -> None:
    """Draws the lecturer's switch at the top of the sidebar."""
    if roles.role() is roles.Role.LECTURER and not state.hidden("sidebar"):
        st.session_state[_SWITCH] = lead.now() is not None
        says = _(
            "All students' screens show your page, chapter, model, image and z, until a student stops following or "
            "you switch this off."
        )
        st.sidebar.toggle(_("Follow me"), key=_SWITCH, help=says, on_change=_turn)


def _turn() -> None:
    try:
        if st.session_state[_SWITCH]:
            lead.start()
        else:
            lead.stop()
    except VAEError as error:
        st.toast(said(error), icon=":material/error:")


def show_following() -> None:
    """Shows a student below the title that the lecturer is leading, with a button to stop or resume following."""
    if roles.role() is roles.Role.STUDENT:
        _follow()


@st.fragment
def _follow() -> None:
    # The browser polls for changes, and reruns this part of the page if there is one.
    if lead.is_behind():
        st.rerun()
    component("lead")(key="lead.news", data={"known": lead.known()}, height=1, on_news_change=_nothing)
    if lead.now() is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="lead"):
        if lead.following():
            st.caption(":material/co_present: " + _("This screen is following the lecturer."))
            st.button(_("Stop following"), key="lead.let_go", on_click=lead.let_go)
        else:
            st.caption(":material/co_present: " + _("The lecturer is leading, but this screen is not following."))
            st.button(_("Follow again"), key="lead.go_on", type="primary", on_click=lead.go_on)


def _nothing() -> None:
    """Streamlit requires a callback for each value that a component sends."""
