"""Models on disk: `<folder>/<name>/model.safetensors`, weights with a JSON record in the header. Never pickle.

A model is written aside and renamed, so a reader never sees half a file. What a file says of itself
is checked against its tensors before any memory is taken for it.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

from vae import paths
from vae.errors import CheckpointError, meant
from vae.model.config import ImportedConfig
from vae.model.imported import rebuild
from vae.model.records import FORMAT, Record, networks, read, written
from vae.model.vae import MOST_WEIGHTS, VAE, Decoder, Encoder

__all__ = [
    "FORMAT",
    "Record",
    "catalogue",
    "check_name",
    "folders",
    "load",
    "locate",
    "read_record",
    "save",
    "taken",
]

MODEL_FILE = "model.safetensors"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def folders() -> list[Path]:
    """Returns where models live, the one that is written to first: the user's own, and those that ship."""
    return list(dict.fromkeys([paths.own("checkpoints"), paths.SHIPPED / "checkpoints"]))


def check_name(name: str) -> str:
    """Returns the name of a model if it may be one.

    Raises:
        CheckpointError: it is not lower-case letters, digits, dots, dashes and underscores, 64 at most.
    """
    if not _NAME.fullmatch(name):
        raise CheckpointError(
            f"A model's name is 1 to 64 lower-case letters, digits, '.', '-' or '_', the first a letter or digit; "
            f"{name!r} is not."
        )
    return name


def taken(name: str) -> bool:
    """Tells whether there is a model of a name in `folders()`, whatever is in its file."""
    return any(path.exists() for folder in folders() for path in _places(folder, name))


def locate(name_or_path: str | Path) -> Path:
    """Returns the file of a model, by its name or its path (the file, or the folder that holds it).

    Raises:
        CheckpointError: there is none; the message lists the names that there are.
    """
    given = paths.given(name_or_path)
    places = [given, given / MODEL_FILE]
    if isinstance(name_or_path, str) and _NAME.fullmatch(name_or_path):
        places = [path for folder in folders() for path in _places(folder, name_or_path)] + places
    for path in places:
        if os.path.isfile(path):  # unlike Path.is_file, it says no to a name too long for the disk
            return path
    names = [record.name for record in catalogue()[0]]
    raise CheckpointError(
        f"A model is given by its name or its file; there is none at {str(name_or_path)!r}. "
        f"Names: {', '.join(names) or 'none yet'}.{meant(str(name_or_path), names)}"
    )


def save(
    model: VAE, record: Record, *, overwrite: bool = False, half: bool = False, folder: Path | None = None
) -> Path:
    """Writes a model to the first of `folders()`.

    Arguments:
        model: the VAE; its config is taken, whatever the record says.
        record: all else that the file says.
        overwrite: whether a model of that name may be replaced.
        half: store weights as float16, half the size; they are read as float32 again.
        folder: of models; the first of `folders()` if not given.

    Returns:
        The file.

    Raises:
        CheckpointError: the name is not one or is taken, the weights are not finite, or the disk refuses.
    """
    path, *others = _places(paths.given(folder) if folder else folders()[0], check_name(record.name))
    if not overwrite and any(each.exists() for each in (path, *others)):
        raise CheckpointError(f"A model's name must be new; {record.name!r} is taken. Choose another, or overwrite it.")
    weights = {key: value.detach().contiguous() for key, value in model.state_dict().items()}
    if half:
        weights = {key: value.half() for key, value in weights.items()}
    for key, value in weights.items():
        if not bool(value.isfinite().all()):
            raise CheckpointError(
                f"Weights must be finite numbers{' in half precision' * half}; those of {key} are not."
            )
    paths.write_aside(path, to_bytes(weights, {"vae": written(model, record)}))
    return path


