"""The progress of a training run, or how the model in use was trained."""

import time

import numpy as np
import streamlit as st

from pages import cache
from pages.classroom import acts
from pages.train.panels import compare, control, forming, seeds, slow
from pages.ui import language, pictures, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import figures, jobs
from vae.errors import VAEError
from vae.model import MODEL_FILE, ModelConfig, TrainConfig, folders
from vae.training import Report

VIEW = "train.view"
VIEWS = ("one", "compared", "seeds")
QUIET = {"displayModeBar": False}


def show() -> None:
    """Draws the progress of a run, updated while it is in progress."""
    state.begin(VIEW, state.one_of(VIEWS), VIEWS[0])
    names = {"one": _("This run"), "compared": _("Compare runs"), "seeds": _("Other seeds")}
    st.segmented_control(
        _("View"), VIEWS, key=VIEW, format_func=lambda view: names[view], label_visibility="collapsed", required=True
    )
    if (job := control.watched()) and job.busy:
        live()
    else:
        watch()


def view() -> str | None:
    """Returns the selected view for the link, or None for the default."""
    chosen = st.session_state.get(VIEW)
    return None if chosen == VIEWS[0] else chosen


def watch() -> None:
    """Draws the progress of the run that is watched, or how the model in use was trained."""
    job, resumed = control.watched(), False
    name = job.name if job else state.model()
    if job is None:
        st.caption(
            _("This is how {name} was trained. When you train a model of your own, it is shown here.").format(name=name)
        )
    else:
        says = {
            "starting": _("**{name}** is starting: loading PyTorch and the images."),
            "queued": _("**{name}** is waiting in the queue, with {ahead} ahead of it."),
            "running": _("**{name}** is training."),
            "paused": _("**{name}** is paused."),
            "done": _("**{name}** has been trained. You can use it on all pages."),
            "stopped": _("**{name}** was stopped and saved in its current state. You can use it on all pages."),
            "failed": _("The training of **{name}** failed."),
        }
        saved = job.message != jobs.runs.UNBEGUN and (folders()[0] / name / MODEL_FILE).exists()
        if not saved:
            says["stopped"] = _("**{name}** was stopped before its first step, so nothing was saved.")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(says[job.state].format(name=name, ahead=job.ahead))
            resumed = control.row(job)
            if saved and job.state in ("done", "stopped") and state.model() != name:
                st.button(_("Use this model"), type="primary", key="train.use", on_click=state.use_model, args=(name,))
        if job.message and job.message != jobs.runs.UNBEGUN:
            st.error(language.said(job.message), icon=":material/error:")
    if (chosen := st.session_state.get(VIEW)) == "compared":
        compare.show(name)
    elif chosen == "seeds":
        seeds.show(name)
    else:
        training(name, job, resumed)


def training(name: str, job: jobs.Job | None, resumed: bool) -> None:
    """Draws one run: progress, a step in slow motion if it is paused, latent space, losses and KL.

    A page that is slow may receive the clicks on "Next step" and "Resume" together; the step is then one of those that
    follow.
    """
    reports, plan = cache.training.history(name), cache.training.plan(name)
    if plan:
        st.caption(described(*plan) + changed(name))
    if job and job.state == "paused" and not resumed:
        steps(name)
    live = job is not None and job.busy
    if not reports:
        if job and job.state in ("starting", "running"):
            st.progress(0.0, _("The first step will follow in a few seconds."))
            if plan:
                _forming(name, plan, live=live)
        return
    last = reports[-1]
    if live:
        left = last.seconds_left or last.seconds / last.step * (last.steps - last.step)
        st.progress(
            last.step / last.steps,
            _("epoch {epoch:.1f} of {epochs:.0f}, {rate:,.0f} images per second, about {left} left").format(
                epoch=last.epoch,
                epochs=last.steps / last.step * last.epoch,
                rate=last.images_per_second,
                left=words.seconds(left),
            ),
        )
    sort = len(last.kl_by_dimension) > 2 and st.toggle(_("Largest KL first"), key="train.sorted")
    if plan:
        _forming(name, plan, live=live, sort=sort)
    losses(reports)
    carried(reports, sort)
    reconstructions(name)


def described(model: ModelConfig, training: TrainConfig) -> str:
    """Describes a model and its training in one line."""
    nets = [", ".join(map(str, layers)) or _("linear") for layers in (model.encoder_layers, model.decoder_layers)]
    draws = f", {'k' if training.objective == 'iwae' else 'L'} = {training.samples}" if training.samples > 1 else ""
    parts = [
        training.data + (f" ({training.share:.0%})" if training.share < 1 else ""),
        f"J = {model.latent}",
        words.likelihood(model.likelihood),
        *(
            [_("convolutional channels {widths}").format(widths=", ".join(map(str, model.channels)))]
            if model.channels
            else []
        ),
        _("encoder {first}, decoder {second}").format(first=nets[0], second=nets[1]),
        words.objective(training.objective) + draws + (f", β = {training.beta:g}" if training.beta != 1 else ""),
        _("{epochs} epochs, batch size {size}").format(epochs=training.epochs, size=training.batch_size),
        _("learning rate {rate:g}").format(rate=training.learning_rate),
        _("seed {seed}").format(seed=training.seed),
    ]
    return " · ".join(parts)


