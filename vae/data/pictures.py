"""Images in separate files: a folder of them, or a zip archive of such a folder."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from vae.data.archives import MOST_FILES, Archive
from vae.data.labels import labels_of, natural
from vae.data.parts import BadImage, Part, Parts, one_image
from vae.data.pixels import Look, damaged, decode, look
from vae.errors import DataError

__all__ = ["MOST_BYTES", "read_folder", "read_zip"]

Array = NDArray[Any]
MOST_BYTES = 2**26  # per image file
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm")
_TRAIN, _TEST = ("train", "training", "val", "valid", "validation"), ("test", "testing")
_DEEPEST = 32  # folders within folders

Open = Callable[[str], BinaryIO]
Opening = Callable[[], AbstractContextManager[Open]]


def read_folder(path: Path, skip_bad: bool = False) -> Parts:
    """Finds the images in a folder: all in it, or one folder per class, or one per split with such folders in it.

    Arguments:
        path: of the folder.
        skip_bad: whether to decode every image, and mark those that cannot be decoded as bad.

    Raises:
        BadImage: an image is damaged.
        DataError: there are none or more than 2,000,000, or a link leads in a circle.
    """

    def opened(name: str) -> BinaryIO:
        with damaged(f"{path / name}"):
            return (path / name).open("rb")

    paths, others = {}, 0
    for name in _listed(path):
        if name.lower().endswith(_ENDINGS):
            paths[name] = name.split("/")
            if len(paths) > MOST_FILES:
                raise DataError(f"A set may have at most {MOST_FILES:,} images; {path} has more.")
        else:
            others += 1
    return _parts(paths, others, str(path), lambda: nullcontext(opened), skip_bad)


def read_zip(path: Path, skip_bad: bool = False) -> Parts:
    """Finds the images in a zip archive of a folder, see `read_folder`. Nothing is unpacked to the disk.

    Raises:
        DataError: as for `vae.data.archives.Archive` and `read_folder`.
    """
    with Archive(path) as archive:
        visible = [name for name in archive.names if not any(map(_hidden, name.split("/")))]
    paths = {name: name.split("/") for name in visible if name.lower().endswith(_ENDINGS)}
    if len({path[0] for path in paths.values()}) == 1 and all(len(path) > 1 for path in paths.values()):
        paths = {name: path[1:] for name, path in paths.items()}  # the folder that was packed is not a class
    return _parts(paths, len(visible) - len(paths), str(path), lambda: _Unpacked(path), skip_bad)


class _Unpacked(AbstractContextManager[Open]):
    """Opens an archive while its files are read one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Open:
        self.archive = Archive(self.path)
        return lambda name: io.BytesIO(self.archive.read(name, MOST_BYTES))

    def __exit__(self, *_: object) -> None:
        self.archive.close()


def _hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX"))


def _listed(top: Path) -> Iterator[str]:
    """Yields the paths of all files in a folder and its subfolders, links followed, relative to it and with "/"."""
    stack: list[tuple[str, tuple[tuple[int, int], ...]]] = [("", ())]
    while stack:
        inner, above = stack.pop()
        here = top / inner
        with damaged(str(here)):
            status = here.stat()
            own = (status.st_dev, status.st_ino)
            if own in above:
                raise DataError(f"A link must not lead back to a folder that contains it; {here} does. Remove it.")
            if len(above) > _DEEPEST:
                raise DataError(f"Folders may be nested at most {_DEEPEST} deep; {here} is deeper.")
            with os.scandir(here) as entries:
                for entry in entries:
                    if _hidden(entry.name):
                        continue
                    name = f"{inner}/{entry.name}" if inner else entry.name
                    with damaged(str(top / name)):
                        folder, file = entry.is_dir(), entry.is_file()
                    if folder:
                        stack.append((name, (*above, own)))
                    elif file or entry.is_symlink():  # a dangling link is reported when it is opened
                        yield name


def _parts(paths: dict[str, list[str]], others: int, where: str, opening: Opening, skip_bad: bool) -> Parts:
    """Returns the parts of files that are opened by name, and whose paths determine split and class."""
    if not paths:
        raise DataError(
            f"A set needs images: PNG, JPEG, WebP, GIF, BMP, TIFF or PNM; {where} has none"
            f"{f' among {others:,} other files' if others else ''}."
        )
    paths = {name: paths[name] for name in sorted(paths, key=natural)}
    notes = (f"Files that are not images are ignored: {others:,}.",) * bool(others)
    if not all(len(path) > 1 and path[0].casefold() in _TRAIN + _TEST for path in paths.values()):
        return _part(paths, where, opening, notes, skip_bad), None
    held = {name: path[1:] for name, path in paths.items() if path[0].casefold() in _TEST}
    rest = {name: path[1:] for name, path in paths.items() if name not in held}
    if not rest:
        return _part(held, where, opening, notes, skip_bad), None
    test = _part(held, where, opening, (), skip_bad) if held else None
    return _part(rest, where, opening, notes, skip_bad), test


def _part(paths: dict[str, list[str]], where: str, opening: Opening, notes: tuple[str, ...], skip_bad: bool) -> Part:
    names = list(paths)
    sizes: Counter[tuple[int, int]] = Counter()
    colour = False
    bad = {}
    with opening() as opened:
        for row, name in enumerate(names):
            try:
                with one_image():
                    height, width, coloured = _seen(opened, name, where, skip_bad)
            except BadImage:
                if not skip_bad:
                    raise
                bad[row] = name
                continue
            sizes[height, width] += 1
            colour = colour or coloured
    beside = [name for name, path in paths.items() if len(path) == 1]
    if 0 < len(beside) < len(names):
        raise DataError(
            f"Images must be in one folder, or each in the folder of its class; in {where}, {beside[0]} is next to "
            "such folders."
        )

    def read(rows: Array) -> Iterator[Array]:
        with opening() as opened:
            for row in rows:
                with one_image():
                    image = decode(_content(opened, names[row], where), f"{names[row]} in {where}")
                yield image

    classes = None if beside else labels_of([path[0] for path in paths.values()], f"the folders of {where}")
    return Part(
        kind="image files", count=len(names), sizes=sizes, colour=colour, read=read, notes=notes, labels=classes,
        files=tuple("/".join(path) for path in paths.values()), bad=bad,
    )  # fmt: skip


def _seen(opened: Open, name: str, where: str, whole: bool) -> Look:
    """Reads the header of an image file, or all of it to find out whether it can be decoded."""
    what = f"{name} in {where}"
    if not whole:
        with opened(name) as file:
            return look(file, what)
    content = _content(opened, name, where)
    decode(content, what)
    return look(io.BytesIO(content), what)


def _content(opened: Open, name: str, where: str) -> bytes:
    what = f"{name} in {where}"
    with opened(name) as file, damaged(what):
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise DataError(f"An image file may have at most {MOST_BYTES >> 20} MB; {what} has more. Shrink it.")
    return content
