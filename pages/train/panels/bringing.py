"""Models of other programs: uploaded as data, never as code, and kept as models of the explorer."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

import streamlit as st

from pages.classroom import acts
from pages.train.panels.shelf import ADDED
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae import Dataset, data, load, load_dataset, read_record, save
from vae.errors import ConfigError, VAEError
from vae.interchange import GIVES, Found, Gives, Pixels, keep, read_layers, read_onnx
from vae.model import check_name, taken


@fragment()
def show() -> None:
    """Draws the upload, and keeps the model when asked to."""
    st.subheader(_("A model of your own"), anchor=False)
    files = st.file_uploader(
        _("A model's files"), ["onnx", "safetensors", "toml", "json"], accept_multiple_files=True, key="models.files",
        help=_(
            "A .safetensors file of the explorer; encoder.onnx and decoder.onnx; or a state dict as .safetensors with "
            "the TOML or JSON that names its layers (README, A VAE of your own). From a script: `vae.inspect`. Folders "
            "of pythae and .pt files, in a shell: `vae model import`."
        ),
    )  # fmt: skip
    if not files:
        return
    acts.check_upload([each.size for each in files])
    kind = _kind(files)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(_("Name"), key="models.name", width=200, help=_("Lower-case letters, digits and dashes."))
        chosen = gives = None
        if kind != "mailed":
            there = [each for each in data.names() if data.available(each)]
            chosen = st.selectbox(_("Images to show it with"), there, key="models.data", width=220)
        if kind == "onnx":
            gives = st.selectbox(
                _("The decoder gives"), [None, *GIVES], key="models.gives", width=220,
                format_func=lambda kind: _("as the file says") if kind is None else _given()[kind],
            )  # fmt: skip
    pixels, sigma = _said_of_pixels() if kind != "mailed" else (Pixels(), None)
    if not st.button(_("Keep"), type="primary", icon=":material/save:", disabled=not name, key="models.keep"):
        return
    says: list[str] = []
    try:
        with st.spinner(_("Reading the networks …")), acts.new_models([name]):
            if kind == "mailed":
                _keep_mailed(files[0], name)
            else:
                check_name(name)
                if taken(name):
                    raise ConfigError(f"A model's name must be new; {name!r} is taken. Choose another.")
                dataset = load_dataset(chosen or "mnist-sample", fetch=False)
                found = _read_layers(files) if kind == "layers" else _read_onnx(files, dataset, gives)
                _record, says = keep(found, name, dataset, pixels, sigma)
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
        return
    st.session_state[ADDED] = name, says
    st.rerun()


def _kind(files: list) -> Literal["mailed", "layers", "onnx"]:
    """Tells by their names what files are: a model of the explorer, a state dict and its description, or ONNX."""
    kinds = sorted(Path(each.name).suffix.lower() for each in files)
    if kinds == [".safetensors"]:
        return "mailed"
    return "layers" if kinds in ([".safetensors", ".toml"], [".json", ".safetensors"]) else "onnx"


def _said_of_pixels() -> tuple[Pixels, float | None]:
    """Draws what a file does not say: how the networks want their pixels, and sigma of a decoder of means."""
    st.caption(_("Pixels as the networks want them: standardised, (x - mean) / standard deviation for x in [0, 1]"))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        mean = st.number_input(
            _("Mean"), value=0.0, format="%.4f", key="models.mean", width=130,
            help=_("0.5, with a standard deviation of 0.5, is for pixels in [-1, 1]."),
        )  # fmt: skip
        deviation = st.number_input(
            _("Standard deviation"), min_value=1e-4, value=1.0, format="%.4f", key="models.deviation", width=150
        )
        dequantised = st.selectbox(
            _("Grey pixels"), [True, False], key="models.dequantised", width=200,
            format_func=lambda chosen: _("dequantised") if chosen else _("plain grey"),
            help=_(
                "Dequantised: x = (u + U[0, 1)) / 256 for the 8-bit value u. Plain grey: x = u / 255. Binary pixels "
                "are drawn from u / 255 either way."
            ),
        )  # fmt: skip
        sigma = st.number_input(
            _("sigma"), 1e-4, 10.0, None, format="%.4f", key="models.sigma", width=130, placeholder=_("fitted"),
            help=_(
                "The standard deviation of p(x|z), for a decoder that gives the mean alone. Left empty, it is the one "
                "that is best for the images."
            ),
        )  # fmt: skip
    return Pixels(mean, deviation, dequantised), sigma


def _given() -> dict[str, str]:
    return {
        "probabilities": _("probabilities of binary pixels"),
        "logits": _("logits of binary pixels"),
        "mean": _("the mean of a Gaussian"),
        "mean and log variance": _("mean and log variance of a Gaussian"),
    }


def _read_layers(files: list) -> Found:
    weights, description = sorted(files, key=lambda each: not each.name.lower().endswith(".safetensors"))
    return read_layers(weights.getvalue(), description.getvalue().decode(errors="replace"), pickled=False)


def _read_onnx(files: list, dataset: Dataset, gives: Gives | None) -> Found:
    parts = {part: [each for each in files if part in each.name.lower()] for part in ("encoder", "decoder")}
    if len(files) != 2 or any(len(found) != 1 for found in parts.values()):
        came = ", ".join(each.name for each in files)
        says = _(
            "Two files make a model: encoder and decoder, with these words in the names of two ONNX files, or a state "
            "dict as .safetensors and the TOML or JSON that names its layers. These are {files}."
        )
        raise ConfigError(says.format(files=came))
    encoder, decoder = (parts[part][0].getvalue() for part in ("encoder", "decoder"))
    return read_onnx(encoder, decoder, gives=gives, image_shape=dataset.image_shape)


def _keep_mailed(file: object, name: str) -> None:
    try:
        with tempfile.TemporaryDirectory(prefix="vae-upload-", ignore_cleanup_errors=True) as place:
            path = Path(place) / "upload.safetensors"
            path.write_bytes(file.getvalue())  # type: ignore[attr-defined]
            model, record = load(path), read_record(path)
    except OSError as error:
        says = _("What was uploaded could not be put into {folder} ({why}). Free space there.")
        raise ConfigError(says.format(folder=tempfile.gettempdir(), why=error.strerror or error)) from error
    save(model, replace(record, name=name))
