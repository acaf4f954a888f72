"""Import of models from other programs: uploaded as data, never as code, and saved as models of the explorer."""

from dataclasses import replace

import streamlit as st

from pages.classroom import acts
from pages.train.panels.shelf import ADDED, PAGES
from pages.ui import words
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae import data, load_dataset, save
from vae.errors import ConfigError, VAEError
from vae.interchange import GIVES, TEMPLATES, Arrival, Gives, Pixels, arrive, as_json, keep
from vae.model import check_name
from vae.settings import refuse_taken

TIMES, CAME = "models.times", "models.came"


@fragment()
def show() -> None:
    """Draws the uploader, describes the files, and saves the model on request."""
    st.caption(
        _(
            "Upload all files of one model together: encoder.onnx and decoder.onnx, with any .onnx.data files that "
            "PyTorch wrote beside them; or a state dict in .safetensors format, with a description of its layers in "
            "TOML or JSON; or a single .safetensors file saved by this explorer."
        )
    )
    times = st.session_state.setdefault(TIMES, 0)  # incremented to clear the uploader
    files = st.file_uploader(
        _("Model files"), accept_multiple_files=True, key=f"models.files{times}",
        help=_("In Python: `vae.inspect`. For pythae folders and .pt files, on the command line: `vae model import`."),
    )  # fmt: skip
    _templates()
    if not files:
        st.session_state.pop(CAME, None)
        return
    try:
        acts.check_upload([each.size for each in files])
        came = _arrived(files)
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
        return
    st.caption(_told(came))
    chosen, gives, pixels, sigma = None, came.gives, Pixels(), None
    if came.kind != "model":
        chosen = _images(came)
        if chosen is None:
            return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(
            _("Name"), key="models.name", width=200, help=_("Use lower-case letters, digits and hyphens.")
        )
        if came.kind == "onnx":
            gives = st.selectbox(
                _("Decoder output"), [*GIVES], None, key="models.gives", width=260,
                format_func=_given().__getitem__, placeholder=_("choose one"),
                help=_("An ONNX file does not record whether the decoder returns probabilities, logits or a mean."),
            )  # fmt: skip
    if came.kind != "model":
        pixels, sigma = _said_of_pixels()
    ready = bool(name) and (came.kind == "model" or gives is not None)
    if not st.button(_("Save"), type="primary", icon=":material/save:", disabled=not ready, key="models.keep"):
        return
    try:
        with st.spinner(_("Reading the networks …")), acts.new_models([name]):
            says = _keep(came, name, chosen, gives, pixels, sigma)
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
        return
    st.session_state.pop(CAME, None)
    st.session_state[TIMES] += 1
    st.session_state[ADDED] = name, says
    st.rerun()


def _arrived(files: list) -> Arrival:
    """Reads the files, once for each set of files.

    Raises:
        VAEError: the files are not a complete model.
    """
    key = tuple(each.file_id for each in files)
    held = st.session_state.get(CAME)
    if held is None or held[0] != key:
        twice = [each.name for i, each in enumerate(files) if each.name in [one.name for one in files[:i]]]
        if twice:
            raise ConfigError(
                _("File names must be unique; {name} was uploaded twice. Rename one of the two files.").format(
                    name=twice[0]
                )
            )
        with st.spinner(_("Reading the networks …")):
            try:
                found: Arrival | VAEError = arrive({each.name: each.getvalue() for each in files})
            except VAEError as error:
                found = error
        st.session_state[CAME] = held = key, found
        if isinstance(found, Arrival):  # choices made for other files do not apply
            st.session_state["models.gives"] = found.gives
            st.session_state["models.data"] = found.data
    if isinstance(held[1], VAEError):
        raise held[1]
    return held[1]


def _told(came: Arrival) -> str:
    """Describes the files."""
    kind = {
        "model": _("A model saved by this explorer"),
        "layers": _("A state dict and a description of its layers"),
        "onnx": _("An encoder and a decoder in ONNX"),
    }[came.kind]
    parts = [kind] if came.latent is None else [kind, f"J = {came.latent}"]
    if came.image_shape is not None:
        parts.append(_("images of {size}").format(size=words.sides(came.image_shape)))
    elif came.pixels is not None:
        parts.append(_("images of {count:,} values").format(count=came.pixels))
    return ", ".join(parts) + "."


