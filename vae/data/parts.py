"""Images as found by a reader: what is known about all of them, and a way to read them one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from vae.data.labels import Labels

__all__ = ["Part", "Parts"]

Array = NDArray[Any]


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
    """

    kind: str
    count: int
    sizes: Mapping[tuple[int, int], int]
    colour: bool
    read: Callable[[Array], Iterator[Array]]
    labels: Labels | None = None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Parts = tuple[Part, Part | None]  # training images, and test images if the source has them
