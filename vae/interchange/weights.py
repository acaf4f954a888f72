"""The weights of a PyTorch model in a file: .safetensors, or what torch.save wrote of a state dict.

A file of torch.save is a pickle within a zip. It is read with weights_only, after a look at what it asks for: nothing
but tensors, in dictionaries, and no more of them than the file has bytes for.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from vae.errors import CheckpointError
from vae.paths import given

__all__ = ["MOST_BYTES", "read_file", "read_weights"]

MOST_BYTES = 2**30
_ZIP = b"PK\x03\x04"  # with which a file of torch.save begins
_KINDS = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Byte", "Char", "Bool")
_ASKED_FOR = {f"torch {kind}Storage" for kind in _KINDS} | {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
}
_BUILDERS = ("GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4")
_PREFIXES = ("state_dict", "model_state_dict", "model", "weights")


def read_file(path: str | Path, most: int = MOST_BYTES) -> bytes:
    """Reads a file of a model.

    Raises:
        CheckpointError: it is missing, unreadable, or larger than `most` bytes.
    """
    path = given(path)
    try:
        if not path.is_file():
            raise CheckpointError(f"{path} is no file. Give the path of one.")
        if (size := path.stat().st_size) > most:
            raise CheckpointError(f"{path} has {size / 2**20:,.0f} MB; at most {most / 2**20:,.0f} are read.")
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}.") from error


def read_weights(content: bytes, pickled: bool = True) -> dict[str, Tensor]:
    """Reads the tensors of a state dict by name, whole numbers as they are and all others as float32.

    Arguments:
        content: of a .safetensors file, or of a .pt or .pth file that torch.save wrote. A dictionary that holds the
            state dict as `state_dict`, `model_state_dict`, `model` or `weights` is taken for it.
        pickled: whether files of torch.save are read, and not .safetensors alone.

    Raises:
        CheckpointError: it is neither, is damaged, or holds something else than tensors.
    """
    if content.startswith(_ZIP) and not pickled:
        raise CheckpointError(
            "Weights come as .safetensors here; this file is one of torch.save. Write it with "
            "safetensors.torch.save_file."
        )
    found = _of_torch(content) if content.startswith(_ZIP) else _of_safetensors(content)
    weights: dict[str, Tensor] = {}
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            continue  # a step, a setting: nothing that a network has
        value = value.detach()
        if value.is_floating_point():
            value = value.float()
            if not torch.isfinite(value).all():
                raise CheckpointError(f"Weights are finite numbers; those of {name!r:.80} are not.")
        weights[name] = value.contiguous().clone()
    if not weights:
        raise CheckpointError("The file has no tensors by name; save model.state_dict().")
    return weights


def _of_safetensors(content: bytes) -> dict[Any, Any]:
    try:
        return safetensors.torch.load(content)
    except Exception as error:  # safetensors' own, or of sizes that do not fit
        raise CheckpointError(
            "This is no .safetensors file, or a damaged one, and none that torch.save has written since PyTorch 1.6. "
            "Save the weights anew, with safetensors or torch.save(model.state_dict(), ...)."
        ) from error


def _of_torch(content: bytes) -> dict[Any, Any]:
    try:
        _look(content)
        planned = torch.load(io.BytesIO(content), map_location="meta", weights_only=True)
        if sum(each.numel() for each in _tensors(planned)) > len(content):
            raise CheckpointError("it says of its tensors that they are larger than itself")
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # zipfile, pickletools and torch raise what they like
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"This is no file of weights that torch.save wrote, or a damaged one ({reason:.120}). "
            "Save the weights alone: torch.save(model.state_dict(), ...)."
        ) from error
    for _ in range(2):
        inner = next((loaded[each] for each in _PREFIXES if isinstance(loaded, dict) and each in loaded), None)
        loaded = inner if isinstance(inner, dict) else loaded
    if not isinstance(loaded, dict):
        raise CheckpointError("The file holds no state dict; save torch.save(model.state_dict(), ...).")
    return loaded


def _look(content: bytes) -> None:
    """Refuses a file that asks for anything but tensors, or that is larger unpacked than packed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content) for entry in entries):
            raise CheckpointError("its parts are compressed, which torch.save never does")
        if sum(entry.file_size for entry in entries) > len(content):
            raise CheckpointError("its parts lie upon each other")
        (record,) = (entry for entry in entries if entry.filename.endswith("data.pkl"))
        for operation, argument, _place in pickletools.genops(archive.read(record)):
            if operation.name in _BUILDERS and argument not in _ASKED_FOR:
                raise CheckpointError(f"it asks for {argument or operation.name}, which is no tensor")


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, dict):
        return [each for inner in value.values() for each in _tensors(inner)]
    return [value] if isinstance(value, Tensor) else []
