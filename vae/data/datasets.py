"""Data sets by name: MNIST, Fashion-MNIST and the shipped sample of MNIST; others are stored by `vae.data.stored`.

Files of the first two are where torchvision keeps them, `<folder>/MNIST/raw/train-images-idx3-ubyte` and so on, so that
each can read what the other has downloaded. Only files whose size, MD5 and header are correct get one of these names.
"""

import hashlib
import io
from pathlib import Path

import numpy as np

from vae import paths
from vae.data import relatives, sources, stored
from vae.data.sets import DOWNLOADS, NAMES, TITLES, Dataset, Facts, Split, folder, said_size
from vae.data.sources import Progress
from vae.errors import CheckpointError, DataError, meant

__all__ = [
    "DOWNLOADS", "NAMES", "Dataset", "Facts", "Split", "available", "facts", "fetch", "folder", "image_shape_of",
    "load_dataset", "names", "read_idx", "said_size",
]  # fmt: skip

DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

SAMPLE = paths.SHIPPED / "data" / "mnist-sample.npz"
SAMPLE_SHA256 = "f97448b5695294add7ffa5fbd7654872397665b05fe3ee38fb4f68819e01c282"
SUBFOLDERS = {"mnist": "MNIST/raw", "fashion-mnist": "FashionMNIST/raw"}

