"""Status: how the server stands, for whoever runs it."""

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
    """Draws the tables, again and again."""
    found = standing.now()
    rows = [
        (_("Sessions: tabs that are connected"), str(found.sessions)),
        (_("Running for"), words.seconds(time.time() - found.since)),
        (_("Version"), health.state()["version"]),
        (_("Processes that work things out"), str(found.workers)),
        (_("Pieces of work at hand"), str(found.at_hand)),
        (_("Pieces of work that wait"), str(found.waiting)),
        (_("Memory of the server"), _size(found.server_bytes)),
        (_("Memory of its processes"), _size(found.workers_bytes)),
        (_("Memory that is free"), _size(found.free_bytes)),
        (_("Values kept in memory"), _of(found.kept_bytes, kept.MOST)),
        (_("Values kept on disk"), _of(found.cache_bytes, disk.MOST)),
        (_("Files of such values"), str(found.cache_files)),
        (_("Disk that is free"), _size(found.disk_bytes)),
        (_("Models of your own can be kept"), _yes(health.state()["checkpoints"]["writable"])),
        (_("Events are written down"), _yes(log.writes())),
    ]
    st.table(
        {_("What"): [name for name, _value in rows], _("Now"): [value for _name, value in rows]},
        hide_index=True, border="horizontal",
    )  # fmt: skip
    st.subheader(_("Trainings"))
    if not found.jobs:
        st.caption(_("None runs, and none waits."))
        return
    st.table(
        {
            _("Model"): [words.literal(job.name) for job in found.jobs],
            _("State"): [words.state(job.state) for job in found.jobs],
            _("Before it"): [job.ahead for job in found.jobs],
        },
        hide_index=True, border="horizontal",
    )  # fmt: skip


def _size(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _of(size: int, most: int) -> str:
    return _("{size} of {most} at most").format(size=_size(size), most=_size(most))


def _yes(whether: bool) -> str:
    return _("yes") if whether else _("no")


if roles.role() is roles.Role.STUDENT:
    st.error(_("This page is for the lecturer of a class alone."), icon=":material/error:")
else:
    st.markdown(_("How the server stands, for whoever runs it. The tables are renewed every few seconds."))
    show()
