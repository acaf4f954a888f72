"""KMNIST, QMNIST and EMNIST: fetched, verified and kept. No test leaves this machine."""

import gzip
import hashlib
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.own_images import idx
from vae.data import available, fetch, load_dataset, relatives, sources
from vae.data.relatives import RELATIVES
from vae.data.sets import NAMES, folder
from vae.errors import DataError


def test_files_and_sums_are_those_of_torchvision() -> None:
    from torchvision import datasets

    kmnist = datasets.KMNIST
    assert [RELATIVES["kmnist"].mirror] == kmnist.mirrors and list(
        RELATIVES["kmnist"].files.items()
    ) == kmnist.resources
    assert RELATIVES["kmnist"].classes == tuple(kmnist.classes)
    theirs = datasets.QMNIST.resources["train"] + datasets.QMNIST.resources["test"]
    qmnist = RELATIVES["qmnist"]
    assert [(qmnist.mirror + file, md5) for file, md5 in qmnist.files.items()] == theirs
    for name in ("letters", "balanced", "digits", "byclass", "bymerge", "mnist"):
        emnist = RELATIVES[f"emnist-{name}"]
        assert [(emnist.mirror + file, md5) for file, md5 in emnist.files.items()] == [
            (datasets.EMNIST.url, datasets.EMNIST.md5)
        ]
        assert emnist.classes == tuple(datasets.EMNIST.classes_split_dict[name][emnist.first :])
    assert set(RELATIVES) == set(NAMES) - {"mnist", "fashion-mnist", "mnist-sample"}


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Small sets stand for KMNIST, QMNIST and EMNIST letters; what is asked of the web is answered from here."""
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (count, 28, 28), dtype=np.uint8) for count in (30, 12)]
    labels = [np.arange(count, dtype=np.uint8) % 10 for count in (30, 12)]
    files = {}
    for split, of, which in (("train", images[0], labels[0]), ("t10k", images[1], labels[1])):
        files[f"{split}-images-idx3-ubyte.gz"] = gzip.compress(idx(of))
        files[f"{split}-labels-idx1-ubyte.gz"] = gzip.compress(idx(which))
    for split, of, which in (("train", images[0], labels[0]), ("test", images[1], labels[1])):
        rows = np.stack([which, *np.zeros((7, len(which)))], 1).astype(">i4")
        header = b"\0\0\x0c\x02" + struct.pack(">II", len(which), 8)
        files[f"qmnist-{split}-images-idx3-ubyte.gz"] = gzip.compress(idx(of))
        files[f"qmnist-{split}-labels-idx2-int.gz"] = gzip.compress(header + rows.tobytes())
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
        for split, of, which in (("train", images[0], labels[0]), ("test", images[1], labels[1])):
            turned = np.ascontiguousarray(of.swapaxes(1, 2))
            archive.writestr(f"gzip/emnist-letters-{split}-images-idx3-ubyte.gz", gzip.compress(idx(turned)))
            archive.writestr(f"gzip/emnist-letters-{split}-labels-idx1-ubyte.gz", gzip.compress(idx(which + 1)))
    files["gzip.zip"] = (tmp_path / "gzip.zip").read_bytes()
    small = {
        name: each._replace(files={file: hashlib.md5(files[file]).hexdigest() for file in each.files})
        for name, each in RELATIVES.items()
    }
    monkeypatch.setattr(relatives, "RELATIVES", small)
    asked: list[str] = []

    def download(url: str, what: str, sink, most: int, progress) -> None:
        asked.append(what)
        if what not in files:
            raise OSError("not found")
        progress(what, len(files[what]), len(files[what]))
        sink.write(files[what])

    monkeypatch.setattr(sources, "download", download)
    return {"asked": asked, "files": files, "images": images, "labels": labels}  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["kmnist", "qmnist", "emnist-letters"])
def test_a_set_is_fetched_kept_and_read(name: str, web: dict) -> None:
    assert not available(name)
    with pytest.raises(DataError, match=rf"is not on disk .*vae data {name}.*mnist-sample"):
        load_dataset(name, fetch=False)
    told = []
    assert fetch(name, lambda *call: told.append(call)) == folder() / name
    assert available(name) and len(told) == len(web["asked"]) == len(RELATIVES[name].files)
    dataset = load_dataset(name)
    assert len(web["asked"]) == len(told)  # not again
    for split, images, labels in zip((dataset.train, dataset.test), web["images"], web["labels"], strict=True):
        assert np.array_equal(split.images, images) and np.array_equal(split.labels, labels)
    assert dataset.classes == RELATIVES[name].classes and dataset.title in dataset.describe()
    assert {path.name for path in folder().iterdir()} == {name} | ({"EMNIST"} if "emnist" in name else set())


def test_what_torchvision_has_is_not_fetched_again(web: dict) -> None:
    raw = folder() / "KMNIST/raw"
    raw.mkdir(parents=True)
    for file in list(RELATIVES["kmnist"].files)[:3]:
        (raw / file).write_bytes(web["files"][file])
    load_dataset("kmnist")
    assert web["asked"] == ["t10k-labels-idx1-ubyte.gz"]


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_what_cannot_be_had_is_said_and_leaves_nothing(damage: str, web: dict) -> None:
    file = "t10k-images-idx3-ubyte.gz"
    content = web["files"].pop(file)
    if damage != "gone":
        web["files"][file] = content[:-5] if damage == "cut" else gzip.compress(b"x")
    with pytest.raises(DataError, match=r"Kuzushiji-MNIST could not be fetched .*mnist-sample"):
        load_dataset("kmnist")
    assert list(folder().iterdir()) == []
