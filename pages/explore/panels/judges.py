"""Which classifier is probed: the one that ships or is trained for the data, or one's own as an ONNX file."""

import hashlib

import streamlit as st

from pages import cache
from pages.classroom import acts
from pages.ui import words
from pages.ui.language import _, said
from vae import Dataset
from vae.errors import VAEError
from vae.interchange import read_classifier
from vae.uses import probe

TO = "probe.to"
_OWN, _FILE, _MEAN, _DEVIATION = "probe.own", "probe.file", "probe.mean", "probe.deviation"


def choose(model: cache.Model) -> cache.probe.Judge | None:
    """Lets a visitor bring a classifier; returns that, else the one for the model's images, or None without one."""
    held = st.session_state.get(f"{_OWN}.{model[0]}")
    label = _("Classifier: {name}").format(name=words.short(held[0], 24)) if held else _("Classifier")
    with st.popover(label, icon=":material/category:"):
        st.caption(
            _(
                "What is probed is a small classifier, trained on the labels of these images. To probe your own, "
                "upload it as one ONNX file that takes an image and gives a number for each class: a logit, a log "
                "probability, or a probability where the network ends with a softmax. It is forgotten when you leave."
            )
        )
        file = st.file_uploader(_("A classifier (ONNX)"), type="onnx", key=f"{_FILE}.{model[0]}")
        st.caption(_("Pixels as the networks want them: standardised, (x - mean) / standard deviation for x in [0, 1]"))
        with st.container(horizontal=True, gap="small"):
            mean = st.number_input(_("Mean"), value=0.0, format="%.4f", key=_MEAN, width=130)
            deviation = st.number_input(
                _("Standard deviation"), min_value=1e-4, value=1.0, format="%.4f", key=_DEVIATION, width=150
            )
        if file is None:
            st.session_state.pop(f"{_OWN}.{model[0]}", None)
        else:
            try:
                acts.check_upload([file.size])
                held = _read(model, file.name, file.getvalue(), mean, deviation)
            except VAEError as error:
                st.error(said(error), icon=":material/error:")
                held = None
            else:
                return held[2]
    return cache.probe.shipped(model)


def _read(
    model: cache.Model, name: str, content: bytes, mean: float, deviation: float
) -> tuple[str, str, cache.probe.Judge]:
    """Reads a classifier, once for the same file and standardisation."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    key = f"own {digest} {mean} {deviation}"
    held = st.session_state.get(f"{_OWN}.{model[0]}")
    if held is None or held[1] != key:
        with st.spinner(_("Reading the networks …")):
            found = read_classifier(content, cache.record(model[0]).model.image_shape, mean=mean, deviation=deviation)
        held = name, key, cache.probe.Judge(key, found, found.classes, own=True)
        st.session_state[f"{_OWN}.{model[0]}"] = held
    return held


def names(data: Dataset, judge: cache.probe.Judge) -> tuple[str, ...]:
    """Names the classes: as the data set does where it has as many, else by their numbers."""
    known = words.classes(data)
    return known if len(known) == judge.classes else tuple(map(str, range(judge.classes)))


def lacks(data: Dataset) -> str:
    """Says why there is no classifier for these images."""
    if len(data.image_shape) == 3:
        return _(
            "The classifier that the explorer trains reads grey images, and these are in colour. Bring your own as an "
            "ONNX file, under Classifier."
        )
    return _(
        "A classifier is trained on labels of at least two classes, and these images have none. Bring your own as an "
        "ONNX file, under Classifier."
    )


def honest(found: probe.Agreement, judge: cache.probe.Judge, draws: bool) -> str:
    """Says how far the classifier on decoded means is from the classifier on data."""
    of = _("draws of the model") if draws else _("test images")
    if found.accuracy == found.accuracy:
        return _(
            "The classifier is probed on decoded means, not on data: it is right on {images:.1%} of {of} and on "
            "{decoded:.1%} of their reconstructions."
        ).format(images=found.accuracy, decoded=found.accuracy_decoded, of=of)
    return _(
        "The classifier is probed on decoded means, not on data: {same:.1%} of {of} keep their class when they are "
        "reconstructed. There are no labels for its classes, so its accuracy is unknown."
    ).format(same=found.same, of=of)


def choose_target(count: int, names: tuple[str, ...]) -> None:
    """Lets a visitor choose the class to which a way is wanted."""
    if st.session_state.get(TO) not in (None, *range(count)):  # it may be another classifier's
        st.session_state[TO] = None
    st.selectbox(
        _("To"), [None, *range(count)], key=TO, width=230, persist_state="session", label_visibility="collapsed",
        format_func=lambda k: _("to the nearest other class") if k is None else _("to {name}").format(name=names[k]),
    )  # fmt: skip
