"""The page Status: the state of the server, for its administrator."""

import time

import streamlit as st

from pages.cache import disk, kept
from pages.classroom import roles
from pages.operating import health, log, standing
from pages.ui import words
from pages.ui.fragment import fragment
from pages.ui.language import _

EVERY = 5.0  # seconds


@fragment(run_every=EVERY)
def show() -> None:
    """Draws the tables, and updates them regularly."""
    found = standing.now()
    rows = [
        (_("Sessions (open browser tabs)"), str(found.sessions)),
        (_("Uptime"), words.seconds(time.time() - found.since)),
        (_("Version"), health.state()["version"]),
        (_("Worker processes"), str(found.workers)),
        (_("Tasks in progress"), str(found.at_hand)),
        (_("Tasks waiting"), str(found.waiting)),
        (_("Memory used by the server"), _size(found.server_bytes)),
        (_("Memory used by the workers"), _size(found.workers_bytes)),
        (_("Free memory"), _size(found.free_bytes)),
        (_("Cache in memory"), _of(found.kept_bytes, kept.MOST)),
        (_("Cache on disk"), _of(found.cache_bytes, disk.MOST)),
        (_("Files in the disk cache"), str(found.cache_files)),
        (_("Free disk space"), _size(found.disk_bytes)),
        (_("New models can be saved"), _yes(health.state()["checkpoints"]["writable"])),
        (_("Events are logged"), _yes(log.writes())),
    ]
    st.table(
        {_("Quantity"): [name for name, _value in rows], _("Value"): [value for _name, value in rows]},
        hide_index=True, border="horizontal",
    )  # fmt: skip
    st.subheader(_("Training runs"))
    if not found.jobs:
        st.caption(_("No training is running or waiting."))
        return
    st.table(
        {
            _("Model"): [words.literal(job.name) for job in found.jobs],
            _("State"): [words.state(job.state) for job in found.jobs],
            _("Trainings ahead"): [job.ahead for job in found.jobs],
        },
        hide_index=True, border="horizontal",
    )  # fmt: skip


def _size(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _of(size: int, most: int) -> str:
    return _("{size} of at most {most}").format(size=_size(size), most=_size(most))


def _yes(whether: bool) -> str:
    return _("yes") if whether else _("no")


if roles.role() is roles.Role.STUDENT:
    st.error(_("This page is only for the lecturer of the class."), icon=":material/error:")
else:
    st.markdown(_("The status of the server, for its administrator. The tables are updated every few seconds."))
    show()
