"""The sidebar: the choice of a model, its properties, and the images shown."""

import re

import streamlit as st

from pages import cache
from pages.ui import language, state, words
from pages.ui.language import _
from vae import Record, catalogue, data, paths
from vae.errors import CheckpointError
from vae.model import folders

_SIZE = "model.size"


def show() -> None:
    """Draws the sidebar of all pages, except for parts that the link hides."""
    records, troubles = catalogue()
    names = [record.name for record in records]
    if names and st.session_state.get(state.MODEL) not in names:  # on the first run, or after the model was deleted
        state.use_model(state.DEFAULT_MODEL if state.DEFAULT_MODEL in names else names[0])
    if not state.hidden("sidebar"):
        with st.sidebar:
            about_model = st.container()
            st.selectbox(
                _("Language"), list(language.CATALOGUES), key=state.LANGUAGE, format_func=language.name,
                icon=":material/translate:", on_change=state.choose_language,
            )  # fmt: skip
            st.toggle(_("Presenter mode"), key=state.PRESENT, help=_("Larger text and figures, for a lecture hall."))
    if not names:
        raise CheckpointError(
            _("There is no model in {folder}. Train one: vae train my-model").format(folder=folders()[0])
        )
    if state.hidden("sidebar"):
        return
    with about_model:
        if not state.hidden("model"):
            with st.container(key="choice"):
                st.selectbox(_("Model"), names, key=state.MODEL)
                _choose_size(siblings(state.model(), records))
        model = cache.model_id(state.model())
        record = cache.record(state.model())
        _say(record)
        dataset = cache.images(model)
        if record.data not in (dataset.name, "mnist"):  # a sample of which is built in
            stands_in = _("samples from the model") if words.draws(dataset) else words.dataset(dataset)
            st.info(
                _(
                    "{name} was trained on {data}, which is not available. Shown in place of test images: {images}"
                ).format(name=record.name, data=record.data, images=stands_in),
                icon=":material/image:",
            )
        elif dataset.complete or data.available("mnist"):  # a model trained on the sample
            st.caption(":material/image: " + words.dataset(dataset))
        else:
            st.info(
                _("{data}. For all 70,000: `vae data mnist`").format(data=words.dataset(dataset)),
                icon=":material/image:",
            )
        if full := [str(folder) for kind in ("checkpoints", "data") if not paths.takes(folder := paths.own(kind))]:
            says = _(
                "Nothing can be saved: {folder} is not writable, or its disk is full. Existing files can still be used."
            )
            st.warning(says.format(folder=words.literal(", ".join(full))), icon=":material/warning:")
        for trouble in troubles:
            st.caption(f":material/warning: {language.said(trouble)}")


def siblings(name: str, records: list[Record]) -> dict[int, str]:
    """Returns the models that differ from a model only in J, including itself, by J; names have the form `mnist-2d`.

    They share the likelihood, the data set and the objective.
    """

    def kind(record: Record) -> tuple[object, ...]:
        objective = record.training.objective if record.training else None
        return record.model.likelihood, record.data, objective

    there = {record.name: record for record in records}
    family = re.fullmatch(r"(.+)-\d+d", name)
    if family is None or name not in there:
        return {}
    alike = sorted((each.model.latent, each.name) for each in records if kind(each) == kind(there[name]))
    return {size: each for size, each in alike if each == f"{family[1]}-{size}d"}


def _choose_size(by_size: dict[int, str]) -> None:
    """Draws a choice among the siblings of the current model by their J, if there are any."""
    name = state.model()
    size = next((size for size, each in by_size.items() if each == name), None)
    if size is None or len(by_size) < 2:
        return
    key = f"{_SIZE}.{name.removesuffix(f'-{size}d')}"
    if st.session_state.get(key) != size:
        st.session_state[key] = size

    def use() -> None:
        if state.model() in by_size.values():  # a browser that lags still sends the choice of the previous family
            state.use_model(by_size[st.session_state[key]])

    st.segmented_control(
        _("Latent dimensions J"), list(by_size), key=key, required=True, on_change=use, width="stretch"
    )


def _say(record: Record) -> None:
    """Shows the main properties of a model in one line, with more in a tooltip."""
    config, held_out = record.model, record.held_out
    facts = [_("J = {size}").format(size=config.latent), words.likelihood(config.likelihood)]
    more = [words.floor(config)] if config.likelihood != "bernoulli" else []
    if record.autoencoder:
        facts.append(_("plain autoencoder: no ELBO"))
    elif "elbo" in held_out:
        facts.append(_("ELBO {elbo} nats").format(elbo=words.number(held_out["elbo"])))
        more.append(_("held-out ELBO {elbo:,.1f} nats, KL {kl:,.1f}").format(**held_out))
    st.caption(" · ".join(facts), help="; ".join(more) or None)
