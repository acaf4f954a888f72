"""The images of each class on which a classifier is most and least confident, and such samples from the prior."""

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import pictures, state, words
from pages.ui.language import _
from vae import figures, latent
from vae.uses import probe

COUNT = 8  # images of each kind


def show(model: cache.Model, judge: cache.probe.Judge, names: tuple[str, ...]) -> None:
    """Draws the choice of a class, its images, and a confusion matrix of images against reconstructions."""
    data = cache.images(model)
    decoded = cache.probe.reconstructions(model, data.name, judge)
    present = np.unique(decoded.argmax(1)).tolist()
    state.begin("probe.class", int, present[0])
    if st.session_state["probe.class"] not in present:
        st.session_state["probe.class"] = present[0]
    found = cache.probe.agreement(model, data.name, judge)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chosen = st.selectbox(
            _("Images classified as"), present, format_func=names.__getitem__, key="probe.class", width=220,
            persist_state="session",
        )  # fmt: skip
        state.write_link(probe__class=None if chosen == present[0] else str(chosen))
        typical, least = probe.extremes(decoded, chosen, COUNT)
        _strip(model, decoded, typical, _("Most confident: the largest margin over the second class"))
        _strip(model, decoded, least, _("Least confident: the smallest margin over the second class"))
        st.caption(
            _(
                "Upper rows: {of}. Lower rows: their reconstructions, which are classified; the number above is the "
                "probability of the class. {same:.1%} of all {of} keep their class when they are reconstructed."
            ).format(of=_("samples from the model") if words.draws(data) else _("test images"), same=found.same)
        )
    with right:
        titles = _("class of the reconstruction"), _("class of the image")
        st.plotly_chart(
            figures.uses.confusion(found.table, names, titles), key=f"probe.confusion.{model[0]}",
            alt=_("Confusion matrix of the classifier: images against their reconstructions"),
        )  # fmt: skip


def _strip(model: cache.Model, log_probability: np.ndarray, rows: np.ndarray, title: str) -> None:
    if not len(rows):
        return
    test = cache.images(model).test
    images = test.images[rows.tolist()].numpy() / 255
    decoded = latent.decode(cache.load(model), cache.codes(model).mean[rows]).mean
    shares = [f"{share:.0%}" for share in np.exp(log_probability[rows].max(1))]
    st.markdown(f"**{title}**")
    pictures.wide(figures.latent.sheet(np.stack([images, decoded]), columns=shares, scale=2), title)


def doubtful(model: cache.Model, found: cache.probe.Doubts) -> None:
    """Draws decoded samples from the prior on which the classifier is not confident, or confident far from the data."""
    net, size = cache.load(model), cache.record(model[0]).model.latent
    if found.doubt.draws:
        st.caption(
            _(
                "The fractions are estimated from {count:,} samples from the prior in all {size} dimensions, with "
                "their standard errors; the plane is a slice through z. Data count as near if q(z) is at least 0.01 "
                "p(z), where q(z) is the mean of q(z|x) over the training images. By this measure {empty:.0%} of the "
                "prior mass is far from data, since in many dimensions no number of images fills the space."
            ).format(count=found.doubt.draws, size=size, empty=found.doubt.empty)
        )
    kinds = [
        (found.unsure, _("samples from the prior on which the classifier is least confident")),
        (found.astray, _("samples far from the data, q(z) < 0.01 p(z), on which it is most confident")),
    ]
    for column, (z, title) in zip(st.columns(2, gap="medium"), kinds, strict=True):
        with column:
            if len(z):
                pictures.strip(latent.decode(net, z).mean, title, columns=len(z), scale=2)
            else:
                st.caption(_("None: {what}").format(what=title))
