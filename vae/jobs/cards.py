"""The card of a trained model: its figures on held-out images, and the command that reproduces it."""

from __future__ import annotations

import shlex
from dataclasses import fields

from vae.data import Dataset
from vae.errors import CheckpointError
from vae.latent import held_out_figures
from vae.settings import ModelConfig, Record, TrainConfig, likelihood_words
from vae.training import learned_from

__all__ = ["arguments", "card", "command", "held_out_figures", "likelihood_words"]


def arguments(name: str, model_config: ModelConfig, config: TrainConfig, half: bool = False) -> list[str]:
    """Returns the arguments of `vae` that reproduce a model: every setting that differs from its default."""
    words = ["train", name]
    for chosen, default in ((model_config, ModelConfig()), (config, TrainConfig())):
        for f in fields(chosen):
            value = getattr(chosen, f.name)
            if value != getattr(default, f.name):
                text = ",".join(map(str, value if isinstance(value, tuple) else ["none" if value is None else value]))
                words.append(f"--{f.name.replace('_', '-')}={text}")
    return words + ["--half"] * half


def command(record: Record, half: bool = False) -> str:
    """Returns the shell command that reproduces a model."""
    if not isinstance(record.model, ModelConfig) or record.training is None:
        raise CheckpointError(
            f"Only a model that was trained here has a command that reproduces it; {record.name!r} was not."
        )
    return "vae " + shlex.join([*arguments(record.name, record.model, record.training, half), "--overwrite"])


def card(record: Record, dataset: Dataset, half: bool) -> str:
    """Formats a model's card, in Markdown: the command that reproduces it, its training, and its figures."""
    model, held_out = record.model, record.held_out
    if record.training is None:
        raise CheckpointError(f"Only a model that was trained here has a card; {record.name!r} was not.")
    floor = "none" if model.log_variance_floor is None else f"{model.log_variance_floor:g}"
    images = learned_from(len(dataset.train), record.training)
    rows = {
        "command": f"`{command(record, half)}`",
        "trained on": f"{images:,} images of {dataset.name}, {record.epochs_done:g} epochs",
        "seconds of training": f"{record.seconds:.0f}",
        "likelihood": model.likelihood,
        "floor of log variance": "does not apply" if model.likelihood == "bernoulli" else floor,
        "held-out images": f"{held_out['images']:,}",
    }
    if record.changes:
        says = "after step {step:,.0f} learning rate {learning_rate:g}, beta {beta:g}"
        rows["changed during training"] = "; ".join(says.format(**change) for change in record.changes)
    if "elbo" in held_out:
        rows["held-out ELBO, nats"] = f"{held_out['elbo']:.2f} ± {held_out['elbo_standard_error']:.2f}"
        rows["bits per dimension"] = f"{held_out['bits_per_dimension']:.4f}"
        rows["KL, nats"] = f"{held_out['kl']:.2f}"
    rows["reconstruction, nats"] = f"{held_out['reconstruction']:.2f}"
    lines = [f"| {key} | {value} |" for key, value in rows.items()]
    return "\n".join([f"# {record.name}", "", "| | |", "|---|---|", *lines, ""])
