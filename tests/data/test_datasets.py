"""Images: the sample that ships, and files on disk."""

import gzip
import hashlib
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.small_data import DAMAGES, TEST, TRAIN, idx, install, put, resources, small_arrays
from vae.data import datasets as data
from vae.data import imports, sources
from vae.data.datasets import NAMES, Dataset, Split, available, fetch, load_dataset, read_idx
from vae.errors import DataError


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    return install(monkeypatch, tmp_path)


def test_the_sample_ships_and_is_balanced() -> None:
    sample = load_dataset("mnist-sample", fetch=False)
    for split, count in ((sample.train, 1000), (sample.test, 200)):
        assert split.images.shape == (10 * count, 28, 28) and split.images.dtype == torch.uint8
        assert split.labels.dtype == torch.int64 and len(split) == 10 * count
        assert split.labels.bincount().tolist() == [count] * 10
        assert split.images.amax() > 250 and split.images.float().mean() < 50  # bright strokes on a dark ground
    assert sample.describe() == "A sample of MNIST: 10,000 training and 2,000 test images"
    assert not sample.complete and available("mnist-sample") and fetch("mnist-sample") == data.SAMPLE
    assert data.SAMPLE.stat().st_size < 2.1e6


def test_no_image_of_the_sample_comes_twice() -> None:
    sample = load_dataset("mnist-sample")
    images = [image.tobytes() for split in (sample.train, sample.test) for image in split.images.numpy()]
    assert len(images) == len(set(images)) == 12_000


