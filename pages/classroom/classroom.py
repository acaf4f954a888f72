"""The page Class, for the lecturer only: the address for students, their limits, and what they have."""

from collections.abc import Iterable
from dataclasses import asdict

import segno
import streamlit as st

from pages.classroom import acts, limits, marks, roles
from pages.ui import words
from pages.ui.language import _, said
from vae import jobs
from vae.errors import VAEError


def way_in() -> None:
    """Draws the address for students and its QR code, for projection."""
    address = str(roles.register().get("address", ""))
    if not address:
        return
    left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
    picture = segno.make(address, micro=False).svg_data_uri(scale=10, border=4, dark="#000", light="#fff")
    says = _("QR code of {address}").format(address=address)
    left.html(f'<img src="{picture}" alt="{says}" style="width: 100%; max-width: 24rem">')
    right.markdown(f"## {words.literal(address)}")
    right.caption(
        _(
            "Students open this address. The link in your own address bar contains your key, which allows everything. "
            "Do not share it, and show this page in full screen (F11) to hide it."
        )
    )


def bounds() -> None:
    """Draws the form with the limits, and sets them on submission."""
    st.subheader(_("Limits for each student"), anchor=False)
    labels = {
        "epochs": _("Epochs per run"), "minutes": _("Minutes per run"), "weights": _("Weights per model"),
        "trainings": _("Runs at a time"), "models": _("Models"), "sets": _("Data sets"),
        "megabytes": _("MB per upload"),
    }  # fmt: skip
    now = asdict(limits.get())
    with st.form("class.limits", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            values = {
                name: st.number_input(label, 1, limits.HIGHEST[name], now[name], key=f"class.{name}", width=150)
                for name, label in labels.items()
            }
        st.caption(
            _(
                "Training runs wait in a queue, and one runs at a time. Its minutes count from when it starts to "
                "run, including pauses."
            )
        )
        if st.form_submit_button(_("Save"), type="primary", icon=":material/save:"):
            limits.put(limits.Limits(**{name: int(value) for name, value in values.items()}))
            st.success(_("The limits were saved and apply from now on."), icon=":material/check:")


def students() -> None:
    """Draws a table of what each student has."""
    st.subheader(_("Students"), anchor=False)
    found = marks.owners()
    if not found:
        st.caption(_("No student has a model or a data set yet."))
        return
    busy = {job.name for job in jobs.queue()}
    st.table(
        {
            _("Student"): [mark[:6] for mark in found],
            _("Models"): [_listed(set(marks.models(mark)) - busy) for mark in found],
            _("Training runs"): [_listed(set(marks.models(mark)) & busy) for mark in found],
            _("Data sets"): [_listed(marks.sets(mark)) for mark in found],
        },
        hide_index=True, border="horizontal",
    )  # fmt: skip
    if busy:
        st.button(_("Stop all training runs"), icon=":material/stop:", key="class.stop", on_click=_stop_all)
    st.caption(_("You can stop and delete each of these on the Train, Models and Data pages."))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(words.literal, sorted(names)))


def _stop_all() -> None:
    try:
        for job in jobs.queue():
            acts.stop(job.name)
    except VAEError as error:
        st.toast(said(error), icon=":material/error:")
    else:
        st.toast(_("Stopping."))


if roles.role() is roles.Role.LECTURER:
    way_in()
    bounds()
    students()
else:
    st.error(_("This page is only for the lecturer of the class."), icon=":material/error:")
