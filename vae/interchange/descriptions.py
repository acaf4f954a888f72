"""A PyTorch state dict with a description of a few lines that gives the order of its layers.

    latent = 20
    image = [28, 28]                 # height and width, followed by 3 for colour
    likelihood = "bernoulli"         # or "gaussian"
    data = "mnist"                   # the data set that it is shown with; optional

    [encoder]
    layers = ["fc1", "relu"]         # names in the state dict, and activations by name
    mean = "fc21"
    log_variance = "fc22"

    [decoder]
    layers = ["fc3", "relu", "fc4", "sigmoid"]

This is PyTorch's own example of a VAE. The kind of layer for a name follows from the shape of its weights; a
convolution with a stride other than 1 is a table:

    {conv = "enc.0", stride = 2, padding = 1}
    {conv_transpose = "dec.2", stride = 2, padding = 1, output_padding = 1}
    {batch_norm = "enc.1", epsilon = 1e-3}
    {leaky_relu = 0.2}
    {reshape = [64, 7, 7]}

Images are planes (C, H, W), as in PyTorch, and a linear layer flattens its input. If mean and log
variance name the same layer, its first half is the mean. A decoder may also end with a mean and a log variance.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from vae.errors import CheckpointError, ConfigError
from vae.interchange.found import Found, Gives, check_latent, found
from vae.interchange.layers import check_keys, stack
from vae.interchange.layouts import Layout
from vae.interchange.weights import read_weights
from vae.model import MOST_VALUES, check_shape

__all__ = ["assembled", "named_data", "parsed_description", "read_layers"]

_MOST_CHARACTERS = 64_000


def read_layers(weights: bytes, description: str, pickled: bool = True) -> Found:
    """Reads a VAE from a state dict and a description of its layers.

    Arguments:
        weights: of a .safetensors, .pt or .pth file.
        description: TOML or JSON, in the form above.
        pickled: whether to accept files of torch.save as well as .safetensors.

    Raises:
        CheckpointError: the weights are damaged, or the layers do not match each other.
        ConfigError: the description does not have that form.
    """
    return assembled(parsed_description(description), read_weights(weights, pickled), "PyTorch layers")


def assembled(said: dict[str, Any], state: dict[str, Tensor], source: str) -> Found:
    """Builds a VAE from a parsed description and the tensors that it names.

    Raises:
        CheckpointError: the layers do not match each other.
        ConfigError: the description does not have that form.
    """
    check_keys("the description", said, {"latent", "image", "likelihood", "encoder", "decoder"}, {"data"})
    named_data(said)
    latent, image, likelihood = said["latent"], said["image"], said["likelihood"]
    if type(latent) is not int:
        raise ConfigError(f"latent must be a whole number, that of latent dimensions; it is {latent!r:.80}.")
    if not isinstance(image, list):
        raise ConfigError(f"image must be [height, width], or [height, width, 3] for colour; it is {image!r:.80}.")
    if likelihood not in ("bernoulli", "gaussian"):
        raise ConfigError(f"likelihood must be bernoulli or gaussian; it is {likelihood!r:.80}.")
    check_latent(latent)
    check_shape(shape := tuple(image))
    layout = Layout((shape[2] if len(shape) == 3 else 1, *shape[:2]))
    check_keys("encoder", said["encoder"], {"layers", "mean", "log_variance"})
    check_keys("decoder", said["decoder"], {"layers"}, {"mean", "log_variance"})
    encoder, decoder = (_Heads(said[part], state) for part in ("encoder", "decoder"))
    _check_sizes(encoder, layout.shape)
    _check_sizes(decoder, (latent,))
    gives: Gives = "mean and log variance" if decoder.log_variance is not None else "mean"
    if likelihood == "bernoulli":
        if gives != "mean":
            raise ConfigError("With a Bernoulli likelihood the decoder has no log_variance; leave it out.")
        gives = "probabilities" if said["decoder"]["layers"][-1:] == ["sigmoid"] else "logits"

    def encode(x: Tensor) -> tuple[Tensor, ...]:
        return encoder(layout.unflatten(x))

    def decode(z: Tensor) -> tuple[Tensor, ...]:
        return tuple(layout.flatten(each.reshape(-1, *layout.shape)) for each in decoder(z))

    return found(encode, decode, latent, shape, gives, source)


def named_data(said: dict[str, Any]) -> str:
    """Returns the name of the data set in a parsed description, "" if it names none.

    Raises:
        ConfigError: it is not a name.
    """
    if not isinstance(name := said.get("data", ""), str):
        raise ConfigError(f"data must be the name of a data set; it is {name!r:.80}.")
    return name


class _Heads(nn.Module):
    """Layers, and what follows them: a mean and a log variance, or nothing."""

    def __init__(self, said: dict[str, Any], state: dict[str, Tensor]) -> None:
        super().__init__()
        if ("log_variance" in said) and "mean" not in said:
            raise ConfigError("A log_variance needs a mean as well.")
        self.body = stack(said["layers"], state)
        self.mean = stack(said.get("mean", []), state)
        self.log_variance = stack(said["log_variance"], state) if "log_variance" in said else None
        self.halves = self.log_variance is not None and said["mean"] == said["log_variance"]
        self.eval()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.body(x)
        mean = self.mean(h)
        if self.log_variance is None:
            return (mean,)
        if self.halves:
            return mean.chunk(2, 1)
        return mean, self.log_variance(h)


def _check_sizes(network: _Heads, row: tuple[int, ...]) -> None:
    """Checks, without allocating memory, that no layer gives too many numbers for a row of this shape."""

    def check(_layer: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.numel() > 2 * MOST_VALUES:
            raise CheckpointError(f"it gives more than {MOST_VALUES:,} numbers for an image")

    hooks = [layer.register_forward_hook(check) for layer in network.modules()]
    weights = {name: value.to("meta") for name, value in network.state_dict().items()}
    try:
        functional_call(network, weights, (torch.empty(2, *row, device="meta"),))
    except Exception as error:  # PyTorch may raise anything for sizes that do not match
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"A layer of the description does not match the one before it: {reason:.200}.") from error
    finally:
        for hook in hooks:
            hook.remove()


def parsed_description(description: str) -> dict[str, Any]:
    """Parses the text of a description, without checking its contents.

    Raises:
        ConfigError: it is neither TOML nor JSON.
    """
    if len(description) > _MOST_CHARACTERS:
        raise ConfigError(
            f"A description may have at most {_MOST_CHARACTERS:,} characters; this one has {len(description):,}."
        )
    try:
        said = json.loads(description) if description.lstrip().startswith("{") else tomllib.loads(description)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The description is neither TOML nor JSON: {' '.join(str(error).split()):.160}.") from error
    return said
