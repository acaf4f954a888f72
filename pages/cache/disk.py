"""The disk cache of slow values, which makes them available immediately after a restart.

Built-in values are beside the models, in `visits-<data set>.zip`: everything that the pages show initially of a model
and the first test image. `make visits` writes these files. Values computed later are in the user's cache folder, with
the code that computed them as part of the key; the oldest are removed when the folder grows large.
"""

import contextlib
import hashlib
import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable
from functools import cache as once
from pathlib import Path

import platformdirs
import streamlit as st

import vae
from pages.cache import sets
from vae import data, paths
from vae.errors import VAEError
from vae.model import results

MOST = 1_000_000_000  # bytes in the cache folder
_lock = threading.Lock()


def visits_file(data_name: str) -> str:
    """Returns the name of the file of built-in values beside a model."""
    return f"visits-{data_name}.zip"


def about(model: sets.Model, data_name: str) -> dict[str, str]:
    """Returns what values depend on: the checksums of the model file and of the images."""
    return {"model": _checksum(*model), "data": sets.dataset(data_name).checksum}


@st.cache_resource(max_entries=64, show_spinner=False)
def _checksum(model: str, written: float) -> str:
    return vae.checksum(model)


def shipped(model: sets.Model, data_name: str, key: str) -> bytes | None:
    """Returns a built-in value, or None."""
    for file in results(model[0], visits_file(data_name)):
        with contextlib.suppress(KeyError, OSError, zipfile.BadZipFile), _lock:
            if (found := _opened(file, file.stat().st_mtime, model, data_name)) is not None:
                return found.read(hashed(key))
    return None


@st.cache_resource(max_entries=32, show_spinner=False)
def _opened(file: Path, written: float, model: sets.Model, data_name: str) -> zipfile.ZipFile | None:
    """Returns the file of built-in values, if it matches the present model and images."""
    try:
        found = zipfile.ZipFile(io.BytesIO(file.read_bytes()))
        of = json.loads(found.comment)
    except (OSError, ValueError, zipfile.BadZipFile):
        return None
    return found if of == about(model, data_name) else None


def folder() -> Path:
    """Returns the cache folder: `$VAE_CACHE`, or the default of the system."""
    said = os.environ.get("VAE_CACHE")
    return paths.given(said) if said else Path(platformdirs.user_cache_path("vae-explorer"))


def place(model: sets.Model, data_name: str, key: str) -> Path | None:
    """Returns the file of a value; None if the images are a drawing, or samples that replace images."""
    if data_name not in data.names():
        return None
    return folder() / f"{hashed(json.dumps([about(model, data_name), key, _code()]))}.npz"


def read(model: sets.Model, data_name: str, key: str) -> bytes | None:
    """Returns a value that was computed earlier, or None."""
    file = place(model, data_name, key)
    try:
        if file is None or not file.is_file():
            return None
        content = file.read_bytes()
        os.utime(file)  # so that values that are not used become the oldest
    except OSError:
        return None
    return content


def write(file: Path | None, content: bytes, still: Callable[[], bool] = lambda: True) -> None:
    """Saves a value, if the disk allows it.

    Arguments:
        file: the result of `place` before the computation.
        content: the value.
        still: whether the file is still valid; the model or images may have been replaced during the computation.
    """
    if file is not None and not file.exists() and still():  # others who waited for the value save it too
        with contextlib.suppress(VAEError, OSError):
            paths.write_aside(file, content)
            _prune()


def discard(file: Path | None) -> None:
    """Removes a value."""
    if file is not None:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _prune() -> None:
    """Removes the oldest files until there is room, and incomplete files left by servers that were killed."""
    files = []
    for file in [*folder().glob("*.npz"), *folder().glob(".*.part")]:
        with contextlib.suppress(OSError):  # removed by another server
            status = file.stat()
            files.append((status.st_mtime, status.st_size, file))
    over = sum(size for _, size, _ in files) - MOST
    for written, size, file in sorted(files):
        if over > 0 or (file.suffix == ".part" and written < time.time() - 3600):
            file.unlink(missing_ok=True)
            over -= size


def hashed(text: str) -> str:
    """Returns the name of a value on disk."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@once
def _code() -> str:
    """Returns the checksum of all code that may affect a value."""
    files = sorted([*paths.LIBRARY.rglob("*.py"), *Path(__file__).parent.glob("*.py")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
