"""Labels: words or numbers, their natural order, and the files that they come in."""

from pathlib import Path

import numpy as np
import pytest

from tests.own_images import idx
from vae.data.labels import MOST_CLASSES, labels_of, natural, read_labels, together
from vae.errors import DataError

FILES = ("a/1.png", "a/2.png", "b/1.png")


@pytest.mark.parametrize(
    ("values", "numbers", "classes"),
    [
        (np.array([10, 2, 2]), [1, 0, 0], ("2", "10")),
        (np.array([[10], [2]]), [1, 0], ("2", "10")),
        (np.array([1.0, 0.0]), [1, 0], ("0", "1")),
        (np.array([True, False]), [1, 0], ("0", "1")),
        (np.array([b"caf\xc3\xa9", b"a"]), [1, 0], ("a", "café")),
        (["b10", "b9", "A", "b9 "], [2, 1, 0, 1], ("A", "b9", "b10")),
        (["x" * 200, "1", "٣"], [1, 0, 2], ("1", "x" * 200, "٣")),
    ],
)
def test_classes_are_found_and_sorted(values, numbers: list[int], classes: tuple[str, ...]) -> None:
    found = labels_of(values, "they")
    assert found.numbers.tolist() == numbers and found.numbers.dtype == np.int64 and found.classes == classes


def test_the_natural_order() -> None:
    names = ["a", "A", "img12", "img10", "IMG2", "img1", "10", "9", "", "é", "a1b2", "a1b10"]
    assert sorted(names, key=natural) == [
        "",
        "9",
        "10",
        "A",
        "a",
        "a1b2",
        "a1b10",
        "img1",
        "IMG2",
        "img10",
        "img12",
        "é",
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((3, 2)), "shape"),
        (np.array([0.5, 1]), "neither .* Save the class of each image"),
        (np.array([np.nan, 1]), "neither"),
        (np.array([1j]), "neither"),
        (np.array([b"\xff"]), "cannot be read"),
        (["a", " "], "1 to 200 characters"),
        (["x" * 201], "1 to 200 characters"),
        (np.arange(MOST_CLASSES + 1), "at most 10,000 classes"),
    ],
)
def test_what_is_no_label_is_said(values, said: str) -> None:
    with pytest.raises(DataError, match=said):
        labels_of(values, "they")


def test_two_splits_have_the_classes_of_both() -> None:
    one, two = together(labels_of(["b", "a"], "x"), labels_of(["c", "a"], "y"))
    assert one.classes == two.classes == ("a", "b", "c")
    assert one.numbers.tolist() == [1, 0] and two.numbers.tolist() == [2, 0]


@pytest.mark.parametrize(
    "text",
    [
        "7\nx\n7\n", "\ufeff7\r\nx\r\n7", "label\n7\nx\n7\n", '"7"\n x\n7\n\n',
        "a/1.png,7\na/2.png,x\nb/1.png,7\n", "file,label\n./b/1.png,7\na\\1.png,7\na/2.png,x,more\nother.png,y\n",
        '"a/1.png","7"\n"a/2.png","x"\n"b/1.png","7"\n"b/1.png","7"\n',
    ],
)  # fmt: skip
def test_text_is_read_as_people_write_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(text.encode())
    found = read_labels(tmp_path / "labels", 3, FILES)
    assert [found.classes[number] for number in found.numbers] == ["7", "x", "7"]


def test_files_are_known_by_their_names_alone_too(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("two.png,2\none.png,1\n")
    assert read_labels(tmp_path / "labels.csv", 2, ("x/one.png", "y/two.png")).numbers.tolist() == [0, 1]


def test_arrays_of_labels_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "l.npy", np.array(["x", "y", "x"]))
    (tmp_path / "l").write_bytes(idx(np.array([4, 5, 4], np.uint8)))
    for name in ("l.npy", "l"):
        assert read_labels(tmp_path / name, 3, ()).numbers.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("content", "files", "said"),
    [
        (b"1\n2\n", FILES, "there are 3 images, and .* are 2. Give one for each, in the order of the images"),
        (b"\xff\xfe", FILES, "one label per line, or a CSV of file names and labels; .* is none of these"),
        (b"PAR1", FILES, "is none of these"),
        (b"a/1.png,1\na/2.png,2\n", FILES, r"none for b/1\.png"),
        (b"a/1.png,1\na/1.png,2\n", FILES, "give 'a/1.png' two"),
        (b"a/1.png,1\nb\n", FILES, "is only 'b'"),
        (b"a,1\nb,2\nc,3\n", (), "the images do not. Give one label per line"),
        (b"x" * 200_000, FILES, "field larger than field limit"),
        (b'"' + b"\0" * 3, FILES, "1 to 200 characters"),
        (idx(np.zeros((3, 2), np.uint8)), FILES, r"shape \(3, 2\). Save one number or word per image"),
        (idx(np.zeros(4, np.uint8)), FILES, "are 4"),
        (idx(np.zeros(4, np.uint8))[:-1], FILES, "is truncated after"),
        (b"", FILES, "are 0"),
    ],
)
def test_a_file_of_labels_that_does_not_fit_is_said(
    content: bytes, files: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "labels").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_labels(tmp_path / "labels", 3, files)
    with pytest.raises(DataError, match="there is nothing at"):
        read_labels(tmp_path / "nothing", 3, files)
