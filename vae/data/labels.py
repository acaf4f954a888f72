"""Labels, words or numbers, converted to indices into classes in their natural order."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.data import streams
from vae.data.pixels import damaged
from vae.errors import DataError

__all__ = ["MOST_CLASSES", "Labels", "labels_of", "natural", "read_labels", "together"]

Array = NDArray[Any]
MOST_CLASSES = 10_000
_LONGEST = 200  # characters of the name of a class
_MOST_BYTES = 2**28  # of a file of labels
_HEADERS = ("label", "labels", "class", "target", "y")


class Labels(NamedTuple):
    """Labels of N images.

    Attributes:
        numbers: (N,) int64, each an index into the classes.
        classes: the name of each class, sorted naturally.
    """

    numbers: Array
    classes: tuple[str, ...]


def natural(name: str) -> tuple[list[Any], str]:
    """Returns a key that sorts names with numbers in natural order: "2" before "10", "b9" before "b10"."""
    parts = re.split(r"([0-9]{1,18})", name)
    return [int(part) if i % 2 else part.casefold() for i, part in enumerate(parts)], name


def labels_of(values: Array | Sequence[str], what: str) -> Labels:
    """Finds the classes among labels.

    Arguments:
        values: (N,) or (N, 1), whole numbers or words.
        what: their name in errors.

    Raises:
        DataError: they are of another type, one of them is an empty word, or there are more than 10,000 classes.
    """
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"Each image must have one label; {what} have the shape {values.shape}. Save one number or word per image "
            "(labels.argmax(1) of one-hot rows)."
        )
    if values.dtype.kind == "S":
        with damaged(what):
            values = np.char.decode(values, "utf-8")
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == np.round(values)).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "uibU":
        raise DataError(
            f"Labels must be whole numbers or words; {what} are neither ({values.dtype}). Save the class of each "
            "image as "
            "one of these."
        )
    found, index = np.unique(values, return_inverse=True)
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"There may be at most {MOST_CLASSES:,} classes; {what} have {len(found):,}. Check that they are labels."
        )
    if values.dtype.kind == "b":
        found = found.astype(np.int64)
    names = [" ".join(str(each).split()) for each in found]
    for name in names:
        if not 0 < len(name) <= _LONGEST:
            raise DataError(f"The name of a class must have 1 to {_LONGEST} characters; among {what} is {name[:20]!r}.")
    classes = sorted(set(names), key=natural)
    place = {name: i for i, name in enumerate(classes)}
    return Labels(np.array([place[name] for name in names], np.int64)[index], tuple(classes))


def together(first: Labels, second: Labels) -> tuple[Labels, Labels]:
    """Converts the labels of two splits to the union of their classes."""
    classes = tuple(sorted({*first.classes, *second.classes}, key=natural))
    place = {name: i for i, name in enumerate(classes)}
    one, two = (
        Labels(np.array([place[name] for name in each.classes], np.int64)[each.numbers], classes)
        for each in (first, second)
    )
    return one, two


def read_labels(path: Path, count: int, files: Sequence[str]) -> Labels:
    """Reads a file of labels: .npy, IDX, one label per line, or CSV with a file's name and its label on each line.

    Arguments:
        path: of the file.
        count: number of images.
        files: names of the image files, () if they have none.

    Raises:
        DataError: it cannot be read, or does not have one label for each image.
    """
    what = f"the labels in {path}"
    kind = streams.kind_of(path)
    if kind in ("folder", "zip", "npz", "parquet"):
        raise _foreign(path)
    if kind in ("npy", "idx", "idx.gz"):
        return _counted(labels_of(streams.whole(path, kind, _MOST_BYTES), what), count, what)
    with damaged(str(path)):
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"A file of labels may have at most {_MOST_BYTES >> 20} MB; {path} has more.")
        content = path.read_bytes()
        try:
            lines = content.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise _foreign(path) from error
        rows = [[field.strip() for field in row] for row in csv.reader(lines) if row]
    if any(len(row) > 1 for row in rows):
        return labels_of(_by_name(rows, files, what), what)
    words = [row[0] for row in rows]
    if len(words) == count + 1 and words[0].casefold() in _HEADERS:
        words = words[1:]
    return _counted(labels_of(words, what), count, what)


def _foreign(path: Path) -> DataError:
    return DataError(
        "Labels can be .npy, IDX, UTF-8 text with one label per line, or a CSV of file names and labels; "
        f"{path} is none of these."
    )


def _counted(labels: Labels, count: int, what: str) -> Labels:
    if len(labels.numbers) != count:
        raise DataError(
            f"Each image must have one label; there are {count:,} images, and {what} are {len(labels.numbers):,}. Give "
            "one for each, in the order of the images, or, for image files, a CSV of their names and labels."
        )
    return labels


def _by_name(rows: list[list[str]], files: Sequence[str], what: str) -> list[str]:
    """Returns the label of each file, found by its path in the folder or by its name only."""
    if not files:
        raise DataError(
            f"Labels by file name need images in files; {what} have file names, and the images do not. Give one label "
            "per line, in the order of the images."
        )
    known: dict[str, str] = {}
    for row in rows:
        if len(row) < 2:
            raise DataError(
                f"A line must have a file name and a label; among {what} is only {row[0]!r:.80}. Add the other."
            )
        name = row[0].replace("\\", "/").removeprefix("./")
        if known.setdefault(name, row[1]) != row[1]:
            raise DataError(f"Each image must have one label; {what} give {name!r:.80} two. Remove one.")
    found = [known.get(name, known.get(name.rpartition("/")[2])) for name in files]
    if None in found:
        missing = files[found.index(None)]
        raise DataError(f"Each image must have one label; {what} have none for {missing}. Add it, or remove the image.")
    return [label for label in found if label is not None]
