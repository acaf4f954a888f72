"""Where a model is trained, and in which arithmetic.

Products of matrices may be computed in bfloat16: the weights, the densities and the optimiser stay in float32, whatever
is chosen, and what is measured on held-out images is in float32 throughout.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from vae.config import TrainConfig
from vae.models import VAE

__all__ = ["autocast", "best_device", "multiplies_bfloat16", "settled"]

_FLAGS = ("avx512_bf16", "amx_bf16")  # of a CPU that multiplies bfloat16 itself; others only pretend, slowly


def best_device() -> torch.device:
    """Returns a GPU that PyTorch can use, or else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def multiplies_bfloat16(device: torch.device) -> bool:
    """Tells whether a device has instructions for products in bfloat16, so that they are quicker than float32's."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    has = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(has.get(flag) for flag in _FLAGS)


def settled(config: TrainConfig, model: VAE) -> TrainConfig:
    """Decides what the precision `auto` is, for a model where it is now: bfloat16 where quicker and without cost.

    It costs nothing under a Bernoulli likelihood. Under a Gaussian the error of a mean, 0.2 %, is not small against a
    deviation that may be as small as the floor lets it be.
    """
    if config.precision != "auto":
        return config
    quick = multiplies_bfloat16(model.device) and model.config.likelihood == "bernoulli"
    return replace(config, precision="bfloat16" if quick else "float32")


def autocast(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Returns the context in which a settled config's forward pass runs."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bfloat16")
