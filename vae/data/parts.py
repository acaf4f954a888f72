"""Images as a reader finds them: what is known of all, and a way to read them one by one."""

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
    """

    kind: str
    count: int
    sizes: Mapping[tuple[int, int], int]
    colour: bool
    read: Callable[[Array], Iterator[Array]]
    labels: Labels | None = None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Parts = tuple[Part, Part | None]  # of training, and of a test where the source has one of its own
