"""What can be asked of a training that is under way."""

import streamlit as st

from pages.ui import state
from pages.ui.language import _
from vae import jobs
from vae.errors import VAEError


def watched() -> jobs.Job | None:
    """Returns the training to watch: the one in the link or begun here, else the latest; None where there is none."""
    chosen = state.watched()
    return (jobs.status(chosen) if chosen else None) or jobs.latest()


def known(name: str) -> str:
    """Parses the name of a training in a link."""
    try:
        if jobs.status(name):
            return name
    except VAEError:
        pass  # no name at all
    raise ValueError(name)


def row(job: jobs.Job) -> None:
    """Draws what can be asked of a training that is under way."""
    if job.state == "running" and st.button(_("Pause"), icon=":material/pause:", key="train.pause"):
        jobs.pause(job.name)
    if job.state == "paused":
        if st.button(_("Resume"), icon=":material/play_arrow:", key="train.resume"):
            jobs.resume(job.name)
        if st.button(_("One step"), icon=":material/skip_next:", key="train.step", help=_("Of the optimiser.")):
            jobs.step(job.name)
    if st.button(_("Stop training"), icon=":material/stop:", key="train.stop", help=_("Saves what was learned.")):
        jobs.stop(job.name)
        st.toast(_("Stopping."))
