"""The reports and comparisons stored with a model, and buttons that open them."""

import time

import streamlit as st

from pages import cache
from pages.ui import state, words
from pages.ui.language import _
from vae.errors import VAEError
from vae.jobs import shelf

GO = "models.go"  # the requested page


def show(name: str) -> None:
    """Draws a line for each report and each comparison."""
    try:
        model = cache.model_id(name)
        found, shown_with = cache.kept_beside(model), cache.images(model).name
    except (VAEError, OSError):  # the card shows the error
        return
    if not found:
        return
    st.markdown("**" + _("Reports and comparisons") + "**")
    for kind, data, written in found:
        says = _("Report on {data}") if kind == "report" else _("Comparison of the estimators on {data}")
        line = says.format(data=words.literal(data))
        if kind == "report" or name not in shelf.SHIPPED:  # files that are built in are as old as the installation
            line += ", " + time.strftime("%Y-%m-%d %H:%M", time.localtime(written))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(line, width="content")
            if data == shown_with:
                page = "measure/report" if kind == "report" else "measure/likelihood"
                st.button(
                    _("Open"), icon=":material/open_in_new:", on_click=go, args=(name, page),
                    key=f"models.beside.{kind}.{data}", type="tertiary",
                )  # fmt: skip


def go(name: str, page: str) -> None:
    """Selects a model, and requests a page."""
    state.use_model(name)
    st.session_state[GO] = page
