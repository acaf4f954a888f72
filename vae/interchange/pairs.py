"""A VAE from two ONNX files, an encoder and a decoder, whose sizes are compared first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vae.errors import CheckpointError
from vae.interchange.found import Found, Gives, found
from vae.interchange.layouts import image_shape_of
from vae.interchange.onnx import Network
from vae.interchange.protobuf import parsed

__all__ = ["NAMES", "check_roles", "encoder_network", "gives_of", "read_onnx"]

NAMES = ("encoder.onnx", "decoder.onnx")


def read_onnx(
    encoder: bytes,
    decoder: bytes,
    *,
    gives: Gives | None = None,
    image_shape: tuple[int, ...] | None = None,
    encoder_outputs: Sequence[str] | None = None,
    decoder_outputs: Sequence[str] | None = None,
    names: tuple[str, str] = NAMES,
) -> Found:
    """Reads a VAE from the ONNX files of its encoder and its decoder.

    Arguments:
        encoder: returns mean and log variance, its first two outputs, or one that has both side by side.
        decoder: takes a code and returns an image, or the mean and the log variance of one.
        gives: the output of the decoder; by default mean and log variance if there are two outputs, and probabilities
            if it ends with a sigmoid.
        image_shape: (H, W) or (H, W, 3); inferred from the files if they determine it.
        encoder_outputs: names of the encoder's mean and log variance.
        decoder_outputs: names of the decoder's outputs.
        names: of the two files, for errors.

    Raises:
        CheckpointError: a file is damaged or contains something unsupported, or the two do not match, or are swapped.
        ConfigError: there are no models for images of their size.
    """
    encoding = encoder_network(encoder, image_shape, encoder_outputs)
    decoding = Network(decoder, image_shape, decoder_outputs)
    check_roles(encoding, decoding, image_shape, names)
    gives = gives or gives_of(decoding)
    if gives is None:
        raise CheckpointError(
            "A decoder that does not end with a sigmoid may return logits or a mean; state which it is."
        )
    shape = image_shape or image_shape_of(encoding.takes, decoding.gives[0])
    latent = decoding.takes.numbers
    halves = len(encoding.gives) == 1 and encoding.gives[0].numbers == 2 * latent
    return found((lambda x: encoding(x)[0].chunk(2, 1)) if halves else encoding, decoding, latent, shape, gives, "ONNX")


def encoder_network(
    content: bytes, image_shape: tuple[int, ...] | None = None, outputs: Sequence[str] | None = None
) -> Network:
    """Reads an encoder, which returns its first two outputs unless others are named.

    Raises:
        CheckpointError: as for `Network`.
    """
    return Network(content, image_shape, outputs or parsed(content, None).every_output[:2])


def gives_of(decoding: Network) -> Gives | None:
    """Returns the kind of output of a decoder as far as its file determines it: None if it may be logits or a mean."""
    if len(decoding.gives) == 2:
        return "mean and log variance"
    return "probabilities" if decoding.ends_with == "Sigmoid" else None


def check_roles(
    encoding: Network, decoding: Network, image_shape: tuple[int, ...] | None = None, names: tuple[str, str] = NAMES
) -> None:
    """Checks by the sizes of inputs and outputs that the encoder takes images, and the decoder codes.

    Arguments:
        encoding, decoding: the two networks.
        image_shape: of the images that the encoder is to take, if that is known.
        names: of the two files, for errors.

    Raises:
        CheckpointError: the two seem to be swapped, or the encoder takes something other than these images.
    """
    pixels = math.prod(image_shape) if image_shape else None
    if encoding.takes.numbers == pixels:
        return
    (a, b), (c, d) = (
        (network.takes.numbers, " and ".join(str(each.numbers) for each in network.gives))
        for network in (encoding, decoding)
    )
    if a < encoding.gives[0].numbers and c > decoding.gives[0].numbers:
        raise CheckpointError(
            f"An encoder takes images, and a decoder returns them; {names[0]} takes inputs of size {a} and returns "
            "outputs "
            f"of size {b}, {names[1]} takes inputs of size {c} and returns outputs of size {d}: the two seem to be "
            "swapped. Swap their names."
        )
    if pixels is not None:
        raise CheckpointError(
            f"The encoder takes images of the data set, of size {pixels}; {names[0]} takes inputs of size {a}. Choose "
            "a data set whose images have that size."
        )
