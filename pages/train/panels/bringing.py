"""Models of other programs: uploaded as data, never as code, and kept as models of the explorer."""

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
    """Draws the upload, says what came, and keeps the model when asked to."""
    st.subheader(_("A model of your own"), anchor=False)
    st.caption(
        _(
            "Upload together what belongs to one model: encoder.onnx and decoder.onnx, with the .onnx.data files that "
            "PyTorch writes beside them; or a state dict as .safetensors, with a description of its layers in TOML or "
            "JSON; or a .safetensors file of the explorer, alone."
        )
    )
    times = st.session_state.setdefault(TIMES, 0)  # a new number empties what was uploaded
    files = st.file_uploader(
        _("A model's files"), accept_multiple_files=True, key=f"models.files{times}",
        help=_("From a script: `vae.inspect`. Folders of pythae and .pt files, in a shell: `vae model import`."),
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
        name = st.text_input(_("Name"), key="models.name", width=200, help=_("Lower-case letters, digits and dashes."))
        if came.kind == "onnx":
            gives = st.selectbox(
                _("The decoder gives"), [*GIVES], None, key="models.gives", width=260,
                format_func=_given().__getitem__, placeholder=_("say what it is"),
                help=_("A file does not tell logits from a mean."),
            )  # fmt: skip
    if came.kind != "model":
        pixels, sigma = _said_of_pixels()
    ready = bool(name) and (came.kind == "model" or gives is not None)
    if not st.button(_("Keep"), type="primary", icon=":material/save:", disabled=not ready, key="models.keep"):
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
    """Looks the files through, once for the same ones.

    Raises:
        VAEError: they are no model, or not a whole one.
    """
    key = tuple(each.file_id for each in files)
    held = st.session_state.get(CAME)
    if held is None or held[0] != key:
        twice = [each.name for i, each in enumerate(files) if each.name in [one.name for one in files[:i]]]
        if twice:
            raise ConfigError(
                _("Each file has a name of its own; {name} came twice. Rename one.").format(name=twice[0])
            )
        with st.spinner(_("Reading the networks …")):
            try:
                found: Arrival | VAEError = arrive({each.name: each.getvalue() for each in files})
            except VAEError as error:
                found = error
        st.session_state[CAME] = held = key, found
        if isinstance(found, Arrival):  # what was chosen for other files does not hold for these
            st.session_state["models.gives"] = found.gives
            st.session_state["models.data"] = found.data
    if isinstance(held[1], VAEError):
        raise held[1]
    return held[1]


def _told(came: Arrival) -> str:
    """Says what the files are."""
    kind = {
        "model": _("A model of the explorer"),
        "layers": _("A state dict and the description of its layers"),
        "onnx": _("An encoder and a decoder in ONNX"),
    }[came.kind]
    parts = [kind] if came.latent is None else [kind, f"J = {came.latent}"]
    if came.image_shape is not None:
        parts.append(_("images of {size}").format(size=words.sides(came.image_shape)))
    elif came.pixels is not None:
        parts.append(_("images of {count:,} numbers").format(count=came.pixels))
    return ", ".join(parts) + "."


def _images(came: Arrival) -> str | None:
    """Draws the choice among the data sets whose images fit, and says so where there is none."""
    there = sorted((each for each in data.names() if data.available(each)), key=lambda each: each in data.NAMES)
    fitting = [each for each in there if came.fits(data.image_shape_of(each))]
    if not fitting:
        size = words.sides(came.image_shape) if came.image_shape else _("{count:,} numbers").format(count=came.pixels)
        st.warning(
            _(
                "A model is shown with images of its own size, and no data set here has images of {size}. Bring some "
                "on the page Data, and come back with these files."
            ).format(size=size),
            icon=":material/photo_library:",
        )
        if st.button(_("Go to Data"), icon=":material/photo_library:", key="models.to_data"):
            st.switch_page(str(PAGES / "train" / "data.py"))
        return None
    if st.session_state.get("models.data") not in fitting:
        st.session_state["models.data"] = fitting[0]
    chosen = st.selectbox(
        _("Images to show it with"), fitting, key="models.data", width=320,
        format_func=lambda each: f"{each}, {words.sides(data.image_shape_of(each))}",
        help=_("The data sets here whose images are of the model's size. Others can be brought on the page Data."),
    )  # fmt: skip
    if came.data and came.data not in fitting:
        st.caption(
            _("The files name the data set {name}, which is not here or has images of another size.").format(
                name=words.literal(came.data)
            )
        )
    return chosen


def _templates() -> None:
    """Offers descriptions to begin with."""
    with st.popover(_("Templates of a description"), icon=":material/draft:"):
        st.markdown(
            _(
                "A state dict does not say in which order its layers follow. A description does, in a few lines; with "
                "your names in it, it is uploaded together with the weights."
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


def _given() -> dict[Gives, str]:
    return {
        "probabilities": _("probabilities of binary pixels"),
        "logits": _("logits of binary pixels"),
        "mean": _("the mean of a Gaussian"),
        "mean and log variance": _("mean and log variance of a Gaussian"),
    }


def _keep(
    came: Arrival, name: str, chosen: str | None, gives: Gives | None, pixels: Pixels, sigma: float | None
) -> list[str]:
    """Keeps the model under a name, and returns what is to be told of it."""
    check_name(name)
    refuse_taken(name)
    if came.model is not None:
        model, record = came.model
        save(model, replace(record, name=name))
        return []
    dataset = load_dataset(chosen or "mnist-sample", fetch=False)
    _record, says = keep(came.found(dataset.image_shape, gives), name, dataset, pixels, sigma)
    return says
