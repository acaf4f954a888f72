"""Stored sets: a folder with four arrays, mapped from disk when they are used, and a card.

`<folder>/<name>/` has train-images.npy and test-images.npy, (N, H, W) or (N, H, W, 3) uint8; train-labels.npy and
test-labels.npy, (N,) int64, if there are labels; and card.json. `vae.data.imports` creates it.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from vae.data.sets import Dataset, Facts, Split, folder
from vae.errors import DAMAGE, DataError, meant

__all__ = [
    "CARD", "FORMAT", "Card", "cards", "check_kept", "check_new", "facts", "in_place", "load", "read_card", "remove",
    "written",
]  # fmt: skip

CARD = "card.json"
FORMAT = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_RESERVED = ("import", "remove", "list")


@dataclass(frozen=True, kw_only=True)
class Card:
    """Facts about a stored set.

    Attributes:
        name: of its folder.
        title: the name to display.
        source: what it was read from.
        steps: how its images were processed, in sentences.
        train, test: numbers of images.
        image_shape: (H, W), or (H, W, 3) for colour.
        classes: the names of its classes, sorted; () if there are no labels.
        checksum: SHA-256 of training images, training labels, test images, test labels, with eight bytes per label.
        date: of the import, as 2026-11-27.
        warnings: about its images, in sentences.
    """

    name: str
    title: str
    source: str
    steps: tuple[str, ...]
    train: int
    test: int
    image_shape: tuple[int, ...]
    classes: tuple[str, ...]
    checksum: str
    date: str
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sentences = (*self.steps, *self.warnings)
        words = (self.name, self.title, self.source, self.checksum, self.date, *sentences, *self.classes)
        numbers = (self.train, self.test, *self.image_shape)
        if not all(isinstance(word, str) for word in words) or not all(type(number) is int for number in numbers):
            raise DataError("A card must have only words and whole numbers; this one has something else.")
        if min(numbers) < 1 or len(self.image_shape) not in (2, 3) or self.image_shape[2:] not in ((), (3,)):
            raise DataError("A card must have the number and the size of the images; this one does not.")


def check_new(name: str, reserved: tuple[str, ...] = (), removed_by: str = "") -> str:
    """Returns the name of a set after checking that a new set may have it.

    Arguments:
        name: of the set.
        reserved: names that no set may have.
        removed_by: the command that removes a set of that name, for callers on the command line.

    Raises:
        DataError: it is not made of at most 64 lower-case letters, digits, dots, dashes and underscores, or is taken.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"A set's name is 1 to 64 lower-case letters, digits, '.', '-' or '_', the first a letter or digit; "
            f"{name!r:.80} is not valid."
        )
    if name in (*_RESERVED, *reserved):
        raise DataError(f"A set's name must be new; {name!r} is taken. Choose another.")
    if os.path.lexists(folder() / name):
        way = f" ({removed_by})" if removed_by else ""
        raise DataError(f"A set's name must be new; {name!r} is taken. Choose another, or remove that set first{way}.")
    return name


def read_card(name: str) -> Card | None:
    """Returns the card of the stored set of that name, or None if there is none.

    Raises:
        DataError: the card is damaged, or of a newer format.
    """
    place = folder() / name / CARD
    if not _NAME.fullmatch(name) or not place.is_file():
        return None
    try:
        says = json.loads(place.read_text(encoding="utf-8"))
        if says.pop("format") != FORMAT:
            raise DataError(f"{place} has a newer format than this version reads. Install a newer version.")
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in says.items()
        }
        return Card(**fields | {"name": name})
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, DataError) as error:
        raise DataError(f"{place} is damaged ({error}). Remove the set, and import it again.") from error


def written(name: str) -> int:
    """Returns when an imported set was written, in nanoseconds since 1970; 0 if there is none of that name."""
    try:
        return (folder() / name / CARD).stat().st_mtime_ns
    except OSError:
        return 0


def cards() -> tuple[list[Card], list[str]]:
    """Returns the cards of all stored sets, by name, and an error for each that cannot be read."""
    found, troubles = [], []
    with contextlib.suppress(OSError):
        for place in sorted(folder().iterdir()):
            try:
                if card := read_card(place.name):
                    found.append(card)
            except DataError as error:
                troubles.append(str(error))
    return found, troubles


