"""Models of other programs: uploaded as data, never as code, and kept as models of the explorer."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.train.panels.shelf import ADDED
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae import data, load, load_dataset, read_record, save
from vae.errors import ConfigError, VAEError
from vae.interchange import GIVES, keep, read_onnx
from vae.model import check_name, taken


@fragment()
def show() -> None:
    """Draws the upload, and keeps the model when asked to."""
    st.subheader(_("A model of your own"), anchor=False)
    files = st.file_uploader(
        _("encoder.onnx and decoder.onnx, or a .safetensors file of the explorer"), ["onnx", "safetensors"],
        accept_multiple_files=True, key="models.files",
        help=_("From a script: `vae.inspect`. Folders of pythae and state dicts, in a shell: `vae model import`."),
    )  # fmt: skip
    if not files:
        return
    mailed = files[0].name.endswith(".safetensors")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(_("Name"), key="models.name", width=200, help=_("Lower-case letters, digits and dashes."))
        chosen = gives = None
        if not mailed:
            there = [each for each in data.names() if data.available(each)]
            chosen = st.selectbox(_("Images to show it with"), there, key="models.data", width=220)
            gives = st.selectbox(
                _("The decoder gives"), [None, *GIVES], key="models.gives", width=220,
                format_func=lambda kind: _("as the file says") if kind is None else _given()[kind],
            )  # fmt: skip
        asked = st.button(_("Keep"), type="primary", icon=":material/save:", disabled=not name, key="models.keep")
    if not asked:
        return
    try:
        with st.spinner(_("Reading the networks …")):
            if mailed:
                _keep_mailed(files[0], name)
            else:
                _keep_onnx(files, name, chosen, gives)
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
        return
    st.session_state[ADDED] = name
    st.rerun()


def _given() -> dict[str, str]:
    return {
        "probabilities": _("probabilities of binary pixels"),
        "logits": _("logits of binary pixels"),
        "mean": _("the mean of a Gaussian"),
        "mean and log variance": _("mean and log variance of a Gaussian"),
    }


def _keep_onnx(files: list, name: str, chosen: str | None, gives: str | None) -> None:
    parts = {part: [each for each in files if part in each.name.lower()] for part in ("encoder", "decoder")}
    if len(files) != 2 or any(len(found) != 1 for found in parts.values()):
        came = ", ".join(each.name for each in files)
        says = _("Two files make a model, one with encoder in its name and one with decoder; these are {files}.")
        raise ConfigError(says.format(files=came))
    check_name(name)
    if taken(name):
        raise ConfigError(f"A model's name must be new; {name!r} is taken. Choose another.")
    dataset = load_dataset(chosen or "mnist-sample")
    encoder, decoder = (parts[part][0].getvalue() for part in ("encoder", "decoder"))
    found = read_onnx(encoder, decoder, gives=gives, image_shape=dataset.image_shape)  # type: ignore[arg-type]
    keep(found, name, dataset)


def _keep_mailed(file: object, name: str) -> None:
    place = Path(tempfile.mkdtemp(prefix="vae-upload-"))
    try:
        path = place / "upload.safetensors"
        path.write_bytes(file.getvalue())  # type: ignore[attr-defined]
        model, record = load(path), read_record(path)
        save(model, replace(record, name=name))
    finally:
        shutil.rmtree(place, ignore_errors=True)
