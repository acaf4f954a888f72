"""KMNIST, QMNIST and EMNIST: downloaded and verified as in torchvision, and stored like imported sets.

The files are those of torchvision's own classes, by address and MD5. Files that torchvision has already downloaded are
used where they are.
"""

from __future__ import annotations

import hashlib
import shutil
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae import paths
from vae.data import sources
from vae.data.archives import Archive
from vae.data.arrays import read_array
from vae.data.drafts import Draft
from vae.data.imports import write
from vae.data.labels import Labels
from vae.data.parts import Part
from vae.data.pixels import damaged
from vae.data.sets import NAMES, TITLES, folder
from vae.data.sources import Progress
from vae.data.stored import read_card
from vae.data.streams import whole
from vae.errors import DataError

__all__ = ["RELATIVES", "Relative", "fetch"]

Array = NDArray[Any]
_MOST = 2**30  # bytes of a download; that of EMNIST has 562 million
_SPLITS = ("train", "test")


class Relative(NamedTuple):
    """The source of a set.

    Attributes:
        raw: the folder where torchvision keeps its files.
        mirror: the address to which file names are appended.
        files: to download, with their MD5.
        arrays: training images and labels, test images and labels: names of files, or within the archive.
        classes: the meaning of the labels.
        first: the label of the first class.
        turned: whether the images must be transposed.
    """

    raw: str
    mirror: str
    files: dict[str, str]
    arrays: tuple[str, str, str, str]
    classes: tuple[str, ...]
    first: int = 0
    turned: bool = False


_KMNIST = {
    "train-images-idx3-ubyte.gz": "bdb82020997e1d708af4cf47b453dcf7",
    "train-labels-idx1-ubyte.gz": "e144d726b3acfaa3e44228e80efcd344",
    "t10k-images-idx3-ubyte.gz": "5c965bf0a639b31b8f53240b1b52f4d7",
    "t10k-labels-idx1-ubyte.gz": "7320c461ea6c1c855c0b718fb2a4b134",
}
_QMNIST = {
    "qmnist-train-images-idx3-ubyte.gz": "ed72d4157d28c017586c42bc6afe6370",
    "qmnist-train-labels-idx2-int.gz": "0058f8dd561b90ffdd0f734c6a30e5e4",
    "qmnist-test-images-idx3-ubyte.gz": "1394631089c404de565df7b7aeaf9412",
    "qmnist-test-labels-idx2-int.gz": "5b5b05890a5e13444e108efe57b788aa",
}
_DIGITS = tuple(string.digits)
_ALL = tuple(sorted(string.digits + string.ascii_letters))
_MERGED = tuple(each for each in _ALL if each not in "cijklmopsuvwxyz")  # without letters whose capitals look alike


def _emnist(split: str, classes: tuple[str, ...], first: int = 0) -> Relative:
    arrays = [
        f"gzip/emnist-{split}-{part}-{kind}-ubyte.gz" for part in _SPLITS for kind in ("images-idx3", "labels-idx1")
    ]
    return Relative(
        "EMNIST/raw", "https://biometrics.nist.gov/cs_links/EMNIST/", {"gzip.zip": "58c8d27c78d21e728a6bc7b3cc06412e"},
        (arrays[0], arrays[1], arrays[2], arrays[3]), classes, first, turned=True,
    )  # fmt: skip


RELATIVES = {
    "kmnist": Relative(
        "KMNIST/raw", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/", _KMNIST,
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
         "t10k-labels-idx1-ubyte.gz"),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    "qmnist": Relative(
        "QMNIST/raw", "https://raw.githubusercontent.com/facebookresearch/qmnist/master/", _QMNIST,
        ("qmnist-train-images-idx3-ubyte.gz", "qmnist-train-labels-idx2-int.gz", "qmnist-test-images-idx3-ubyte.gz",
         "qmnist-test-labels-idx2-int.gz"),
        _DIGITS,
    ),
    "emnist-letters": _emnist("letters", tuple(string.ascii_lowercase), 1),
    "emnist-balanced": _emnist("balanced", _MERGED),
    "emnist-digits": _emnist("digits", _DIGITS),
    "emnist-byclass": _emnist("byclass", _ALL),
    "emnist-bymerge": _emnist("bymerge", _MERGED),
    "emnist-mnist": _emnist("mnist", _DIGITS),
}  # fmt: skip


