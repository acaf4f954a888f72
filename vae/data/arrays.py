"""Images in arrays: IDX, .npy and .npz, with values of many types converted to 8 bits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vae.data.archives import MOST_FILES, Archive, Limited
from vae.data.labels import Labels, labels_of
from vae.data.parts import Part, Parts
from vae.data.pixels import on_white
from vae.data.streams import Stream, blocks, opener, stream
from vae.errors import DataError

__all__ = ["read_array", "read_npz"]

Array = NDArray[Any]
_MOST_VALUES = 2**24  # values per image
_SPLITS = {"train": ("train", "training", "val", "valid", "validation"), "test": ("test", "testing")}
_IMAGES = ("images", "image", "imgs", "img", "x", "data", "pixels", "arr_0")
_LABELS = ("labels", "label", "y", "targets", "target", "classes", "arr_1")
_EIGHT, _SIXTEEN, _UNIT = "", "16-bit values are divided by 257.", "Values from 0 to 1 are multiplied by 255."
_ROUNDED = "Values from 0 to 255 are rounded."


class _Extent(NamedTuple):
    low: float
    high: float


def read_array(path: Path, kind: str) -> Parts:
    """Finds the images in an array.

    Arguments:
        path: of the file.
        kind: npy, idx or idx.gz; see `vae.data.streams.kind_of`.

    Raises:
        DataError: it is damaged, or its values or its shape cannot be those of images.
    """
    source = stream(str(path), kind.removesuffix(".gz"), opener(path, kind))
    return _part([source], "an array", None, _scale([source]), ()), None


def read_npz(path: Path) -> Parts:
    """Finds images and labels in an archive of arrays, by the names commonly used for them.

    These may be images and labels (`images`, `x`, `data`; `labels`, `y`, `targets`), or those of splits
    (`train_images`, `x_train`, ...). A validation split is added to the training split, as for MedMNIST.

    Raises:
        DataError: it is damaged, it has no images, or the labels do not match the images.
    """
    with Archive(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.names]

    def start(name: str) -> Limited:
        with Archive(path) as archive:
            return archive.open(f"{name}.npy")

    arrays = {name: stream(f"{name} in {path}", "npy", lambda name=name: start(name)) for name in names}  # type: ignore[misc]
    found = _by_split(arrays)
    if not found:
        raise DataError(
            f"The images in an .npz file must be named images, x or data, or train_images and test_images; "
            f"{path} has {', '.join(names)[:200]}."
        )
    scale = _scale([images for pairs in found.values() for images, _ in pairs])
    parts = {}
    for split, pairs in found.items():
        labels, notes = _labels(pairs)
        parts[split] = _part([images for images, _ in pairs], "arrays in an .npz file", labels, scale, notes)
    if "train" not in parts:
        return parts["test"], None
    return parts["train"], parts.get("test")


def _by_split(arrays: dict[str, Stream]) -> dict[str, list[tuple[Stream, Stream | None]]]:
    """Returns pairs of images and labels for "train" and "test"."""
    known = {name.casefold(): each for name, each in arrays.items()}

    def first(names: Sequence[str], images: bool) -> Stream | None:
        fit = (known[name] for name in names if name in known)
        return next((each for each in fit if (len(each.shape) > 2) == images), None)

    found: dict[str, list[tuple[Stream, Stream | None]]] = {}
    for split, words in _SPLITS.items():
        for word in words:
            names = [
                [form for kind in kinds for form in (f"{word}_{kind}", f"{kind}_{word}")]
                for kinds in (_IMAGES, _LABELS)
            ]
            if images := first(names[0], True):
                found.setdefault(split, []).append((images, first(names[1], False)))
    if not found:
        images = first(_IMAGES, True)
        if images is None and len(large := [each for each in arrays.values() if len(each.shape) > 2]) == 1:
            images = large[0]
        if images is not None:
            found["train"] = [(images, first(_LABELS, False))]
    return found


def _labels(pairs: list[tuple[Stream, Stream | None]]) -> tuple[Labels | None, tuple[str, ...]]:
    streams = [labels for _, labels in pairs if labels is not None]
    if len(streams) < len(pairs):
        return None, ()
    if any(len(each.shape) == 2 and each.shape[1] > 1 for each in streams):
        return None, ("Its images have several labels each, which are ignored.",)
    for images, labels in pairs:
        if labels is not None and labels.shape[0] != images.shape[0]:
            raise DataError(
                f"Each image must have one label; {images.what} are {images.shape[0]:,}, and {labels.what} "
                f"{labels.shape[0]:,}."
            )
    values = [block.reshape(len(block)) for each in streams for _, block in blocks(each)]
    if not values:
        return None, ()
    return labels_of(np.concatenate(values), streams[0].what), ()


def _part(sources: list[Stream], kind: str, labels: Labels | None, scale: str, notes: tuple[str, ...]) -> Part:
    sizes: dict[tuple[int, int], int] = {}
    for each in sources:
        height, width = each.shape[1:3]
        sizes[height, width] = sizes.get((height, width), 0) + each.shape[0]
    count = sum(each.shape[0] for each in sources)
    if count > MOST_FILES:
        raise DataError(f"A set may have at most {MOST_FILES:,} images; {sources[0].what} has {count:,}.")
    colour = any(len(each.shape) == 4 and each.shape[3] > 1 for each in sources)

    def read(rows: Array) -> Iterator[Array]:
        offset = 0
        for source in sources:
            within = rows[(rows >= offset) & (rows < offset + source.shape[0])] - offset
            offset += source.shape[0]
            for first, block in blocks(source, within) if len(within) else ():
                for row in within[np.searchsorted(within, first) : np.searchsorted(within, first + len(block))]:
                    yield _eight_bits(block[row - first], scale)

    return Part(
        kind=kind, count=count, sizes=sizes, colour=colour, read=read, labels=labels,
        notes=(scale,) * (scale != _EIGHT) + notes,
    )  # fmt: skip


def _scale(sources: list[Stream]) -> str:
    """Looks at all values, and returns the sentence that says how they are converted to 8 bits."""
    extents = []
    for source in sources:
        _check_shape(source)
        low, high = math.inf, -math.inf
        for _, block in blocks(source):  # to the end, so that a truncated file is noticed at once
            if block.dtype == np.uint8 or not block.size:
                continue
            least, most = float(block.min()), float(block.max())  # NaN where there is one
            if not math.isfinite(least + most):
                raise DataError(f"Pixels must be finite; in {source.what} some are not. Replace them.")
            low, high = min(low, least), max(high, most)
        extents.append(_Extent(low, high))
    low, high = min(each.low for each in extents), max(each.high for each in extents)
    kinds = {source.dtype.kind for source in sources}
    if high < low or kinds == {"b"}:  # only uint8, no values, or Booleans
        return _EIGHT
    if kinds & {"f"}:
        if low >= 0 and high <= 255:
            return _UNIT if high <= 1 else _ROUNDED
        raise DataError(
            f"Floating-point pixels must be between 0 and 1 or between 0 and 255; in {sources[0].what} they are "
            "between "
            f"{low:g} and {high:g}. Scale them."
        )
    if low < 0 or high > 65535:
        raise DataError(
            f"Pixels must have 8 or 16 bits; in {sources[0].what} they are between {low:g} and {high:g}. Scale them."
        )
    return _EIGHT if high <= 255 else _SIXTEEN


def _check_shape(source: Stream) -> None:
    shape = source.shape
    if source.dtype.kind not in "biuf":
        raise DataError(f"Pixels must be numbers; {source.what} has {source.dtype}.")
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
        raise DataError(
            f"An array of images must be (N, H, W) or (N, H, W, C) with 1, 3 or 4 channels, which come last; "
            f"{source.what} has the shape {shape}."
        )
    if not 0 < math.prod(shape[1:]) <= _MOST_VALUES:
        raise DataError(f"An image must have 1 to {_MOST_VALUES:,} values; those of {source.what} have {shape[1:]}.")


def _eight_bits(values: Array, scale: str) -> Array:
    """Returns the pixels of an image, (H, W) or (H, W, 3) uint8."""
    if values.dtype == np.uint8:
        image = values
    elif values.dtype.kind == "b":
        image = values * np.uint8(255)
    elif scale == _SIXTEEN:
        image = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif scale == _UNIT:
        image = (values.astype(np.float64) * 255).round().astype(np.uint8)
    elif scale == _ROUNDED:
        image = values.astype(np.float64).round().astype(np.uint8)
    else:
        image = values.astype(np.uint8)
    if image.ndim == 3 and image.shape[2] == 4:
        return np.asarray(on_white(Image.fromarray(image)))
    return image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
