"""Ownership of models and data sets: a small file in each folder, which moves with it when it is renamed."""

import re
from collections.abc import Iterator
from pathlib import Path

from vae.data import folder
from vae.model import check_name, folders
from vae.paths import write_aside

__all__ = ["models", "of_model", "of_set", "owners", "put_on", "read", "set_folder", "sets"]

MARK = "owner"


def read(place: Path) -> str | None:
    """Returns the mark in a folder, or None if there is none, which means that it is the lecturer's."""
    try:
        mark = (place / MARK).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return mark if re.fullmatch("[0-9a-f]{32}", mark) else None


def put_on(place: Path, owner: str) -> None:
    """Marks a folder.

    Raises:
        CheckpointError: writing to disk fails.
    """
    write_aside(place / MARK, owner.encode())


def of_model(name: str) -> str | None:
    """Returns the owner of a model or training run; None if it is built in or the lecturer's."""
    return read(folders()[0] / check_name(name))


def of_set(name: str) -> str | None:
    """Returns the owner of a data set; None if it is the lecturer's."""
    return read(set_folder(name))


def set_folder(name: str) -> Path:
    """Returns the folder of an imported data set."""
    return folder() / name


def models(owner: str) -> list[str]:
    """Returns the names of a student's models and training runs."""
    return sorted(name for name, mark in _marked(folders()[0]) if mark == owner)


def sets(owner: str) -> list[str]:
    """Returns the names of a student's data sets."""
    return sorted(name for name, mark in _marked(folder()) if mark == owner)


def owners() -> list[str]:
    """Returns the marks of all students who have a model, a training run or a data set."""
    return sorted({mark for place in (folders()[0], folder()) for _name, mark in _marked(place)})


def _marked(place: Path) -> Iterator[tuple[str, str]]:
    found = ((path.parent.name, read(path.parent)) for path in place.glob(f"[!.]*/{MARK}"))
    return ((name, mark) for name, mark in found if mark)