@pytest.mark.skipif(not available("mnist"), reason="the whole of MNIST on disk")
def test_the_sample_is_what_its_maker_draws(tmp_path: Path) -> None:
    from data.make_sample import main

    main(tmp_path / "again.npz")
    with np.load(tmp_path / "again.npz") as again, np.load(data.SAMPLE) as shipped:
        assert {key: again[key].tobytes() for key in again} == {key: shipped[key].tobytes() for key in shipped}


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_sample_is_refused(damage: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = bytearray(data.SAMPLE.read_bytes())
    monkeypatch.setattr(data, "SAMPLE", tmp_path / "sample.npz")
    content[len(content) // 2] ^= 1
    if damage != "gone":
        data.SAMPLE.write_bytes(content if damage == "flipped" else content[:-1])
    with pytest.raises(DataError, match=r"sample\.npz is (damaged|missing): reinstall the explorer"):
        load_dataset("mnist-sample")


@pytest.mark.parametrize("shape", [(5,), (2, 3), (3, 28, 28)])
def test_an_idx_file_gives_its_array(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert np.array_equal(read_idx(idx(array)), array)


def test_an_idx_file_by_hand() -> None:
    assert read_idx(bytes.fromhex("00000802 00000002 00000001 07ff")).tolist() == [[7], [255]]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        bytes.fromhex("00000802 0000"),
        bytes.fromhex("00000d01 00000001 07"),
        bytes.fromhex("00000801 00000002 07"),
        bytes.fromhex("00000801 00000001 0707"),
    ],
    ids=["empty", "no rank", "half a header", "of floats", "too short", "too long"],
)
def test_what_is_not_an_idx_file_of_bytes_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_idx(content)


def test_a_set_on_disk_is_read_as_it_is(files: dict[str, bytes]) -> None:
    assert not available("mnist")
    put(files)
    assert available("mnist")
    mnist = load_dataset(fetch=False)
    arrays = small_arrays()
    train, train_labels, test, test_labels = arrays.values()
    assert np.array_equal(mnist.train.images, train) and np.array_equal(mnist.train.labels, train_labels)
    assert np.array_equal(mnist.test.images, test) and np.array_equal(mnist.test.labels, test_labels)
    assert mnist.train.images.dtype == torch.uint8 and mnist.train.labels.dtype == torch.int64
    assert mnist.checksum == hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    assert mnist.complete and mnist.describe() == "MNIST: 300 training and 50 test images"
    assert mnist.classes == tuple("0123456789")


def test_torchvision_reads_the_same_files(files: dict[str, bytes]) -> None:
    from torchvision import datasets

    put(files)
    put(files, "FashionMNIST/raw")
    for name, theirs in (("mnist", datasets.MNIST), ("fashion-mnist", datasets.FashionMNIST)):
        ours = load_dataset(name, fetch=False)
        for train, split in ((True, ours.train), (False, ours.test)):
            loaded = theirs(data.folder(), train=train)
            assert torch.equal(loaded.data, split.images) and torch.equal(loaded.targets, split.labels)
        assert ours.classes == tuple(label.split(" - ")[0] for label in theirs.classes)


def test_mirrors_are_those_of_torchvision_and_have_our_files() -> None:
    from torchvision import datasets

    for name, theirs in (("mnist", datasets.MNIST), ("fashion-mnist", datasets.FashionMNIST)):
        assert sources._mirrors(name) == sources.MIRRORS[name] == theirs.mirrors != []
        assert [f"{file}.gz" for file in data.RESOURCES[name]] == [file for file, _ in theirs.resources]


def test_without_torchvision_there_are_mirrors_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert sources._mirrors("mnist") == sources.MIRRORS["mnist"]


def test_files_at_the_root_are_mnist(files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for file, content in files.items():
        (tmp_path / "data" / f"{file}.gz").write_bytes(gzip.compress(content))
    assert available("mnist") and not available("fashion-mnist")  # whose files have the same names


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", range(4))
def test_a_damaged_file_is_named(damage: str, which: int, files: dict[str, bytes]) -> None:
    file = list(files)[which]
    raw = put(files | {file: DAMAGES[damage](files[file])})
    assert available("mnist") == (damage == "flipped")  # sizes are all that it looks at
    with pytest.raises(DataError, match=f"MNIST is not complete on disk .*{raw / file}: .*mnist-sample"):
        load_dataset("mnist", fetch=False)


@pytest.mark.parametrize(
    "change",
    [
        {"train-images-idx3-ubyte": idx(np.zeros((TRAIN, 27, 28), np.uint8))},
        {"t10k-labels-idx1-ubyte": idx(np.zeros((TEST, 1), np.uint8))},
        {"t10k-labels-idx1-ubyte": b"\0\0\x0d\x01" + struct.pack(">I", TEST) + bytes(TEST)},
    ],
    ids=["27 rows", "a column of labels", "wrong magic"],
)
def test_the_header_counts_even_where_the_checksum_is_right(
    change: dict[str, bytes], files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(files | change)
    monkeypatch.setattr(data, "RESOURCES", {"mnist": resources(files | change)})
    with pytest.raises(DataError, match=next(iter(change))):
        load_dataset("mnist", fetch=False)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    for call in (load_dataset, fetch, available):
        with pytest.raises(DataError, match=f"{', '.join(NAMES)}; it is 'cifar'"):
            call("cifar")


@pytest.mark.parametrize("place", ["MNIST/raw", "MNIST", ""])
@pytest.mark.parametrize("name", ["{}.gz", "{}", "{} with a dot", "{} with a dot.gz"])
def test_files_laid_by_hand_as_people_download_them_are_taken(
    files: dict[str, bytes], tmp_path: Path, place: str, name: str
) -> None:
    folder = tmp_path / "data" / place
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        called = name.removesuffix(" with a dot").replace(" with a dot.", ".").format(file)
        called = called.replace("-idx", ".idx") if "dot" in name else called
        (folder / called).write_bytes(gzip.compress(content) if called.endswith(".gz") else content)
    assert available("mnist") and len(load_dataset("mnist", fetch=False).train) == TRAIN
    fetch("mnist")  # which finds nothing to do; there is no network here


def test_a_set_without_labels_and_of_a_name_of_ones_own() -> None:
    images = torch.zeros(5, 4, 4, dtype=torch.uint8)
    split = Split(images)
    assert len(split) == 5 and not split.labelled and split.labels.tolist() == [0] * 5
    mine = Dataset("mine", split, split, ("image",), "")
    assert mine.describe() == "mine: 5 training and 5 test images" and mine.complete
    assert mine.title == "mine" and not mine.labelled
    assert Dataset("mnist", *2 * [Split(images, split.labels)], ("0",), "").labelled
    with pytest.raises(DataError, match="Each image or none must have a label"):
        Split(images, torch.zeros(4))


def test_the_size_of_images_is_known_without_reading_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path))
    source = tmp_path / "images.npy"
    np.save(source, np.random.default_rng(0).integers(0, 255, (20, 6, 7, 3), np.uint8))
    imports.keep(imports.open_source(source), "mine")
    (tmp_path / "mine" / "train-images.npy").unlink()
    assert data.image_shape_of("mine") == (6, 7, 3) and data.image_shape_of("mnist-sample") == (28, 28)
    assert data.said_size((6, 7, 3)) == "6 x 7 pixels in colour" and data.said_size((28, 28)) == "28 x 28 pixels"
    assert data.said_size((3, 6, 7)) == "3 x 6 x 7 numbers" and data.said_size(()) == "single numbers"
    with pytest.raises(DataError, match="Did you mean 'mine'"):
        data.image_shape_of("minne")
