"""Imported sets: a source is opened as a draft, which can be inspected, and the draft is stored.

draft = open_source("shapes.zip", recipe=Recipe(size=(28, 28), grey=True))
card = keep(draft, "shapes", "My shapes")
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae import paths
from vae.data import arrays, parquet, pictures, streams
from vae.data.drafts import Draft, Variety, warnings_of
from vae.data.labels import read_labels, together
from vae.data.parts import BadImage, Part, Parts, without_bad
from vae.data.pixels import Recipe, damaged, look
from vae.data.sets import NAMES, folder
from vae.data.stored import CARD, FORMAT, Card, check_new
from vae.errors import DataError

__all__ = ["BadImage", "Card", "Draft", "Recipe", "keep", "open_source", "warnings_of", "write", "written_aside"]

Array = NDArray[Any]
_AS_IT_IS = Recipe()
Told = Callable[[int, int], None]  # images so far, and in total


def open_source(
    path: str | Path,
    *,
    test: str | Path | None = None,
    labels: str | Path | None = None,
    test_labels: str | Path | None = None,
    held_out: float = 0.1,
    recipe: Recipe = _AS_IT_IS,
    skip_bad: bool = False,
) -> Draft:
    """Inspects a source of images, without storing anything.

    Arguments:
        path: a folder of images, a zip archive of one, .npy, .npz, IDX (compressed or not), or Parquet.
        test: another source, whose images are held out.
        labels: a file of labels: .npy, IDX, one per line, or CSV with a file's name and its label on each line.
        test_labels: the same for `test`; a CSV of names may be one file for both.
        held_out: fraction of the images that is held out, if neither `test` nor the source has held-out images.
        recipe: how each image is processed.
        skip_bad: whether to skip images that cannot be read, at most half of them. This concerns separate image files
            and the rows of Parquet files; arrays are read as a whole. Every image is decoded to find them.

    Raises:
        BadImage: one image among others cannot be read.
        DataError: there are no images or labels that can be read, they do not match each other, or more than half of
            the images would be skipped.
    """
    if not 0 < held_out < 1:
        raise DataError(f"The fraction that is held out must be between 0 and 1; it is {held_out}.")
    if recipe.size and min(recipe.size) < 1:
        raise DataError(f"size must be a height and a width in pixels; it is {' x '.join(map(str, recipe.size))}.")
    train, own_test = _read(paths.given(path), skip_bad)
    if test is not None:
        if own_test is not None:
            raise DataError(f"{path} has held-out images of its own; do not supply others (--test).")
        own_test = _all(_read(paths.given(test), skip_bad), test)
    if labels is not None:
        train = replace(train, labels=read_labels(paths.given(labels), train.count, train.files))
    if test_labels is None and labels is not None and own_test is not None:
        test_labels = labels if own_test.files else None
        if test_labels is None:
            raise DataError(
                "If the training images have labels, the held-out images need labels too; supply both (--test-labels)."
            )
    if test_labels is not None:
        if own_test is None:
            raise DataError("Labels of held-out images need held-out images; supply them too (--test).")
        own_test = replace(own_test, labels=read_labels(paths.given(test_labels), own_test.count, own_test.files))
    train, own_test = without_bad(train, str(path)), own_test and without_bad(own_test, str(test or path))
    train, own_test = _labelled_alike(train, own_test)
    if train.count == 0 or (own_test and own_test.count == 0):
        raise DataError(f"A set needs images; {path} has none.")
    if own_test is None and train.count < 2:
        raise DataError(f"A set needs at least two images, one of which is held out; {path} has one.")
    return Draft(source=str(path), train=train, test=own_test, recipe=recipe, held_out=held_out)


def keep(draft: Draft, name: str, title: str = "", told: Told | None = None) -> Card:
    """Writes a draft's images, one by one, and its card. The set appears only when it is complete.

    Arguments:
        draft: to store.
        name: of the new set.
        title: the name to display; by default its name.
        told: called with the number of images so far, and in total.

    Raises:
        DataError: the name is taken or invalid, an image is damaged, or the files cannot be written.
    """
    check_new(name, NAMES)
    return write(draft, name, title, told)


def write(draft: Draft, name: str, title: str, told: Told | None = None) -> Card:
    """Writes a set as `keep` does, under any name that is not taken."""
    check_new(name)
    with written_aside(draft, name, title, told) as (card, aside):
        check_new(name)  # it may have been taken meanwhile
        aside.rename(folder() / name)
    return card


@contextlib.contextmanager
def written_aside(draft: Draft, name: str, title: str = "", told: Told | None = None) -> Iterator[tuple[Card, Path]]:
    """Writes a set into a folder of its own, which is removed at the end of the block unless it was moved.

    Arguments:
        draft, name, title, told: as for `keep`; an existing set of that name is not changed.

    Yields:
        The card, and the folder, which `stored.load` reads and `stored.in_place` moves to its place.

    Raises:
        DataError: an image is damaged, or the files cannot be written.
    """
    shape, variety = draft.image_shape, Variety()
    rows, held = draft.places()
    places = folder()
    aside = None
    try:
        places.mkdir(parents=True, exist_ok=True)
        needs = (len(rows) + len(held)) * (int(np.prod(shape)) + 8)
        if needs > shutil.disk_usage(places).free:
            raise DataError(f"The set needs {needs / 1e6:,.0f} MB, more than is free in {places}. Free some space.")
        aside = paths.aside(places)
        aside.chmod(0o755)
        with _Writer(aside / "train-images.npy", len(rows), shape) as train, _Writer(
            aside / "test-images.npy", len(held), shape
        ) as test:  # fmt: skip
            done = 0
            for part, targets in _targets(draft, rows, held, train, test):
                every = np.arange(part.count)
                for row, image in zip(every.tolist(), draft.images(part, every), strict=False):
                    writer, place = targets(row)
                    writer.put(place, image)
                    variety.see(image)
                    done += 1
                    if told and done % 100 == 0:
                        told(done, len(rows) + len(held))
        if done != len(rows) + len(held):
            raise DataError(f"Images must not change while they are read; some of {draft.source} have disappeared.")
        labels = draft.train.labels
        if labels:
            _write_labels(aside / "train-labels.npy", labels.numbers[rows])
            test_labels = draft.test.labels if draft.test else labels
            assert test_labels is not None
            _write_labels(aside / "test-labels.npy", test_labels.numbers[held])
        card = Card(
            name=name, title=" ".join(title.split()) or name, source=draft.source, steps=draft.steps, train=len(rows),
            test=len(held), image_shape=shape, classes=labels.classes if labels else (), checksum=_checksum(aside),
            date=datetime.date.today().isoformat(), warnings=variety.sameness,
        )  # fmt: skip
        with open(aside / CARD, "x", encoding="utf-8") as file:
            json.dump({"format": FORMAT, **asdict(card)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        yield card, aside
    except OSError as error:
        raise DataError(
            f"The set {name!r} could not be written to {places} ({error.strerror or error}): free some space, or set "
            f"VAE_DATA to another folder."
        ) from error
    finally:  # also when interrupted, so that nothing is left behind
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


def _read(path: Path, skip_bad: bool) -> Parts:
    kind = streams.kind_of(path)
    if kind == "folder":
        return pictures.read_folder(path, skip_bad)
    if kind == "zip":
        return pictures.read_zip(path, skip_bad)
    if kind == "npz":
        return arrays.read_npz(path)
    if kind == "parquet":
        return parquet.read_parquet(path, skip_bad)
    if kind in ("npy", "idx", "idx.gz"):
        return arrays.read_array(path, kind)
    raise _foreign(path)


def _foreign(path: Path) -> DataError:
    """Returns the error that says why a file cannot be read, and what can be."""
    with damaged(str(path)):
        empty = path.stat().st_size == 0
    if empty:
        return DataError(f"{path} is empty. Copy or save it again.")
    with contextlib.suppress(DataError), path.open("rb") as file:
        look(file, str(path))
        return DataError(
            f"A data set needs at least two images; {path} is a single one. Put it into a zip archive or a folder with "
            "the others."
        )
    return DataError(
        "A file of images must be a zip archive of image files, .npy, .npz, IDX (also as .gz) or Parquet; "
        f"{path} is none of these."
    )


def _all(parts: Parts, path: str | Path) -> Part:
    train, test = parts
    if test is not None:
        raise DataError(f"A source of held-out images must have one split; {path} has training images too.")
    return train


def _labelled_alike(train: Part, test: Part | None) -> Parts:
    """Gives both splits the same classes, or none if one of them has no labels."""
    if test is None:
        return train, None
    if train.labels is None or test.labels is None:
        notes = ("The labels of one split are ignored, since the other has none.",) * (train.labels is not test.labels)
        return replace(train, labels=None, notes=train.notes + notes), replace(test, labels=None)
    first, second = together(train.labels, test.labels)
    return replace(train, labels=first), replace(test, labels=second)


class _Writer:
    """A .npy file of images that can be written in any order.

    It is written rather than mapped, so that a full disk is an error and does not kill the process.
    """

    def __init__(self, path: Path, count: int, shape: tuple[int, ...]) -> None:
        self._file = path.open("xb")
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._start, self._size, self._next = self._file.tell(), int(np.prod(shape)), 0

    def put(self, place: int, image: Array) -> None:
        if place != self._next:
            self._file.seek(self._start + place * self._size)
        self._file.write(image.tobytes())
        self._next = place + 1

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())


Target = Callable[[int], tuple[_Writer, int]]


def _targets(draft: Draft, rows: Array, held: Array, train: _Writer, test: _Writer) -> list[tuple[Part, Target]]:
    """Returns the parts to read, and for each part the writer and the position that each of its rows goes to."""
    if draft.test:
        one, two = np.argsort(rows), np.argsort(held)  # the position of each row
        return [(draft.train, lambda row: (train, int(one[row]))), (draft.test, lambda row: (test, int(two[row])))]
    place, is_held = np.empty(draft.count, np.int64), np.zeros(draft.count, bool)
    place[rows], place[held], is_held[held] = np.arange(len(rows)), np.arange(len(held)), True
    return [(draft.train, lambda row: (test if is_held[row] else train, int(place[row])))]


def _write_labels(path: Path, labels: Array) -> None:
    with open(path, "xb") as file:
        np.save(file, labels.astype("<i8"), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def _checksum(place: Path) -> str:
    """Returns the SHA-256 of the contents of the arrays, read piece by piece."""
    digest = hashlib.sha256()
    for name in ("train-images", "train-labels", "test-images", "test-labels"):
        with contextlib.suppress(FileNotFoundError), open(place / f"{name}.npy", "rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            while content := file.read(2**20):
                digest.update(content)
    return digest.hexdigest()
