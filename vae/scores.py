"""An objective's mean over images, in float32 whatever was trained in."""

from __future__ import annotations

import torch
from torch import Tensor

from vae.devices import quick_products
from vae.distributions import generator
from vae.models import VAE
from vae.objectives import Objective

__all__ = ["score"]


@torch.inference_mode()
def score(model: VAE, images: Tensor, objective: Objective, seed: int = 0, batch: int = 1000) -> tuple[float, float]:
    """Returns the mean reconstruction and KL of images (N, H, W) uint8 under an objective, in nats an image."""
    model.eval()
    noise = generator(seed, model.device)
    totals = torch.zeros(2, dtype=torch.float64, device=model.device)
    for part in images.to(model.device).split(batch):
        with quick_products():
            terms = objective(model, model.pixels(part, noise), noise)
        totals += torch.stack([terms.reconstruction.double().sum(), terms.kl.double().sum()])
    reconstruction, kl = (totals / len(images)).tolist()
    return reconstruction, kl
