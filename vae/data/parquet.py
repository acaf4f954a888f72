"""Images in a Parquet file, as written by Hugging Face. The package pyarrow is imported when one is read."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae.data.archives import MOST_FILES
from vae.data.labels import Labels, labels_of
from vae.data.parts import BadImage, Part, Parts, one_image
from vae.data.pictures import MOST_BYTES
from vae.data.pixels import damaged, decode, look
from vae.errors import DataError

__all__ = ["read_parquet"]

Array = NDArray[Any]
_IMAGES = ("image", "img", "images", "picture", "pixels")
_LABELS = ("label", "labels", "class", "target", "fine_label", "coarse_label", "character")
_ROWS = 64  # read at once


def read_parquet(path: Path, skip_bad: bool = False) -> Parts:
    """Finds the images in a Parquet file, and their labels.

    The images are a column of image files, as bytes or as a struct of `bytes` and `path`; the labels are a column of
    whole numbers or words. If the metadata of the schema name the classes, as Hugging Face's do, numbers become these
    names.

    Arguments:
        path: of the file.
        skip_bad: whether to decode every image, and mark those that cannot be decoded as bad.

    Raises:
        BadImage: an image is damaged.
        DataError: the file is damaged, has no column of images, or pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # imported here, because it is optional
    except ImportError as error:
        raise DataError("Reading Parquet files needs pyarrow: pip install pyarrow.") from error
    with damaged(str(path)), pyarrow.parquet.ParquetFile(path) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
        images = next((name for name in _named(schema.names, _IMAGES) if _holds_files(schema.field(name).type)), None)
        if images is None:
            raise DataError(
                f"The images in a Parquet file must be a column of image files; {path} has "
                f"{', '.join(schema.names)[:200]}."
            )
        if count > MOST_FILES:
            raise DataError(f"A set may have at most {MOST_FILES:,} images; {path} has {count:,}.")
        label = next((name for name in _named(schema.names, _LABELS) if name.casefold() in _LABELS), None)
        labels = None if label is None else _labels(file, schema, label, str(path))
    sizes: Counter[tuple[int, int]] = Counter()
    colour = False
    bad, found = {}, 0
    for row, content in _contents(path, images):
        found += 1
        what = f"image {row} in {path}"
        try:
            with one_image():
                height, width, coloured = look(io.BytesIO(_file(content, what)), what)
                if skip_bad:
                    decode(content, what)
        except BadImage:
            if not skip_bad:
                raise
            bad[row] = f"image {row}"
            continue
        sizes[height, width] += 1
        colour = colour or coloured
    if labels is not None and len(labels.numbers) != found:
        raise DataError(f"Each image must have one label; {path} has {found:,} and {len(labels.numbers):,}.")

    def read(rows: Array) -> Iterator[Array]:
        wanted = iter(rows.tolist())
        next_row = next(wanted, None)
        for row, content in _contents(path, images):
            if row == next_row:
                what = f"image {row} in {path}"
                with one_image():
                    image = decode(_file(content, what), what)
                yield image
                next_row = next(wanted, None)
            if next_row is None:
                return

    return (
        Part(kind="a Parquet file", count=found, sizes=sizes, colour=colour, read=read, labels=labels, bad=bad), None
    )  # fmt: skip


def _named(names: list[str], known: tuple[str, ...]) -> list[str]:
    """Returns names of columns, with the known ones first."""
    return sorted(names, key=lambda name: known.index(name.casefold()) if name.casefold() in known else len(known))


def _holds_files(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        inner = next((field.type for field in kind if field.name == "bytes"), None)
        return inner is not None and _holds_files(inner)
    return types.is_binary(kind) or types.is_large_binary(kind)


def _contents(path: Path, column: str) -> Iterator[tuple[int, bytes]]:
    """Yields the image files in a column, one by one, with their rows."""
    import pyarrow.parquet

    with damaged(str(path)), pyarrow.parquet.ParquetFile(path) as file:
        row = 0
        for batch in file.iter_batches(_ROWS, columns=[column], use_threads=False):
            for value in batch.column(0):
                content = value.as_py()
                yield row, (content.get("bytes") if isinstance(content, dict) else content) or b""
                row += 1


def _file(content: bytes, what: str) -> bytes:
    if not 0 < len(content) <= MOST_BYTES:
        raise DataError(
            f"The image file in each row must have from 1 byte to {MOST_BYTES >> 20} MB; {what} has {len(content):,} "
            "bytes."
        )
    return content


def _labels(file: Any, schema: Any, column: str, what: str) -> Labels | None:
    values = [
        value
        for batch in file.iter_batches(columns=[column], use_threads=False)
        for value in batch.column(0).to_pylist()
    ]
    if all(value is None or value == -1 for value in values):
        return None
    if any(value is None for value in values):
        raise DataError(f"Either each image or none must have a label; in {what} only some rows have one.")
    if not all(isinstance(value, (int, str)) for value in values):
        raise DataError(f"Labels must be whole numbers or words; the column {column} in {what} has other values.")
    names = _class_names(schema, column)
    if names and all(isinstance(value, int) and 0 <= value < len(names) for value in values):
        values = [names[value] for value in values]
    return labels_of(np.array(values), f"the labels in {what}")


def _class_names(schema: Any, column: str) -> list[str]:
    """Returns the class names that the metadata of the schema give for a column, [] if there are none."""
    try:
        feature = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][column]
        names = feature["names"]
    except (KeyError, ValueError, TypeError, RecursionError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []
