"""A model's two nets as plain numbers, for programs without PyTorch: a browser decodes with them as a hand moves.

    h_0 = input      h_i = activation(W_i h_(i-1) + b_i)      out_k = V_k h_last + c_k

One flat array holds W_1, b_1, W_2, ..., then V and c of each head in turn, matrices row by row (rows are outputs).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vae.errors import ConfigError
from vae.model.vae import Decoder, Encoder

__all__ = ["MOST_PORTABLE", "Codebook", "Portable", "pack_codes", "portable"]

MOST_PORTABLE = 16_000_000  # weights of a decoder; plain JavaScript multiplies about as many in a sixtieth of a second


class Portable(NamedTuple):
    """One net.

    Attributes:
        widths: of the input and the hidden layers.
        heads: widths of the outputs: the mean and the log variance of q, or the location and the log variance of
            p(x|z), which a Bernoulli has not.
        constant: whether the log variance is a parameter and has no V: it does not depend on z.
        weights: the flat array; float16 as uint16 where that loses nothing, else float32.
    """

    widths: tuple[int, ...]
    heads: tuple[int, ...]
    constant: bool
    weights: NDArray[Any]

    def layout(self) -> dict[str, Any]:
        """Returns all but the weights, as JSON types."""
        return {"widths": list(self.widths), "heads": list(self.heads), "constant": self.constant}


class Codebook(NamedTuple):
    """Numbers (N, J) in 16 bits a number: low + step * level, per column; off by half a step at most."""

    levels: NDArray[np.uint16]
    low: NDArray[Any]
    step: NDArray[Any]


def portable(part: nn.Module) -> Portable:
    """Takes an encoder or a decoder apart.

    Arguments:
        part: `model.encoder` or `model.decoder`.

    Raises:
        ConfigError: it is not made of linear layers and activations alone, or has more than `MOST_PORTABLE` weights.
    """
    if type(part) not in (Encoder, Decoder) or not all(_plain(layer) for layer in part.body):  # type: ignore[union-attr]
        raise ConfigError("Only a multilayer perceptron can be decoded in the browser; the server decodes this model.")
    count = sum(weight.numel() for weight in part.parameters())
    if count > MOST_PORTABLE:
        raise ConfigError(
            f"A net of more than {MOST_PORTABLE:,} weights is too slow for a browser; this has {count:,}, "
            "so the server decodes."
        )
    pieces: list[Tensor] = []
    widths: list[int] = []
    for layer in part.body:  # type: ignore[union-attr]
        pieces += [layer[0].weight, layer[0].bias]
        widths.append(layer[0].in_features)
    constant = False
    if isinstance(part, Encoder):
        latent = part.head.out_features // 2
        widths.append(part.head.in_features)
        for rows in (slice(None, latent), slice(latent, None)):  # mean and log variance come from one product
            pieces += [part.head.weight[rows], part.head.bias[rows]]
        heads: tuple[int, ...] = (latent, latent)
    else:
        assert isinstance(part, Decoder) and isinstance(part.location, nn.Linear)
        widths.append(part.location.in_features)
        pieces += [part.location.weight, part.location.bias]
        heads = (part.location.out_features,)
        if isinstance(part.log_variance, nn.Linear):
            pieces += [part.log_variance.weight, part.log_variance.bias]
            heads += (part.log_variance.out_features,)
        elif part.log_variance is not None:
            assert isinstance(part.log_variance, nn.Parameter)
            constant = True
            pieces.append(part.log_variance)
            heads += (part.log_variance.numel(),)
    flat = torch.cat([piece.detach().flatten() for piece in pieces]).numpy()
    half = flat.astype(np.float16)
    exact = bool((half.astype(np.float32) == flat).all())
    return Portable(tuple(widths), heads, constant, half.view(np.uint16) if exact else flat)


def pack_codes(values: NDArray[Any]) -> Codebook:
    """Puts finite numbers (N, J) into 16 bits each."""
    low = values.min(0).astype(np.float64)
    step = np.maximum((values.max(0) - low) / (2**16 - 1), math.ulp(1.0))
    return Codebook(np.rint((values - low) / step).astype(np.uint16), low, step)


def _plain(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Sequential) and [type(piece) for piece in layer][:1] == [nn.Linear] and len(layer) == 2
