"""A set before it is stored: what a source contains, how its images are processed, and which are held out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae.data.parts import Part
from vae.data.pixels import LARGEST_COLOUR, LARGEST_GREY, SMALLEST, Recipe, finish
from vae.data.sets import said_size
from vae.errors import DataError

__all__ = ["Draft", "Variety", "warnings_of"]

Array = NDArray[Any]
_SEED = 0  # for the choice of held-out images, and for shuffling images sorted by class


@dataclass(frozen=True, kw_only=True, eq=False)
class Draft:
    """A set that can be inspected and stored. It holds no images: they are read when they are needed.

    For other settings, make another draft: `dataclasses.replace(draft, recipe=Recipe(size=(28, 28)))`.

    Attributes:
        source: the path that it is read from.
        train: the training images, or all images if a fraction of them is yet to be held out.
        test: the test images, if the source has them or another source was given for them.
        recipe: how each image is processed.
        held_out: fraction of the images that is held out if there are no test images.
    """

    source: str
    train: Part
    test: Part | None
    recipe: Recipe = Recipe()
    held_out: float = 0.1

    @property
    def count(self) -> int:
        """The number of images."""
        return self.train.count + (self.test.count if self.test else 0)

    @property
    def sizes(self) -> dict[tuple[int, int], int]:
        """Heights and widths of the images in the source, and how many have them, the most frequent first."""
        found = dict(self.train.sizes)
        for size, count in (self.test.sizes if self.test else {}).items():
            found[size] = found.get(size, 0) + count
        return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))

    @property
    def colour(self) -> bool:
        """Whether it will be stored in colour."""
        return not self.recipe.grey and (self.train.colour or bool(self.test and self.test.colour))

    @property
    def classes(self) -> dict[str, int]:
        """The classes, and the number of images in each; empty if there are no labels."""
        counts: dict[str, int] = {}
        for labels in (self.train.labels, self.test.labels if self.test else None):
            if labels:
                counted = np.bincount(labels.numbers, minlength=len(labels.classes)).tolist()
                for name, count in zip(labels.classes, counted, strict=True):
                    counts[name] = counts.get(name, 0) + count
        return counts

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(H, W), or (H, W, 3) in colour, of the images as they will be stored.

        Raises:
            DataError: they have several sizes, or one that is too large or too small, and no size is given.
        """
        sizes = self.sizes
        if self.recipe.size is None and len(sizes) > 1:
            (most, count), (other, _), *_ = sizes.items()
            raise DataError(
                f"The images of a set must have one size; these have several, such as {_said(most)} ({count:,} of "
                f"{self.count:,}) and {_said(other)}. Choose one size (--size)."
            )
        size = self.recipe.size or next(iter(sizes))
        largest = LARGEST_COLOUR if self.colour else LARGEST_GREY
        shape = (*size, 3) if self.colour else size
        if not SMALLEST <= min(size) <= max(size) <= largest:
            raise DataError(
                f"Images must have from {SMALLEST} to {LARGEST_GREY} pixels per side in grey, and up to "
                f"{LARGEST_COLOUR} in colour; these would be {said_size(shape)}. Choose a size (--size)"
                f"{', or make them grey (--grey)' if self.colour and max(size) <= LARGEST_GREY else ''}."
            )
        return shape

    @property
    def trouble(self) -> str | None:
        """Why it cannot be stored as it is, in a sentence that says what to do; None if it can."""
        try:
            self.image_shape  # noqa: B018
        except DataError as error:
            return str(error)
        return None

    @property
    def steps(self) -> tuple[str, ...]:
        """How the images will be processed, in sentences."""
        height, width = self.recipe.size or (0, 0)
        held = 0 if self.test else len(self.places()[1])
        alike = ", in equal proportion from each class" if self.train.labels else ""
        said = {
            "Colour is converted to grey.": self.recipe.grey
            and (self.train.colour or bool(self.test and self.test.colour)),
            f"Images are resized to {height} x {width} pixels, without preserving their proportions.": self.recipe.size
            and {*self.sizes} != {self.recipe.size},
            "Light and dark are swapped.": self.recipe.invert,
            "One image, chosen at random, is held out.": held == 1,
            f"{held:,} images, chosen at random{alike}, are held out.": held > 1,
            "Images that are sorted by class are shuffled.": _sorted(self.train) or (self.test and _sorted(self.test)),
        }
        notes = dict.fromkeys((*self.train.notes, *(self.test.notes if self.test else ())))
        return (*notes, *(sentence for sentence, applies in said.items() if applies))

    def places(self) -> tuple[Array, Array]:
        """Returns the order of the images: rows of `train` and of the test in the order in which they are stored.

        The rows of the test are those of `test` or, without one, of `train`. All choices use a fixed seed.
        """
        if self.test:
            return _order(self.train), _order(self.test)
        order = np.random.default_rng(_SEED).permutation(self.train.count)
        count = min(max(round(self.held_out * self.train.count), 1), self.train.count - 1)
        if self.train.labels:
            order = order[np.argsort(self.train.labels.numbers[order], kind="stable")]
        # evenly along the classes, each in a random order, so that each contributes in proportion
        held = order[(np.arange(count) * 2 + 1) * self.train.count // (2 * count)]
        rows, held_rows = _order(self.train), np.zeros(self.train.count, bool)
        held_rows[held] = True
        return rows[~held_rows[rows]], rows[held_rows[rows]]

    def images(self, part: Part, rows: Array) -> Iterator[Array]:
        """Yields images of a part as they will be stored, for increasing rows.

        Raises:
            DataError: one is damaged, or they differ from those that the draft has inspected.
        """
        shape = self.image_shape
        for image in part.read(rows):
            done = finish(image, self.recipe, self.colour)
            if done.shape != shape:
                raise DataError(
                    f"Images must not change while they are read; those of {self.source} have changed. Try again."
                )
            yield done

    def sheet(self, count: int = 64) -> Array:
        """Returns some of the training images, evenly spaced, as they will be stored: (K, H, W) or (K, H, W, 3).

        Raises:
            DataError: as for `images`.
        """
        rows = np.unique(np.linspace(0, self.train.count - 1, min(count, self.train.count)).astype(np.int64))
        return np.stack(list(self.images(self.train, rows)))


class Variety:
    """Checks, while images are processed one by one, that there is something to learn from them."""

    def __init__(self) -> None:
        self._first: Array | None = None
        self._count, self._same, self._flat = 0, True, True

    def see(self, image: Array) -> None:
        """Records an image, (H, W) or (H, W, 3)."""
        if self._first is None:
            self._first = image
        self._count += 1
        self._same = self._same and np.array_equal(image, self._first)
        self._flat = self._flat and bool((image == image[:1, :1]).all())

    @property
    def sameness(self) -> tuple[str, ...]:
        """A warning that all images so far are identical, or each of them uniform; () if neither is the case."""
        if self._count > 1 and self._same:
            return (
                f"All {self._count:,} images that were read are identical, so there is nothing to learn from them. "
                "Check how they were saved.",
            )
        if self._count > 1 and self._flat:
            return (
                f"In each of the {self._count:,} images that were read, all pixels are equal, so there is little to "
                "learn from them. Check how they were saved.",
            )
        return ()


def warnings_of(images: Iterable[Array]) -> tuple[str, ...]:
    """Returns warnings about images, such as those of a sheet, in sentences."""
    variety = Variety()
    for image in images:
        variety.see(image)
    return variety.sameness


def _sorted(part: Part) -> bool:
    """Tells whether images are sorted by class, like those of folders: the first of them would all be of one class."""
    return part.labels is not None and len(part.labels.classes) > 1 and bool((np.diff(part.labels.numbers) >= 0).all())


def _order(part: Part) -> Array:
    return np.random.default_rng(_SEED).permutation(part.count) if _sorted(part) else np.arange(part.count)


def _said(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
