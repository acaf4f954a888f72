"""Control of training runs: pause, resume, change, stop, and the choice of the run to watch."""

import contextlib

import streamlit as st

from pages.classroom import acts
from pages.ui import state, words
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae import jobs
from vae.errors import JobError, VAEError
from vae.jobs import read_plan
from vae.model import TrainConfig, folders


def watched() -> jobs.Job | None:
    """Returns the run to watch: the one in the link or started here, else the latest; None if there is none."""
    chosen = state.watched()
    return (jobs.status(chosen) if chosen else None) or jobs.latest()


def known(name: str) -> str:
    """Parses the name of a training run in a link."""
    try:
        if jobs.status(name):
            return name
    except VAEError:
        pass  # not a valid name
    raise ValueError(name)


def row(job: jobs.Job) -> bool:
    """Draws the controls of the run that is watched; tells whether it has just been resumed from a pause."""
    if not acts.may_change(job.name):
        st.caption(_("This run belongs to someone else. You can only watch it."), width="content")
        return False
    if job.state == "running" and st.button(_("Pause"), icon=":material/pause:", key="train.pause"):
        acts.pause(job.name)
        st.toast(_("Pausing after this step."))
    resumed = job.state == "paused" and st.button(_("Resume"), icon=":material/play_arrow:", key="train.resume")
    if resumed:
        acts.resume(job.name)
    if job.state in ("running", "paused"):
        with contextlib.suppress(JobError):  # it is only just starting
            plan = read_plan(folders()[0] / job.name)
            with st.popover(_("Change settings"), icon=":material/tune:", key="train.change"):
                _change(job.name, plan.training)
    if job.busy and st.button(
        _("Stop training"), icon=":material/stop:", key="train.stop", help=_("The model is saved in its current state.")
    ):
        acts.stop(job.name)
        st.toast(_("Stopping."))
    if jobs.resumable(job.name) and st.button(
        _("Resume"), icon=":material/play_arrow:", key="train.again", help=_("Continue from the last saved state.")
    ):
        acts.resume(job.name)
        st.rerun(scope="app")
    return resumed


def _change(name: str, training: TrainConfig) -> None:
    """Draws the settings that can be changed during training."""
    has_kl = training.objective != "autoencoder"
    with st.form(f"train.changes of {name}", border=False):
        rate = st.number_input(
            _("Peak learning rate"), value=training.learning_rate, step=1e-4, format="%g",
            key=f"train.rate of {name}", help=_("The schedule continues with this peak value."),
        )  # fmt: skip
        beta = st.number_input(
            _("KL weight β"), value=float(training.beta), step=0.5, format="%g", key=f"train.beta of {name}",
            disabled=not has_kl, help=None if has_kl else _("An autoencoder has no KL term."),
        )  # fmt: skip
        if st.form_submit_button(_("Apply from the next step"), icon=":material/check:"):
            try:
                acts.change(name, learning_rate=rate, beta=beta if has_kl else None)
            except VAEError as error:
                st.toast(said(error), icon=":material/error:")  # a toast survives the next rerun of the fragment
            else:
                st.toast(_("The change takes effect at the next step."))
    if (reports := jobs.history(name)) and reports[-1].learning_rate is not None:
        now = reports[-1]
        st.caption(
            _("At step {step:,}, the learning rate was {rate:.2g} and β was {beta:.2g}.").format(
                step=now.step, rate=now.learning_rate, beta=now.beta or 0
            )
        )


def choose() -> None:
    """Draws the choice of a run to watch, whoever started it, and the queue."""
    job, names = watched(), [each.name for each in jobs.known()]
    if job is None or len(names) < 2:
        return
    st.session_state["train.watch"] = job.name
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            _("Training run to watch"), names, key="train.watch", width=300,
            on_change=lambda: state.watch(st.session_state["train.watch"]),
        )  # fmt: skip
        if len(jobs.queue()) > 1:
            with st.popover(_("Queue"), icon=":material/format_list_numbered:", key="train.queue"):
                _queue()


@fragment(run_every=2.0)
def _queue() -> None:
    """Draws the runs in progress and those waiting, in order."""
    for place, job in enumerate(jobs.queue(), 1):
        reports = jobs.history(job.name)
        with st.container(horizontal=True, vertical_alignment="center"):
            done = f", {reports[-1].step / reports[-1].steps:.0%}" if reports else ""
            st.markdown(f"{place}. **{job.name}** · {words.state(job.state)}{done}")
            if st.button(_("Watch"), key=f"train.watch {job.name}", icon=":material/visibility:"):
                state.watch(job.name)
                st.rerun(scope="app")
            if not acts.may_change(job.name):
                continue
            if job.state == "running" and st.button(_("Pause"), key=f"train.pause {job.name}", icon=":material/pause:"):
                acts.pause(job.name)
            if job.state == "paused" and st.button(
                _("Resume"), key=f"train.resume {job.name}", icon=":material/play_arrow:"
            ):
                acts.resume(job.name)
            if st.button(_("Stop"), key=f"train.stop {job.name}", icon=":material/stop:"):
                acts.stop(job.name)
