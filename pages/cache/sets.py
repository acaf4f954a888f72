"""The keys of all caches: models by name and modification time, data sets by name."""

import hashlib
import threading

import numpy as np
import streamlit as st
import torch

import vae
from vae.data import stored
from vae.errors import DataError
from vae.model import locate

Model = tuple[str, float]


def model_id(name: str) -> Model:
    """Returns the key of a model."""
    return name, locate(name).stat().st_mtime


STAND_INS = 64  # sets of samples registered at a time, at most
DRAWINGS = 100
_lock = threading.Lock()


@st.cache_resource(max_entries=4, show_spinner=False)
def _dataset(name: str) -> vae.Dataset:
    return vae.load_dataset(name, fetch=False)


@st.cache_resource(show_spinner=False)
def _drawings() -> dict[str, vae.Dataset]:
    return {}


@st.cache_resource(show_spinner=False)
def _stand_ins() -> dict[str, vae.Dataset]:
    return {}


@st.cache_resource(show_spinner=False)
def _written() -> dict[str, int]:
    """Returns the modification times of the data sets that have been read."""
    return {}


def _known(where: dict[str, vae.Dataset], found: vae.Dataset, most: int) -> vae.Dataset:
    """Registers a set under its name, and drops the oldest if there are too many."""
    with _lock:
        where[found.name] = found
        while len(where) > most:
            where.pop(next(iter(where)))
    return found


def drawing(image: np.ndarray) -> vae.Dataset:
    """Registers a drawing, (H, W) uint8, as a data set under a name of its own, and returns it."""
    name = f"drawing-{hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()[:16]}"
    if (found := _drawings().get(name)) is not None:
        return found
    split = vae.Split(torch.from_numpy(image.copy())[None], torch.zeros(1, dtype=torch.long))
    return _known(_drawings(), vae.Dataset(name, split, split, ("drawing",), name), DRAWINGS)


def drawn(name: str) -> np.ndarray | None:
    """Returns the image (H, W) of a drawing by name, or None if it is not a drawing."""
    found = _drawings().get(name)
    return None if found is None else found.test.images[0].numpy()


def stand_in(name: str, images: np.ndarray) -> vae.Dataset:
    """Registers images (N, H, W[, 3]) uint8 as an unlabelled data set, and returns it."""
    split = vae.Split(torch.from_numpy(images))
    return _known(_stand_ins(), vae.Dataset(name, split, split, (), name), STAND_INS)


def dataset(name: str) -> vae.Dataset:
    """Returns a data set from disk; for MNIST, if it is missing or damaged, the built-in sample.

    A data set that was replaced on disk, by any process, is read again, and values computed from it are dropped.
    """
    for known in (_drawings(), _stand_ins()):
        if (found := known.get(name)) is not None:
            return found
    written = stored.written(name)
    if _written().setdefault(name, written) != written:
        forget_datasets()
        _written()[name] = written
    try:
        return _dataset(name)
    except DataError:
        if name != "mnist":
            raise
        return _dataset("mnist-sample")


def forget_datasets() -> None:
    """Drops all values computed from data sets, after one was added or removed, because names can be reused."""
    held = [(where, dict(where())) for where in (_drawings, _stand_ins)]
    st.cache_data.clear()
    st.cache_resource.clear()
    for where, known in held:
        where().update(known)
