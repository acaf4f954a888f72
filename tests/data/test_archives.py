"""Archives and folders that are not what they should be: bombs, names that lead out, links in circles."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.own_images import idx, png, small_images, write_folder
from vae.data import archives, pictures
from vae.data.imports import keep, open_source
from vae.errors import DataError

IMAGE = png(small_images(1, (6, 6))[0][0])


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))


def packed(at: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(at / "x.zip", "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return at / "x.zip"


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/x.png", "C:\\x.png", "..\\x.png"])
def test_a_name_that_leads_out_of_an_archive_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must stay inside"):
        open_source(packed(tmp_path, {"a.png": IMAGE, name: IMAGE}))
    assert {path.name for path in tmp_path.iterdir()} == {"x.zip"}


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", IMAGE)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", IMAGE)
    with pytest.raises(DataError, match=r"has two named 'a\.png'"):
        open_source(tmp_path / "x.zip")


def test_other_kinds_of_packing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is neither"):
        open_source(packed(tmp_path, {"a.png": IMAGE, "b.png": IMAGE}, zipfile.ZIP_LZMA))
    content = bytearray(packed(tmp_path, {"a.png": IMAGE}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(DataError, match="must not need a password"):
        open_source(tmp_path / "x.zip")


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        info = zipfile.ZipInfo("a.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="must stay inside"):
        open_source(tmp_path / "x.zip")


def test_a_bomb_is_found_while_it_is_read_whatever_its_header_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_FREE", 2**20)
    bomb = bytes(2**24)
    np.savez_compressed(tmp_path / "x.npz", images=np.zeros((2**14, 32, 32), np.uint8))
    (tmp_path / "x.gz").write_bytes(gzip.compress(idx(np.zeros((2**14, 32, 32), np.uint8))))
    for path in (tmp_path / "x.npz", tmp_path / "x.gz"):
        with pytest.raises(DataError, match="may unpack to at most 250 times its size"):
            open_source(path)
    for files in ({"a.png": bomb}, {f"{i}.png": bomb[: 2**19] for i in range(32)}):
        with pytest.raises(DataError, match=r"may unpack to at most|damaged, or not an image"):
            open_source(packed(tmp_path, files))
    with archives.Archive(packed(tmp_path, {f"{i}.png": bomb[: 2**20] for i in range(32)})) as archive:
        with pytest.raises(DataError, match="may unpack to at most"):  # all files together
            for name in archive.names:
                archive.read(name, 2**21)
        with pytest.raises(DataError, match="A file may have at most"):
            archives.Archive(archive.path).read("1.png", 2**20 - 1)


def test_a_set_of_black_images_is_no_bomb(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", images=np.zeros((100, 28, 28), np.uint8))
    assert open_source(tmp_path / "x.npz").count == 100


def test_what_is_hidden_in_an_archive_or_a_folder_is_passed_over(tmp_path: Path) -> None:
    files = {"f/a.png": IMAGE, "f/b.png": IMAGE, "__MACOSX/f/._a.png": b"x", "f/.DS_Store": b"x", "f/notes.txt": b"x"}
    draft = open_source(packed(tmp_path, files))
    assert draft.count == 2 and draft.steps[0] == "Files that are not images are ignored: 1."
    top, _ = write_folder(tmp_path, small_images(3, (5, 5))[0], None)
    (top / "._image0.png").write_bytes(b"x")
    assert open_source(top).count == 3


def test_more_files_than_a_set_may_have_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (archives, pictures):
        monkeypatch.setattr(module, "MOST_FILES", 3)
    files = {f"{i}.png": IMAGE for i in range(4)}
    top, _ = write_folder(tmp_path, small_images(4, (5, 5))[0], None)
    for path in (packed(tmp_path, files), top):
        with pytest.raises(DataError, match="at most 3 images"):
            open_source(path)


def test_links_are_followed_but_not_in_a_circle(tmp_path: Path) -> None:
    top, _ = write_folder(tmp_path, *small_images(6, (5, 5)))
    os.symlink(top / "b", top / "c")
    assert open_source(top).classes == {"2": 2, "10": 2, "b": 2, "c": 2}
    os.symlink(top, top / "b" / "again")
    with pytest.raises(DataError, match="lead back"):
        open_source(top)
    (top / "b" / "again").unlink()
    for target, said in (("nowhere", "No such file"), ("x.png", "symbolic links")):
        os.symlink(top / "b" / target, top / "b" / "x.png")
        with pytest.raises(DataError, match=rf"x\.png cannot be read .*{said}"):
            open_source(top)
        (top / "b" / "x.png").unlink()


def test_images_beside_the_folders_of_classes_are_refused(tmp_path: Path) -> None:
    top, _ = write_folder(tmp_path, *small_images(6, (5, 5)))
    (top / "stray.png").write_bytes(IMAGE)
    with pytest.raises(DataError, match=r"stray\.png is next to such folders"):
        open_source(top)


def test_a_damaged_archive_is_said(tmp_path: Path) -> None:
    path = packed(tmp_path, {"a.png": IMAGE, "b.png": IMAGE})
    content = path.read_bytes()
    for damage in (content[:-10], content[:40], content[:50] + b"\xff" * 9 + content[59:]):
        path.write_bytes(damage)
        with pytest.raises(DataError):
            keep(open_source(path), "mine")
    assert not list(tmp_path.glob("data/*"))


def test_a_limited_file_skips_what_is_compressed_by_reading_it() -> None:
    with archives.Limited(io.BytesIO(b"0123456789"), 10, "it") as file:
        file.skip(4)
        assert file.read(2) == b"45" and file.left == 2**26 + 250 * 10 - 6