def load(card: Card, place: Path | None = None) -> Dataset:
    """Loads a stored set, with its images mapped from disk rather than read.

    Arguments:
        card: of the set.
        place: the folder that it is in, if that is not its final place.

    Raises:
        DataError: its files are missing, or do not match its card.
    """
    import torch  # imported here, because it takes seconds

    arrays = _arrays(card, place or folder() / card.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about a read-only map, which nobody writes to
        train, test = (
            Split(torch.from_numpy(images), None if labels is None else torch.from_numpy(labels))
            for images, labels in arrays
        )
    return Dataset(card.name, train, test, card.classes, card.checksum, card.title)


def facts(card: Card) -> Facts:
    """Returns facts about a stored set, checking its files like `load`.

    Raises:
        DataError: its files are missing, or do not match its card.
    """
    _arrays(card, folder() / card.name)
    return Facts(card.title, card.train, card.test, card.classes, card.image_shape)


def check_kept(name: str) -> str:
    """Returns the name of a set after checking that it is stored in this form, and so can be removed.

    Raises:
        DataError: there is none of that name.
    """
    if not _NAME.fullmatch(name) or not (folder() / name / CARD).is_file():
        found = [card.name for card in cards()[0]]
        raise DataError(
            f"Only imported sets can be removed; {name!r:.80} is not one. "
            f"The imported sets are: {', '.join(found) or 'none'}.{meant(name, found)}"
        )
    return name


def remove(name: str) -> None:
    """Deletes a set that was imported, or downloaded into this form.

    Raises:
        DataError: there is none of that name, or the files cannot be removed.
    """
    place = folder() / check_kept(name)
    try:
        (place / CARD).unlink()  # without its card it is no longer a set, whatever happens to the rest
        shutil.rmtree(place)
    except OSError as error:
        raise DataError(f"The set {name!r} could not be removed ({error.strerror or error}).") from error


@contextlib.contextmanager
def in_place(aside: Path, name: str) -> Iterator[None]:
    """Moves a set that was written aside to its place, and undoes that if the block fails.

    Arguments:
        aside: the folder that it was written to, next to its place.
        name: of the set. An existing set of that name is removed if the block succeeds, and put back otherwise.
    """
    place, old = folder() / name, None
    if os.path.lexists(place):
        old = Path(
            tempfile.mkdtemp(dir=folder(), prefix=".", suffix=".replaced")
        )  # a name that `paths.sweep` leaves alone
        place.rename(old)
    try:
        aside.rename(place)
        yield
    except BaseException:  # including interrupts
        with contextlib.suppress(FileNotFoundError):  # it may not have been moved yet
            place.rename(aside)
        if old is not None:
            old.rename(place)
        raise
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _arrays(card: Card, place: Path) -> list[tuple[NDArray[np.uint8], NDArray[np.int64] | None]]:
    """Returns images and, if there are any, labels of the training and the test split."""
    return [
        (
            _mapped(place / f"{split}-images.npy", (count, *card.image_shape)),
            _read_labels(place / f"{split}-labels.npy", count, len(card.classes)) if card.classes else None,
        )
        for split, count in (("train", card.train), ("test", card.test))
    ]


def _mapped(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Maps images from disk. Writing to them changes the memory, not the file."""
    array = None
    try:
        array = np.load(path, mmap_mode="c")
    except OSError:  # Linux reserves memory for such a map, and refuses one that is too large
        with contextlib.suppress(*DAMAGE):
            array = np.load(path, mmap_mode="r")
    except DAMAGE:
        pass
    if array is None or array.shape != shape or array.dtype != np.uint8:
        raise DataError(f"{path} is missing or damaged. Remove the set, and import it again.")
    _advise(array)
    return np.asarray(array)


def _advise(array: np.memmap[Any, Any]) -> None:
    """Makes the system read single pages of a file that exceeds memory; by default it reads megabytes per image."""
    if hasattr(mmap, "MADV_RANDOM") and array.nbytes > psutil.virtual_memory().available / 2:
        array._mmap.madvise(mmap.MADV_RANDOM)  # type: ignore[attr-defined]


def _read_labels(path: Path, count: int, classes: int) -> NDArray[np.int64]:
    try:
        labels: NDArray[np.int64] = np.load(path)
        if labels.shape != (count,) or labels.dtype != np.int64 or labels.min() < 0 or labels.max() >= classes:
            raise ValueError("the labels do not match the card")
    except DAMAGE as error:
        raise DataError(f"{path} is missing or damaged ({error}). Remove the set, and import it again.") from error
    return labels