# Size and MD5 of the uncompressed files: the hash of a .gz depends on who compressed it, and Debian's differs.
RESOURCES = {
    "mnist": {
        "train-images-idx3-ubyte": (47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
        "train-labels-idx1-ubyte": (60_008, "a25bea736e30d166cdddb491f175f624"),
        "t10k-images-idx3-ubyte": (7_840_016, "2646ac647ad5339dbf082846283269ea"),
        "t10k-labels-idx1-ubyte": (10_008, "27ae3e4e09519cfbb04c329615203637"),
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": (47_040_016, "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
        "train-labels-idx1-ubyte": (60_008, "9018921c3c673c538a1fc5bad174d6f9"),
        "t10k-images-idx3-ubyte": (7_840_016, "8181f5470baa50b63fa0f6fddb340f0a"),
        "t10k-labels-idx1-ubyte": (10_008, "15d484375f8d13e6eb1aabb0c3f46965"),
    },
}


def names() -> tuple[str, ...]:
    """Return the names of all sets that can be chosen: `NAMES`, and imported sets."""
    return (*NAMES, *(card.name for card in stored.cards()[0] if card.name not in NAMES))


def image_shape_of(name: str) -> tuple[int, ...]:
    """Return the shape of a set's images, (H, W) or (H, W, 3), without reading them.

    Raises:
        DataError: the name is unknown.
    """
    card = stored.read_card(name) if _known(name) not in RESOURCES else None
    return card.image_shape if card else (28, 28)  # the shape of all sets in NAMES


def available(name: str) -> bool:
    """Tell from file sizes, without reading the files, whether a data set is on disk."""
    if _known(name) == "mnist-sample":
        return SAMPLE.is_file()
    if name not in RESOURCES:
        return stored.read_card(name) is not None
    return all(
        any(path.is_file() and (path.suffix == ".gz" or path.stat().st_size == size) for path in _places(name, file))
        for file, (size, _) in RESOURCES[name].items()
    )


def load_dataset(name: str = "mnist", *, fetch: bool = True, progress: Progress | None = None) -> Dataset:
    """Load a data set: from disk or, if it is missing or damaged there, from the network.

    Arguments:
        name: one of `names()`.
        fetch: whether the network may be used.
        progress: called while fetching; see `fetch`.

    Returns:
        The data set. MNIST, Fashion-MNIST and the sample are in memory, with every byte verified; the images of other
        sets are mapped from disk.

    Raises:
        DataError: the name is unknown, or the images cannot be obtained.

    Sources: LeCun, Cortes, Burges, The MNIST database of handwritten digits, 1998; Xiao, Rasul, Vollgraf,
    Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms, 2017.
    """
    if _known(name) == "mnist-sample":
        return _dataset(name, _read_sample())
    if name not in RESOURCES:
        if fetch:
            relatives.fetch(name, progress)
        return stored.load(_card(name))
    found, problems = _read(name)
    if fetch and len(found) < len(RESOURCES[name]):
        _fetch(name, progress)
        found, problems = _read(name)
    return _dataset(name, _whole(name, found, problems))


def facts(name: str) -> Facts:
    """Return facts about a data set on disk, from the same files as `load_dataset` but without PyTorch.

    Arguments:
        name: one of `names()`.

    Raises:
        DataError: the name is unknown, or the set is missing or damaged on disk.
    """
    if _known(name) not in (*RESOURCES, "mnist-sample"):
        return stored.facts(_card(name))
    images, _, test_images, _ = _read_sample() if name == "mnist-sample" else _whole(name, *_read(name))
    return Facts(TITLES[name], len(images), len(test_images), _classes(name), images.shape[1:])


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Download a data set and verify it. Safe to repeat: only missing or damaged files are downloaded.

    Arguments:
        name: one of `names()`.
        progress: called from this thread with the current file, bytes so far, and bytes in total (0 if unknown).

    Returns:
        The folder that holds the files; for the sample, its file.

    Raises:
        DataError: the name is unknown, no source has the files, or they cannot be written.
    """
    if _known(name) == "mnist-sample":
        _read_sample()
        return SAMPLE
    if name not in RESOURCES:
        relatives.fetch(name, progress)
        return folder() / name
    _fetch(name, progress)
    return _raw(name)


def read_idx(content: bytes) -> np.ndarray:
    """Read an IDX file of bytes: `00 00 08 ndim`, each dimension as a big-endian uint32, then the values.

    Arguments:
        content: the complete file, uncompressed.

    Returns:
        uint8 array of the shape given by the header.

    Raises:
        ValueError: the header is of another kind, or inconsistent with the number of bytes.
    """
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError("not an IDX file of bytes")
    shape = np.frombuffer(content, ">u4", content[3], 4).tolist()
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape))
    return values.reshape(shape).copy()  # torch needs writable memory


def _known(name: str) -> str:
    if name not in NAMES and stored.read_card(name) is None:
        raise DataError(f"data must be one of {', '.join(names())}; it is {name!r}.{meant(name, names())}")
    return name


def _unavailable(name: str, what: str, details: list[str], way_out: str) -> DataError:
    ships = "use mnist-sample, which ships with the explorer"
    return DataError(f"{TITLES[name]} {what} ({'; '.join(details)}): {way_out}, or {ships}.")


def _classes(name: str) -> tuple[str, ...]:
    return CLOTHES if name == "fashion-mnist" else DIGITS


def _card(name: str) -> stored.Card:
    """Read the card of a stored set; raise DataError if there is none."""
    if (card := stored.read_card(name)) is None:
        raise _unavailable(name, "is not on disk", [f"looked in {folder()}"], f"fetch it with `vae data {name}`")
    return card


def _dataset(name: str, arrays: list[np.ndarray]) -> Dataset:
    import torch  # imported here, because it takes seconds

    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.data)
    images, labels, test_images, test_labels = (torch.from_numpy(array) for array in arrays)
    train, test = Split(images, labels.long()), Split(test_images, test_labels.long())
    return Dataset(name, train, test, _classes(name), digest.hexdigest())


def _read_sample() -> list[np.ndarray]:
    content = SAMPLE.read_bytes() if SAMPLE.is_file() else b""
    if hashlib.sha256(content).hexdigest() != SAMPLE_SHA256:
        raise DataError(f"{SAMPLE} is {'damaged' if content else 'missing'}: reinstall the explorer.")
    with np.load(io.BytesIO(content)) as arrays:  # NumPy does not read pickles by default
        return [arrays[key] for key in ("train_images", "train_labels", "test_images", "test_labels")]


def _raw(name: str) -> Path:
    return folder() / SUBFOLDERS[name]


def _own_places(name: str, file: str) -> list[Path]:
    """Where a file may be in our folder: where torchvision keeps it, or where people put downloaded files."""
    names = [file, f"{file}.gz"]
    names += [each.replace("-idx", ".idx") for each in names]  # as named by Kaggle
    places = [_raw(name), _raw(name).parent]
    if name == "mnist":  # Fashion-MNIST's files have the same names
        places.append(folder())
    return [place / each for place in places for each in names]


def _places(name: str, file: str) -> list[Path]:
    packaged = sources.PACKAGED.get(name)
    return _own_places(name, file) + ([packaged / f"{file}.gz"] if packaged else [])


def _read(name: str, *, own: bool = False) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read the files that are intact on disk, or in our `own` folder; return what is wrong with the others."""
    found: dict[str, np.ndarray] = {}
    problems = []
    for file in RESOURCES[name]:
        for path in (_own_places if own else _places)(name, file):
            try:
                content = path.read_bytes()
                found[file] = _decode(name, file, sources.gunzip(content) if path.suffix == ".gz" else content)
                break
            except FileNotFoundError:
                continue
            except sources.FAILURES as error:
                problems.append(f"{path}: {_reason(error)}")
    return found, problems


def _whole(name: str, found: dict[str, np.ndarray], problems: list[str]) -> list[np.ndarray]:
    """Return all arrays of a set; raise DataError with the problems if some were not found."""
    if len(found) < len(RESOURCES[name]):
        problems.append(f"looked in {_raw(name)}")
        raise _unavailable(name, "is not complete on disk", problems, f"fetch it with `vae data {name}`")
    return [found[file] for file in RESOURCES[name]]


def _decode(name: str, file: str, content: bytes) -> np.ndarray:
    """Verify the bytes of a file and read them; raise ValueError with the reason if they are wrong."""
    size, md5 = RESOURCES[name][file]
    if len(content) != size:
        raise ValueError(f"{file} has {len(content):,} bytes instead of {size:,}")
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise ValueError(f"{file} does not have the MD5 sum {md5}")
    array = read_idx(content)
    if array.shape[1:] != ((28, 28) if "images" in file else ()):
        raise ValueError(f"{file} has the shape {array.shape}")
    return array


def _fetch(name: str, progress: Progress | None) -> None:
    found, problems = _read(name, own=True)
    missing = [file for file in RESOURCES[name] if file not in found]
    for label, source in sources.sources(name) if missing else ():
        try:
            for file, content in source(tuple(missing), progress or (lambda what, size, total: None)):
                _decode(name, file, content)
                _write(_raw(name) / file, content)
                missing.remove(file)
        except sources.FAILURES as error:
            problems.append(f"{label}: {_reason(error)}")  # continue with the next source for what is still missing
        if not missing:
            return
    if missing:
        raise _unavailable(name, "could not be fetched", problems, "try again with a network")


def _reason(error: BaseException) -> str:
    return " ".join(str(error).strip("<>").split()) or type(error).__name__


def _write(path: Path, content: bytes) -> None:
    try:
        paths.write_aside(path, content)
    except CheckpointError as error:
        reason = _reason(error.__cause__ or error)
        raise DataError(f"{path} cannot be written ({reason}): set VAE_DATA to another folder.") from error
