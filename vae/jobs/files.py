"""Files shared by several processes: locks that are released when their holder dies, and atomic appends."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from vae.errors import JobError

__all__ = ["Lock", "append", "held", "vanished"]


class Lock:
    """A file that one process holds at a time. The system releases it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def acquire(self, wait: float = 0.0) -> bool:
        """Acquires the lock and returns True, or returns False if another process keeps it for `wait` seconds.

        Raises:
            JobError: the file cannot be written, or the disk does not support locks.
        """
        until = time.monotonic() + wait
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            place = self.path.parent
            raise JobError(
                f"{place} could not be written: {error.strerror}. Set VAE_CHECKPOINTS to another folder."
            ) from error
        try:
            while not _take(file):
                if time.monotonic() >= until:
                    os.close(file)
                    return False
                time.sleep(0.02)
        except OSError as error:
            os.close(file)
            raise JobError(
                f"Trainings need a disk that supports locks; {self.path.parent} is on one that reports: "
                f"{error.strerror}. "
                f"Set VAE_CHECKPOINTS to a folder on a local disk."
            ) from error
        self._file = file
        return True

    @property
    def intact(self) -> bool:
        """Whether the locked file is still at its path, which is not the case if its folder was deleted or moved."""
        try:
            return self._file is not None and os.path.samestat(os.fstat(self._file), os.stat(self.path))
        except OSError:
            return False

    def release(self) -> None:
        """Releases the lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextlib.contextmanager
def held(path: Path, wait: float = 10.0) -> Iterator[None]:
    """Holds a lock for a moment.

    Raises:
        JobError: another process keeps it throughout, or the file cannot be written.
    """
    lock = Lock(path)
    if not lock.acquire(wait):
        raise JobError(f"{path} must be free within {wait:g} s; another process holds it. Try again.")
    try:
        yield
    finally:
        lock.release()


def vanished(folder: Path) -> JobError:
    """Returns the error of a training whose folder is gone."""
    way_out = "Put it back and resume, or start the training again."
    return JobError(f"A training needs its folder; {folder} was deleted or moved during the training. {way_out}")


def append(path: Path, content: bytes) -> None:
    """Appends to a file, either all of the content or nothing.

    Raises:
        JobError: the disk refuses; the file is unchanged.
    """
    try:
        with path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                written = 0
                while written < len(content):  # a full disk takes what still fits, and refuses the rest
                    written += file.write(content[written:]) or 0
            except OSError:
                with contextlib.suppress(OSError):  # only regular files can be truncated
                    file.truncate(size)
                raise
    except OSError as error:
        raise JobError(f"{path} could not be written: {error.strerror}. Free some space, then resume.") from error


def _take(file: int) -> bool:
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:  # untested
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):  # another process has it
            return False
        raise
    return True
