"""Where models are stored, and their records, read from the header of a file without its weights.

A model is either in a folder of its name, `<folder>/<name>/model.safetensors`, or a single file of its name, such as
one received by mail.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import safetensors

from vae import paths
from vae.errors import CheckpointError, meant
from vae.settings.records import Record, read

__all__ = [
    "MODEL_FILE",
    "catalogue",
    "check_name",
    "folders",
    "locate",
    "name_taken",
    "opened",
    "places",
    "read_record",
    "refuse_taken",
    "taken",
]

MODEL_FILE = "model.safetensors"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def folders() -> list[Path]:
    """Returns the folders that hold models: the user's own, which is written to, and then that of shipped models."""
    return list(dict.fromkeys([paths.own("checkpoints"), paths.SHIPPED / "checkpoints"]))


def check_name(name: str) -> str:
    """Returns the name of a model after checking that it is valid.

    Raises:
        CheckpointError: it is not made of at most 64 lower-case letters, digits, dots, dashes and underscores.
    """
    if not _NAME.fullmatch(name):
        raise CheckpointError(
            f"A model's name is 1 to 64 lower-case letters, digits, '.', '-' or '_', the first a letter or digit; "
            f"{name!r} is not valid."
        )
    return name


def taken(name: str) -> bool:
    """Tells whether `folders()` hold a model of that name, whatever its file contains."""
    return any(path.exists() for folder in folders() for path in places(folder, name))


def refuse_taken(name: str, replaced_by: str = "") -> None:
    """Raises an error if a model of that name exists.

    Arguments:
        name: of the model.
        replaced_by: how the caller can replace an existing model: `--overwrite` for a command, `overwrite=True` for a
            function; "" if there is no way.

    Raises:
        CheckpointError: a model of that name exists.
    """
    if taken(name):
        raise name_taken(name, replaced_by)


def name_taken(name: str, replaced_by: str = "") -> CheckpointError:
    """Returns the error that `refuse_taken` raises."""
    if replaced_by:
        return CheckpointError(
            f"A model's name must be new; {name!r} is taken. Choose another, or replace that model ({replaced_by})."
        )
    return CheckpointError(f"A model's name must be new; {name!r} is taken. Choose another.")


def locate(name_or_path: str | Path) -> Path:
    """Returns the file of a model, given its name or its path (the file, or the folder that holds it).

    Raises:
        CheckpointError: there is no such model; the message lists the names that exist.
    """
    given = paths.given(name_or_path)
    tried = [given, given / MODEL_FILE]
    if isinstance(name_or_path, str) and _NAME.fullmatch(name_or_path):
        tried = [path for folder in folders() for path in places(folder, name_or_path)] + tried
    for path in tried:
        if os.path.isfile(path):  # unlike Path.is_file, it returns False for a name that is too long
            return path
    names = [record.name for record in catalogue()[0]]
    raise CheckpointError(
        f"A model is given by its name or its path; there is no model {str(name_or_path)!r}. "
        f"Names: {', '.join(names) or 'none yet'}.{meant(str(name_or_path), names)}"
    )


def read_record(name_or_path: str | Path) -> Record:
    """Reads the record of a checkpoint without its weights.

    Raises:
        CheckpointError: there is no such file, or it is truncated, damaged, or not a model of this library.
    """
    return _read_record(locate(name_or_path))


def _read_record(path: Path) -> Record:
    if not os.path.isfile(path):  # `glob` also finds folders
        raise CheckpointError(f"A model must be a file; {path} is not one. Move it out of the folder of models.")
    with opened(path) as file:
        text = (file.metadata() or {}).get("vae")
    if text is None:
        raise CheckpointError(
            f"{path} holds tensors but is not a model of this library: its header has no record. To import a state "
            "dict, also give a description of its layers."
        )
    name = path.absolute().parent.name if path.name == MODEL_FILE else path.stem
    return read(text, name, path)


def catalogue() -> tuple[list[Record], list[CheckpointError]]:
    """Returns the records of all models in `folders()`, by name, and an error for each file that cannot be read.

    A model is either in a folder of its name or a file of its name: `bob/model.safetensors` or `bob.safetensors`.
    """
    records: dict[str, Record] = {}
    troubles = []
    for folder in folders():
        for path in _entries(folder):
            try:
                if path == folder / MODEL_FILE:
                    raise CheckpointError(
                        f"A model's file must have the model's name or be in a folder of that name; {path} is "
                        "neither. Rename it."
                    )
                name = check_name(path.parent.name if path.name == MODEL_FILE else path.stem)
                records.setdefault(name, _read_record(path))
            except CheckpointError as error:
                troubles.append(error)
    return [records[name] for name in sorted(records)], troubles


def places(folder: Path, name: str) -> list[Path]:
    """Returns where a model of that name may be in a folder of models."""
    return [folder / name / MODEL_FILE, folder / f"{name}.safetensors"]


def _entries(folder: Path) -> list[Path]:
    """Lists what is in a folder of models, dangling links included, which `glob` omits, but not unfinished files."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:  # the folder does not exist yet
        return []
    inner = [entry / MODEL_FILE for entry in entries if os.path.lexists(entry / MODEL_FILE)]
    outer = [entry for entry in entries if entry.suffix == ".safetensors" and not entry.name.startswith("classifier-")]
    return sorted([*inner, *outer])


@contextlib.contextmanager
def opened(path: Path, framework: str = "numpy") -> Any:
    """Opens the file of a model for the duration of a `with` block.

    Arguments:
        path: of the file.
        framework: the library whose tensors are read, by its safetensors name.

    Raises:
        CheckpointError: it is not a complete safetensors file.
    """
    try:
        with _settled(path, framework) as file:
            yield file
    except (safetensors.SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a complete safetensors file ({error}). It may be truncated; copy or train it again."
        ) from error


def _settled(path: Path, framework: str) -> Any:
    """Opens a file that a training may be replacing: safetensors opens it twice, and both times must find the same "
    "file."""
    while True:
        before = _stamp(path)
        try:
            file = safetensors.safe_open(path, framework=framework)
        except (safetensors.SafetensorError, RuntimeError):
            if _stamp(path) == before:
                raise
        else:
            if _stamp(path) == before:
                return file


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
