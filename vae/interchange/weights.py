"""The weights of a PyTorch model in a file: .safetensors, or a state dict written by torch.save.

A file of torch.save is a pickle within a zip. It is read with weights_only, after an inspection of its contents:
nothing but tensors, in dictionaries, and no more of them than the file has bytes for.
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
_ZIP = b"PK\x03\x04"  # the first bytes of a file of torch.save
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
            raise CheckpointError(f"{path} is not a file. Give the path of one.")
        if (size := path.stat().st_size) > most:
            raise CheckpointError(f"{path} has {size / 2**20:,.0f} MB; at most {most / 2**20:,.0f} MB can be read.")
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}.") from error


def read_weights(content: bytes, pickled: bool = True) -> dict[str, Tensor]:
    """Reads the tensors of a state dict by name, integers unchanged and all others as float32.

    Arguments:
        content: of a .safetensors file, or of a .pt or .pth file written by torch.save. A dictionary that holds the
            state dict as `state_dict`, `model_state_dict`, `model` or `weights` is also accepted.
        pickled: whether to accept files of torch.save as well as .safetensors.

    Raises:
        CheckpointError: it is neither, is damaged, or contains something other than tensors.
    """
    if content.startswith(_ZIP) and not pickled:
        raise CheckpointError(
            "Weights must be .safetensors here; this file was written by torch.save. Write it with "
            "safetensors.torch.save_file."
        )
    found = _of_torch(content) if content.startswith(_ZIP) else _of_safetensors(content)
    weights: dict[str, Tensor] = {}
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            continue  # a step or a setting, not part of a network
        value = value.detach()
        if value.is_floating_point():
            value = value.float()
            if not torch.isfinite(value).all():
                raise CheckpointError(f"Weights must be finite; those of {name!r:.80} are not.")
        weights[name] = value.contiguous().clone()
    if not weights:
        raise CheckpointError("The file has no tensors by name; save model.state_dict().")
    return weights


def _of_safetensors(content: bytes) -> dict[Any, Any]:
    try:
        return safetensors.torch.load(content)
    except Exception as error:  # from safetensors, or about sizes that do not match
        raise CheckpointError(
            "This is neither an intact .safetensors file nor a file of torch.save since PyTorch 1.6. "
            "Save the weights again, with safetensors or torch.save(model.state_dict(), ...)."
        ) from error


def _of_torch(content: bytes) -> dict[Any, Any]:
    try:
        _look(content)
        planned = torch.load(io.BytesIO(content), map_location="meta", weights_only=True)
        if sum(each.numel() for each in _tensors(planned)) > len(content):
            raise CheckpointError("it claims to have tensors that are larger than itself")
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # zipfile, pickletools and torch may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"This is not an intact file of weights written by torch.save ({reason:.120}). "
            "Save only the weights: torch.save(model.state_dict(), ...)."
        ) from error
    for _ in range(2):
        inner = next((loaded[each] for each in _PREFIXES if isinstance(loaded, dict) and each in loaded), None)
        loaded = inner if isinstance(inner, dict) else loaded
    if not isinstance(loaded, dict):
        raise CheckpointError("The file does not contain a state dict; save torch.save(model.state_dict(), ...).")
    return loaded


def _look(content: bytes) -> None:
    """Rejects a file that asks for anything but tensors, or that is larger unpacked than packed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content) for entry in entries):
            raise CheckpointError("its parts are compressed, which torch.save never does")
        if sum(entry.file_size for entry in entries) > len(content):
            raise CheckpointError("its parts overlap")
        (record,) = (entry for entry in entries if entry.filename.endswith("data.pkl"))
        for operation, argument, _place in pickletools.genops(archive.read(record)):
            if operation.name in _BUILDERS and argument not in _ASKED_FOR:
                raise CheckpointError(f"it contains {argument or operation.name}, which is not a tensor")


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, dict):
        return [each for inner in value.values() for each in _tensors(inner)]
    return [value] if isinstance(value, Tensor) else []
