"""Images as a reader finds them: what is known of all, and a way to read them one by one."""

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
_NAMED = 3  # of the images that are left out


class BadImage(DataError):
    """One image among others cannot be read."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The images of one split, or of a set that is yet to be split.

    Attributes:
        kind: what they are read from, in words.
        count: N.
        sizes: height and width, and how many images have them.
        colour: whether any of them may have colour.
        read: takes rows (K,) in increasing order, and yields their images, (H, W) or (H, W, 3) uint8.
        labels: of them, if there are any.
        files: their names, () where they have none.
        notes: what reading them does and leaves out, in sentences.
        bad: rows that cannot be read and are to be left out, and what they are called; see `without_bad`.
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


Parts = tuple[Part, Part | None]  # of training, and of a test where the source has one of its own


@contextlib.contextmanager
def one_image() -> Iterator[None]:
    """Turns what is wrong with one image among others into a BadImage.

    An image of which more comes than is plausible is no accident, and ends the reading of all.
    """
    try:
        yield
    except (BadImage, Implausible):
        raise
    except DataError as error:
        raise BadImage(str(error)) from error


def without_bad(part: Part, source: str) -> Part:
    """Leaves the images out that cannot be read, and says so in the notes.

    Arguments:
        part: with the rows of these images in `bad`.
        source: of the images, for errors.

    Raises:
        DataError: they are more than half of all.
    """
    bad, count = [part.bad[row] for row in sorted(part.bad)], part.count
    if not bad:
        return part
    named = ", ".join(bad[:_NAMED]) + ", …" * (len(bad) > _NAMED)
    if 2 * len(bad) > count:
        raise DataError(
            f"Images that cannot be read are left out where they are no more than half; of the {count:,} in {source} "
            f"{len(bad):,} cannot be read ({named}). See what wrote them."
        )
    kept = np.setdiff1d(np.arange(count), list(part.bad))
    labels = part.labels
    if labels is not None:
        labels = labels_of(np.array(labels.classes)[labels.numbers[kept]], f"the labels of {source}")
    read = part.read
    return replace(
        part, count=len(kept), read=lambda rows: read(kept[rows]), labels=labels, bad={},
        files=tuple(part.files[row] for row in kept) if part.files else (),
        notes=(*part.notes, f"Images that cannot be read are left out: {len(bad):,} of {count:,} ({named})."),
    )  # fmt: skip
