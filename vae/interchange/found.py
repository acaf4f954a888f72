"""What a reader found in files of another program: an encoder and a decoder as graphs, and what they give."""

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
    """A VAE from elsewhere. Images are flat, row by row, the channels of a pixel together, in [0, 1].

    Attributes:
        encoder: from x (N, D) to the mean and the log variance of q(z|x), each (N, J).
        decoder: from z (N, J) to what `gives` names, each (N, D).
        latent: J.
        image_shape: (H, W), or (H, W, 3) for colour; D is their product.
        gives: what the decoder gives: the probabilities of binary pixels or their logits (a Bernoulli likelihood), the
            mean of a Gaussian whose standard deviation the file does not say, or mean and log variance of one.
        source: what kind of file it was, for people to read.
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
    """Writes an encoder and a decoder down and checks that they fit each other.

    Arguments:
        encoder: from (N, D) to two tensors of (N, J).
        decoder: from (N, J) to as many tensors of (N, D) as `gives` names.
        latent: J.
        image_shape: (H, W) or (H, W, 3).
        gives: see `Found`.
        source: see `Found`.

    Raises:
        CheckpointError: they do not fit, or cannot be written down.
        ConfigError: no model is of images of that shape.
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
                f"For an image the {name} must give {want} numbers, as {latent} latent dimensions and images of "
                f"{said_size(image_shape)} ask; it gives {came}."
            )
        graphs.append(graph)
    return Found(
        encoder=graphs[0], decoder=graphs[1], latent=latent, image_shape=image_shape, gives=gives, source=source
    )


def check_latent(latent: int) -> None:
    """Refuses a number of latent dimensions that no model here can have.

    Raises:
        CheckpointError: it is not from 1 to 1,024.
    """
    if not 1 <= latent <= _MOST_LATENT:
        raise CheckpointError(f"A model has 1 to {_MOST_LATENT:,} latent dimensions; this one has {latent:,}.")


def written_down(network: Callable[[Tensor], Any], inputs: int) -> Graph:
    """Writes down a network that a reader has made of a file.

    Arguments:
        network: from (N, inputs) to tensors whose first dimension is N.
        inputs: numbers in a row.

    Returns:
        Its graph, whose operations fit together and keep within the limits of size.

    Raises:
        CheckpointError: it cannot be written down.
    """
    if isinstance(network, nn.Module):
        network.eval()
    source = torch.Generator().manual_seed(0)
    try:
        graph = capture(network, torch.rand(7, inputs, generator=source))
        graph.shapes(inputs)
    except VAEError as error:
        raise CheckpointError(str(error)) from error
    except Exception as error:  # PyTorch raises what it likes where arguments do not fit
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"The network in the file could not be followed ({reason:.200}).") from error
    return graph
