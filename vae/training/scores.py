"""The mean of an objective over images, in float32 whatever the precision of the training."""

from __future__ import annotations

import torch
from torch import Tensor

from vae.model import VAE, Objective, Share, double_device, generator, in_double, quick_products

__all__ = ["score", "sums"]


def score(model: VAE, images: Tensor, objective: Objective, seed: int = 0, batch: int = 1000) -> tuple[float, float]:
    """Returns the mean reconstruction and KL of images (N, *image_shape) uint8 under an objective, nats per image."""
    reconstruction, kl = (sums(model, images, objective, generator(seed, model.device), batch) / len(images)).tolist()
    return reconstruction, kl


@torch.inference_mode()
def sums(model: VAE, images: Tensor, objective: Objective, noise: torch.Generator, batch: int = 1000) -> Tensor:
    """Returns the sums of both over images, (2,) float64; only over this process's images if the noise is a `Share`."""
    model.eval()
    totals = torch.zeros(2, dtype=torch.float64, device=double_device(model.device))
    for part in images.split(model.config.at_once(batch)):
        part = part.to(model.device)
        if isinstance(noise, Share):
            noise.images = len(part)
            part = part[noise.place :: noise.of]
        with quick_products():
            terms = objective(model, model.pixels(part, noise), noise)
        totals += torch.stack([in_double(terms.reconstruction).sum(), in_double(terms.kl).sum()])
    return totals
