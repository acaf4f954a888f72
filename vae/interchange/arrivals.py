"""Uploaded files of a model that belong together, inspected before anything is stored.

    name.safetensors                               a model of this library
    encoder.onnx, decoder.onnx                     networks of any program, with the files that have their weights
    weights.safetensors with a .toml or .json      a state dict, and the description of its layers

Nothing else is read: a file of torch.save can contain code.
"""

from __future__ import annotations

import contextlib
import math
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vae.errors import CheckpointError, ConfigError, VAEError
from vae.interchange.descriptions import assembled, named_data, parsed_description
from vae.interchange.found import Found, Gives
from vae.interchange.onnx import Network
from vae.interchange.pairs import check_roles, encoder_network, gives_of, read_onnx
from vae.interchange.protobuf import parsed
from vae.interchange.sidefiles import with_weights
from vae.interchange.weights import read_weights
from vae.model import VAE, Record, load, read_record

__all__ = ["Arrival", "arrive"]

_PICKLES = (".pt", ".pth")
_DESCRIPTIONS = (".toml", ".json")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What the files of a model tell on their own.

    Attributes:
        kind: a model of this library, a state dict with its description, or networks in ONNX.
        latent: J, or None if the files do not determine it.
        pixels: the number of values in an image, or None if the files do not determine it.
        image_shape: (H, W) or (H, W, 3), or None if the files do not determine it.
        gives: the output of the decoder; None if the files do not determine it, and for a model of this library.
        data: name of the data set that the description names, "" if it names none.
        model: the model and its record, of one of this library.
        layers: the networks of a state dict.
        pair: names and contents of an encoder and a decoder in ONNX.
    """

    kind: Literal["model", "layers", "onnx"]
    latent: int | None = None
    pixels: int | None = None
    image_shape: tuple[int, ...] | None = None
    gives: Gives | None = None
    data: str = ""
    model: tuple[VAE, Record] | None = None
    layers: Found | None = None
    pair: tuple[tuple[str, bytes], tuple[str, bytes]] | None = None

    def fits(self, image_shape: tuple[int, ...]) -> bool:
        """Tells whether the model may be for images of a shape."""
        if self.image_shape is not None:
            return self.image_shape == image_shape
        return self.pixels in (None, math.prod(image_shape))

    def found(self, image_shape: tuple[int, ...], gives: Gives | None = None) -> Found:
        """Returns the networks for images of a shape.

        Arguments:
            image_shape: of the data set that the model is shown with.
            gives: the output of the decoder, if the files do not determine it.

        Raises:
            CheckpointError: they do not match.
        """
        if self.layers is not None:
            return self.layers
        if self.pair is None:
            raise CheckpointError("A model of this library is saved unchanged; there are no networks to convert.")
        (first, encoder), (second, decoder) = self.pair
        names = (first, second)
        return read_onnx(encoder, decoder, gives=gives or self.gives, image_shape=image_shape, names=names)


def arrive(files: Mapping[str, bytes]) -> Arrival:
    """Inspects files that belong to one model.

    Arguments:
        files: their contents by name.

    Raises:
        CheckpointError: a file is damaged, has something unsupported, or does not match the others; it is named.
        ConfigError: one is missing or too many, or of a kind that is not supported here.
    """
    kinds = {name: Path(name).suffix.lower() for name in files}
    for name, kind in kinds.items():
        if kind in _PICKLES:
            raise ConfigError(
                f"A {kind} file can contain code, so it can be read only from a shell, not from an upload: "
                f"`vae model import {shlex.quote(name):.200} --layers net.toml --name NAME --data DATA-SET`"
            )
    nets = [name for name, kind in kinds.items() if kind == ".onnx"]
    weights = [name for name, kind in kinds.items() if kind == ".safetensors"]
    described = [name for name, kind in kinds.items() if kind in _DESCRIPTIONS]
    if nets and not weights and not described:
        return _pair(files, nets)
    if len(files) == len(weights) == 1:
        return _own(weights[0], files[weights[0]])
    if len(files) == 2 and len(weights) == len(described) == 1:
        return _layers(files, weights[0], described[0])
    raise _wrong(files)


def _wrong(files: Mapping[str, bytes]) -> ConfigError:
    return ConfigError(
        "A model needs two files: two ONNX files with encoder and decoder in their names, or a state dict "
        f"as .safetensors with a TOML or JSON file that names its layers. These are {', '.join(files):.300}."
    )


def _own(name: str, content: bytes) -> Arrival:
    try:
        with tempfile.TemporaryDirectory(prefix="vae-upload-", ignore_cleanup_errors=True) as place:
            path = Path(place) / "upload.safetensors"
            path.write_bytes(content)
            try:
                model, record = load(path), read_record(path)
            except CheckpointError as error:
                raise CheckpointError(str(error).replace(str(path), name)) from error
    except OSError as error:
        raise CheckpointError(
            f"{name} could not be stored temporarily to be read ({error.strerror or error}). Free some space in "
            f"{tempfile.gettempdir()}."
        ) from error
    shape = model.config.image_shape
    return Arrival(
        kind="model", latent=model.config.latent, pixels=math.prod(shape), image_shape=shape, model=(model, record)
    )


def _layers(files: Mapping[str, bytes], weights: str, description: str) -> Arrival:
    with _named(weights):
        state = read_weights(files[weights], pickled=False)
    with _named(description):
        said = parsed_description(files[description].decode(errors="replace"))
        found = assembled(said, state, "PyTorch layers")
    return Arrival(
        kind="layers", latent=found.latent, pixels=math.prod(found.image_shape), image_shape=found.image_shape,
        gives=found.gives, data=named_data(said), layers=found,
    )  # fmt: skip


def _pair(files: Mapping[str, bytes], nets: list[str]) -> Arrival:
    parts = [[name for name in nets if part in name.lower()] for part in ("encoder", "decoder")]
    if len(nets) != 2 or any(len(found) != 1 for found in parts):
        raise _wrong(files)
    names = parts[0][0], parts[1][0]
    used: set[str] = set()

    def beside(place: str) -> bytes:
        if place not in files:
            raise CheckpointError(f"its weights are in {place}, which was not uploaded. Upload that file too.")
        used.add(place)
        return files[place]

    contents = []
    for name in names:
        with _named(name):
            contents.append(with_weights(files[name], name, beside))
    if unused := sorted(files.keys() - {*names} - used):
        raise ConfigError(f"Neither of the two ONNX files has its weights in {unused[0]:.100}. Remove it.")
    pair = (names[0], contents[0]), (names[1], contents[1])
    with _named(names[0]):
        if parsed(contents[0], None).sides is None:
            return Arrival(kind="onnx", pair=pair)  # read once the shape of the images is known
        encoding = encoder_network(contents[0])
    with _named(names[1]):
        decoding = Network(contents[1])
    check_roles(encoding, decoding, names=names)
    return Arrival(
        kind="onnx", latent=decoding.takes.numbers, pixels=encoding.takes.numbers,
        image_shape=encoding.takes.image_shape or decoding.gives[0].image_shape, gives=gives_of(decoding), pair=pair,
    )  # fmt: skip


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """Adds the name of the file to errors."""
    try:
        yield
    except VAEError as error:
        raise CheckpointError(f"{name} cannot be imported: {error}") from error
