"""Where shipped files and a user's own files are, the version of the program, and how a file is written safely.

In a checkout both kinds of file are in its folders `checkpoints` and `data`. An installed package holds the shipped
files in `vae/explorer`, which is never written to; a user's own files go to the system's folder for such files.
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
_SUFFIX = ".part"  # of a file that is still being written
_WRITER = re.compile(r"\.(\d{1,9})-(\d+\.\d\d)-")  # the start of such a name: the process and the time it began
_BLOCK = 4096  # bytes that are written as a test; a full disk may still accept an empty file
_LEFT = 24 * 3600.0  # seconds after which an unfinished file is considered abandoned
SHIPPED = LIBRARY / "explorer" if INSTALLED else LIBRARY.parent  # holds app.py, pages, locale, checkpoints and data


def given(path: str | os.PathLike[str]) -> Path:
    """Returns a path that a user gave, with `~` expanded.

    Shells expand it only at the beginning of a word, so not in `--out=~/x.png`, and not inside quotes.
    """
    path = Path(path)
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user, so the path is taken literally
        return path


def own(kind: str) -> Path:
    """Returns the folder for a user's own files of a kind, "checkpoints" or "data".

    `$VAE_CHECKPOINTS` or `$VAE_DATA` names it; otherwise it is the folder of the checkout or, for an installed
    package, one in the user's home, such as ~/.local/share/vae-explorer/checkpoints.
    """
    if said := os.environ.get(f"VAE_{kind.upper()}"):
        return given(said)
    return Path(platformdirs.user_data_path("vae-explorer")) / kind if INSTALLED else SHIPPED / kind


def version() -> str:
    """Returns the version of the package, or a note that this is a checkout that is not installed."""
    try:
        return importlib.metadata.version("vae-explorer")
    except importlib.metadata.PackageNotFoundError:
        return "(a checkout, not installed)"


def writable(folder: Path) -> bool:
    """Tells whether a folder can be written to or, if it does not exist, be created."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def takes(folder: Path) -> bool:
    """Tells by trying whether a file can be written to a folder: permissions allow it, and the disk is not full."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_BLOCK))
        file.flush()
        return True
    return False


def aside(home: Path) -> Path:
    """Creates a temporary folder inside a folder, to be filled and then renamed; the caller removes it.

    Raises:
        OSError: the folder cannot be created.
    """
    return Path(tempfile.mkdtemp(dir=home, prefix=_prefix(), suffix=_SUFFIX))


def write_aside(path: Path, content: bytes) -> None:
    """Writes a file under a temporary name, flushes it to the disk and renames it, creating its folder if needed.

    Symbolic links are followed. A path that is not a regular file, such as /dev/stdout, is opened in place.

    Raises:
        CheckpointError: the file cannot be written; whatever was at the path before is still there.
    """
    written, made, path = None, None, given(path)
    try:
        if path.exists() and not path.is_file():  # asked of the link itself: its target may have no path
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
    except (OSError, RuntimeError) as error:  # RuntimeError is raised for circular links
        why = getattr(error, "strerror", None) or error
        raise CheckpointError(
            f"{path} could not be written: {why}. Free some space, or choose another location."
        ) from error
    finally:  # also when interrupted, so that nothing is left behind
        if written is not None:
            with contextlib.suppress(OSError):
                written.unlink(missing_ok=True)
        if made is not None:
            with contextlib.suppress(OSError):  # the folder contains the file
                made.rmdir()


def sweep(folder: Path) -> None:
    """Removes files that killed processes left half-written in a folder or its subfolders more than a day ago.

    Files that belong to a process that is still running are kept, whatever the clock says.
    """
    for pattern in (".*.part", "*/.*.part"):
        for left in folder.glob(pattern):
            with contextlib.suppress(OSError):  # already gone, or it cannot be removed
                touched = max(path.lstat().st_mtime for path in [left, *left.glob("*")])
                writer = _WRITER.match(left.name)
                lives = writer is not None and alive(int(writer[1]), float(writer[2]))
                if touched < time.time() - _LEFT and not lives:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()


def born(process: int) -> float:
    """Returns when a process began, in seconds since the system started, which changes of the clock do not affect.

    On a system that does not report that, the time is in seconds since 1970.

    Raises:
        psutil.Error: there is no such process.
    """
    import psutil  # most commands do not need it

    found = psutil.Process(process)
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return int(words[19]) / os.sysconf("SC_CLK_TCK")  # field 22 in the numbering of proc(5)
    return found.create_time()


def alive(process: int, since: float) -> bool:
    """Tells whether a process still runs; `since` is its `born` time, because process numbers are reused."""
    import psutil

    try:
        return abs(born(process) - since) < 1 and psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError, OverflowError):  # it has ended, or no process can have that number
        return False


def _prefix() -> str:
    return f".{os.getpid()}-{born(os.getpid()):.2f}-"
