"""Train a model and watch it learn. The training is a process of its own: this page only reads its folder."""

import time

import numpy as np
import streamlit as st

from pages.ui import browser, cache, pictures, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import checkpoints, data, figures, jobs
from vae.config import ACTIVATIONS, LIKELIHOODS, OBJECTIVES, ModelConfig, TrainConfig
from vae.errors import VAEError
from vae.keeper import read_plan

FRESH = "train.fresh"  # whether the name was used, and a new one is to be suggested


def choose() -> None:
    """Draws the controls, and starts a training when asked to."""
    sets = [name for name in data.NAMES if data.available(name)]
    with st.form("train.form", border=False):
        if st.session_state.setdefault(FRESH, True):
            st.session_state[FRESH] = False
            st.session_state["train.name"] = f"my-model-{time.strftime('%H%M%S')}"
        name = st.text_input(_("Name"), key="train.name", help=_("Lower-case letters, digits and dashes."))
        data_name = st.selectbox(
            _("Data set"), sets, key="train.data", help=_("For clothes: `python -m vae data fashion-mnist`.")
        )
        left, right = st.columns(2)
        latent = left.number_input(_("Latent dimensions J"), 1, 1024, 2, key="train.latent")
        epochs = right.number_input(_("Epochs"), 1, 1000, 5, key="train.epochs")
        likelihood = st.selectbox(
            _("Likelihood p(x|z)"), LIKELIHOODS, format_func=words.likelihood, key="train.likelihood"
        )
        with st.expander(_("More"), icon=":material/tune:"):
            floored = st.toggle(
                _("Floor of the variance"), True, key="train.floored", help=_("Without it σ may fall to 0.")
            )
            floor = st.number_input(_("Floor of log σ²"), -40.0, 4.0, -6.0, 0.5, key="train.floor")
            layers = st.text_input(
                _("Hidden layers of the encoder"), "512, 256", key="train.layers",
                help=_("Widths; the decoder has them in reverse. Empty for a linear model."),
            )  # fmt: skip
            activation = st.selectbox(_("Activation"), ACTIVATIONS, key="train.activation")
            objective = st.selectbox(_("Objective"), OBJECTIVES, format_func=words.objective, key="train.objective")
            samples = st.number_input(_("Draws of z for each image"), 1, 1000, 1, key="train.samples")
            batch_size = st.number_input(_("Batch size"), 1, 60_000, 128, key="train.batch")
            rate = st.number_input(_("Learning rate"), 1e-6, 1.0, 2e-3, 1e-4, format="%.4f", key="train.rate")
            seed = st.number_input(_("Seed"), 0, 2**31, 0, key="train.seed")
        if not st.form_submit_button(_("Train"), type="primary", icon=":material/play_arrow:", width="stretch"):
            return
    try:
        widths = tuple(int(part) for part in layers.replace(",", " ").split())
    except ValueError:
        st.error(
            _("Layers are whole numbers with commas between, such as 512, 256; this is {layers!r}.").format(
                layers=layers
            )
        )
        return
    try:
        model = ModelConfig(
            latent=int(latent), likelihood=likelihood, log_variance_floor=floor if floored else None,
            encoder_layers=widths, decoder_layers=widths[::-1], activation=activation,
        )  # fmt: skip
        config = TrainConfig(
            data=data_name, objective=objective, samples=int(samples), epochs=int(epochs),
            batch_size=int(batch_size), learning_rate=rate, seed=int(seed),
        )  # fmt: skip
        jobs.start(name, model, config)
    except VAEError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state[FRESH] = True
    st.rerun()


def controls(job: jobs.Job) -> None:
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


def forming(name: str, live: bool) -> None:
    """Draws the latent space as it forms, where its training kept that."""
    folder = checkpoints.folders()[0] / name
    try:
        training = read_plan(folder).training if live else cache.record(name).training
        browser.replay(folder, cache.dataset(training.data).name, live=live)
    except VAEError:
        return  # a model that ships, or was trained before: nothing was kept


