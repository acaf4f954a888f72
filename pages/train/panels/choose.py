"""What to train, and how."""

import time

import streamlit as st

from pages.ui import state, words
from pages.ui.language import _, said
from vae import data, jobs
from vae.config import ACTIVATIONS, LIKELIHOODS, OBJECTIVES, ModelConfig, TrainConfig
from vae.errors import VAEError

FRESH = "train.fresh"  # whether the name was used, and a new one is to be suggested


def show() -> None:
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
        st.error(said(error), icon=":material/error:")
        return
    st.session_state[FRESH] = True
    state.watch(name)
    st.rerun()
