"""The command `model`: imports and exports models, and manages the user's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import vae
from vae import paths
from vae.cli.uses import loaded
from vae.data import said_size
from vae.errors import ConfigError
from vae.settings import check_name, locate, methods, refuse_taken

__all__ = ["add_model"]


def add_model(commands: Any) -> None:
    """Adds the command to a parser."""
    command = commands.add_parser("model", help="import, export, rename, copy or remove a model")
    inner = command.add_subparsers(dest="what", required=True)
    _add_import(inner)
    command = inner.add_parser("export", help="write encoder.onnx and decoder.onnx, each checked against the model")
    command.add_argument("name", help="name of the model, or path of its file")
    command.add_argument(
        "--onnx", type=Path, required=True, metavar="FOLDER", help="folder to write to; created if needed"
    )
    command.set_defaults(run=_export)
    for what, says in (("rename", "rename one of your own models"), ("copy", "copy a model")):
        command = inner.add_parser(what, help=says)
        command.add_argument("name", help="name of the model")
        command.add_argument("new", help="new name: lower-case letters, digits, '.', '-' and '_'")
        command.set_defaults(run=_put)
    command = inner.add_parser("remove", help="remove one of your own models; vae model restore undoes it")
    command.add_argument("name", help="name of the model")
    command.set_defaults(run=_remove)
    command = inner.add_parser("restore", help="restore the most recently removed model of that name")
    command.add_argument("name", help="name that the model had")
    command.set_defaults(run=_restore)


def _put(chosen: argparse.Namespace) -> None:
    locate(chosen.name)
    act = vae.jobs.shelf.rename if chosen.what == "rename" else vae.jobs.shelf.copy
    act(chosen.name, chosen.new)
    print(chosen.new)


def _remove(chosen: argparse.Namespace) -> None:
    locate(chosen.name)
    vae.jobs.shelf.discard(chosen.name)
    print(f"removed {chosen.name}; to undo this: vae model restore {chosen.name}")


def _restore(chosen: argparse.Namespace) -> None:
    tokens = [token for token in vae.jobs.shelf.discarded() if token.partition("-")[2] == chosen.name]
    if not tokens:
        raise ConfigError(f"Removed models can be restored only for a while; there is no {chosen.name!r} among them.")
    print(f"restored {vae.jobs.shelf.bring_back(tokens[0])}")


def _add_import(inner: Any) -> None:
    command = inner.add_parser(
        "import",
        help="import a model of another program",
        description="Reads a model folder of pythae, a folder with encoder.onnx and decoder.onnx, or a state dict "
        "of PyTorch (.safetensors, .pt, .pth) with a description of its layers. In a script, use vae.inspect.",
    )
    command.add_argument("path", help="path of the folder or the file")
    command.add_argument(
        "--name", required=True, help="name of the model: lower-case letters, digits, '.', '-' and '_'"
    )
    command.add_argument(
        "--data", metavar="NAME", help="data set to show the model with, unless the description of layers names one"
    )
    command.add_argument("--layers", metavar="FILE", help="description of the layers of a state dict, TOML or JSON")
    command.add_argument("--gives", choices=methods.GIVES, help="output of the decoder in an ONNX file")
    command.add_argument(
        "--sigma", type=float, help="standard deviation of a decoder of means, in units of pixels in [0, 1]; by "
        "default the best one for the training images",
    )  # fmt: skip
    command.add_argument(
        "--standardised", type=float, nargs=2, default=(0.0, 1.0), metavar=("MEAN", "SD"),
        help="the networks take (x - MEAN) / SD; 0.5 0.5 for pixels in [-1, 1]",
    )  # fmt: skip
    command.add_argument(
        "--plain-grey", action="store_true", help="pixels are u / 255 rather than (u + U[0, 1)) / 256, where u is 8-bit"
    )
    command.add_argument("--overwrite", action="store_true", help="replace an existing model of that name")
    command.set_defaults(run=_import)


def _import(chosen: argparse.Namespace) -> None:
    check_name(chosen.name)
    if not chosen.overwrite:
        refuse_taken(chosen.name, "--overwrite")
    dataset = loaded(chosen.data or _named(chosen.layers), optional=True)
    found = _found(chosen, dataset.image_shape)
    mean, deviation = chosen.standardised
    pixels = vae.Pixels(mean, deviation, not chosen.plain_grey)
    record, says = vae.interchange.keep(found, chosen.name, dataset, pixels, chosen.sigma, overwrite=chosen.overwrite)
    size = said_size(found.image_shape)
    print(f"{record.name}: {found.source}, J = {found.latent}, images of {size}; the decoder gives {found.gives}.")
    for sentence in says:
        print(sentence)
    print(f"To explore it: vae app --model {record.name}")


def _named(layers: str | None) -> str:
    """Returns the data set named in a description of layers."""
    text = "" if layers is None else vae.interchange.read_file(layers, 2**16).decode(errors="replace")
    said = vae.interchange.parsed_description(text)
    if not (name := vae.interchange.named_data(said)):
        raise ConfigError("A model needs images to be shown with: choose one of the data sets in vae data with --data.")
    return name


def _found(chosen: argparse.Namespace, image_shape: tuple[int, ...]) -> vae.interchange.Found:
    path = paths.given(chosen.path)
    if chosen.gives and not (path / "decoder.onnx").is_file():
        raise ConfigError("--gives applies only to ONNX files; other files contain that information.")
    if (path / "model_config.json").is_file():
        return vae.interchange.read_pythae(path)
    if (path / "encoder.onnx").is_file() and (path / "decoder.onnx").is_file():
        read = vae.interchange.read_onnx_file
        encoder, decoder = read(path / "encoder.onnx"), read(path / "decoder.onnx")
        return vae.interchange.read_onnx(encoder, decoder, gives=chosen.gives, image_shape=image_shape)
    if path.suffix in (".safetensors", ".pt", ".pth"):
        if chosen.layers is None:
            raise ConfigError(
                f"A state dict needs a description of its layers: give --layers FILE together with {path}."
            )
        read_file = vae.interchange.read_file
        says = read_file(chosen.layers, 2**16).decode(errors="replace")
        return vae.interchange.read_layers(read_file(path), says)
    raise ConfigError(
        "A model must be a folder of pythae (model_config.json, model.pt), a folder with encoder.onnx and "
        "decoder.onnx, "
        f"or a .safetensors, .pt or .pth file with --layers; {path} is none of these."
    )


def _export(chosen: argparse.Namespace) -> None:
    locate(chosen.name)
    for path in vae.interchange.write_onnx(vae.load(chosen.name), chosen.onnx):
        print(path)
