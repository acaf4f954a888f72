"""Where values that take long are kept on disk, so that a fresh server has them at once.

What ships lies beside the models, `visits-<data set>.zip`: all that the pages show at once of a model and the first
test image. `make visits` writes it. What was worked out since lies in the user's folder of caches, known by the code
that made it, the oldest removed when it grows large.
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

MOST = 1_000_000_000  # bytes of the folder of caches
_lock = threading.Lock()


def visits_file(data_name: str) -> str:
    """Returns the name of the file that ships beside a model."""
    return f"visits-{data_name}.zip"


def about(model: sets.Model, data_name: str) -> dict[str, str]:
    """Returns what values depend on: the checksums of the model's file and of the images."""
    return {"model": _checksum(*model), "data": sets.dataset(data_name).checksum}


@st.cache_resource(max_entries=64, show_spinner=False)
def _checksum(model: str, written: float) -> str:
    return vae.checksum(model)


def shipped(model: sets.Model, data_name: str, key: str) -> bytes | None:
    """Returns a value that ships, or None."""
    for file in results(model[0], visits_file(data_name)):
        with contextlib.suppress(KeyError, OSError, zipfile.BadZipFile), _lock:
            if (found := _opened(file, file.stat().st_mtime, model, data_name)) is not None:
                return found.read(hashed(key))
    return None


@st.cache_resource(max_entries=32, show_spinner=False)
def _opened(file: Path, written: float, model: sets.Model, data_name: str) -> zipfile.ZipFile | None:
    """Returns the file of a model's visits, if it is of the model and the images as they are."""
    try:
        found = zipfile.ZipFile(io.BytesIO(file.read_bytes()))
        of = json.loads(found.comment)
    except (OSError, ValueError, zipfile.BadZipFile):
        return None
    return found if of == about(model, data_name) else None


def folder() -> Path:
    """Returns the folder of caches: `$VAE_CACHE`, or the one that the system has for them."""
    said = os.environ.get("VAE_CACHE")
    return paths.given(said) if said else Path(platformdirs.user_cache_path("vae-explorer"))


def place(model: sets.Model, data_name: str, key: str) -> Path | None:
    """Returns the file of a value; None where the images are a drawing, or draws that stand in for images."""
    if data_name not in data.names():
        return None
    return folder() / f"{hashed(json.dumps([about(model, data_name), key, _code()]))}.npz"


def read(model: sets.Model, data_name: str, key: str) -> bytes | None:
    """Returns a value that was worked out here before, or None."""
    file = place(model, data_name, key)
    try:
        if file is None or not file.is_file():
            return None
        content = file.read_bytes()
        os.utime(file)  # those that nobody asks for become the oldest
    except OSError:
        return None
    return content


def write(file: Path | None, content: bytes, still: Callable[[], bool] = lambda: True) -> None:
    """Keeps a value, if the disk lets it.

    Arguments:
        file: as `place` gave it before the work was begun.
        content: the value.
        still: whether it still has that place: model and images may have been replaced during the work.
    """
    if file is not None and not file.exists() and still():  # others who waited for it keep it too
        with contextlib.suppress(VAEError, OSError):
            paths.write_aside(file, content)
            _prune()


def discard(file: Path | None) -> None:
    """Removes a value."""
    if file is not None:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _prune() -> None:
    """Removes the oldest files until the folder has room again, and what servers that were killed left half-written."""
    files = []
    for file in [*folder().glob("*.npz"), *folder().glob(".*.part")]:
        with contextlib.suppress(OSError):  # another server removed it
            status = file.stat()
            files.append((status.st_mtime, status.st_size, file))
    over = sum(size for _, size, _ in files) - MOST
    for written, size, file in sorted(files):
        if over > 0 or (file.suffix == ".part" and written < time.time() - 3600):
            file.unlink(missing_ok=True)
            over -= size


def hashed(text: str) -> str:
    """Returns the name that a value has on disk."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@once
def _code() -> str:
    """The checksum of all code that may have a part in a value."""
    files = sorted([*paths.LIBRARY.rglob("*.py"), *Path(__file__).parent.glob("*.py")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
