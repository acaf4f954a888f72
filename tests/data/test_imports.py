"""Sets of one's own: what goes in comes back, whatever form it has; what is wrong is said, and leaves nothing."""

import gzip
import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.own_images import WRITERS, png, small_images, write_folder, write_zip
from vae.data import archives, imports, load_dataset, names, stored
from vae.data.imports import Recipe, keep, open_source
from vae.data.sets import folder
from vae.errors import DataError


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def as_set(images: np.ndarray, labels: list[str]) -> list[tuple[bytes, str]]:
    return sorted((image.tobytes(), label) for image, label in zip(images, labels, strict=True))


def loaded(name: str) -> list[tuple[bytes, str]]:
    """All images of a set that is kept with the names of their classes, whichever split they are in."""
    dataset = load_dataset(name, fetch=False)
    found = []
    for split in (dataset.train, dataset.test):
        said = [dataset.classes[label] for label in split.labels.tolist()] if dataset.labelled else [""] * len(split)
        found += as_set(split.images.numpy(), said)
    return sorted(found)


@pytest.mark.parametrize("shape", [(20, 30), (12, 10, 3)], ids=["grey", "colour"])
@pytest.mark.parametrize("form", WRITERS)
def test_the_same_images_and_labels_come_back_whatever_the_form(
    form: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    images, labels = small_images(23, shape)
    source, extra = WRITERS[form](tmp_path, images, labels)
    draft = open_source(source, **extra)
    assert draft.count == 23 and draft.image_shape == shape and draft.trouble is None
    assert draft.classes == {name: labels.count(name) for name in ("2", "10", "b")}
    card = keep(draft, "mine", "My shapes")
    assert (card.train, card.test, card.image_shape, card.classes) == (21, 2, shape, ("2", "10", "b"))
    assert loaded("mine") == as_set(images, labels)
    dataset = load_dataset("mine")
    assert dataset.title == "My shapes" and dataset.image_shape == shape and dataset.labelled
    assert dataset.describe() == "My shapes: 21 training and 2 test images"
    assert dataset.train.images.dtype == torch.uint8 and dataset.train.labels.dtype == torch.int64


@pytest.mark.parametrize("form", WRITERS)
def test_a_set_without_labels_has_none(form: str, tmp_path: Path) -> None:
    images, _ = small_images(9, (8, 8))
    source, extra = WRITERS[form](tmp_path, images, None)
    card = keep(open_source(source, **extra), "mine")
    assert card.classes == () and loaded("mine") == as_set(images, [""] * 9)
    dataset = load_dataset("mine")
    assert not dataset.labelled and dataset.classes == () and dataset.train.labels.tolist() == [0] * 8
    assert dataset.title == "mine" and not (folder() / "mine" / "train-labels.npy").exists()


def test_the_checksum_is_that_of_what_is_kept(tmp_path: Path) -> None:
    images, labels = small_images(12, (6, 5))
    card = keep(open_source(write_folder(tmp_path, images, labels)[0]), "mine")
    digest = hashlib.sha256()
    for split in (load_dataset("mine").train, load_dataset("mine").test):
        digest.update(split.images.numpy().tobytes() + split.labels.numpy().astype("<i8").tobytes())
    assert card.checksum == digest.hexdigest() == load_dataset("mine").checksum
    assert json.loads((folder() / "mine" / "card.json").read_text())["date"] == card.date


def test_images_are_mapped_and_writing_into_them_leaves_the_file_alone(tmp_path: Path) -> None:
    keep(open_source(write_folder(tmp_path, *small_images(9, (6, 5)))[0]), "mine")
    before = (folder() / "mine" / "train-images.npy").read_bytes()
    load_dataset("mine").train.images.fill_(7)
    assert (folder() / "mine" / "train-images.npy").read_bytes() == before


def test_a_set_larger_than_memory_is_mapped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux refuses to map 4 TB that may be written into, and maps them where they are only read."""
    keep(open_source(write_folder(tmp_path, *small_images(9, (6, 5)))[0]), "mine")
    place = folder() / "mine" / "train-images.npy"
    count = 2**42 // 30
    with place.open("r+b") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (count, 6, 5)})
        start = file.tell()
        try:
            file.truncate(start + 30 * count)  # a hole, which takes no space
        except OSError:
            pytest.skip("a disk that takes a file of 4 TB with a hole")
    images = stored._mapped(place, (count, 6, 5))
    assert images.shape == (count, 6, 5) and images[-1].sum() == 0 and images[0].sum() > 0


def test_the_share_that_is_held_out_is_of_each_class(tmp_path: Path) -> None:
    images = small_images(200, (5, 5))[0]
    labels = ["a"] * 100 + ["b"] * 60 + ["c"] * 40
    np.savez(tmp_path / "x.npz", images=images, labels=np.array(labels))
    draft = open_source(tmp_path / "x.npz", held_out=0.25)
    keep(draft, "mine")
    dataset = load_dataset("mine")
    assert dataset.test.labels.bincount().tolist() == [25, 15, 10]
    assert draft.steps[0] == "50 images, chosen at random, in equal proportion from each class, are held out."
    again = draft.places()
    assert all(np.array_equal(a, b) for a, b in zip(draft.places(), again, strict=True))


@pytest.mark.parametrize(("share", "held"), [(0.001, 1), (0.999, 4), (0.5, 2)])
def test_there_is_an_image_on_either_side(share: float, held: int, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", small_images(5, (5, 5))[0])
    card = keep(open_source(tmp_path / "x.npy", held_out=share), "mine")
    assert (card.train, card.test) == (5 - held, held)


def test_images_that_come_by_class_are_mixed_and_others_keep_their_order(tmp_path: Path) -> None:
    images = small_images(60, (5, 5))[0]
    for name, labels in (("by-class", [0] * 30 + [1] * 30), ("mixed", [0, 1] * 30)):
        np.savez(
            tmp_path / "x.npz", train_images=images, train_labels=labels, test_images=images[:2], test_labels=[0, 1]
        )
        keep(open_source(tmp_path / "x.npz"), name)
    by_class, mixed = load_dataset("by-class").train, load_dataset("mixed").train
    assert 5 < by_class.labels[:30].sum() < 25  # the first half has both
    assert as_set(by_class.images.numpy(), [str(each) for each in by_class.labels.tolist()]) == as_set(
        images, ["0"] * 30 + ["1"] * 30
    )
    assert np.array_equal(mixed.images, images) and mixed.labels.tolist() == [0, 1] * 30


@pytest.mark.parametrize("write", [write_folder, write_zip], ids=["folder", "zip"])
def test_folders_of_splits_are_the_splits(write, tmp_path: Path) -> None:
    images, labels = small_images(20, (6, 6))
    for split, rows in (("train", range(12)), ("val", range(12, 15)), ("test", range(15, 20))):
        write_folder(tmp_path / "splits", images[list(rows)], [labels[i] for i in rows], split)
    source = tmp_path / "splits"
    if write is write_zip:
        shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path, "splits")
        source = tmp_path / "all.zip"
    card = keep(open_source(source), "mine")
    assert (card.train, card.test) == (15, 5) and loaded("mine") == as_set(images, labels)
    test = load_dataset("mine").test
    assert as_set(test.images.numpy(), [card.classes[i] for i in test.labels.tolist()]) == as_set(
        images[15:], labels[15:]
    )


def test_medmnist_is_read_as_it_is_written(tmp_path: Path) -> None:
    images, _ = small_images(18, (9, 9))
    labels = np.arange(18).reshape(-1, 1) % 3
    parts = {"train": slice(0, 10), "val": slice(10, 14), "test": slice(14, 18)}
    arrays = {
        f"{name}_{kind}": each[part]
        for name, part in parts.items()
        for kind, each in (("images", images), ("labels", labels))
    }
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    keep(open_source(tmp_path / "x.npz"), "mine")
    dataset = load_dataset("mine")
    assert np.array_equal(dataset.train.images, images[:14]) and np.array_equal(dataset.test.images, images[14:])
    assert dataset.train.labels.tolist() == labels[:14, 0].tolist() and dataset.classes == ("0", "1", "2")


def test_several_labels_an_image_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=small_images(6, (5, 5))[0], labels=np.zeros((6, 14), int))
    draft = open_source(tmp_path / "x.npz")
    assert draft.classes == {} and "several labels" in draft.steps[0]


def test_a_test_of_its_own_is_held_out(tmp_path: Path) -> None:
    images, labels = small_images(12, (6, 6))
    first, _ = write_folder(tmp_path, images[:8], labels[:8], "one")
    second, _ = write_folder(tmp_path, images[8:], ["z"] * 4, "two")
    card = keep(open_source(first, test=second), "mine")
    assert (card.train, card.test, card.classes) == (8, 4, ("2", "10", "b", "z"))
    assert load_dataset("mine").test.labels.tolist() == [3] * 4
    assert loaded("mine") == as_set(images, labels[:8] + ["z"] * 4)
    np.save(tmp_path / "plain.npy", images[8:])
    draft = open_source(first, test=tmp_path / "plain.npy")
    assert draft.classes == {} and any("ignored" in step for step in draft.steps)


def test_a_draft_shows_what_will_be_kept_without_keeping_it(tmp_path: Path, own: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (10, 40, 90, 3), dtype=np.uint8)
    draft = open_source(write_folder(tmp_path, colours, None)[0])
    assert draft.sizes == {(40, 90): 10} and draft.colour and draft.trouble and "--size" in draft.trouble
    draft = replace(draft, recipe=Recipe(size=(20, 30), grey=True, invert=True))
    assert draft.trouble is None and draft.image_shape == (20, 30) and not draft.colour
    sheet = draft.sheet(4)
    assert sheet.shape == (4, 20, 30) and sheet.dtype == np.uint8 and not own.exists()
    first = 255 - np.asarray(Image.fromarray(colours[0]).convert("L").resize((30, 20), Image.Resampling.BILINEAR))
    assert np.array_equal(sheet[0], first)
    assert draft.steps[:3] == (
        "Colour is converted to grey.", "Images are resized to 20 x 30 pixels, without preserving their proportions.",
        "Light and dark are swapped.",
    )  # fmt: skip
    keep(draft, "mine")
    assert {image.tobytes() for image in sheet} <= {image for image, _ in loaded("mine")}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 257 * 100, 65535, 128, 129], np.uint16), [0, 100, 255, 0, 1]),
        (np.array([0, 7, 255, 3, 4], np.int64), [0, 7, 255, 3, 4]),
        (np.array([0, 0.5, 1, 0.25, 0.1], np.float32), [0, 128, 255, 64, 26]),
        (np.array([0, 7.4, 255, 3.6, 2], np.float64), [0, 7, 255, 4, 2]),
        (np.array([0, 1, 1, 0, 1], bool), [0, 255, 255, 0, 255]),
        (np.array([0, 257, 65535, 3 * 257, 0], ">i4"), [0, 1, 255, 3, 0]),
    ],
    ids=["16 bits", "wide bytes", "0 to 1", "0 to 255", "truth", "big-endian"],
)
def test_values_become_8_bit(values: np.ndarray, expected: list[int], tmp_path: Path) -> None:
    images = np.resize(values, (5, 5, 5))
    np.save(tmp_path / "x.npy", images)
    sheet = open_source(tmp_path / "x.npy").sheet(5)
    assert sheet.tolist() == np.resize(np.array(expected), (5, 5, 5)).tolist()


def test_arrays_with_alpha_lie_on_white(tmp_path: Path) -> None:
    images = np.zeros((3, 5, 5, 4), np.uint8)
    images[1, ..., 3], images[2] = 255, (200, 100, 50, 51)
    np.save(tmp_path / "x.npy", images)
    sheet = open_source(tmp_path / "x.npy").sheet()
    assert (sheet[0] == 255).all() and (sheet[1] == 0).all()
    assert np.abs(sheet[2].astype(float) - (0.2 * np.array([200, 100, 50]) + 0.8 * 255)).max() <= 1


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda top: top.mkdir(), "has none"),
        (lambda top: (top.mkdir(), (top / "readme.txt").write_text("x")), "has none among 1 other files"),
        (lambda top: None, "there is nothing at"),
        (lambda top: top.write_bytes(b"hello"), r"a zip archive .* or Parquet; .*source is none of these"),
        (lambda top: top.with_suffix(".png").write_bytes(b"no image"), "source.png is none of these"),
        (lambda top: top.with_suffix(".png").write_bytes(png(np.zeros((5, 5), np.uint8))), "is a single one"),
        (lambda top: top.write_bytes(b""), "source is empty"),
        (lambda top: write_folder(top.parent, small_images(1, (5, 5))[0], None, top.name), "has one"),
        (lambda top: np.save(top.with_suffix(".npy"), np.zeros((0, 5, 5), np.uint8)), "has none"),
        (lambda top: np.save(top.with_suffix(".npy"), np.zeros((5, 25), np.uint8)), "channels, which come last"),
        (lambda top: np.save(top.with_suffix(".npy"), np.zeros((5, 3, 9, 9), np.uint8)), "channels, which come last"),
        (lambda top: np.save(top.with_suffix(".npy"), np.full((5, 5, 5), np.nan)), "finite"),
        (lambda top: np.save(top.with_suffix(".npy"), np.full((5, 5, 5), -1)), "between -1 and -1"),
        (lambda top: np.save(top.with_suffix(".npy"), np.full((5, 5, 5), 70000)), "70000"),
        (lambda top: np.save(top.with_suffix(".npy"), np.full((5, 5, 5), 300.0)), "between 300 and 300"),
        (lambda top: np.save(top.with_suffix(".npy"), np.full((5, 5, 5), "x")), "Pixels must be numbers"),
        (lambda top: np.save(top.with_suffix(".npy"), np.zeros((5, 5, 5, 2), object), allow_pickle=True), "words"),
        (lambda top: np.savez(top.with_suffix(".npz"), a=np.zeros(3), b=np.zeros(4)), "must be named images"),
        (
            lambda top: np.savez(top.with_suffix(".npz"), images=np.zeros((3, 5, 5), np.uint8), labels=[1, 2]),
            "one label",
        ),
    ],
)  # fmt: skip
def test_what_is_no_set_is_answered_in_a_sentence(write, said: str, tmp_path: Path, own: Path) -> None:
    write(tmp_path / "source")
    path = next(iter(sorted(tmp_path.glob("source*"))), tmp_path / "source")
    with pytest.raises(DataError, match=said):
        open_source(path)
    assert not own.exists()


@pytest.mark.parametrize(
    ("count", "says"),
    [(6, "One image, chosen at random, is held out."), (20, "2 images, chosen at random, are held out.")],
)
def test_how_many_are_held_out_is_said(tmp_path: Path, own: Path, count: int, says: str) -> None:
    draft = open_source(write_folder(tmp_path, small_images(count, (9, 9))[0], None)[0])
    assert [step for step in draft.steps if "held out" in step] == [says]


def test_mixed_and_large_images_want_a_size(tmp_path: Path, own: Path) -> None:
    top, _ = write_folder(tmp_path, small_images(5, (9, 9))[0], None)
    (top / "other.png").write_bytes(png(np.zeros((30, 20), np.uint8)))
    draft = open_source(top)
    assert draft.sizes == {(9, 9): 5, (30, 20): 1}
    with pytest.raises(DataError, match=r"such as 9 x 9 \(5 of 6\) and 30 x 20\. Choose one size \(--size\)"):
        keep(draft, "mine")
    for size in ((2, 9), (129, 9), (9, 200)):
        with pytest.raises(DataError, match="from 4 to 128 pixels"):
            keep(replace(draft, recipe=Recipe(size=size)), "mine")
    keep(replace(draft, recipe=Recipe(size=(128, 7))), "mine")
    colour = np.zeros((4, 65, 9, 3), np.uint8)
    np.save(tmp_path / "colour.npy", colour)
    assert "or make them grey (--grey)" in str(open_source(tmp_path / "colour.npy").trouble)
    assert open_source(tmp_path / "colour.npy", recipe=Recipe(grey=True)).trouble is None


@pytest.mark.parametrize("form", ["folder", "zip", "npy", "npz", "idx.gz", "parquet"])
def test_a_truncated_file_among_good_ones_is_named_and_nothing_is_kept(form: str, tmp_path: Path, own: Path) -> None:
    images, labels = small_images(9, (20, 20))
    source, extra = WRITERS[form](tmp_path, images, labels)
    if form in ("folder", "zip"):
        if form == "zip":
            shutil.unpack_archive(source, tmp_path / "again")
            source = tmp_path / "again"
        victim = sorted(source.rglob("*.png"))[4]
        victim.write_bytes(victim.read_bytes()[:-40])
        if form == "zip":
            source = Path(shutil.make_archive(str(tmp_path / "cut"), "zip", source))
        named = victim.name
    else:
        source.write_bytes(source.read_bytes()[:-40])
        named = source.name
    with pytest.raises(DataError, match=named):
        keep(open_source(source, **extra), "mine")
    assert not own.exists() or list(own.iterdir()) == []


def cut(path: Path) -> None:
    """Keeps the header of an image file, so that only its pixels show that it is damaged."""
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize("form", ["folder", "zip", "parquet"])
def test_images_that_cannot_be_read_are_skipped_on_request(form: str, tmp_path: Path, own: Path) -> None:
    images, labels = small_images(9, (20, 20))
    source, _ = write_folder(tmp_path, images, labels)
    bad = sorted(source.rglob("*.png"))[2:6:3]
    rows = [int(path.stem.removeprefix("image")) for path in bad]
    if form == "parquet":
        source, rows = parquet_with_bad_rows(tmp_path, images, labels), [1, 4]
    else:
        cut(bad[0])
        bad[1].write_bytes(b"no image")
    if form == "zip":
        source = Path(shutil.make_archive(str(tmp_path / "some"), "zip", source))
    with pytest.raises(imports.BadImage, match=r"Repair it, or leave it out|of a supported kind|has 0 bytes"):
        keep(open_source(source), "mine")
    draft = open_source(source, skip_bad=True)
    names = [step for step in draft.steps if "skipped: 2 of 9 (" in step]
    said = "(image 1, image 4)" if form == "parquet" else bad[0].name
    assert len(names) == 1 and said in names[0] and draft.count == 7 and sum(draft.sizes.values()) == 7
    card = keep(draft, "mine")
    assert names[0] in card.steps and card.train + card.test == 7
    kept = [row for row in range(9) if row not in rows]
    assert loaded("mine") == as_set(images[kept], [labels[row] for row in kept])


def parquet_with_bad_rows(at: Path, images: np.ndarray, labels: list[str]) -> Path:
    import pyarrow
    from pyarrow import parquet

    files = [png(image) for image in images]
    files[1], files[4] = files[1][:-40], b""
    parquet.write_table(pyarrow.table({"image": files, "label": labels}), at / "images.parquet", row_group_size=5)
    return at / "images.parquet"


def test_labels_by_line_stay_with_their_images_when_some_are_skipped(tmp_path: Path) -> None:
    images, labels = small_images(9, (20, 20))
    source, _ = write_folder(tmp_path, images, None)
    cut(source / "image3.png")
    (tmp_path / "labels.txt").write_text("\n".join(labels))
    keep(open_source(source, labels=tmp_path / "labels.txt", skip_bad=True), "mine")
    kept = [row for row in range(9) if row != 3]
    assert loaded("mine") == as_set(images[kept], [labels[row] for row in kept])


@pytest.mark.parametrize(("bad", "refused"), [(4, False), (5, True)])
def test_at_most_half_of_the_images_are_skipped(bad: int, refused: bool, tmp_path: Path, own: Path) -> None:
    source, _ = write_folder(tmp_path, small_images(8, (9, 9))[0], None)
    for row in range(bad):
        (source / f"image{row}.png").write_bytes(b"")
    if not refused:
        steps = open_source(source, skip_bad=True).steps
        assert steps[0].endswith("skipped: 4 of 8 (image0.png, image1.png, image2.png, …).")
        return
    with pytest.raises(DataError, match=r"At most half .* of the 8 in .*, 5 cannot be read \(image0\.png"):
        open_source(source, skip_bad=True)
    assert not own.exists()


def test_a_zip_bomb_among_images_is_not_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_FREE", 2**20)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for row in range(8):
            file.writestr(f"{row}.png", bytes(3 << 20 if row == 7 else 1 << 17))
    with pytest.raises(DataError, match="exceeds that") as caught:
        open_source(tmp_path / "x.zip", skip_bad=True)
    assert not isinstance(caught.value, imports.BadImage)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.full((6, 5, 5), 7), "All 6 images that were read are identical"),
        (small_images(1, (5, 5))[0].repeat(6, 0), "All 6 images that were read are identical"),
        (np.arange(6)[:, None, None] * np.ones((5, 5)), "In each of the 6 images that were read, all pixels"),
        (np.arange(18).reshape(6, 1, 1, 3) * np.ones((5, 5, 1)), "In each of the 6 images that were read, all pixels"),
        (np.arange(6)[:, None, None] * np.eye(5), None),
    ],
)  # fmt: skip
def test_identical_or_uniform_images_give_a_warning(images: np.ndarray, says: str | None, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", images.astype(np.uint8))
    draft = open_source(tmp_path / "x.npy")
    warnings = imports.warnings_of(draft.sheet())
    assert warnings == keep(draft, "mine").warnings == stored.read_card("mine").warnings
    assert len(warnings) == (says is not None) and (says is None or warnings[0].startswith(says))


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", ".hidden", "import", "mnist", "kmnist", "x" * 65, "taken"])
def test_a_name_is_new_and_of_the_right_kind(name: str, tmp_path: Path, own: Path) -> None:
    draft = open_source(write_folder(tmp_path, *small_images(5, (5, 5)))[0])
    keep(draft, "taken")
    before = sorted(path.name for path in own.rglob("*"))
    with pytest.raises(DataError, match="A set's name"):
        keep(draft, name)
    assert sorted(path.name for path in own.rglob("*")) == before


def test_a_full_disk_is_said_before_and_while_it_is_written(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = open_source(write_folder(tmp_path, *small_images(5, (5, 5)))[0])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(imports.shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
        with pytest.raises(DataError, match="more than is free"):
            keep(draft, "mine")
    monkeypatch.setattr(imports._Writer, "put", full)
    with pytest.raises(DataError, match=r"No space left on device.*VAE_DATA"):
        keep(draft, "mine")
    assert list(own.iterdir()) == []


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, own: Path) -> None:
    draft = open_source(write_folder(tmp_path, *small_images(150, (5, 5)))[0])

    def interrupt(done: int, whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep(draft, "mine", told=interrupt)
    assert list(own.iterdir()) == [] and "mine" not in names()


def test_a_source_that_changes_meanwhile_is_found_out(tmp_path: Path, own: Path) -> None:
    np.save(tmp_path / "x.npy", small_images(9, (5, 5))[0])
    draft = open_source(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", small_images(4, (5, 5))[0])
    with pytest.raises(DataError, match=r"x\.npy is truncated after"):
        keep(draft, "mine")
    assert list(own.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("card.json", b"{"), ("card.json", b"[]"), ("card.json", b'{"format": 1}'), ("card.json", b'{"format": 2}'),
        ("train-images.npy", b""), ("train-images.npy", None), ("test-labels.npy", b"\x93NUMPY"),
        ("train-labels.npy", None),
    ],
)  # fmt: skip
def test_a_damaged_set_is_said_and_can_be_removed(file: str, content: bytes | None, tmp_path: Path, own: Path) -> None:
    keep(open_source(write_folder(tmp_path, *small_images(9, (5, 5)))[0]), "mine")
    keep(open_source(write_folder(tmp_path, *small_images(9, (5, 5)))[0]), "other")
    if content is None:
        (own / "mine" / file).unlink()
    else:
        (own / "mine" / file).write_bytes(content)
    with pytest.raises(DataError, match=f"{file}.*import it again"):
        load_dataset("mine")
    assert "other" in names() and len(stored.cards()[1]) == (file == "card.json")
    stored.remove("mine")
    assert not (own / "mine").exists() and "mine" not in names()
    with pytest.raises(DataError, match="The imported sets are: other"):
        stored.remove("mine")


def test_the_bars_numbers_rise(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    np.save(tmp_path / "x.npy", small_images(250, (5, 5))[0])
    keep(open_source(tmp_path / "x.npy"), "mine", told=lambda *call: told.append(call))
    assert told == [(100, 250), (200, 250)]


def test_what_is_compressed_must_be_idx(tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"no IDX file"))
    with pytest.raises(DataError, match="IDX file must begin"):
        open_source(tmp_path / "x.gz")


def test_a_folder_with_one_class_has_one_class_and_packed_it_is_the_same(tmp_path: Path) -> None:
    images, _ = small_images(5, (5, 5))
    for write in (write_folder, write_zip):
        assert open_source(write(tmp_path, images, ["z"] * 5)[0]).classes == {"z": 5}
