"""The result of a reader of other programs' files: an encoder and a decoder as graphs, and the kind of their "
"outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from vae.data import said_size
from vae.errors import CheckpointError, VAEError
from vae.model import Graph, capture, check_shape
from vae.settings import methods

__all__ = ["GIVES", "Found", "Gives", "check_latent", "found", "written_down"]

Gives = methods.Gives
GIVES = methods.GIVES
_MOST_LATENT = 1024


@dataclass(frozen=True, kw_only=True)
class Found:
    """A VAE from elsewhere. Images are flat, row by row, the channels of a pixel adjacent, in [0, 1].

    Attributes:
        encoder: from x (N, D) to the mean and the log variance of q(z|x), each (N, J).
        decoder: from z (N, J) to what `gives` names, each (N, D).
        latent: J.
        image_shape: (H, W), or (H, W, 3) for colour; D is their product.
        gives: the output of the decoder: the probabilities of binary pixels or their logits (a Bernoulli likelihood),
            the mean of a Gaussian whose standard deviation is not in the file, or its mean and log variance.
        source: the kind of file, for messages.
    """

    encoder: Graph
    decoder: Graph
    latent: int
    image_shape: tuple[int, ...]
    gives: Gives
    source: str

    @property
    def likelihood(self) -> Literal["bernoulli", "gaussian"]:
        """The family of p(x|z)."""
        return "bernoulli" if self.gives in ("probabilities", "logits") else "gaussian"


def found(
    encoder: Callable[[Tensor], Any],
    decoder: Callable[[Tensor], Any],
    latent: int,
    image_shape: tuple[int, ...],
    gives: Gives,
    source: str,
) -> Found:
    """Converts an encoder and a decoder to graphs and checks that they match each other.

    Arguments:
        encoder: from (N, D) to two tensors of (N, J).
        decoder: from (N, J) to the tensors of (N, D) that `gives` names.
        latent: J.
        image_shape: (H, W) or (H, W, 3).
        gives: see `Found`.
        source: see `Found`.

    Raises:
        CheckpointError: they do not match, or cannot be converted.
        ConfigError: there are no models for images of that shape.
    """
    check_shape(image_shape)
    check_latent(latent)
    pixels = math.prod(image_shape)
    graphs = []
    for name, network, inputs, gifts in (
        ("encoder", encoder, pixels, [(latent,)] * 2),
        ("decoder", decoder, latent, [(pixels,)] * GIVES[gives]),
    ):
        graph = network if isinstance(network, Graph) else written_down(network, inputs)
        if (shapes := graph.shapes(inputs)[0]) != gifts:
            want, came = (
                " and ".join(" x ".join(map(str, each)) or "one" for each in all_) for all_ in (gifts, shapes)
            )
            raise CheckpointError(
                f"For an image the {name} must return {want} numbers, as {latent} latent dimensions and images of "
                f"{said_size(image_shape)} require; it returns {came}."
            )
        graphs.append(graph)
    return Found(
        encoder=graphs[0], decoder=graphs[1], latent=latent, image_shape=image_shape, gives=gives, source=source
    )


def check_latent(latent: int) -> None:
    """Rejects a number of latent dimensions that no model here can have.

    Raises:
        CheckpointError: it is not from 1 to 1,024.
    """
    if not 1 <= latent <= _MOST_LATENT:
        raise CheckpointError(f"A model may have 1 to {_MOST_LATENT:,} latent dimensions; this one has {latent:,}.")


def written_down(network: Callable[[Tensor], Any], inputs: int) -> Graph:
    """Converts a network that a reader has made from a file to a graph.

    Arguments:
        network: from (N, inputs) to tensors whose first dimension is N.
        inputs: numbers in a row.

    Returns:
        Its graph, whose operations fit together and respect the size limits.

    Raises:
        CheckpointError: it cannot be converted.
    """
    if isinstance(network, nn.Module):
        network.eval()
    source = torch.Generator().manual_seed(0)
    try:
        graph = capture(network, torch.rand(7, inputs, generator=source))
        graph.shapes(inputs)
    except VAEError as error:
        raise CheckpointError(str(error)) from error
    except Exception as error:  # PyTorch may raise anything for arguments that do not match
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"The network in the file could not be traced ({reason:.200}).") from error
    return graph
