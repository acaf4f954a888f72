"""How a training stands, or how the model in use was trained."""

import numpy as np
import streamlit as st

from pages.train.panels import control
from pages.ui import browser, cache, pictures, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import checkpoints, figures, jobs
from vae.errors import VAEError
from vae.keeper import read_plan


def show() -> None:
    """Draws how a training stands, again and again while it goes on."""
    if (job := control.watched()) and job.busy:
        live()
    else:
        watch()


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
    job = control.watched()
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
            control.row(job)
            if job.state in ("done", "stopped") and state.model() != name:
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
    if not ((job := control.watched()) and job.busy):
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
