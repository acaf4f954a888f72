"""Arrays in files, read block by block: .npy and IDX, compressed or not."""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.data.archives import Limited, gunzipped
from vae.data.pixels import damaged
from vae.errors import DataError

__all__ = ["Stream", "blocks", "kind_of", "opener", "stream", "whole"]

Array = NDArray[Any]
_IDX = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_BLOCK = 2**20  # bytes read at once


class Stream(NamedTuple):
    """An array in a file whose header has been read.

    Attributes:
        what: its name in errors.
        shape: of the array.
        dtype: of its values in the file.
        start: returns the file, opened where the values begin.
    """

    what: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: Callable[[], Limited]


def kind_of(path: Path) -> str:
    """Tells by the first bytes what a path is: folder, npy, npz, idx, idx.gz, zip, parquet, or other."""
    if path.is_dir():
        return "folder"
    with damaged(str(path)):
        if not path.is_file():
            raise DataError(
                f"Images and labels are read from files and folders; there is nothing at {path}. Check the path."
            )
        with path.open("rb") as file:
            head = file.read(8)
        if head[:2] == b"PK":
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
            return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"
    if head[:2] == b"\0\0" and head[2:3] and head[2] in _IDX:
        return "idx"
    magic = {b"\x93NUMPY": "npy", b"PAR1": "parquet", b"\x1f\x8b": "idx.gz"}
    return next((kind for start, kind in magic.items() if head.startswith(start)), "other")


def stream(what: str, kind: str, start: Callable[[], Limited]) -> Stream:
    """Reads the header of an array.

    Arguments:
        what: its name in errors.
        kind: npy or idx.
        start: returns the file, opened at its beginning.

    Raises:
        DataError: the header is damaged, or its values are neither numbers nor words.
    """
    header = _npy_header if kind == "npy" else _idx_header

    def after_header() -> Limited:
        file = start()
        with damaged(what):
            header(file, what)
        return file

    with start() as file, damaged(what):
        shape, dtype = header(file, what)
    if any(side < 0 for side in shape) or not shape:
        raise DataError(f"An array of images or labels must have at least one dimension; {what} has the shape {shape}.")
    return Stream(what, shape, dtype, after_header)


def blocks(source: Stream, rows: Array | None = None) -> Iterator[tuple[int, Array]]:
    """Yields an array in blocks along its first dimension, with the row at which each begins.

    Arguments:
        source: the array.
        rows: increasing; blocks without any of them are skipped. None for all, including a check of the end of the
        file.

    Raises:
        DataError: the file ends early, or continues after the array.
    """
    inner, total = source.shape[1:], source.shape[0]
    size = math.prod(inner) * source.dtype.itemsize
    many = max(1, _BLOCK // max(size, 1))
    with source.start() as file:
        for first in range(0, total, many):
            count = min(many, total - first)
            if rows is not None:
                low, high = np.searchsorted(rows, (first, first + count))
                if low == len(rows):
                    return
                if low == high:
                    file.skip(count * size)
                    continue
            content = bytearray()
            while len(content) < count * size and (more := file.read(count * size - len(content))):
                content += more
            if len(content) < count * size:
                raise DataError(
                    f"{source.what} is truncated after {first + len(content) // max(size, 1):,} of {total:,} rows. "
                    f"Copy or download it again."
                )
            yield first, np.frombuffer(content, source.dtype).reshape(count, *inner)
        if rows is None and file.read(1):
            raise DataError(f"{source.what} has further data after its {total:,} rows. Copy or download it again.")


def whole(path: Path, kind: str, most: int) -> Array:
    """Returns the complete array in a file, npy, idx or idx.gz, of up to `most` bytes."""
    source = stream(str(path), kind.removesuffix(".gz"), opener(path, kind))
    if math.prod(source.shape) * source.dtype.itemsize > most:
        raise DataError(f"An array of labels may have at most {most >> 20} MB; {path} has more.")
    parts = [block for _, block in blocks(source)]
    return np.concatenate(parts) if parts else np.empty(source.shape, source.dtype)


def opener(path: Path, kind: str) -> Callable[[], Limited]:
    """Returns a function that opens a file at its beginning."""

    def start() -> Limited:
        if kind.endswith(".gz"):
            return gunzipped(path)
        with damaged(str(path)):
            return Limited(path.open("rb"), path.stat().st_size, str(path))

    return start


def _npy_header(file: Limited, what: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)  # type: ignore[arg-type]
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"A .npy file must have version 1 or 2; {what} has {version}. Save it with numpy.save.")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = read(file)  # type: ignore[arg-type]
    if dtype.kind not in "biufSU" or dtype.itemsize == 0 or dtype.itemsize > 2**16:
        raise DataError(f"An array must have numbers or words; {what} has {dtype}. Save it as one of these.")
    if by_columns and len(shape) > 1:
        raise DataError(
            f"An array must be stored row by row; {what} is stored by columns. Save numpy.ascontiguousarray of it."
        )
    return tuple(int(side) for side in shape), dtype


def _idx_header(file: Limited, what: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _IDX:
        raise DataError(f"An IDX file must begin with two zeros and the type of its values; {what} does not.")
    return struct.unpack(f">{head[3]}I", file.read(4 * head[3])), np.dtype(_IDX[head[2]])
