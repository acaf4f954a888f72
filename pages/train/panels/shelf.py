"""The list of models, and the actions on a user's own: rename, copy, delete, undo."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from pages import cache
from pages.classroom import acts, roles
from pages.train.panels import beside, card
from pages.ui import state, words
from pages.ui.language import _, said
from vae import catalogue
from vae.errors import VAEError
from vae.jobs import shelf
from vae.model import Record

UNDO, TROUBLE = "models.undo", "models.trouble"
ADDED = "models.added"  # the name of a model just saved, and sentences about it
PAGES = Path(__file__).parents[2]


def choose() -> Record:
    """Draws the table, with the user's own models first, and returns the record of the selected model."""
    if path := st.session_state.pop(beside.GO, None):
        st.switch_page(str(PAGES / f"{path}.py"))
    records, _troubles = catalogue()
    records = sorted(records, key=lambda record: _order(record.name))
    whose = {_("Owner"): [card.whose(record.name) for record in records]} if roles.active() else {}
    with st.container(key="models"):
        st.table(
            {
                _("Model"): [record.name for record in records],
                **whose,
                _("J"): [record.model.latent for record in records],
                _("Likelihood"): [words.likelihood(record.model.likelihood) for record in records],
                _("Images"): [words.sides(record.model.image_shape) for record in records],
                _("Data set"): [words.literal(record.data) for record in records],
                _("Held-out ELBO, nats"): [_elbo(record) for record in records],
                _("Origin"): [card.origin(record) for record in records],
            },
            hide_index=True, border="horizontal", height=min(32 + 30 * len(records), 450),
        )  # fmt: skip
    names = [record.name for record in records]
    if added := st.session_state.get(ADDED):
        st.session_state["models.one"] = added[0]
    state.begin("models.one", state.one_of(names), state.model())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox(_("Model to inspect"), names, key="models.one", width=260)
        _button(_("Use"), "play_arrow", lambda: state.use_model(name), key="models.use")
        _ways(name, "card")
    return records[names.index(name)]


def change(name: str) -> None:
    """Draws the actions on a model: copy, rename, delete, undo."""
    own = shelf.own(name)
    free = own and acts.may_change(name)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        new = st.text_input(
            _("New name"), key="models.new", width=220, help=_("Use lower-case letters, digits and hyphens.")
        )
        _button(_("Copy"), "content_copy", lambda: acts.copy(name, new), key="models.copy", disabled=not new)
        _button(_("Rename"), "edit", lambda: _rename(name, new), key="models.rename", disabled=not (new and free))
        _button(_("Delete"), "delete", lambda: _discard(name), key="models.delete", disabled=not free)
    if trouble := st.session_state.pop(TROUBLE, None):
        st.error(trouble, icon=":material/error:")
    if name in shelf.SHIPPED:
        st.caption(_("{name} is built in. You can copy it under a new name.").format(name=name))
    elif not own:
        st.caption(_("{name} is being trained. Stop the training first.").format(name=name))
    elif not free:
        st.caption(_("{name} belongs to someone else. You can use it, and copy it under a new name.").format(name=name))
    if token := st.session_state.get(UNDO):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(_("{name} was deleted.").format(name=token.partition("-")[2]), width="content")
            _button(_("Undo"), "undo", lambda: _bring_back(token), key="models.back")


def welcome() -> None:
    """Says that a model was just saved, with links to pages about it; below the import form."""
    added = st.session_state.pop(ADDED, None)
    if added is None:
        return
    name, says = added
    kept = _("{name} was saved. It is first in the table, and selected.").format(name=f"**{name}**")
    told = " ".join(words.literal(said(sentence)) for sentence in says)
    st.success(f"{kept}  \n{told}" if told else kept, icon=":material/check:")
    with st.container(horizontal=True, gap="small"):
        _ways(name, "kept")


def _ways(name: str, place: str) -> None:
    """Draws links from a model to the pages about it."""
    titles = {
        "explore/latent_map": (_("Latent map"), "scatter_plot"), "measure/likelihood": (_("Likelihood"), "query_stats"),
        "measure/report": (_("Report"), "summarize"),
    }  # fmt: skip
    for path, (title, icon) in titles.items():
        _button(title, icon, partial(beside.go, name, path), key=f"models.{place}.{path}")


def _order(name: str) -> tuple[bool, float, str]:
    """Sort key: the user's own models first, newest first."""
    own = name not in shelf.SHIPPED
    try:
        return not own, -cache.model_id(name)[1] if own else 0.0, name
    except (VAEError, OSError):  # deleted in the meantime
        return not own, 0.0, name


def _elbo(record: Record) -> str:
    return words.number(record.held_out["elbo"]) if "elbo" in record.held_out else ""


def _button(label: str, icon: str, act: Callable[[], object], *, key: str, disabled: bool = False) -> None:
    st.button(label, icon=f":material/{icon}:", on_click=_done, args=(act,), key=key, disabled=disabled)


def _done(act: Callable[[], object]) -> None:
    try:
        act()
    except VAEError as error:
        st.session_state[TROUBLE] = said(error)


def _rename(name: str, new: str) -> None:
    acts.rename(name, new)
    st.session_state["models.one"] = new
    if state.model() == name:
        state.use_model(new)


def _discard(name: str) -> None:
    st.session_state[UNDO] = acts.discard(name)
    st.session_state.pop("models.one", None)
    if state.model() == name:
        state.use_model(state.DEFAULT_MODEL)


def _bring_back(token: str) -> None:
    try:
        st.session_state["models.one"] = acts.bring_back(token)
    finally:
        if token not in shelf.discarded():  # else its name is taken; it can be restored once that is free
            st.session_state.pop(UNDO)
