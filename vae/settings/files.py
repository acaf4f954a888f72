"""Where models lie, and what their files say of them; a file's header is read, never its weights.

A model has a folder of its name, `<folder>/<name>/model.safetensors`, or as it was mailed is a file of its name.
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
    return any(path.exists() for folder in folders() for path in places(folder, name))


def refuse_taken(name: str, replaced_by: str = "") -> None:
    """Refuses the name of a model that there is.

    Arguments:
        name: of the model.
        replaced_by: what has a model of that name replaced, in the words of whoever asks: `--overwrite` of a command,
            `overwrite=True` of a function; "" where nothing does.

    Raises:
        CheckpointError: there is a model of that name.
    """
    if taken(name):
        raise name_taken(name, replaced_by)


def name_taken(name: str, replaced_by: str = "") -> CheckpointError:
    """Makes the error of `refuse_taken`."""
    if replaced_by:
        return CheckpointError(
            f"A model's name must be new; {name!r} is taken. Choose another, or replace that model ({replaced_by})."
        )
    return CheckpointError(f"A model's name must be new; {name!r} is taken. Choose another.")


def locate(name_or_path: str | Path) -> Path:
    """Returns the file of a model, by its name or its path (the file, or the folder that holds it).

    Raises:
        CheckpointError: there is none; the message lists the names that there are.
    """
    given = paths.given(name_or_path)
    tried = [given, given / MODEL_FILE]
    if isinstance(name_or_path, str) and _NAME.fullmatch(name_or_path):
        tried = [path for folder in folders() for path in places(folder, name_or_path)] + tried
    for path in tried:
        if os.path.isfile(path):  # unlike Path.is_file, it says no to a name too long for the disk
            return path
    names = [record.name for record in catalogue()[0]]
    raise CheckpointError(
        f"A model is given by its name or its file; there is none at {str(name_or_path)!r}. "
        f"Names: {', '.join(names) or 'none yet'}.{meant(str(name_or_path), names)}"
    )


def read_record(name_or_path: str | Path) -> Record:
    """Reads what a checkpoint says of its model, without its weights.

    Raises:
        CheckpointError: there is none, or the file is truncated, foreign, or damaged.
    """
    return _read_record(locate(name_or_path))


def _read_record(path: Path) -> Record:
    if not os.path.isfile(path):  # `glob` gives folders too
        raise CheckpointError(f"A model is a file; {path} is not. Move it out of the folder of models.")
    with opened(path) as file:
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


def places(folder: Path, name: str) -> list[Path]:
    """Returns where the model of a name may lie in a folder of models."""
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
def opened(path: Path, framework: str = "numpy") -> Any:
    """Opens the file of a model, for as long as a `with` block runs.

    Arguments:
        path: of the file.
        framework: whose tensors are to be read, as safetensors calls it.

    Raises:
        CheckpointError: it is no whole file of safetensors.
    """
    try:
        with _settled(path, framework) as file:
            yield file
    except (safetensors.SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error}). It may be cut short; copy or train it again."
        ) from error


def _settled(path: Path, framework: str) -> Any:
    """Opens a file that a training may be replacing: safetensors opens it twice, and must find the same one."""
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
