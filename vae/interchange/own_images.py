"""Images and labels from a script, as a data set that can be stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from torch import Tensor

from vae.data import imports, stored
from vae.data import names as data_names
from vae.errors import DataError

__all__ = ["check_replaceable", "draft", "shaped"]

_SOURCE = "vae.inspect"  # on the cards of these data sets


def shaped(images: Any) -> np.ndarray:
    """Returns images as (N, H, W) or (N, H, W, 3) uint8.

    Raises:
        DataError: they are neither 8-bit nor in [0, 1], or of another shape.
    """
    values = images.detach().cpu().numpy() if isinstance(images, Tensor) else np.asarray(images)
    if values.ndim == 4 and values.shape[1] in (1, 3) and values.shape[3] not in (1, 3):
        values = np.moveaxis(values, 1, 3)
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim not in (3, 4) or (values.ndim == 4 and values.shape[3] != 3) or len(values) < 2:
        raise DataError(f"Images must be (N, H, W) or (N, H, W, 3), N at least 2; these are {values.shape}.")
    if values.dtype == np.uint8:
        return values
    if not np.issubdtype(values.dtype, np.floating) or not (
        np.isfinite(values).all() and 0 <= values.min() <= values.max() <= 1
    ):
        raise DataError(
            "Images must be 8-bit, or numbers in [0, 1]; these are neither. Undo their scaling, and give it as "
            "pixels=..."
        )
    return np.rint(values * 255).astype(np.uint8)


def check_replaceable(name: str, overwrite: bool) -> None:
    """Rejects the name of a data set that was not created by `inspect`, or may not be replaced.

    Raises:
        DataError: there is such a data set.
    """
    if name not in data_names():
        stored.check_new(name)
        return
    if not overwrite:
        raise DataError(
            f"The images are stored as a data set with the model's name; there is already one called {name!r}. Choose "
            "another name."
        )
    card = stored.read_card(name)
    if card is None or card.source != _SOURCE:
        raise DataError(
            f"Only a data set created by vae.inspect can be replaced; {name!r} is not one. Choose another name, or "
            "give "
            "the name of that data set as the images."
        )


def _named(numbers: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Returns the names of labels (N,).

    Raises:
        DataError: they are not whole numbers, or one has no name.
    """
    rule = f"Labels must be whole numbers from 0 to {len(classes) - 1}, one for each name in classes"
    if numbers.dtype.kind not in "uibf" or not (np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()):
        raise DataError(f"{rule}; some of these are not ({numbers.dtype}). Give whole numbers, or leave classes out.")
    if not 0 <= numbers.min() <= numbers.max() < len(classes):
        raise DataError(f"{rule}; these range from {numbers.min():g} to {numbers.max():g}. Name all of them.")
    return np.asarray(classes)[numbers.astype(np.int64)]


@contextmanager
def draft(images: np.ndarray, labels: Any, classes: Sequence[str]) -> Iterator[imports.Draft]:
    """Provides images and their labels as a data set that can be stored within the block.

    Arguments:
        images: (N, H, W) or (N, H, W, 3) uint8.
        labels: (N,), or None.
        classes: names of the labels 0, 1, ...; () if there are none.

    Raises:
        DataError: there is not one label per image, or labels are not whole numbers with a name each.
    """
    arrays = {"images": images}
    if labels is not None:
        numbers = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
        if numbers.shape != (len(images),):
            raise DataError(f"There must be one label per image, ({len(images)},); these are {numbers.shape}.")
        arrays["labels"] = _named(numbers, classes) if len(classes) else numbers
    with TemporaryDirectory() as folder:
        path = Path(folder) / "images.npz"
        np.savez(path, **arrays)  # type: ignore[arg-type]  # NumPy's stubs take these for options
        yield replace(imports.open_source(path), source=_SOURCE)
