"""Images as found by a reader: what is known about all of them, and a way to read them one by one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae.data.archives import Implausible
from vae.data.labels import Labels, labels_of
from vae.errors import DataError

__all__ = ["BadImage", "Part", "Parts", "one_image", "without_bad"]

Array = NDArray[Any]
_NAMED = 3  # number of skipped images that a note names


class BadImage(DataError):
    """One image among others cannot be read."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The images of one split, or of a set that has not been split yet.

    Attributes:
        kind: what they are read from, in words.
        count: N.
        sizes: heights and widths, with the number of images of each.
        colour: whether any of them may have colour.
        read: takes rows (K,) in increasing order, and yields their images, (H, W) or (H, W, 3) uint8.
        labels: of the images, if there are any.
        files: their names, () if they have none.
        notes: how they are converted and what is ignored, in sentences.
        bad: rows that cannot be read and are to be skipped, with the names of their images; see `without_bad`.
    """

    kind: str
    count: int
    sizes: Mapping[tuple[int, int], int]
    colour: bool
    read: Callable[[Array], Iterator[Array]]
    labels: Labels | None = None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    bad: Mapping[int, str] = field(default_factory=dict)


Parts = tuple[Part, Part | None]  # training images, and test images if the source has them


@contextlib.contextmanager
def one_image() -> Iterator[None]:
    """Converts a DataError about one image among others to a BadImage.

    An image that unpacks to an implausible size is not accidental, and still ends the reading of all images.
    """
    try:
        yield
    except (BadImage, Implausible):
        raise
    except DataError as error:
        raise BadImage(str(error)) from error


def without_bad(part: Part, source: str) -> Part:
    """Returns a part without the images that cannot be read, with a note about them.

    Arguments:
        part: with the rows of these images in `bad`.
        source: of the images, for errors.

    Raises:
        DataError: they are more than half of all images.
    """
    bad, count = [part.bad[row] for row in sorted(part.bad)], part.count
    if not bad:
        return part
    named = ", ".join(bad[:_NAMED]) + ", …" * (len(bad) > _NAMED)
    if 2 * len(bad) > count:
        raise DataError(
            f"At most half of the images may be skipped because they cannot be read; of the {count:,} in {source}, "
            f"{len(bad):,} cannot be read ({named}). Check how they were saved."
        )
    kept = np.setdiff1d(np.arange(count), list(part.bad))
    labels = part.labels
    if labels is not None:
        labels = labels_of(np.array(labels.classes)[labels.numbers[kept]], f"the labels of {source}")
    read = part.read
    return replace(
        part, count=len(kept), read=lambda rows: read(kept[rows]), labels=labels, bad={},
        files=tuple(part.files[row] for row in kept) if part.files else (),
        notes=(*part.notes, f"Images that cannot be read are skipped: {len(bad):,} of {count:,} ({named})."),
    )  # fmt: skip
