"""The choice of the classifier: the one built in or trained for the data, or the user's own ONNX file."""

import hashlib

import streamlit as st

from pages import cache
from pages.classroom import acts
from pages.ui import state, words
from pages.ui.language import _, said
from vae import Dataset
from vae.errors import VAEError
from vae.interchange import read_classifier
from vae.uses import probe

PART, TO = "probe.part", "probe.to"
_OWN, _FILE, _MEAN, _DEVIATION = "probe.own", "probe.file", "probe.mean", "probe.deviation"


def choose(model: cache.Model) -> cache.probe.Judge | None:
    """Returns the uploaded classifier, otherwise the one for the model's images, or None if there is none."""
    held = st.session_state.get(f"{_OWN}.{model[0]}")
    label = _("Classifier: {name}").format(name=words.short(held[0], 24)) if held else _("Classifier")
    with st.popover(label, icon=":material/category:"):
        st.caption(
            _(
                "By default, the page probes a small classifier trained on the labels of these images. To probe "
                "your own, upload it as a single ONNX file that takes an image and returns a number for each class: a "
                "logit, a log probability, or a probability if the network ends with a softmax. It is discarded when "
                "you leave."
            )
        )
        file = st.file_uploader(_("A classifier (ONNX)"), type="onnx", key=f"{_FILE}.{model[0]}")
        st.caption(_("Input that the network expects: (x - mean) / standard deviation, for pixels x in [0, 1]"))
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


def own(model: cache.Model) -> cache.probe.Judge | None:
    """Returns the uploaded classifier for a model, without drawing anything."""
    held = st.session_state.get(f"{_OWN}.{model[0]}")
    return held[2] if held else None


def _read(
    model: cache.Model, name: str, content: bytes, mean: float, deviation: float
) -> tuple[str, str, cache.probe.Judge]:
    """Reads a classifier, only once for the same file and standardisation."""
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
    """Returns the names of the classes: those of the data set if their number matches, otherwise their indices."""
    known = words.classes(data)
    return known if len(known) == judge.classes else tuple(map(str, range(judge.classes)))


def lacks(data: Dataset) -> str:
    """Explains why there is no classifier for these images."""
    if len(data.image_shape) == 3:
        return _(
            "The explorer's classifier accepts only grey images, and these are in colour. Upload your own as an ONNX "
            "file under Classifier."
        )
    return _(
        "Training a classifier requires labels of at least two classes, and these images have none. Upload your own as "
        "an ONNX file under Classifier."
    )


def honest(found: probe.Agreement, judge: cache.probe.Judge, draws: bool) -> str:
    """States how the accuracy on decoded means compares with that on data."""
    of = _("samples from the model") if draws else _("test images")
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
    """Draws the choice of the target class of a path."""
    state.begin(TO, int)
    if st.session_state.get(TO) not in (None, *range(count)):  # it may belong to another classifier
        st.session_state[TO] = None
    chosen = st.selectbox(
        _("To"), [None, *range(count)], key=TO, width=230, persist_state="session", label_visibility="collapsed",
        format_func=lambda k: _("to the nearest other class") if k is None else _("to {name}").format(name=names[k]),
    )  # fmt: skip
    state.write_link(probe__to=None if chosen is None else str(chosen))
