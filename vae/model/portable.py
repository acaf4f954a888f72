"""A model's two networks as plain arrays, for programs without PyTorch, such as a browser that decodes in real time.

    h_0 = input      h_i = activation(W_i h_(i-1) + b_i)      out_k = V_k h_last + c_k

One flat array holds W_1, b_1, W_2, ..., then V and c of each head in turn, with matrices stored row by row (by output).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vae.errors import ConfigError
from vae.model.imported import ImportedDecoder, ImportedEncoder
from vae.model.perceptrons import Affine, perceptron
from vae.model.vae import Decoder, Encoder

__all__ = ["MOST_PORTABLE", "Affine", "Codebook", "Portable", "pack_codes", "packed", "perceptron", "portable"]

MOST_PORTABLE = 16_000_000  # weights of a decoder; JavaScript multiplies about that many in a sixtieth of a second


class Portable(NamedTuple):
    """One network.

    Attributes:
        widths: of the input and the hidden layers.
        heads: widths of the outputs: the mean and the log variance of q, or the location and the log variance of
            p(x|z); a Bernoulli has only the first.
        constant: whether the log variance is a parameter that does not depend on z, and so has no V.
        weights: the flat array; float16 as uint16 if that is lossless, otherwise float32.
        activation: of the hidden layers: relu, tanh or silu.
        bounded: whether the mean of a decoder is the sigmoid of its first output.
    """

    widths: tuple[int, ...]
    heads: tuple[int, ...]
    constant: bool
    weights: NDArray[Any]
    activation: str
    bounded: bool

    def layout(self) -> dict[str, Any]:
        """Returns everything but the weights, as JSON types."""
        return {
            "widths": list(self.widths), "heads": list(self.heads), "constant": self.constant,
            "activation": self.activation, "bounded": self.bounded,
        }  # fmt: skip


_Taken = tuple[Sequence[Affine], Sequence[Affine], Tensor | None, str, bool]


class Codebook(NamedTuple):
    """Numbers (N, J) stored in 16 bits each: low + step * level, per column, with an error of at most half a step."""

    levels: NDArray[np.uint16]
    low: NDArray[Any]
    step: NDArray[Any]


def portable(part: nn.Module) -> Portable:
    """Converts an encoder or a decoder to plain arrays.

    Arguments:
        part: `model.encoder` or `model.decoder`.

    Raises:
        ConfigError: it does not consist of linear layers and activations only, or has over `MOST_PORTABLE` weights.
    """
    found = _own(part) if isinstance(part, Encoder | Decoder) else _imported(part)
    if found is None:
        raise ConfigError("Only a multilayer perceptron can be decoded in the browser; the server decodes this model.")
    return packed(*found)


def packed(
    layers: Sequence[Affine], heads: Sequence[Affine], constant: Tensor | None = None, activation: str = "relu",
    bounded: bool = False,
) -> Portable:  # fmt: skip
    """Packs the weights of a multilayer perceptron into one flat array.

    Arguments:
        layers: the hidden layers, in order.
        heads: the output layers.
        constant, activation, bounded: as for `Portable`.

    Raises:
        ConfigError: it has more than `MOST_PORTABLE` weights.
    """
    pieces = [piece for affine in (*layers, *heads) for piece in affine]
    sizes = [affine.bias.numel() for affine in heads]
    if constant is not None:
        pieces.append(constant)
        sizes.append(constant.numel())
    if (count := sum(piece.numel() for piece in pieces)) > MOST_PORTABLE:
        raise ConfigError(
            f"A network of more than {MOST_PORTABLE:,} weights is too slow for a browser; this one has {count:,}, "
            "so the server decodes."
        )
    widths = [affine.weight.shape[1] for affine in layers] + [heads[0].weight.shape[1]]
    flat = torch.cat([piece.detach().flatten() for piece in pieces]).numpy()
    half = flat.astype(np.float16)
    exact = bool((half.astype(np.float32) == flat).all())
    weights = half.view(np.uint16) if exact else flat
    return Portable(tuple(widths), tuple(sizes), constant is not None, weights, activation, bounded)


def pack_codes(values: NDArray[Any]) -> Codebook:
    """Quantises finite numbers (N, J) to 16 bits each."""
    low = values.min(0).astype(np.float64)
    step = np.maximum((values.max(0) - low) / (2**16 - 1), math.ulp(1.0))
    return Codebook(np.rint((values - low) / step).astype(np.uint16), low, step)


def _own(part: Encoder | Decoder) -> _Taken | None:
    """Returns the layers of a network built by this library; None if it is not a perceptron."""
    if not all(_plain(layer) for layer in part.body):
        return None
    layers = [Affine(layer[0].weight, layer[0].bias) for layer in part.body]  # type: ignore[index]
    activation = part.config.activation
    if isinstance(part, Encoder):
        latent = part.head.out_features // 2
        rows = (slice(None, latent), slice(latent, None))  # mean and log variance are rows of one product
        heads = [Affine(part.head.weight[each], part.head.bias[each]) for each in rows]
        return layers, heads, None, activation, False
    if not isinstance(part.location, nn.Linear):
        return None
    heads = [Affine(part.location.weight, part.location.bias)]
    constant = part.log_variance if isinstance(part.log_variance, nn.Parameter) else None
    if isinstance(part.log_variance, nn.Linear):
        heads.append(Affine(part.log_variance.weight, part.log_variance.bias))
    return layers, heads, constant, activation, part.config.likelihood == "bernoulli" or not part.config.linear


def _imported(part: nn.Module) -> _Taken | None:
    """Returns the layers of an imported network; None unless it is a perceptron with the same outputs as ours."""
    if not isinstance(part, ImportedEncoder | ImportedDecoder) or (found := perceptron(part.graph)) is None:
        return None
    if isinstance(part, ImportedEncoder):
        return None if any(found.bounded) else (found.layers, found.heads, None, found.activation, False)
    if any(found.bounded[1:]) or (part.config.likelihood == "bernoulli" and found.bounded[0]):
        return None
    bounded = part.config.likelihood == "bernoulli" or found.bounded[0]
    return found.layers, found.heads, part.log_variance, found.activation, bounded


def _plain(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Sequential) and [type(piece) for piece in layer][:1] == [nn.Linear] and len(layer) == 2