def _images(came: Arrival) -> str | None:
    """Lets the user choose among the data sets whose images fit, or says that there are none."""
    there = sorted((each for each in data.names() if data.available(each)), key=lambda each: each in data.NAMES)
    fitting = [each for each in there if came.fits(data.image_shape_of(each))]
    if not fitting:
        size = words.sides(came.image_shape) if came.image_shape else _("{count:,} values").format(count=came.pixels)
        st.warning(
            _(
                "The explorer shows a model on images of the model's size, but no data set here has images of {size}. "
                "Add one on the Data page, and then upload these files again."
            ).format(size=size),
            icon=":material/photo_library:",
        )
        if st.button(_("Go to Data"), icon=":material/photo_library:", key="models.to_data"):
            st.switch_page(str(PAGES / "train" / "data.py"))
        return None
    if st.session_state.get("models.data") not in fitting:
        st.session_state["models.data"] = fitting[0]
    chosen = st.selectbox(
        _("Data set to show it on"), fitting, key="models.data", width=320,
        format_func=lambda each: f"{each}, {words.sides(data.image_shape_of(each))}",
        help=_("Only data sets whose images have the model's size are listed. You can add others on the Data page."),
    )  # fmt: skip
    if came.data and came.data not in fitting:
        st.caption(
            _(
                "The files refer to the data set {name}, which is not available here or has images of a different size."
            ).format(name=words.literal(came.data))
        )
    return chosen


def _templates() -> None:
    """Offers templates of descriptions."""
    with st.popover(_("Description templates"), icon=":material/draft:"):
        st.markdown(
            _(
                "A state dict does not record the order of its layers, so a short description is needed. Fill in the "
                "names of your layers, and upload it together with the weights."
            )
        )
        titles = {"perceptron": _("Fully connected"), "convolutional": _("Convolutional")}
        for name, text in TEMPLATES.items():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(titles[name], width=150)
                for ending, content in (("toml", text), ("json", as_json(text))):
                    st.download_button(
                        ending.upper(), content, f"{name}.{ending}", f"application/{ending}", on_click="ignore",
                        icon=":material/download:", key=f"models.template.{name}.{ending}",
                    )  # fmt: skip
        st.code(TEMPLATES["perceptron"], "toml")


def _said_of_pixels() -> tuple[Pixels, float | None]:
    """Draws controls for what a file does not record: the pixel standardisation, and sigma if it is not learned."""
    st.caption(_("Pixel standardisation that the networks expect: (x - mean) / standard deviation, for x in [0, 1]"))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        mean = st.number_input(
            _("Mean"), value=0.0, format="%.4f", key="models.mean", width=130,
            help=_("If the networks expect pixels in [-1, 1], set both the mean and the standard deviation to 0.5."),
        )  # fmt: skip
        deviation = st.number_input(
            _("Standard deviation"), min_value=1e-4, value=1.0, format="%.4f", key="models.deviation", width=150
        )
        dequantised = st.selectbox(
            _("Grey pixels"), [True, False], key="models.dequantised", width=200,
            format_func=lambda chosen: _("dequantised") if chosen else _("not dequantised"),
            help=_(
                "Dequantised: x = (u + U[0, 1)) / 256 for an 8-bit value u. Not dequantised: x = u / 255. Binary "
                "pixels are sampled with probability u / 255 in either case."
            ),
        )  # fmt: skip
        sigma = st.number_input(
            _("sigma"), 1e-4, 10.0, None, format="%.4f", key="models.sigma", width=130, placeholder=_("fitted"),
            help=_(
                "The standard deviation of p(x|z), for a decoder that returns only the mean. If left empty, it is "
                "fitted to the training images."
            ),
        )  # fmt: skip
    return Pixels(mean, deviation, dequantised), sigma


def _given() -> dict[Gives, str]:
    return {
        "probabilities": _("probabilities of binary pixels"),
        "logits": _("logits of binary pixels"),
        "mean": _("mean of a Gaussian"),
        "mean and log variance": _("mean and log variance of a Gaussian"),
    }


def _keep(
    came: Arrival, name: str, chosen: str | None, gives: Gives | None, pixels: Pixels, sigma: float | None
) -> list[str]:
    """Saves the model under a name, and returns sentences about it to show."""
    check_name(name)
    refuse_taken(name)
    if came.model is not None:
        model, record = came.model
        save(model, replace(record, name=name))
        return []
    dataset = load_dataset(chosen or "mnist-sample", fetch=False)
    _record, says = keep(came.found(dataset.image_shape, gives), name, dataset, pixels, sigma)
    return says
