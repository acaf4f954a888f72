"""Plain backbones. No probability in here."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from vae.config import Activation

__all__ = ["mlp"]

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU}


def mlp(inputs: int, layers: tuple[int, ...], activation: Activation) -> nn.Sequential:
    """Makes the hidden layers of a multilayer perceptron, each a linear map and an activation.

    Arguments:
        inputs: width of what comes in.
        layers: widths of the hidden layers; none gives the identity.
        activation: what follows each linear map.

    Returns:
        A module from (..., inputs) to (..., layers[-1]), or to (..., inputs) without layers.
    """
    maps = [nn.Sequential(nn.Linear(a, b), _ACTIVATIONS[activation]()) for a, b in pairwise((inputs, *layers))]
    return nn.Sequential(*maps)
