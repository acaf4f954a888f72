"""The settings of a training run: a control for each field, in groups. Those without effect are disabled."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from pages import cache
from pages.ui import words
from pages.ui.language import _
from vae import Preset, data
from vae.errors import ConfigError
from vae.model import ACTIVATIONS, INITIALS, LIKELIHOODS, OBJECTIVES, PRECISIONS, SCHEDULES, ModelConfig, TrainConfig
from vae.training import fitted_to

# fields whose controls hold the value itself; `chosen` converts the others
PLAIN_MODEL = ("latent", "likelihood", "activation")
PLAIN_TRAINING = (
    "data", "objective", "samples", "beta", "beta_warmup", "free_bits", "epochs", "batch_size", "learning_rate",
    "schedule", "warmup", "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon", "precision", "seed", "initial",
)  # fmt: skip
FLOOR = -6.0  # the value when a floor is switched on
FITTED = "train.fitted"  # the image size for which the network was chosen


def fill(preset: Preset) -> None:
    """Sets all controls to a preset; its data set only if that is on disk.

    A preset for images of another size than MNIST's keeps the data set that is selected. So does the first preset of
    a session, because a data set may have been imported before.
    """
    model, training = preset
    values: dict[str, Any] = {name: getattr(model, name) for name in PLAIN_MODEL}
    values |= {name: getattr(training, name) for name in PLAIN_TRAINING}
    values["data"] = on_disk(training).data
    held = st.session_state.get(_key("data"))
    if held in sets() and (model.image_shape != ModelConfig().image_shape or not filled()):
        values["data"] = held
    for name in ("beta", "beta_warmup", "free_bits", "warmup", "weight_decay"):
        values[name] = float(values[name])
    values |= {
        "floored": model.log_variance_floor is not None,
        "floor": FLOOR if model.log_variance_floor is None else float(model.log_variance_floor),
        "encoder": _listed(model.encoder_layers),
        "decoder": _listed(model.decoder_layers),
        "convolutional": bool(model.channels),
        "channels": _listed(model.channels) or "32, 64",
        "percent": 100 * training.share,
    }
    for name, value in values.items():
        st.session_state[_key(name)] = value
    st.session_state.pop(FITTED, None)


def fit(preset: Preset) -> None:
    """Chooses the type of network by image size, once for each size, so that a manual choice is kept afterwards.

    A data set that was removed is replaced by that of the preset.
    """
    if _value("data") not in sets():
        st.session_state[_key("data")] = on_disk(preset.training).data
    size = shape(_value("data"))
    if st.session_state.get(FITTED) != size:
        channels = fitted_to(preset.model, size).channels
        st.session_state[_key("convolutional")] = bool(channels)
        if channels:
            st.session_state[_key("channels")] = _listed(channels)
        st.session_state[FITTED] = size


def filled() -> bool:
    """Whether the controls have been set."""
    return _key("latent") in st.session_state


def chosen() -> Preset:
    """Returns the settings; those without effect have their default values.

    Raises:
        ConfigError: a value is outside its range or not a number.
    """
    convolutional, floored = _value("convolutional"), _value("floored") or _value("likelihood") == "bernoulli"
    model = ModelConfig(
        log_variance_floor=(FLOOR if _value("likelihood") == "bernoulli" else _value("floor")) if floored else None,
        encoder_layers=_widths(_value("encoder")),
        decoder_layers=_widths(_value("decoder")),
        channels=_widths(_value("channels")) if convolutional else (),
        image_shape=shape(_value("data")),
        **{name: _value(name) for name in PLAIN_MODEL},
    )
    values = {name: _value(name) for name in PLAIN_TRAINING}
    defaults = TrainConfig()
    values |= {name: getattr(defaults, name) for name in values if reason(name)}
    return Preset(model, TrainConfig(share=_value("percent") / 100, **values))


def shape(data_name: str) -> tuple[int, ...]:
    """Returns the shape of the images of a data set, which is also that of the model."""
    return tuple(cache.dataset(data_name).train.images.shape[1:])


def sets() -> list[str]:
    """Returns the names of the data sets on disk."""
    return [name for name in data.names() if data.available(name)]


def on_disk(training: TrainConfig) -> TrainConfig:
    """Returns a config with its data set if that is on disk, else with the built-in sample."""
    return training if training.data in sets() else replace(training, data="mnist-sample")


def reason(name: str) -> str | None:
    """Returns why a setting has no effect given the others, or None if it has one."""
    objective = _value("objective")
    if objective == "autoencoder" and name in ("beta", "beta_warmup", "free_bits"):
        return _("An autoencoder has no KL term.")
    if objective == "autoencoder" and name == "samples":
        return _("An autoencoder does not sample z.")
    if objective == "iwae" and name == "free_bits":
        return _("Only for the ELBO: the IWAE bound has no separate KL term.")
    if name in ("floored", "floor") and _value("likelihood") == "bernoulli":
        return _("A Bernoulli likelihood has no variance parameter.")
    if name == "floor" and not _value("floored"):
        return _("No variance floor is set.")
    if name == "warmup" and _value("schedule") == "one-cycle":
        return _("The one-cycle schedule has its own warm-up.")
    if name == "initial" and _value("convolutional"):
        return _("Only for multilayer perceptrons.")
    if name == "channels" and not _value("convolutional"):
        return _("A multilayer perceptron has no channels.")
    return None


# the essential ones


def essentials() -> None:
    """Draws the settings that are always visible."""
    st.selectbox(_("Data set"), sets(), **_as("data"), width=140)
    st.selectbox(_("Likelihood p(x|z)"), LIKELIHOODS, format_func=_likelihood, **_as("likelihood"), width=200)
    st.number_input(_("Dimensions J"), step=1, **_as("latent"), width=95)
    st.number_input(_("Epochs"), step=1, **_as("epochs"), width=75)
    _number(_("Learning rate"), "learning_rate", 5e-4, width=95)


def _likelihood(name: str) -> str:
    """Returns a short label of a likelihood."""
    return {
        "gaussian": _("Gaussian, σ per pixel"),
        "gaussian-shared": _("Gaussian, shared σ"),
        "bernoulli": _("Bernoulli"),
    }[name]


# the groups, each with its label


def groups() -> list[tuple[str, str, Callable[[], None]]]:
    """Returns the label, icon and controls of each group."""
    beta, objective = _value("beta"), words.objective(_value("objective")).partition(",")[0].partition(":")[0]
    weight = "" if beta == 1 or reason("beta") else f", β = {beta:g}"
    kind = _("convolutional") if _value("convolutional") else _("MLP")
    return [
        (_("Network: {kind}").format(kind=kind), ":material/hub:", _network),
        (_("Objective: {name}").format(name=objective + weight), ":material/target:", _objective),
        (_("Optimiser: {name}").format(name=words.schedule(_value("schedule"))), ":material/speed:", _optimiser),
        (_("Data and initialisation"), ":material/database:", _data),
    ]


def _network() -> None:
    st.segmented_control(
        _("Type"), [False, True], required=True, **_as("convolutional"),
        format_func=lambda yes: _("Convolutional") if yes else _("Multilayer perceptron"),
    )  # fmt: skip
    st.text_input(
        _("Channels"),
        **_as("channels", _("Channels per convolution, separated by commas. Each convolution halves the image.")),
    )
    st.text_input(_("Hidden layers of the encoder"), **_as("encoder", _("Layer widths, separated by commas.")))
    st.text_input(
        _("Hidden layers of the decoder"),
        **_as("decoder", _("In order from z to the image. Leave empty for a linear decoder.")),
    )
    st.selectbox(_("Activation"), ACTIVATIONS, **_as("activation"), format_func=words.activation)
    st.toggle(_("Variance floor"), **_as("floored", _("Without a floor, σ can fall to 0.")))
    _number(_("Floor of log σ²"), "floor", 0.5)


def _objective() -> None:
    st.selectbox(_("Objective"), OBJECTIVES, format_func=words.objective, **_as("objective"))
    st.number_input(
        _("Samples of z per image"), step=1,
        **_as("samples", _("L for the ELBO, k for the IWAE. More samples tighten the IWAE bound, and slow each step.")),
    )  # fmt: skip
    _number(_("KL weight β"), "beta", 0.5)
    _number(_("Warm-up of β, epochs"), "beta_warmup", 1.0, _("β rises from 0 over these epochs."))
    _number(
        _("Free bits, nats"), "free_bits", 0.1, _("The KL of each dimension that is not penalised."),
    )  # fmt: skip


def _optimiser() -> None:
    st.selectbox(_("Schedule"), SCHEDULES, format_func=words.schedule, **_as("schedule"))
    _number(_("Learning rate warm-up, epochs"), "warmup", 1.0)
    left, right = st.columns(2)
    left.number_input(_("Batch size"), step=1, **_as("batch_size"))
    with right:
        _number(_("Weight decay"), "weight_decay", 0.01, _("Decoupled weight decay, as in AdamW."))
    left, middle, right = st.columns(3)
    with left:
        _number(_("Adam's β₁"), "adam_beta1", 0.01, _("Decay rate of the running average of the gradient."))
    with middle:
        _number(_("Adam's β₂"), "adam_beta2", 0.001, _("Decay rate of the running average of the squared gradient."))
    with right:
        _number(_("Adam's ε"), "adam_epsilon", 1e-8, _("Added to the denominator to improve numerical stability."))
    st.selectbox(
        _("Precision"), PRECISIONS,
        **_as("precision", _("Of matrix products. auto uses bfloat16 where it is faster and does no harm.")),
    )  # fmt: skip


def _data() -> None:
    starts = {"random": _("random"), "mean-image": _("mean image")}
    st.selectbox(
        _("Initial biases of the decoder"), INITIALS, format_func=starts.__getitem__,
        **_as("initial", _("With mean image, the decoder starts near the mean image. The weights are random.")),
    )  # fmt: skip
    st.caption(_("To download Fashion-MNIST, run `vae data fashion-mnist`."))
    _number(_("Share of the training images, %"), "percent", 10.0, _("The first images of the training set are used."))
    st.number_input(_("Seed"), step=1, **_as("seed", _("On the same machine, the same seed gives the same weights.")))


# helpers


def _key(name: str) -> str:
    return f"train.{name}"


def _value(name: str) -> Any:
    return st.session_state[_key(name)]


def _as(name: str, help: str | None = None) -> dict[str, Any]:
    """Returns the arguments that all controls share: key, help (or why it is disabled), and persistence."""
    why = reason(name)
    return {"key": _key(name), "help": why or help, "disabled": bool(why), "persist_state": "session"}


def _number(label: str, name: str, step: float, help: str | None = None, **layout: Any) -> None:
    """Draws a number input without bounds, because beyond a bound Streamlit shows one value and keeps another."""
    st.number_input(label, step=step, format="%g", **_as(name, help), **layout)


def _listed(widths: tuple[int, ...]) -> str:
    return ", ".join(map(str, widths))


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ConfigError(
            _("Layer widths must be whole numbers separated by commas, such as 512, 256; got {layers!r}.").format(
                layers=text
            )
        ) from None
