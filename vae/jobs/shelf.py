"""The user's own models renamed, copied, discarded and restored. Shipped models are never changed.

A discarded model is moved, with all results about it, into `.discarded` in the folder of models, which keeps the last
`KEPT` of them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from vae import paths
from vae.errors import CheckpointError
from vae.jobs.processes import status
from vae.model import MODEL_FILE, check_name, folders, read_record, taken
from vae.settings import name_taken

__all__ = ["DISCARDED", "KEPT", "SHIPPED", "bring_back", "copy", "discard", "discarded", "own", "rename"]

SHIPPED = (
    "mnist-10d", "mnist-20d", "mnist-2d", "mnist-5d", "mnist-autoencoder-2d", "mnist-beta-0-2d", "mnist-beta-1-2d",
    "mnist-beta-1000-2d", "mnist-bernoulli-2d", "mnist-free-variance-2d", "mnist-shared-variance-2d",
)  # fmt: skip
KEPT = 20
DISCARDED = ".discarded"


def own(name: str) -> bool:
    """Tells whether a model is the user's own: neither shipped nor in training."""
    return name not in SHIPPED and bool(_files(name)) and not _busy(name)


def rename(name: str, new: str) -> None:
    """Renames a model, together with all results about it.

    Raises:
        CheckpointError: the model is not the user's own or is in training, the new name is invalid or taken, or the
            files cannot be moved.
    """
    _check(name, new)
    with _said(name):
        for path in _files(name):
            path.rename(path.with_name(_renamed(path, new)))


def copy(name: str, new: str) -> None:
    """Makes a copy of any model, together with all results about it.

    Raises:
        CheckpointError: there is no such model, the new name is invalid or taken, or the files cannot be written.
    """
    read_record(name)
    _check_new(new)
    home = folders()[0]
    with _said(name):
        home.mkdir(parents=True, exist_ok=True)
        aside = paths.aside(home)
        try:
            for folder in reversed(folders()):  # the user's own folder comes last and takes precedence
                if (folder / name).is_dir():
                    shutil.copytree(folder / name, aside, dirs_exist_ok=True)
                elif (folder / f"{name}.safetensors").is_file():
                    shutil.copy(folder / f"{name}.safetensors", aside / MODEL_FILE)
            aside.chmod(0o755)
            (aside / MODEL_FILE).touch()  # the copy is new, whatever the age of the original
            _check_new(new)  # it may have been taken meanwhile
            aside.rename(home / new)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def discard(name: str) -> str:
    """Discards a model; `bring_back` restores it.

    Returns:
        A token for `bring_back`.

    Raises:
        CheckpointError: the model is not the user's own or is in training, or the files cannot be moved.
    """
    _check(name)
    place = folders()[0] / DISCARDED
    last = next((int(number) for number in (old.partition("-")[0] for old in discarded()) if number.isdecimal()), 0)
    token = f"{max(time.time_ns(), last + 1)}-{name}"  # sorts last, even if the clock was set back
    with _said(name):
        (place / token).mkdir(parents=True)
        for path in _files(name):
            path.rename(place / token / path.name)
        for old in discarded()[KEPT:]:
            shutil.rmtree(place / old, ignore_errors=True)
    return token


def discarded() -> list[str]:
    """Returns the tokens of models that can be restored, the latest first."""
    try:
        entries = [entry for entry in (folders()[0] / DISCARDED).iterdir() if any(entry.iterdir())]
        return sorted((entry.name for entry in entries), reverse=True)
    except OSError:
        return []


def bring_back(token: str) -> str:
    """Undoes `discard`.

    Returns:
        The model's name.

    Raises:
        CheckpointError: it no longer exists, or its name has been taken.
    """
    if token not in discarded():
        raise CheckpointError("A discarded model can be restored only for a while; this one no longer exists.")
    name = token.partition("-")[2]
    _check_new(name)
    with _said(name):
        place = folders()[0] / DISCARDED / token
        for path in sorted(place.iterdir()):
            path.rename(folders()[0] / path.name)
        place.rmdir()
    return name


def _files(name: str) -> list[Path]:
    """Lists what belongs to an own model: its folder, or a single file and the folder of its results."""
    home = folders()[0]
    mailed, folder = home / f"{name}.safetensors", home / name
    if not (mailed.is_file() or (folder / MODEL_FILE).is_file()):
        return []
    return [path for path in (mailed, folder) if path.exists()]


def _busy(name: str) -> bool:
    job = status(name)
    return job is not None and job.busy


def _renamed(path: Path, new: str) -> str:
    return f"{new}.safetensors" if path.is_file() else new


def _check(name: str, new: str | None = None) -> None:
    check_name(name)
    if name in SHIPPED:
        raise CheckpointError(f"Shipped models cannot be changed; {name} is one. Copy it, and change the copy.")
    if not _files(name):
        raise CheckpointError(f"Your own models are in {folders()[0]}; there is no {name!r} there.")
    if _busy(name):
        raise CheckpointError(
            f"A model cannot be changed during its training; {name} is being trained. Stop the training first."
        )
    if new is not None:
        _check_new(new)


def _check_new(name: str) -> None:
    check_name(name)
    if name in SHIPPED or taken(name) or os.path.lexists(folders()[0] / name):
        raise name_taken(name)


@contextlib.contextmanager
def _said(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"The files of {name} could not be moved in {folders()[0]} ({error.strerror or error}). Free some space, "
            "or "
            "check that the folder is writable."
        ) from error