def changed(name: str) -> str:
    """Describes changes made during training, as recorded in the saved model."""
    says = _(" · after step {step:,.0f}: learning rate {learning_rate:g}, β = {beta:g}")
    try:
        return "".join(says.format(**change) for change in cache.record(name).changes)
    except VAEError:
        return ""


def _forming(name: str, plan: tuple[ModelConfig, TrainConfig], *, live: bool, sort: bool = False) -> None:
    """Draws the latent space as it forms."""
    data, autoencoder = cache.dataset(plan[1].data).name, plan[1].objective == "autoencoder"
    forming.show(name, data, live=live, sort=sort, by_variance=autoencoder)


def steps(name: str) -> None:
    """Draws the last step in slow motion, and takes another on request."""
    before = cache.training.last_step(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        said = st.empty()
        asked = acts.may_change(name) and st.button(_("Next step"), icon=":material/skip_next:", key="train.next")
    if asked:
        acts.step(name)
        for _wait in range(40):  # a step takes milliseconds; if it comes later, a later rerun shows it
            time.sleep(0.025)
            if cache.training.last_step(name) is not before:
                break
    step = cache.training.last_step(name)
    if step is None:
        said.markdown(_("Take one step to see it here in slow motion."))
        return
    said.markdown(_("**Step {step:,} in slow motion**, for one image").format(step=int(step.step)))
    slow.show(step, "train.slow")


def losses(reports: list[Report]) -> None:
    """Draws the two terms of the ELBO on training and held-out images."""
    columns = st.columns(2)
    parts = {"reconstruction": _("reconstruction, nats"), "kl": _("KL, nats")}
    for column, (part, title) in zip(columns, parts.items(), strict=True):
        with column:
            st.plotly_chart(
                figures.training(reports, part, (_("epoch"), title), (_("training"), _("held out"))),
                key=f"train.{part}", config=QUIET, alt=_("{part} against epochs").format(part=title),
            )  # fmt: skip
    held_out = [r for r in reports if r.held_out_kl is not None and r.held_out_reconstruction is not None]
    if held_out:
        r = held_out[-1]
        said = _(
            "On up to 2,000 held-out images, after epoch {epoch:.0f}: reconstruction {reconstruction:,.1f} nats per "
            "image"
        )
        if r.held_out_kl:  # 0 for an autoencoder
            said = _(
                "On up to 2,000 held-out images, after epoch {epoch:.0f}: reconstruction {reconstruction:,.1f} − KL "
                "{kl:,.1f} = ELBO {elbo:,.1f} nats per image"
            )
        reconstruction, kl = r.held_out_reconstruction or 0, r.held_out_kl or 0
        st.caption(
            said.format(epoch=r.epoch, reconstruction=reconstruction, kl=kl, elbo=reconstruction - kl)
            + _("; the sidebar shows the ELBO on all test images")
        )


def carried(reports: list[Report], sort: bool) -> None:
    """Draws the KL of each dimension over time, if it was recorded."""
    kept = [report for report in reports if report.kl_by_dimension]
    if not kept:
        return
    kl = np.array([report.kl_by_dimension for report in kept], np.float32)
    count = kl.shape[1]
    st.plotly_chart(
        figures.trainings.kl_map(
            np.array([report.epoch for report in kept]), kl, [words.coordinate(j) for j in range(count)],
            np.argsort(-kl[-1], kind="stable").tolist() if sort else list(range(count)), (_("epoch"), _("KL, nats")),
        ),
        key="train.carried", config=QUIET, alt=_("KL of each dimension against epochs"),
    )  # fmt: skip
    st.caption(
        _(
            "The KL of each dimension during training: a row lights up when its dimension becomes active, and fades "
            "when the dimension collapses."
        )
    )


@fragment(run_every=1.0)
def live() -> None:
    """Draws the progress of a run every second until it ends, and then reruns the whole page with the new model."""
    if not ((job := control.watched()) and job.busy):
        st.rerun(scope="app")
    watch()


def reconstructions(name: str) -> None:
    """Draws test images above their reconstructions, once the first epoch has ended."""
    try:
        model = cache.model_id(name)
        dataset = cache.images(model)
        _classes, firsts = np.unique(dataset.test.labels.numpy(), return_index=True)
        rows = tuple(dict.fromkeys([*firsts.tolist(), *range(len(dataset.test))]))[
            :10
        ]  # one of each class, then others
        decoded = cache.reconstructions_so_far(model, dataset.name, rows)
    except VAEError:
        st.caption(_("Reconstructions are shown after the first epoch."))
        return
    originals = dataset.test.images[list(rows)].numpy() / 255
    both = np.concatenate([originals, decoded.mean])
    pictures.strip(
        both, _("test images and their reconstructions: the mean of p(x|z) at the mean of q(z|x)"), columns=10, scale=4
    )