def load(name_or_path: str | Path) -> VAE:
    """Reads a model, in evaluation mode and without gradients.

    Arguments:
        name_or_path: the name of a model in `folders()`, or the path of a file.

    Returns:
        The model; `encoder(x)` and `decoder(z)` return `torch.distributions` objects.

    Raises:
        CheckpointError: there is none, or the file is truncated, foreign, or does not fit what it says of itself.
    """
    path = locate(name_or_path)
    config = read_record(path).model
    if isinstance(config, ImportedConfig):
        return _load_imported(path, config)
    with torch.device("meta"):
        model = VAE(Encoder(config), Decoder(config), config)
    want = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    with _opened(path) as file:
        have = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 - not a dict
        if have != want:
            odd = sorted(key for key in want.keys() | have.keys() if want.get(key) != have.get(key))
            raise CheckpointError(f"Weights must fit the config in the file; in {path} {', '.join(odd[:3])} do not.")
        weights = {key: file.get_tensor(key).float() for key in want}
    _check_finite(path, weights)
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(False)


def _load_imported(path: Path, config: ImportedConfig) -> VAE:
    with _opened(path) as file:
        keys = list(file.keys())
        count = sum(math.prod(file.get_slice(key).get_shape()) for key in keys)
        if count > MOST_WEIGHTS:
            raise CheckpointError(f"A model has at most {MOST_WEIGHTS:,} weights; that in {path} has {count:,}.")
        weights = {key: file.get_tensor(key).float() for key in keys}
        graphs = networks(file.metadata()["vae"])
    _check_finite(path, weights)
    try:
        return rebuild(config, graphs, weights)
    except CheckpointError as error:
        raise CheckpointError(f"{error} The file {path} is damaged; import the model again.") from error


def _check_finite(path: Path, weights: dict[str, Tensor]) -> None:
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise CheckpointError(
            f"Weights must be finite numbers; some in {path} are not. The model diverged in training."
        )


def read_record(name_or_path: str | Path) -> Record:
    """Reads what a checkpoint says of its model, without its weights.

    Raises:
        CheckpointError: as for `load`.
    """
    return _read_record(locate(name_or_path))


def _read_record(path: Path) -> Record:
    if not os.path.isfile(path):  # `glob` gives folders too
        raise CheckpointError(f"A model is a file; {path} is not. Move it out of the folder of models.")
    with _opened(path) as file:
        text = (file.metadata() or {}).get("vae")
    if text is None:
        raise CheckpointError(
            f"{path} holds tensors but is not a model of this library: its header has no record. To import a state "
            "dict, give a description of its layers with it."
        )
    name = path.absolute().parent.name if path.name == MODEL_FILE else path.stem
    return read(text, name, path)


def catalogue() -> tuple[list[Record], list[CheckpointError]]:
    """Returns the records of all models in `folders()`, by name, and what is wrong with the files that have none.

    A model has a folder of its name or, as it was mailed, is a file of its name: `bob/model.safetensors` or
    `bob.safetensors`.
    """
    records: dict[str, Record] = {}
    troubles = []
    for folder in folders():
        for path in _entries(folder):
            try:
                if path == folder / MODEL_FILE:
                    raise CheckpointError(
                        f"A model's file has its name, or lies in a folder of its name; {path} does neither. Rename it."
                    )
                name = check_name(path.parent.name if path.name == MODEL_FILE else path.stem)
                records.setdefault(name, _read_record(path))
            except CheckpointError as error:
                troubles.append(error)
    return [records[name] for name in sorted(records)], troubles


def _places(folder: Path, name: str) -> list[Path]:
    """Where a model may lie in a folder of models."""
    return [folder / name / MODEL_FILE, folder / f"{name}.safetensors"]


def _entries(folder: Path) -> list[Path]:
    """What stands where models lie, dangling links too, which `glob` leaves out; not what is only on its way there."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:  # there is no such folder yet
        return []
    inner = [entry / MODEL_FILE for entry in entries if os.path.lexists(entry / MODEL_FILE)]
    outer = [entry for entry in entries if entry.suffix == ".safetensors" and not entry.name.startswith("classifier-")]
    return sorted([*inner, *outer])


@contextlib.contextmanager
def _opened(path: Path) -> Any:
    try:
        with _settled(path) as file:
            yield file
    except (safetensors.SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error}). It may be cut short; copy or train it again."
        ) from error


def _settled(path: Path) -> Any:
    """Opens a file that a training may be replacing: safetensors opens it twice, and must find the same one."""
    while True:
        before = _stamp(path)
        try:
            file = safetensors.safe_open(path, framework="pt")
        except (safetensors.SafetensorError, RuntimeError):
            if _stamp(path) == before:
                raise
        else:
            if _stamp(path) == before:
                return file


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
