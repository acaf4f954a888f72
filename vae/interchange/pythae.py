"""Model folders of pythae 0.1.2, read without pythae, and without unpickling anything but weights.

A folder has `model_config.json`, `model.pt` and, for networks that are not the default, `encoder.pkl` and
`decoder.pkl`, which are code and are never opened. The networks are recognised by the names and shapes of their weights
instead: the default perceptrons of 512 units, and pythae's convolutional ones for MNIST, CIFAR and CelebA.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import Tensor

from vae.errors import CheckpointError
from vae.interchange.descriptions import assembled
from vae.interchange.found import Found
from vae.interchange.weights import read_file, read_weights
from vae.paths import given

__all__ = ["MODELS", "read_pythae"]

# Models with another training objective than a VAE that are VAEs otherwise: prior N(0, I), q(z|x) and p(x|z) the same.
MODELS = (
    "VAE", "BetaVAE", "IWAE", "CIWAE", "MIWAE", "PIWAE", "BetaTCVAE", "DisentangledBetaVAE", "FactorVAE", "INFOVAE_MMD",
)  # fmt: skip
_LIKELIHOODS = {"bce": "bernoulli", "mse": "gaussian"}
_HIDDEN = 512
_CHANNELS = (128, 256, 512, 1024)
_NORM = ("weight", "bias", "running_mean", "running_var")

Shapes = dict[str, tuple[int, ...]]
Part = tuple[Shapes, dict[str, Any]]


def read_pythae(folder: str | Path) -> Found:
    """Reads a VAE that pythae has saved.

    Under the reconstruction loss "bce" the decoder's outputs are the probabilities of binary pixels. Under "mse" they
    are the mean of a Gaussian; the loss, half the sum of squares, is that of a standard deviation of 1, up to a
    constant.

    Arguments:
        folder: with model_config.json and model.pt; the `final_model` of a training.

    Raises:
        CheckpointError: it is damaged, of another model than `MODELS`, or has networks that are not recognised.
        ConfigError: there are no models for images of its size.
    """
    folder = given(folder)
    config = _config(read_file(folder / "model_config.json", 2**16))
    state = read_weights(read_file(folder / "model.pt"))
    latent, channels, sides = config["latent_dim"], config["input_dim"][0], config["input_dim"][1:]
    pixels = channels * sides[0] * sides[1]
    encoder = _recognised("encoder", state, [_perceptron_in(pixels, latent), *_convolutions_in(channels, latent)])
    decoder = _recognised("decoder", state, [_perceptron_out(pixels, latent), *_convolutions_out(channels, latent)])
    description = {
        "latent": latent,
        "image": [*sides, *([3] if channels == 3 else [])],
        "likelihood": _LIKELIHOODS[config["reconstruction_loss"]],
        "encoder": encoder,
        "decoder": decoder,
    }
    return assembled(description, state, "pythae")


def _config(content: bytes) -> dict[str, Any]:
    """Reads the settings that are needed from model_config.json, and checks them."""
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError("model_config.json is damaged: it is not JSON.") from error
    if not isinstance(config, dict):
        raise CheckpointError("model_config.json is not from pythae: it is not a table of settings.")
    name = config.get("name")
    kind = str(name).removesuffix("Config").removesuffix("_")
    if kind not in MODELS:
        raise CheckpointError(
            f"The models of pythae with a standard normal prior and Gaussian codes are supported, {', '.join(MODELS)}; "
            f"this folder is of {name!r:.60}."
        )
    if (loss := config.get("reconstruction_loss", "mse")) not in ("bce", "mse"):
        raise CheckpointError(
            f"The reconstruction loss of a pythae model must be bce or mse; this one has {loss!r:.60}."
        )
    shape, latent = config.get("input_dim"), config.get("latent_dim", 10)
    if (
        not isinstance(shape, list)
        or not all(type(side) is int and 1 <= side <= 1024 for side in shape)
        or len(shape) not in (2, 3)
        or (len(shape) == 3 and shape[0] not in (1, 3))
    ):
        raise CheckpointError(
            f"input_dim must be 1 or 3 channels, height and width; that of this folder is {shape!r:.60}."
        )
    if type(latent) is not int or not 1 <= latent <= 1024:
        raise CheckpointError(
            f"latent_dim must be a whole number from 1 to 1,024; that of this folder is {latent!r:.60}."
        )
    return {"latent_dim": latent, "input_dim": [1] * (3 - len(shape)) + shape, "reconstruction_loss": loss}


def _recognised(part: str, state: dict[str, Tensor], known: list[Part]) -> dict[str, Any]:
    """Returns the description of the network whose weights have these names and shapes."""
    shapes = {name: tuple(value.shape) for name, value in state.items() if name.startswith(f"{part}.")}
    for expected, description in known:
        if shapes == {f"{part}.{name}": shape for name, shape in expected.items()}:
            return description
    raise CheckpointError(
        f"The {part} in this folder is neither pythae's default nor one of its convolutional networks for MNIST, CIFAR "
        "and CelebA, and the code of others is never run. Use vae.inspect from a script that has it, or export it to "
        "ONNX."
    )


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _normed(name: str, weight: tuple[int, ...], outputs: int, norm: bool = True) -> Shapes:
    """The shapes of a convolution and the batch normalisation after it."""
    shapes: Shapes = {f"{name}.0.weight": weight, f"{name}.0.bias": (outputs,)}
    if norm:
        shapes |= {f"{name}.1.{each}": (outputs,) for each in _NORM} | {f"{name}.1.num_batches_tracked": ()}
    return shapes


def _heads(inputs: int, latent: int) -> Shapes:
    return _linear("embedding", inputs, latent) | _linear("log_var", inputs, latent)


def _encoder(layers: list[Any]) -> dict[str, Any]:
    return {"layers": layers, "mean": "encoder.embedding", "log_variance": "encoder.log_var"}


def _perceptron_in(pixels: int, latent: int) -> Part:
    shapes = _linear("layers.0.0", pixels, _HIDDEN) | _heads(_HIDDEN, latent)
    return shapes, _encoder(["encoder.layers.0.0", "relu"])


def _perceptron_out(pixels: int, latent: int) -> Part:
    shapes = _linear("layers.0.0", latent, _HIDDEN) | _linear("layers.1.0", _HIDDEN, pixels)
    return shapes, {"layers": ["decoder.layers.0.0", "relu", "decoder.layers.1.0", "sigmoid"]}


def _convolutions_in(channels: int, latent: int) -> list[Part]:
    """The encoder for MNIST, CIFAR and CelebA, which differ in what remains of the image: 1, 4 or 16 positions."""
    shapes: Shapes = {}
    layers: list[Any] = []
    for at, (inputs, outputs) in enumerate(zip((channels, *_CHANNELS), _CHANNELS, strict=False)):
        shapes |= _normed(f"layers.{at}", (outputs, inputs, 4, 4), outputs)
        layers += [{"conv": f"encoder.layers.{at}.0", "stride": 2, "padding": 1}, f"encoder.layers.{at}.1", "relu"]
    return [(shapes | _heads(1024 * places, latent), _encoder(layers)) for places in (1, 4, 16)]


def _convolutions_out(channels: int, latent: int) -> list[Part]:
    """The decoders: the name of the first layer, the side of its output, and each convolution's outputs, kernel,
    stride, padding and output padding."""
    known = [
        ("layers.0", 4, [(512, 3, 2, 1, 0), (256, 3, 2, 1, 1), (channels, 3, 2, 1, 1)]),
        ("layers.0", 8, [(512, 4, 2, 1, 0), (256, 4, 2, 1, 1), (channels, 4, 1, 2, 0)]),
        ("layers.0.0", 8, [(512, 5, 2, 2, 0), (256, 5, 2, 1, 0), (128, 5, 2, 2, 1), (channels, 5, 1, 1, 0)]),
    ]
    parts = []
    for first, side, convolutions in known:
        inputs = 1024
        shapes = _linear(first, latent, inputs * side**2)
        layers: list[Any] = [f"decoder.{first}", {"reshape": [inputs, side, side]}]
        for at, (outputs, kernel, stride, padding, more) in enumerate(convolutions, start=1):
            name, last = f"layers.{at}", at == len(convolutions)
            shapes |= _normed(name, (inputs, outputs, kernel, kernel), outputs, norm=not last)
            options = {"stride": stride, "padding": padding, "output_padding": more}
            layers.append({"conv_transpose": f"decoder.{name}.0", **options})
            layers += ["sigmoid"] if last else [f"decoder.{name}.1", "relu"]
            inputs = outputs
        parts.append((shapes, {"layers": layers}))
    return parts
