"""The list of data sets: example images, counts, and a button to remove a user's own."""

import numpy as np
import streamlit as st

from pages import cache
from pages.classroom import acts
from pages.train.panels.importing import names_of_own
from pages.ui import pictures, words
from pages.ui.language import _, said
from vae import data
from vae.data import stored
from vae.errors import DataError, VAEError

SHOWN, COLUMNS = 24, 12  # images of each


def show() -> None:
    """Draws a row for each data set on disk."""
    kept = st.session_state.pop("data.kept", None)
    if kept:
        st.success(
            _("{name} was saved. You can choose it as the data set on the Train page.").format(name=kept),
            icon=":material/check:",
        )
    if trouble := st.session_state.pop("data.trouble", None):
        st.error(trouble, icon=":material/error:")
    own = names_of_own()
    st.subheader(_("Data sets"), anchor=False)
    for name in [*own, *(each for each in data.NAMES if data.available(each))]:
        _row(name, name in own)


def _row(name: str, own: bool) -> None:
    try:
        found = cache.dataset(name)
    except DataError as error:
        st.warning(said(error), icon=":material/warning:")
        return
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="top")
    with left:
        rows = np.linspace(0, len(found.train) - 1, min(SHOWN, len(found.train))).astype(int)
        columns = min(COLUMNS, len(rows))
        images = found.train.images[rows[: len(rows) // columns * columns]].numpy() / 255
        pictures.strip(images, found.title, columns=columns, scale=2)
    with right:
        size = words.sides(found.image_shape)
        count = len(found.classes) if found.labelled else 0
        classes = (
            _("{count:,} classes").format(count=count) if count > 1 else _("one class") if count else _("no labels")
        )
        st.markdown(f"**{found.title}** (`{name}`)")
        st.caption(
            _("{train:,} training and {test:,} held-out images of {size}, {classes}").format(
                train=len(found.train), test=len(found.test), size=size, classes=classes
            )
        )
        card = stored.read_card(name) if own else None
        if card is not None:
            with st.container(horizontal=True, gap="small"):
                _about(card)
            if not acts.may_remove(name):
                st.caption(_("This data set belongs to someone else. You can train models on it."))


def _about(card: stored.Card) -> None:
    """Draws the details of a user's own data set, and the button to remove it."""
    with st.popover(_("Details"), icon=":material/badge:"):
        st.markdown(_("Imported on {date} from `{source}`.").format(date=card.date, source=card.source))
        for step in card.steps:
            st.markdown(f"- {words.literal(said(step))}")
        for warning in card.warnings:
            st.warning(said(warning), icon=":material/warning:")
        st.caption(_("SHA-256 checksum of images and labels: {sum}").format(sum=f"`{card.checksum[:16]}…`"))
    if acts.may_remove(card.name):
        with st.popover(_("Remove"), icon=":material/delete:"):
            st.markdown(_("{name} will be deleted from disk. Models trained on it are kept.").format(name=card.name))
            st.button(
                _("Delete permanently"), key=f"data.remove.{card.name}", on_click=_remove, args=(card.name,),
                type="primary",
            )  # fmt: skip


def _remove(name: str) -> None:
    try:
        acts.remove_set(name)
    except VAEError as error:
        st.session_state["data.trouble"] = said(error)
    cache.forget_datasets()
