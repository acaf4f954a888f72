"""Files that several processes share: locks that die with their holder, and lines that are appended whole."""

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
    """A file that one process holds at a time. The system lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def acquire(self, wait: float = 0.0) -> bool:
        """Takes the lock and returns True, or False if another has it for so many seconds.

        Raises:
            JobError: the disk refuses, or knows no locks.
        """
        until = time.monotonic() + wait
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            place = self.path.parent
            raise JobError(
                f"{place} could not be written: {error.strerror}. Choose another VAE_CHECKPOINTS."
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
                f"Trainings need a disk that knows locks; {self.path.parent} is on one that answers: {error.strerror}. "
                f"Choose a VAE_CHECKPOINTS on a local disk."
            ) from error
        self._file = file
        return True

    @property
    def intact(self) -> bool:
        """Whether the file that is locked still stands at its path; not if its folder was deleted or moved."""
        try:
            return self._file is not None and os.path.samestat(os.fstat(self._file), os.stat(self.path))
        except OSError:
            return False

    def release(self) -> None:
        """Lets go of the lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextlib.contextmanager
def held(path: Path, wait: float = 10.0) -> Iterator[None]:
    """Holds a lock for a moment.

    Raises:
        JobError: another has it all that time, or the disk refuses.
    """
    lock = Lock(path)
    if not lock.acquire(wait):
        raise JobError(f"{path} must be free within {wait:g} s; another process holds it. Try again.")
    try:
        yield
    finally:
        lock.release()


def vanished(folder: Path) -> JobError:
    """Returns the error of a training whose folder has gone."""
    way_out = "Put it back and resume, or train anew."
    return JobError(f"A training needs its folder; {folder} was deleted or moved while it ran. {way_out}")


def append(path: Path, content: bytes) -> None:
    """Adds to the end of a file, all of it or nothing.

    Raises:
        JobError: the disk refuses; the file is as it was.
    """
    try:
        with path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                written = 0
                while written < len(content):  # a disk takes what still fits, and refuses the rest
                    written += file.write(content[written:]) or 0
            except OSError:
                with contextlib.suppress(OSError):  # what is no regular file cannot be cut
                    file.truncate(size)
                raise
    except OSError as error:
        raise JobError(f"{path} could not be written: {error.strerror}. Free some space, then resume.") from error


def _take(file: int) -> bool:
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:  # untried
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):  # another process has it
            return False
        raise
    return True
