"""Images of one's own in every form that is read: each writer returns the source and what `open_source` is told."""

import gzip
import io
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Written = tuple[Path, dict[str, Any]]
NAMES = ("10", "b", "2")  # of classes: sorted naturally 2, 10, b


def small_images(count: int, shape: tuple[int, ...]) -> tuple[np.ndarray, list[str]]:
    """Random images, no two alike, and their labels in no order."""
    images = np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)
    return images, [NAMES[i % 3] for i in range(count)]


def png(image: np.ndarray, form: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, form)
    return content.getvalue()


def idx(array: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_folder(at: Path, images: np.ndarray, labels: list[str] | None, name: str = "folder") -> Written:
    for row, image in enumerate(images):
        place = at / name / (labels[row] if labels else "") / f"image{row}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(image))
    return at / name, {}


def write_zip(at: Path, images: np.ndarray, labels: list[str] | None) -> Written:
    write_folder(at / "zipped", images, labels)
    return Path(shutil.make_archive(str(at / "images"), "zip", at / "zipped", "folder")), {}


def write_csv(at: Path, images: np.ndarray, labels: list[str] | None) -> Written:
    top, _ = write_folder(at, images, None)
    if labels is None:
        return top, {}
    lines = ["file,label", *(f"image{row}.png,{label}" for row, label in enumerate(labels))]
    (at / "labels.csv").write_text("\n".join(lines))
    return top, {"labels": at / "labels.csv"}


def write_lines(at: Path, images: np.ndarray, labels: list[str] | None) -> Written:
    np.save(at / "images.npy", images)
    if labels is None:
        return at / "images.npy", {}
    (at / "labels.txt").write_text("\n".join(labels) + "\n")
    return at / "images.npy", {"labels": at / "labels.txt"}


def write_npy(at: Path, images: np.ndarray, labels: list[str] | None) -> Written:
    np.save(at / "images.npy", images)
    if labels is None:
        return at / "images.npy", {}
    np.save(at / "labels.npy", np.array(labels))
    return at / "images.npy", {"labels": at / "labels.npy"}


def write_npz(at: Path, images: np.ndarray, labels: list[str] | None) -> Written:
    np.savez_compressed(at / "images.npz", x=images, **({"y": np.array(labels)} if labels else {}))
    return at / "images.npz", {}


def write_idx(at: Path, images: np.ndarray, labels: list[str] | None) -> Written:
    (at / "images-idx3-ubyte").write_bytes(idx(images))
    if labels is None:
        return at / "images-idx3-ubyte", {}
    (at / "labels.csv").write_text("\n".join(["label", *labels]))
    return at / "images-idx3-ubyte", {"labels": at / "labels.csv"}


def write_idx_gz(at: Path, images: np.ndarray, labels: list[str] | None) -> Written:
    source, extra = write_idx(at, images, labels)
    (at / "images.gz").write_bytes(gzip.compress(source.read_bytes()))
    return at / "images.gz", extra


def write_parquet(at: Path, images: np.ndarray, labels: list[str] | None) -> Written:
    import pyarrow
    from pyarrow import parquet

    files = [{"bytes": png(image), "path": None} for image in images]
    columns: dict[str, Any] = {"image": files}
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    if labels:
        columns["label"] = [NAMES.index(label) for label in labels]
        features["label"] = {"names": list(NAMES), "_type": "ClassLabel"}
    table = pyarrow.table(columns)
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, at / "images.parquet", row_group_size=5)
    return at / "images.parquet", {}


WRITERS: dict[str, Callable[[Path, np.ndarray, list[str] | None], Written]] = {
    "folder": write_folder, "zip": write_zip, "csv": write_csv, "lines": write_lines, "npy": write_npy,
    "npz": write_npz, "idx": write_idx, "idx.gz": write_idx_gz, "parquet": write_parquet,
}  # fmt: skip
