"""The settings of a new training run: presets, controls, an estimate of the time, and the button to start."""

import time
from dataclasses import replace

import streamlit as st

from pages import cache
from pages.classroom import acts
from pages.train.panels import settings
from pages.ui import state, words
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae import PRESETS, ModelConfig, Preset
from vae.errors import VAEError
from vae.training import fitted_to

FIRST = "quick-2d"
FRESH = "train.fresh"  # whether to suggest a new name, because the last one was used
SEEDS = (1, 2, 3)


def preset_words() -> dict[str, str]:
    """Returns a description of each preset that can be chosen."""
    return {
        "quick-2d": _("A two-dimensional latent space that you can watch as it forms."),
        "quick-bernoulli-2d": _(
            "The same with binary pixels and a smooth network, for which log p(x) can be computed exactly."
        ),
        "quick-20d": _("Good images quickly: 4 epochs do as well as 10 at Adam's usual learning rate."),
        "mnist-2d": _("The settings with which the built-in model mnist-2d was trained."),
        "mnist-5d": _("The settings with which the built-in model mnist-5d was trained."),
        "mnist-20d": _("The settings with which the built-in model mnist-20d was trained."),
        "mnist-bernoulli-2d": _("The settings with which the built-in model mnist-bernoulli-2d was trained."),
        "beta-10d": _(
            "β = 4: fewer dimensions are used, each carries more information, and reconstructions become blurred."
        ),
        "free-bits-20d": _(
            "Free bits: the first half nat of KL in each dimension is not penalised, to keep dimensions from "
            "collapsing."
        ),
        "iwae-2d": _("The IWAE objective, a tighter bound, with 10 samples per image."),
        "record": _(
            "A convolutional network with 50 latent dimensions, for a high log p(x) of binary images. Training "
            "takes a long time."
        ),
        "colour-28": _(
            "A multilayer perceptron for small colour images, such as 28 × 28: about 4,600 images per second "
            "on one core."
        ),
        "colour-64": _(
            "A convolutional network for colour images, such as 64 × 64: about 400 images per second on one core."
        ),
        "grey-128": _(
            "A convolutional network for large greyscale images, such as 128 × 128: about 200 images per second on "
            "one core."
        ),
        "burda": _("The model and objective of Burda, Grosse & Salakhutdinov (2016): IWAE with k = 50."),
    }


@fragment()
def show() -> None:
    """Draws the controls, and starts a training run on request."""
    cache.times.expect_training()
    says = preset_words()
    state.begin("train.preset", state.one_of(says), FIRST)
    if not settings.filled():
        settings.fill(PRESETS[st.session_state["train.preset"]])
    settings.fit(PRESETS[st.session_state["train.preset"]])
    _suggest()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            _("Preset"), list(says), key="train.preset", on_change=_take, persist_state="session", width=165,
        )  # fmt: skip
        settings.essentials()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for i, (label, icon, draw) in enumerate(settings.groups()):
            with st.popover(label, icon=icon, key=f"train.group{i}"):
                draw()
    preset = st.session_state["train.preset"]
    plan, trouble = _plan()
    note = "" if plan is None or plan == kept(preset) else _(" Some settings have been changed.")
    if trouble:
        st.error(trouble, icon=":material/error:")
    st.caption(says[preset] + note + _of_the_size(preset, plan))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(
            _("Name"), key="train.name", width=220, help=_("Use lower-case letters, digits and hyphens.")
        )
        seeds = st.segmented_control(
            _("Seeds"), SEEDS, required=True, default=1, key="train.seeds", persist_state="session",
            help=_("Repeat the training with this many different seeds, one after another, to compare the results."),
        )  # fmt: skip
        start = st.button(
            _("Train"), type="primary", icon=":material/play_arrow:", key="train.start", width=140, disabled=not plan
        )
        if plan:
            estimate(plan, seeds or 1)
    if start and plan:
        _start(name, plan, seeds or 1)
    state.write_link(train__preset=None if preset == FIRST else preset)


def estimate(plan: Preset, seeds: int) -> None:
    """Shows how long the training would take, once this has been measured."""
    waits = not cache.times.an_epoch(plan).done()

    @fragment(run_every=1.0 if waits else None)
    def tell() -> None:
        measured = cache.times.an_epoch(plan)
        if not measured.done():
            st.caption(_("Measuring the training speed …"))
        elif waits:
            st.rerun(scope="app")  # this run no longer waits
        else:
            try:
                seconds = measured.result() * plan.training.epochs * seeds
            except VAEError as error:
                st.caption(f":material/error: {said(error)}")
            else:
                st.caption(_(":material/timer: about {time} on this machine").format(time=words.seconds(seconds)))

    tell()


def _plan() -> tuple[Preset | None, str]:
    """Returns the settings, or the reason why they are invalid."""
    try:
        plan = settings.chosen()
        acts.check_plan(plan)  # before its speed is measured
        return plan, ""
    except VAEError as error:
        return None, said(error)


def kept(name: str) -> Preset:
    """Returns a preset with an available data set: the one chosen, if the preset is for other image sizes."""
    model, training = PRESETS[name]
    here = settings.on_disk(training).data
    if model.image_shape != ModelConfig().image_shape:
        here = st.session_state["train.data"]
    model = fitted_to(model, settings.shape(here))
    initial = "random" if model.channels else training.initial
    return Preset(model, replace(training, data=here, initial=initial))


def _of_the_size(preset: str, plan: Preset | None) -> str:
    """Says so if the network is convolutional only because of the size of the images."""
    if plan is None or PRESETS[preset].model.channels or not plan.model.channels:
        return ""
    if not fitted_to(PRESETS[preset].model, plan.model.image_shape).channels:
        return ""
    return _(" The images are {size}, so the network is convolutional.").format(
        size=words.sides(plan.model.image_shape)
    )


def _take() -> None:
    settings.fill(PRESETS[st.session_state["train.preset"]])
    st.session_state[FRESH] = True


def _suggest() -> None:
    if st.session_state.setdefault(FRESH, True):
        st.session_state[FRESH] = False
        st.session_state["train.name"] = f"{st.session_state['train.preset']}-{time.strftime('%H%M%S')}"


def _start(name: str, plan: Preset, seeds: int) -> None:
    try:
        name = acts.start(name, plan, seeds)
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
        return
    st.session_state[FRESH] = True
    state.watch(name)
    st.rerun(scope="app")