def watch() -> None:
    """Draws how the latest training stands, or how the model in use was trained."""
    job = jobs.latest()
    name = job.name if job else state.model()
    reports = jobs.history(name)
    if job is None:
        st.caption(_("How {name} was trained. Start a training of your own to see it here.").format(name=name))
    else:
        says = {
            "starting": _("**{name}** is starting: loading PyTorch and the images."),
            "queued": _("**{name}** waits for its turn; ahead of it: {ahead}."),
            "running": _("**{name}** is training."),
            "paused": _("**{name}** is paused."),
            "done": _("**{name}** is trained. All pages can use it."),
            "stopped": _("**{name}** was stopped. What it had learned is saved, and all pages can use it."),
            "failed": _("**{name}** failed."),
        }
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(says[job.state].format(name=name, ahead=job.ahead))
            if job.busy:
                controls(job)
            elif job.state != "failed" and state.model() != name:
                st.button(_("Use this model"), type="primary", key="train.use", on_click=state.use_model, args=(name,))
        if job.message:
            st.error(job.message, icon=":material/error:")
    if not reports:
        return
    last = reports[-1]
    if job and job.busy:
        left = last.seconds / last.step * (last.steps - last.step)
        st.progress(
            last.step / last.steps,
            _("epoch {epoch:.1f} of {epochs:.0f}, {rate:,.0f} images a second, about {left} left").format(
                epoch=last.epoch,
                epochs=last.steps / last.step * last.epoch,
                rate=last.images_per_second,
                left=words.seconds(left),
            ),
        )
    forming(name, job is not None and job.busy)
    columns = st.columns(2)
    parts = {"reconstruction": _("reconstruction, nats"), "kl": _("KL, nats")}
    for column, (part, title) in zip(columns, parts.items(), strict=True):
        with column:
            st.plotly_chart(
                figures.training(reports, part, (_("epoch"), title), (_("training"), _("held out"))),
                key=f"train.{part}",
                config={"displayModeBar": False},
                alt=_("{part} against epochs").format(part=title),
            )
    held_out = [r for r in reports if r.held_out_kl is not None and r.held_out_reconstruction is not None]
    if held_out:
        r = held_out[-1]
        said = _("2,000 held-out images, epoch {epoch:.0f}: reconstruction {reconstruction:.1f} nats an image")
        if r.held_out_kl:  # an autoencoder has none
            said = _(
                "2,000 held-out images, epoch {epoch:.0f}: reconstruction {reconstruction:.1f} − KL {kl:.1f} "
                "= ELBO {elbo:.1f} nats an image"
            )
        reconstruction, kl = r.held_out_reconstruction or 0, r.held_out_kl or 0
        st.caption(said.format(epoch=r.epoch, reconstruction=reconstruction, kl=kl, elbo=reconstruction - kl))
    reconstructions(name)


@fragment(run_every=1.0)
def live() -> None:
    """Draws how a training stands, every second, until it has ended; then the whole page, which knows a model more."""
    if not ((job := jobs.latest()) and job.busy):
        st.rerun(scope="app")
    watch()


def reconstructions(name: str) -> None:
    """Draws test images above what the model makes of them; nothing before the first epoch has ended."""
    try:
        model = cache.model_id(name)
        dataset = cache.images(model)
        rows = tuple(int(np.flatnonzero(dataset.test.labels.numpy() == label)[0]) for label in range(10))
        decoded = cache.reconstructions_so_far(model, dataset.name, rows)
    except VAEError:
        st.caption(_("Reconstructions come with the end of the first epoch."))
        return
    originals = dataset.test.images[list(rows)].numpy() / 255
    both = np.concatenate([originals, decoded.mean])
    pictures.strip(both, _("test images, and the mean of p(x|z) at the mean of q(z|x)"), columns=10, scale=4)


st.markdown(_("Choose, press Train, and watch. The training goes on when you leave this page."))
left, right = st.columns([1, 2], gap="large")
with left:
    choose()
with right:
    if (job := jobs.latest()) and job.busy:
        live()
    else:
        watch()
