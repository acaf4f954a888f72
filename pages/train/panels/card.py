"""The card of a model: its architecture, data set, settings, results, origin, and the reports stored with it."""

import time

import streamlit as st

from pages import cache
from pages.classroom import marks, roles
from pages.train.panels import beside
from pages.ui import words
from pages.ui.language import _, said
from vae.errors import VAEError
from vae.jobs import command, shelf
from vae.model import ModelConfig, Record, locate


def show(record: Record) -> None:
    """Draws the card of a model."""
    with st.container(border=True):
        st.subheader(words.literal(record.name), anchor=False)
        left, right = st.columns(2, gap="medium")
        for place, rows in ((left, _what(record)), (right, _figures(record))):
            with place:
                st.markdown("  \n".join(f"**{name}**: {value}" for name, value in rows.items()))
        if isinstance(record.model, ModelConfig) and record.training is not None:
            st.code(command(record), "bash", wrap_lines=True)
        beside.show(record.name)


def origin(record: Record) -> str:
    """Describes where a model came from."""
    if record.training is None:
        return words.literal(getattr(record.model, "origin", ""))
    return _("built in") if record.name in shelf.SHIPPED else _("trained here")


def whose(name: str) -> str:
    """Names the owner of a model in a class: this session, a student, or the lecturer."""
    if name in shelf.SHIPPED:
        return ""
    mark = marks.of_model(name)
    if mark is None:
        return _("lecturer")
    return _("you") if mark == roles.owner() else _("student {mark}").format(mark=mark[:6])


def _what(record: Record) -> dict[str, str]:
    """Returns the rows on the architecture and origin of a model, by title."""
    config = record.model
    rows = {_("Likelihood"): words.likelihood(config.likelihood)}
    if config.likelihood != "bernoulli":
        rows[_("Likelihood")] += ", " + words.floor(config)
    rows[_("Latent dimensions")] = str(config.latent)
    rows[_("Images")] = words.sides(config.image_shape)
    if isinstance(config, ModelConfig):
        rows[_("Encoder")] = _layers(config, config.encoder_layers)
        rows[_("Decoder")] = _layers(config, config.decoder_layers)
    try:
        weights = cache.load(cache.model_id(record.name)).parameters()
        rows[_("Weights")] = f"{sum(each.numel() for each in weights):,}"
    except VAEError as error:
        rows[_("Weights")] = words.literal(said(error))
    rows[_("Origin")] = origin(record)
    if roles.active() and (owner := whose(record.name)):
        rows[_("Owner")] = owner
    stat = locate(record.name).stat()
    size, day = words.file_size(stat.st_size), time.strftime("%Y-%m-%d", time.localtime(stat.st_mtime))
    shipped = record.name in shelf.SHIPPED  # its file has the date of the installation
    rows[_("File")] = size if shipped else _("{size}, saved on {day}").format(size=size, day=day)
    return rows


def _layers(config: ModelConfig, widths: tuple[int, ...]) -> str:
    parts = []
    if config.channels:
        parts.append(_("convolutional channels {widths}").format(widths=", ".join(map(str, config.channels))))
    if widths:
        parts.append(_("hidden layers {widths}").format(widths=", ".join(map(str, widths))))
    return ", ".join([*parts, words.activation(config.activation)]) if parts else _("linear")


def _figures(record: Record) -> dict[str, str]:
    """Returns the rows on the training and the results of a model, by title."""
    training, held_out = record.training, record.held_out
    rows = {_("Data set"): words.literal(record.data) or "–"}
    if training is not None:
        rows[_("Objective")] = words.objective(training.objective) + f", β = {training.beta:g}"
        rows[_("Training")] = _("{epochs:g} epochs, batch size {batch}, {seconds}, seed {seed}").format(
            epochs=round(record.epochs_done, 2), batch=training.batch_size, seconds=words.seconds(record.seconds),
            seed=training.seed,
        )  # fmt: skip
        rows[_("Learning rate")] = f"{training.learning_rate:g}, {words.schedule(training.schedule)}"
        if record.changes:
            says = _("after step {step:,.0f}: learning rate {learning_rate:g}, β = {beta:g}")
            rows[_("Changed during training")] = "; ".join(says.format(**change) for change in record.changes)
    if "elbo" in held_out:
        rows[_("Held-out ELBO, nats")] = _with_error(held_out, "elbo", 1)
    for key, title, digits in (
        ("reconstruction", _("Reconstruction, nats"), 1),
        ("kl", _("KL, nats"), 1),
        ("bits_per_dimension", _("Bits per dimension"), 3),
    ):
        if key in held_out:
            rows[title] = words.number(held_out[key], digits)
    if "images" in held_out:
        rows[_("Held-out images")] = f"{held_out['images']:,}"
    return rows


def _with_error(held_out: dict[str, float], key: str, digits: int) -> str:
    value = words.number(held_out[key], digits)
    error = held_out.get(f"{key}_standard_error")
    return value if error is None else f"{value} ± {words.number(error, digits)}"
