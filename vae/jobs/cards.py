"""What is said of a trained model: its figures on held-out images, and the command that makes it again."""

from __future__ import annotations

import math
import shlex
from dataclasses import fields

import torch

from vae import evidence
from vae.data import Dataset
from vae.latent import encode
from vae.model import VAE, Autoencoder, ModelConfig, Record, TrainConfig, bits_per_dimension, generator
from vae.training import learned_from, score

__all__ = ["arguments", "card", "command", "held_out_figures", "likelihood_words"]

_AT_ONCE = 10_000 * 28 * 28  # values of test images that are floats at one time


def arguments(name: str, model_config: ModelConfig, config: TrainConfig, half: bool = False) -> list[str]:
    """Returns the words after `python -m vae` that make a model again: what differs from the defaults."""
    words = ["train", name]
    for chosen, default in ((model_config, ModelConfig()), (config, TrainConfig())):
        for f in fields(chosen):
            value = getattr(chosen, f.name)
            if value != getattr(default, f.name):
                text = ",".join(map(str, value if isinstance(value, tuple) else ["none" if value is None else value]))
                words.append(f"--{f.name.replace('_', '-')}={text}")
    return words + ["--half"] * half


def command(record: Record, half: bool = False) -> str:
    """Returns the shell command that makes a model again."""
    return "python -m vae " + shlex.join([*arguments(record.name, record.model, record.training, half), "--overwrite"])


def held_out_figures(model: VAE, dataset: Dataset, config: TrainConfig) -> dict[str, float]:
    """Scores a trained model on all test images.

    Returns:
        What `Record.held_out` says, nats an image: the ELBO with 10 samples an image, its standard error over images,
        its two parts, and bits per dimension. An autoencoder has no ELBO, so for it the reconstruction alone.
    """
    images = dataset.test.images
    if config.objective == "autoencoder":
        return {"images": len(images), "reconstruction": score(model, images, Autoencoder())[0]}
    noise = generator(0)
    parts = images.split(max(1, _AT_ONCE // model.config.pixels))
    values = torch.cat([evidence.elbo(model, model.pixels(part, noise), 10, noise).value for part in parts])
    mean, kl = values.mean().item(), float(encode(model, images).kl.sum(1).mean())
    return {
        "images": len(images),
        "elbo": mean,
        "elbo_standard_error": values.std(correction=min(1, len(values) - 1)).item() / math.sqrt(len(values)),
        "reconstruction": mean + kl,
        "kl": kl,
        "bits_per_dimension": bits_per_dimension(mean, model.config.likelihood, model.config.pixels),
    }


def card(record: Record, dataset: Dataset, half: bool) -> str:
    """Writes a model's card, in Markdown: the command that makes it again, what it took, and its figures."""
    model, held_out = record.model, record.held_out
    floor = "none" if model.log_variance_floor is None else f"{model.log_variance_floor:g}"
    images = learned_from(len(dataset.train), record.training)
    rows = {
        "made by": f"`{command(record, half)}`",
        "learned from": f"{images:,} images of {dataset.name}, {record.epochs_done:g} epochs",
        "seconds of training": f"{record.seconds:.0f}",
        "likelihood": model.likelihood,
        "floor of log variance": "does not apply" if model.likelihood == "bernoulli" else floor,
        "held-out images": f"{held_out['images']:,}",
    }
    if record.changes:
        says = "after step {step:,.0f} learning rate {learning_rate:g}, beta {beta:g}"
        rows["changed by hand"] = "; ".join(says.format(**change) for change in record.changes)
    if "elbo" in held_out:
        rows["held-out ELBO, nats"] = f"{held_out['elbo']:.2f} ± {held_out['elbo_standard_error']:.2f}"
        rows["bits per dimension"] = f"{held_out['bits_per_dimension']:.4f}"
        rows["KL, nats"] = f"{held_out['kl']:.2f}"
    rows["reconstruction, nats"] = f"{held_out['reconstruction']:.2f}"
    lines = [f"| {key} | {value} |" for key, value in rows.items()]
    return "\n".join([f"# {record.name}", "", "| | |", "|---|---|", *lines, ""])


def likelihood_words(config: ModelConfig) -> str:
    """Says the likelihood with its floor, without which a Gaussian number says nothing."""
    if config.likelihood == "bernoulli":
        return f"{config.likelihood}, binarised at random"
    floor = "no floor" if config.log_variance_floor is None else f"floor {config.log_variance_floor:g}"
    return f"{config.likelihood}, {floor}"
