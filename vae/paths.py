"""Where what ships lies and which version it is, where a user's own files go, and how a file is written.

In a checkout both are its folders `checkpoints` and `data`. An installed package has what ships inside itself, in
`vae/explorer`, where nobody writes; a user's own files then go to the folder that the system has for them.
"""

import contextlib
import importlib.metadata
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

import platformdirs

from vae.errors import CheckpointError

__all__ = [
    "INSTALLED",
    "LIBRARY",
    "SHIPPED",
    "alive",
    "aside",
    "born",
    "given",
    "own",
    "sweep",
    "takes",
    "version",
    "writable",
    "write_aside",
]

LIBRARY = Path(__file__).resolve().parent
INSTALLED = (LIBRARY / "explorer").is_dir()
_SUFFIX = ".part"  # of what is not whole yet
_WRITER = re.compile(r"\.(\d{1,9})-(\d+\.\d\d)-")  # at the beginning of its name: the process, and its time of birth
_BLOCK = 4096  # bytes that are tried; a full disk may still take an empty file
_LEFT = 24 * 3600.0  # seconds after which nobody goes on with what was written aside
SHIPPED = LIBRARY / "explorer" if INSTALLED else LIBRARY.parent  # has app.py, pages, locale, checkpoints and data


def given(path: str | os.PathLike[str]) -> Path:
    """Returns a path that a user gave, `~` expanded.

    Shells expand it only at the beginning of a word, so not in `--out=~/x.png`, and not within quotes.
    """
    path = Path(path)
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user, so the path is meant as it is
        return path


def own(kind: str) -> Path:
    """Returns the folder of a user's own files of a kind, "checkpoints" or "data".

    It is what `$VAE_CHECKPOINTS` or `$VAE_DATA` says; without it, the folder of a checkout or, for an installed
    package, one of the user's, such as ~/.local/share/vae-explorer/checkpoints.
    """
    if said := os.environ.get(f"VAE_{kind.upper()}"):
        return given(said)
    return Path(platformdirs.user_data_path("vae-explorer")) / kind if INSTALLED else SHIPPED / kind


def version() -> str:
    """Returns the version of the package, or says that it runs from a checkout that is not installed."""
    try:
        return importlib.metadata.version("vae-explorer")
    except importlib.metadata.PackageNotFoundError:
        return "(a checkout, not installed)"


def writable(folder: Path) -> bool:
    """Tells whether a folder may be written to, or may be made where there is none."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def takes(folder: Path) -> bool:
    """Tells by trying whether a folder takes a file: it may be written to, or be made, and its disk is not full."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_BLOCK))
        file.flush()
        return True
    return False


def aside(home: Path) -> Path:
    """Makes a folder beside those in a folder, to write into before it is renamed; whoever calls removes it.

    Raises:
        OSError: the disk refuses.
    """
    return Path(tempfile.mkdtemp(dir=home, prefix=_prefix(), suffix=_SUFFIX))


def write_aside(path: Path, content: bytes) -> None:
    """Writes a file beside its place, flushes it to the disk and renames it, its folder made if need be.

    A link is followed, and what is no regular file, such as /dev/stdout, is opened in place.

    Raises:
        CheckpointError: the disk refuses; what stood at the path before stands there still.
    """
    written, made, path = None, None, given(path)
    try:
        if path.exists() and not path.is_file():  # asked of the link itself: what is behind it may have no path
            path.write_bytes(content)
            return
        place = path.resolve() if path.is_symlink() else path
        mode = place.stat().st_mode & 0o777 if place.exists() else 0o644
        if not place.parent.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            made = place.parent
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=_prefix(), suffix=_SUFFIX, delete=False) as file:
            written = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        written.chmod(mode)
        written.replace(place)
    except (OSError, RuntimeError) as error:  # the latter for links that lead in a circle
        why = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{path} could not be written: {why}. Free space, or choose another place.") from error
    finally:  # an interrupt too leaves nothing behind
        if written is not None:
            with contextlib.suppress(OSError):
                written.unlink(missing_ok=True)
        if made is not None:
            with contextlib.suppress(OSError):  # it has the file in it
                made.rmdir()


def sweep(folder: Path) -> None:
    """Removes what processes that were killed left half-written in a folder and in those in it, after a day.

    Whatever the clock says, what a process has that still lives stays.
    """
    for pattern in (".*.part", "*/.*.part"):
        for left in folder.glob(pattern):
            with contextlib.suppress(OSError):  # it is gone by now, or the disk refuses
                touched = max(path.lstat().st_mtime for path in [left, *left.glob("*")])
                writer = _WRITER.match(left.name)
                lives = writer is not None and alive(int(writer[1]), float(writer[2]))
                if touched < time.time() - _LEFT and not lives:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()


def born(process: int) -> float:
    """Returns when a process began, in seconds: since the system did, which no change of the clock moves.

    On a system that does not tell that, it is in seconds since 1970.

    Raises:
        psutil.Error: there is no such process.
    """
    import psutil  # which most commands of a shell do without

    found = psutil.Process(process)
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return int(words[19]) / os.sysconf("SC_CLK_TCK")  # the 22nd, as proc(5) counts them
    return found.create_time()


def alive(process: int, since: float) -> bool:
    """Tells whether a process is still there; `since` is what `born` said of it, since numbers are given anew."""
    import psutil

    try:
        return abs(born(process) - since) < 1 and psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError, OverflowError):  # gone, or a number that no process has
        return False


def _prefix() -> str:
    return f".{os.getpid()}-{born(os.getpid()):.2f}-"
