"""Compressed files, read in memory and only up to a plausible size: nothing is unpacked to the disk."""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from vae.data.pixels import damaged
from vae.errors import DataError

__all__ = ["MOST_FILES", "Archive", "Implausible", "Limited", "gunzipped"]

MOST_FILES = 2_000_000
_RATIO = 250  # bytes that one compressed byte may give: images shrink to a tenth, a zip bomb to a thousandth
_FREE = 2**26  # bytes that are allowed in any case


class Implausible(DataError):
    """A compressed file unpacks to more than is plausible for its size."""


class Limited:
    """A compressed file that is read as long as the amount of data is plausible for its size.

    Arguments:
        file: to read from.
        size: of the compressed file, in bytes.
        what: its name in errors.
    """

    def __init__(self, file: BinaryIO, size: int, what: str) -> None:
        self.file, self.what = file, what
        self.left = _FREE + _RATIO * size

    def read(self, count: int) -> bytes:
        """Returns up to `count` bytes.

        Raises:
            DataError: the file is damaged, or gives more data than is plausible.
        """
        with damaged(self.what):
            content = self.file.read(count)
        self.left -= len(content)
        if self.left < 0:
            raise Implausible(f"A file may unpack to at most {_RATIO} times its size; {self.what} exceeds that.")
        return content

    def skip(self, count: int) -> None:
        """Skips so many bytes; a file that is not compressed is not read for that."""
        if isinstance(self.file, io.BufferedReader):
            with damaged(self.what):
                self.file.seek(count, io.SEEK_CUR)
            return
        while count > 0 and (content := self.read(min(count, 2**20))):
            count -= len(content)

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def gunzipped(path: Path) -> Limited:
    """Opens a .gz file."""
    with damaged(str(path)):
        return Limited(gzip.open(path), path.stat().st_size, str(path))  # type: ignore[arg-type]


class Archive:
    """A zip archive whose files are read one by one.

    Attributes:
        names: of its files, in the order of the archive.

    Raises:
        DataError: it is damaged or encrypted, has two files of the same name, a name that points outside, or more than
            2,000,000 files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with damaged(str(path)):
            self._zip = zipfile.ZipFile(path)
            try:
                self._size = path.stat().st_size
                self._infos = {info.filename: info for info in _checked(self._zip, path)}
            except BaseException:
                self._zip.close()
                raise
        self.left = _FREE + _RATIO * self._size
        self.names = list(self._infos)

    def open(self, name: str) -> Limited:
        """Opens one of the files; the limit also counts what was read of the others."""
        with damaged(f"{name} in {self.path}"):
            file = self._zip.open(self._infos[name])
        limited = Limited(file, 0, f"{name} in {self.path}")  # type: ignore[arg-type]
        limited.left = self.left
        return limited

    def read(self, name: str, most: int) -> bytes:
        """Returns the bytes of a file.

        Raises:
            DataError: it is damaged, has more than `most` bytes, or the archive gives more data than is plausible.
        """
        with self.open(name) as file:
            content = file.read(most + 1)
            self.left = file.left
        if len(content) > most:
            raise DataError(f"A file may have at most {most >> 20} MB; {name} in {self.path} has more.")
        return content

    def close(self) -> None:
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _checked(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MOST_FILES:
        raise DataError(f"A set may have at most {MOST_FILES:,} images; {path} has {len(infos):,} files.")
    names = set()
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        out = ".." in parts or not parts or parts[0] == "/" or parts[0][1:2] == ":"
        if out or stat.S_ISLNK(info.external_attr >> 16):
            raise DataError(f"The paths in an archive must stay inside it; {info.filename!r:.80} in {path} does not.")
        if info.filename in names:
            raise DataError(
                f"The files in an archive must have different names; {path} has two named {info.filename!r:.80}."
            )
        names.add(info.filename)
        if info.flag_bits & 1:
            raise DataError(f"An archive must not need a password; {info.filename!r:.80} in {path} does.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"The files in an archive must be stored or deflated; {info.filename!r:.80} in {path} is neither."
            )
    return infos
