"""A model's figures on held-out images, as recorded in its file and on its card."""

from __future__ import annotations

import math

import torch

from vae.data import Dataset
from vae.evidence import elbo
from vae.latent.codes import encode
from vae.model import VAE, Autoencoder, ModelConfig, TrainConfig, bits_per_dimension, generator
from vae.training import score

__all__ = ["held_out_figures"]

_AT_ONCE = 10_000 * 28 * 28  # values of test images converted to floats at once


def held_out_figures(model: VAE, dataset: Dataset, config: TrainConfig | None = None) -> dict[str, float]:
    """Evaluates a model on all test images.

    Arguments:
        model: the VAE.
        dataset: whose test images are the held-out images.
        config: its training, if it was trained here: a plain autoencoder has no ELBO.

    Returns:
        The figures of `Record.held_out`, nats per image: the ELBO with 10 samples per image, its standard error over
        images, its two parts, and bits per dimension. For an autoencoder, which has no ELBO, only the reconstruction.
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
    if isinstance(model.config, ModelConfig) or model.config.dequantised:  # otherwise it does not bound a code length
        figures["bits_per_dimension"] = bits_per_dimension(mean, model.config.likelihood, model.config.pixels)
    return figures
