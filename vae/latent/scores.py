"""A model's figures on held-out images, as its file and its card have them."""

from __future__ import annotations

import math

import torch

from vae.data import Dataset
from vae.evidence import elbo
from vae.latent.codes import encode
from vae.model import VAE, Autoencoder, ModelConfig, TrainConfig, bits_per_dimension, generator
from vae.training import score

__all__ = ["held_out_figures"]

_AT_ONCE = 10_000 * 28 * 28  # values of test images that are floats at one time


def held_out_figures(model: VAE, dataset: Dataset, config: TrainConfig | None = None) -> dict[str, float]:
    """Scores a model on all test images.

    Arguments:
        model: the VAE.
        dataset: its images, of which those held out are taken.
        config: how it was trained, if it was here: a plain autoencoder has no ELBO.

    Returns:
        What `Record.held_out` says, nats per image: the ELBO with 10 samples per image, its standard error over images,
        its two parts, and bits per dimension. An autoencoder has no ELBO, so for it the reconstruction alone.
    """
    images = dataset.test.images
    if config is not None and config.objective == "autoencoder":
        return {"images": len(images), "reconstruction": score(model, images, Autoencoder())[0]}
    noise = generator(0)
    parts = images.split(max(1, _AT_ONCE // model.config.pixels))
    values = torch.cat([elbo(model, model.pixels(part, noise), 10, noise).value for part in parts])
    mean, kl = values.mean().item(), float(encode(model, images).kl.sum(1).mean())
    figures = {
        "images": len(images),
        "elbo": mean,
        "elbo_standard_error": values.std(correction=min(1, len(values) - 1)).item() / math.sqrt(len(values)),
        "reconstruction": mean + kl,
        "kl": kl,
    }
    if isinstance(model.config, ModelConfig) or model.config.dequantised:  # else it bounds no code length
        figures["bits_per_dimension"] = bits_per_dimension(mean, model.config.likelihood, model.config.pixels)
    return figures
