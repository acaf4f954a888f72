"""Sets that are kept in one form on disk: a folder with four arrays, mapped when they are used, and a card.

`<folder>/<name>/` has train-images.npy and test-images.npy, (N, H, W) or (N, H, W, 3) uint8; train-labels.npy and
test-labels.npy, (N,) int64, where there are labels; and card.json. `vae.data.imports` makes it.
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
    """What is known of a set that is kept.

    Attributes:
        name: of its folder.
        title: what people call it.
        source: what it was read from.
        steps: what was done to its images, in sentences.
        train, test: how many images there are.
        image_shape: (H, W), or (H, W, 3) for colour.
        classes: the names of its classes, sorted; () where there are no labels.
        checksum: SHA-256 of training images, training labels, test images, test labels, a label in eight bytes.
        date: of the import, as 2026-11-27.
        warnings: what is to be warned of in its images, in sentences.
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
            raise DataError("A card has words and whole numbers; on this one is something else.")
        if min(numbers) < 1 or len(self.image_shape) not in (2, 3) or self.image_shape[2:] not in ((), (3,)):
            raise DataError("A card says how many images there are and of which size; this one does not.")


def check_new(name: str, reserved: tuple[str, ...] = (), removed_by: str = "") -> str:
    """Returns the name of a set if a new one may have it.

    Arguments:
        name: of the set.
        reserved: names that none may have.
        removed_by: the command that removes a set of that name, for whoever asks from a shell.

    Raises:
        DataError: it is not lower-case letters, digits, dots, dashes and underscores, 64 at most, or it is taken.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"A set's name is 1 to 64 lower-case letters, digits, '.', '-' or '_', the first a letter or digit; "
            f"{name!r:.80} is not."
        )
    if name in (*_RESERVED, *reserved):
        raise DataError(f"A set's name must be new; {name!r} is taken. Choose another.")
    if os.path.lexists(folder() / name):
        way = f" ({removed_by})" if removed_by else ""
        raise DataError(f"A set's name must be new; {name!r} is taken. Choose another, or remove that set first{way}.")
    return name


def read_card(name: str) -> Card | None:
    """Returns the card of a set that is kept under a name, None where there is none.

    Raises:
        DataError: the card is damaged, or of a newer form.
    """
    place = folder() / name / CARD
    if not _NAME.fullmatch(name) or not place.is_file():
        return None
    try:
        says = json.loads(place.read_text(encoding="utf-8"))
        if says.pop("format") != FORMAT:
            raise DataError(f"{place} is of a newer form than is known here. Install a newer version.")
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in says.items()
        }
        return Card(**fields | {"name": name})
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, DataError) as error:
        raise DataError(f"{place} is damaged ({error}). Remove the set, and import it again.") from error


def written(name: str) -> int:
    """Returns when an imported set was written, in nanoseconds since 1970; 0 where there is none of the name."""
    try:
        return (folder() / name / CARD).stat().st_mtime_ns
    except OSError:
        return 0


def cards() -> tuple[list[Card], list[str]]:
    """Returns the cards of all sets that are kept, by name, and what is wrong with those that cannot be read."""
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
    """Loads a set that is kept, its images mapped from disk and not read.

    Arguments:
        card: of the set.
        place: the folder that it lies in, where it is not yet in its place.

    Raises:
        DataError: its files are missing, or others than its card says.
    """
    import torch  # here, because it takes seconds to import

    arrays = _arrays(card, place or folder() / card.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a map that must not be written into, which nobody does
        train, test = (
            Split(torch.from_numpy(images), None if labels is None else torch.from_numpy(labels))
            for images, labels in arrays
        )
    return Dataset(card.name, train, test, card.classes, card.checksum, card.title)


def facts(card: Card) -> Facts:
    """Returns what a set that is kept has, its files looked at as `load` does.

    Raises:
        DataError: its files are missing, or others than its card says.
    """
    _arrays(card, folder() / card.name)
    return Facts(card.title, card.train, card.test, card.classes, card.image_shape)


def check_kept(name: str) -> str:
    """Returns the name of a set if it is kept in this form, and so may be removed.

    Raises:
        DataError: there is none of that name.
    """
    if not _NAME.fullmatch(name) or not (folder() / name / CARD).is_file():
        found = [card.name for card in cards()[0]]
        raise DataError(
            f"What is removed is a set that was imported; {name!r:.80} is none. "
            f"There are: {', '.join(found) or 'none'}.{meant(name, found)}"
        )
    return name


def remove(name: str) -> None:
    """Deletes a set that was imported or fetched in this form.

    Raises:
        DataError: there is none of that name, or the disk refuses.
    """
    place = folder() / check_kept(name)
    try:
        (place / CARD).unlink()  # without its card it is no set any more, whatever happens to the rest
        shutil.rmtree(place)
    except OSError as error:
        raise DataError(f"The set {name!r} could not be removed ({error.strerror or error}).") from error


@contextlib.contextmanager
def in_place(aside: Path, name: str) -> Iterator[None]:
    """Puts a set that was written aside into its place, and undoes that where the block fails.

    Arguments:
        aside: the folder that it was written into, beside its place.
        name: of the set. A set of that name is removed when the block has ended well, and otherwise put back.
    """
    place, old = folder() / name, None
    if os.path.lexists(place):
        old = Path(tempfile.mkdtemp(dir=folder(), prefix=".", suffix=".replaced"))  # which nobody sweeps away
        place.rename(old)
    try:
        aside.rename(place)
        yield
    except BaseException:  # an interrupt too
        with contextlib.suppress(FileNotFoundError):  # it may not have come into its place
            place.rename(aside)
        if old is not None:
            old.rename(place)
        raise
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _arrays(card: Card, place: Path) -> list[tuple[NDArray[np.uint8], NDArray[np.int64] | None]]:
    """Images and labels, if there are any, of the training and of the test."""
    return [
        (
            _mapped(place / f"{split}-images.npy", (count, *card.image_shape)),
            _read_labels(place / f"{split}-labels.npy", count, len(card.classes)) if card.classes else None,
        )
        for split, count in (("train", card.train), ("test", card.test))
    ]


def _mapped(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Maps images from disk. What is written into them stays in memory, the file as it is."""
    array = None
    try:
        array = np.load(path, mmap_mode="c")
    except OSError:  # Linux sets memory aside for such a map, and refuses one that is larger than it has
        with contextlib.suppress(*DAMAGE):
            array = np.load(path, mmap_mode="r")
    except DAMAGE:
        pass
    if array is None or array.shape != shape or array.dtype != np.uint8:
        raise DataError(f"{path} is missing or damaged. Remove the set, and import it again.")
    _advise(array)
    return np.asarray(array)


def _advise(array: np.memmap[Any, Any]) -> None:
    """Has single pages read of a file that does not fit into memory: else megabytes are read around each image."""
    if hasattr(mmap, "MADV_RANDOM") and array.nbytes > psutil.virtual_memory().available / 2:
        array._mmap.madvise(mmap.MADV_RANDOM)  # type: ignore[attr-defined]


def _read_labels(path: Path, count: int, classes: int) -> NDArray[np.int64]:
    try:
        labels: NDArray[np.int64] = np.load(path)
        if labels.shape != (count,) or labels.dtype != np.int64 or labels.min() < 0 or labels.max() >= classes:
            raise ValueError("other labels than the card says")
    except DAMAGE as error:
        raise DataError(f"{path} is missing or damaged ({error}). Remove the set, and import it again.") from error
    return labels
