"""One's own models put in order: renamed, copied, discarded and brought back. Models that ship stay as they are.

A model that is discarded moves, with all that was found out about it, into `.discarded` beside the models, whose last
`KEPT` stay there until others follow.
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
    """Tells whether a model is the user's own, and neither one that ships nor in a training."""
    return name not in SHIPPED and bool(_files(name)) and not _busy(name)


def rename(name: str, new: str) -> None:
    """Gives a model another name, and all that was found out about it.

    Raises:
        CheckpointError: the model is not one's own or is in a training, the new name is not one or is taken, or the
            disk refuses.
    """
    _check(name, new)
    with _said(name):
        for path in _files(name):
            path.rename(path.with_name(_renamed(path, new)))


def copy(name: str, new: str) -> None:
    """Makes a copy of any model, with all that was found out about it beside it.

    Raises:
        CheckpointError: there is no such model, the new name is not one or is taken, or the disk refuses.
    """
    read_record(name)
    _check_new(new)
    home = folders()[0]
    with _said(name):
        home.mkdir(parents=True, exist_ok=True)
        aside = paths.aside(home)
        try:
            for folder in reversed(folders()):  # what lies in the user's own folder comes last, and stands
                if (folder / name).is_dir():
                    shutil.copytree(folder / name, aside, dirs_exist_ok=True)
                elif (folder / f"{name}.safetensors").is_file():
                    shutil.copy(folder / f"{name}.safetensors", aside / MODEL_FILE)
            aside.chmod(0o755)
            (aside / MODEL_FILE).touch()  # the copy is new, whenever what it is of was written
            _check_new(new)  # another may have taken it meanwhile
            aside.rename(home / new)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def discard(name: str) -> str:
    """Puts a model away; `bring_back` undoes it.

    Returns:
        What `bring_back` wants to know.

    Raises:
        CheckpointError: the model is not one's own or is in a training, or the disk refuses.
    """
    _check(name)
    place = folders()[0] / DISCARDED
    last = next((int(number) for number in (old.partition("-")[0] for old in discarded()) if number.isdecimal()), 0)
    token = f"{max(time.time_ns(), last + 1)}-{name}"  # the last, even where the clock was set back
    with _said(name):
        (place / token).mkdir(parents=True)
        for path in _files(name):
            path.rename(place / token / path.name)
        for old in discarded()[KEPT:]:
            shutil.rmtree(place / old, ignore_errors=True)
    return token


def discarded() -> list[str]:
    """Returns what can be brought back, the last first."""
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
        CheckpointError: it is gone, or its name is taken by now.
    """
    if token not in discarded():
        raise CheckpointError("A model that was discarded can be brought back for a while; this one is gone.")
    name = token.partition("-")[2]
    _check_new(name)
    with _said(name):
        place = folders()[0] / DISCARDED / token
        for path in sorted(place.iterdir()):
            path.rename(folders()[0] / path.name)
        place.rmdir()
    return name


def _files(name: str) -> list[Path]:
    """What a model of one's own has: its folder, or its file as it was mailed and the folder of its results."""
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
        raise CheckpointError(f"Models that ship stay as they are; {name} is one. Copy it, and change the copy.")
    if not _files(name):
        raise CheckpointError(f"A model of one's own lies in {folders()[0]}; there is no {name!r}.")
    if _busy(name):
        raise CheckpointError(f"A model is let alone while it is trained; {name} is in a training. Stop it first.")
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
            f"The files of {name} could not be moved in {folders()[0]} ({error.strerror or error}). Free space, or see "
            "that the folder may be written to."
        ) from error