def fetch(name: str, progress: Progress | None = None) -> None:
    """Downloads, verifies and stores a set, unless it is already there. EMNIST's archive is kept for its six sets.

    Arguments:
        name: one of `RELATIVES`; for others nothing is done.
        progress: see `vae.data.fetch`.

    Raises:
        DataError: no source has the files, or they cannot be written.
    """
    if name not in RELATIVES or read_card(name):
        return
    relative = RELATIVES[name]
    try:
        folder().mkdir(parents=True, exist_ok=True)
        aside = paths.aside(folder())
    except OSError as error:
        raise DataError(f"{folder()} cannot be written ({error.strerror}): set VAE_DATA to another folder.") from error
    try:
        places = {file: _placed(name, file, md5, aside, progress) for file, md5 in relative.files.items()}
        if archive := places.get("gzip.zip"):
            places = _unpacked(archive, relative.arrays, aside)
        train, test = (
            _part(places[images], places[labels], relative)
            for images, labels in (relative.arrays[:2], relative.arrays[2:])
        )
        write(Draft(source=relative.mirror, train=train, test=test), name, TITLES[name])
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _placed(name: str, file: str, md5: str, aside: Path, progress: Progress | None) -> Path:
    """Returns the path of a verified file: where torchvision keeps it, or newly downloaded."""
    relative = RELATIVES[name]
    kept = folder() / relative.raw / file
    if kept.is_file() and _md5(kept) == md5:
        return kept
    place = aside / file
    try:
        with place.open("wb") as sink:
            sources.download(relative.mirror + file, file, sink, _MOST, progress or (lambda what, size, total: None))
        if _md5(place) != md5:
            raise ValueError(f"{file} does not have the MD5 sum {md5}")
        if file == "gzip.zip":
            kept.parent.mkdir(parents=True, exist_ok=True)
            return place.replace(kept)
        return place
    except sources.FAILURES as error:
        reason = " ".join(str(error).strip("<>").split()) or type(error).__name__
        raise DataError(
            f"{TITLES[name]} could not be fetched ({relative.mirror}: {reason}): try again with a network, or use "
            f"{NAMES[-1]}, which ships with the explorer."
        ) from error


def _md5(path: Path) -> str:
    with damaged(str(path)), path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _unpacked(archive: Path, names: tuple[str, ...], aside: Path) -> dict[str, Path]:
    """Extracts files from an archive to a folder, and returns the path of each."""
    places = {}
    with Archive(archive) as opened:
        for number, name in enumerate(names):
            places[name] = aside / f"{number}.gz"
            with opened.open(name) as file, damaged(str(places[name])), places[name].open("wb") as sink:
                while content := file.read(2**20):
                    sink.write(content)
    return places


def _part(images: Path, labels: Path, relative: Relative) -> Part:
    part, _ = read_array(images, "idx.gz")
    said = whole(labels, "idx.gz", 2**28)
    said = said[:, 0] if said.ndim == 2 else said  # QMNIST has further columns
    numbers = said.astype(np.int64) - relative.first
    if len(numbers) != part.count or numbers.min() < 0 or numbers.max() >= len(relative.classes):
        raise DataError(f"{labels.name} does not have one label for each image of {images.name}.")

    def read(rows: Array) -> Iterator[Array]:
        for image in part.read(rows):
            yield np.ascontiguousarray(image.T) if relative.turned else image

    return replace(part, read=read, labels=Labels(numbers, relative.classes))
