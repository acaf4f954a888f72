"""How useful the codes of an encoder are: accuracy of two simple classifiers on them and on principal components.

    linear        multinomial logistic regression with weak regularisation (a "linear probe", Alain & Bengio 2017),
                  on features of unit variance
    neighbours    the majority among the 5 nearest training images, by Euclidean distance

Features are the means of q(z|x), equally many principal components of the pixels (Pearson 1901), or the pixels
themselves. Each classifier is trained on the first training images with labels and evaluated on at most 10,000 test
images. Both come from scikit-learn. Principal components are computed from at most 60,000 training images, without
labels.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from vae.data import Dataset, Split
from vae.errors import CheckpointError, ConfigError, DataError, VAEError
from vae.evidence import checksum
from vae.latent import encode
from vae.model import folders, load, place_for, result_file, results
from vae.paths import given, write_aside

__all__ = [
    "LABELS", "NEIGHBOURS", "Accuracy", "Features", "Kind", "Probe", "features_file", "kept_features",
    "linear_accuracy", "load_features", "make_features", "neighbour_accuracy", "principal_components",
]  # fmt: skip

Array = NDArray[Any]
Kind = Literal["codes", "components", "pixels"]
Probe = Literal["linear", "neighbours"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PROBES: tuple[Probe, ...] = get_args(Probe)
LABELS = (100, 1000, 10_000, 60_000)  # numbers of labelled training images
NEIGHBOURS = 5
MOST_VALUES, MOST_IN_ALL = 4096, 200_000_000  # of an image, and of all images as floats: 0.8 GB
_FORMAT = 1
_BLOCK = 5000  # images at once
_TEST = 10_000  # test images used at most


class Accuracy(NamedTuple):
    """Fraction of test images that are classified correctly.

    Attributes:
        kind: of features.
        probe: the classifier.
        labels: number of labelled training images.
        share: in [0, 1].
    """

    kind: Kind
    probe: Probe
    labels: int
    share: float


class Features(NamedTuple):
    """All accuracies of one model, and the settings that they depend on, as plain JSON."""

    accuracies: tuple[Accuracy, ...]
    settings: Mapping[str, Any]

    def share(self, kind: Kind, probe: Probe, labels: int) -> float:
        """Returns one of them; NaN if it was not measured."""
        asked = (kind, probe, labels)
        return next((each.share for each in self.accuracies if tuple(each)[:3] == asked), math.nan)

    @property
    def labels(self) -> list[int]:
        """Numbers of labels that were used, increasing."""
        return sorted({each.labels for each in self.accuracies})

    def standard_error(self, share: float) -> float:
        """Standard error of a fraction of the test images."""
        return math.sqrt(share * (1 - share) / self.settings["images"])


def linear_accuracy(train: Array, labels: Array, test: Array, test_labels: Array) -> float:
    """Trains logistic regression on features (N, F), and returns its accuracy on others (M, F).

    Raises:
        DataError: the features are not finite, or the labels are all equal.
        VAEError: scikit-learn is not installed; the message has the command.
    """
    _check(train, labels, test, test_labels)
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise VAEError("A linear probe needs scikit-learn: python -m pip install scikit-learn") from error
    middle, spread = train.mean(0), train.std(0)
    spread = np.where(
        spread > 1e-6 * max(float(spread.max()), 1e-6), spread, np.inf
    )  # constant features carry no information
    found = LogisticRegression(max_iter=1000).fit((train - middle) / spread, labels)
    return float((found.predict((test - middle) / spread) == test_labels).mean())


def neighbour_accuracy(train: Array, labels: Array, test: Array, test_labels: Array) -> float:
    """Returns the accuracy of the majority vote among the nearest of features (N, F), on others (M, F).

    Raises: as for `linear_accuracy`.
    """
    _check(train, labels, test, test_labels)
    try:
        from sklearn.neighbors import KNeighborsClassifier
    except ImportError as error:
        raise VAEError("Nearest neighbours need scikit-learn: python -m pip install scikit-learn") from error
    found = KNeighborsClassifier(min(NEIGHBOURS, len(train))).fit(train, labels)
    return float((found.predict(test) == test_labels).mean())


def principal_components(train: Array, test: Array, count: int) -> tuple[Array, Array]:
    """Returns coordinates along the first principal directions of images (N, D), for these and for others (M, D).

    Raises:
        ConfigError: there are fewer than `count` images or pixels.
    """
    if not 1 <= count <= min(train.shape):
        raise ConfigError(f"There can be 1 to {min(train.shape)} principal components; {count} were requested.")
    middle = train.mean(0, dtype=np.float64)
    scatter = np.zeros((train.shape[1], train.shape[1]))
    for first in range(0, len(train), _BLOCK):
        part = train[first : first + _BLOCK] - middle
        scatter += part.T @ part
    plane = np.linalg.eigh(scatter)[1][:, ::-1][:, :count]
    return ((train - middle) @ plane).astype(np.float32), ((test - middle) @ plane).astype(np.float32)


def features_file(name_or_path: str | Path, data_name: str) -> Path:
    """Returns the path of the accuracies on a model's codes, see `vae.model.results`.

    Raises:
        CheckpointError: there is no such model.
    """
    return result_file(name_or_path, f"features-{data_name}.json")


def _first(split: Split, count: int) -> Split:
    return split if len(split) <= count else Split(split.images[:count], split.labels[:count])


def make_features(
    name_or_path: str | Path, dataset: Dataset, *, device: str = "cpu",
    progress: Callable[[float, str], None] | None = None,
) -> Features:  # fmt: skip
    """Measures all accuracies of a model, and stores them.

    Arguments:
        name_or_path: of the model.
        dataset: whose training images are used for training, and whose test images are classified.
        device: on which images are encoded, see `load`; the classifiers run on the CPU, by scikit-learn.
        progress: called with the completed fraction and the current task.

    Raises:
        CheckpointError: there is no such model, or the result cannot be stored.
        ConfigError, DataError, VAEError: as for the parts.
    """
    if not (dataset.train.labelled and dataset.test.labelled):
        raise DataError(f"Classifiers need labels; {dataset.name} has none.")
    train, test = _first(dataset.train, LABELS[-1]), _first(dataset.test, _TEST)
    size, count = train.images[0].numel(), len(train) + len(test)
    if size > MOST_VALUES or size * count > MOST_IN_ALL:
        raise DataError(
            f"Codes are compared with pixels, of up to {MOST_VALUES:,} values per image and {MOST_IN_ALL:,} in total; "
            f"{dataset.name} has {size:,} and {size * count:,}. Use smaller or fewer images."
        )
    place = place_for(name_or_path, f"features-{dataset.name}.json")
    says, model = _settings(name_or_path, dataset), load(name_or_path, device)
    labels, test_labels = train.labels.numpy(), test.labels.numpy()
    pixels, test_pixels = (split.images.flatten(1).numpy().astype(np.float32) / 255 for split in (train, test))
    sets: dict[Kind, tuple[Array, Array]] = {
        "codes": (encode(model, train.images).mean, encode(model, test.images).mean),
        "components": principal_components(pixels, test_pixels, model.config.latent),
        "pixels": (pixels, test_pixels),
    }
    counts = sorted({min(count, len(train)) for count in LABELS})
    known = _of_pixels(says)
    found: list[Accuracy] = []
    for kind, (features, others) in sets.items():
        for count in counts:
            for probe in PROBES:
                if progress:
                    progress(len(found) / (len(sets) * len(counts) * len(PROBES)), kind)
                share = known.get((kind, probe, count))
                if share is None:
                    measure = linear_accuracy if probe == "linear" else neighbour_accuracy
                    share = measure(features[:count], labels[:count], others, test_labels)
                found.append(Accuracy(kind, probe, count, share))
    result = Features(tuple(found), says)
    content = {"settings": says, "accuracies": [each._asdict() for each in found]}
    write_aside(place, (json.dumps(content, indent=1) + "\n").encode())
    return result


def kept_features(name_or_path: str | Path, dataset: Dataset) -> Features | None:
    """Returns the stored result of `make_features`, if it is for this version of the model and of the data.

    Raises:
        CheckpointError: there is no such model.
    """
    says = _settings(name_or_path, dataset)
    for path in results(name_or_path, f"features-{dataset.name}.json"):
        with contextlib.suppress(CheckpointError):
            found = load_features(path)
            if dict(found.settings) == says:
                return found
    return None


def load_features(path: Path) -> Features:
    """Reads accuracies.

    Raises:
        CheckpointError: there is no such file, or it is damaged, of another kind, or of another version.
    """
    path = given(path)
    if not path.is_file():
        raise CheckpointError(f"There are no accuracies at {path}; `vae features NAME` measures them.")
    try:
        content = json.loads(path.read_bytes())
        settings = content["settings"]
        if settings["format"] != _FORMAT or not isinstance(settings["images"], int) or settings["images"] < 1:
            raise ValueError(f"format {settings['format']}, but this version reads {_FORMAT}")
        accuracies = tuple(Accuracy(**each) for each in content["accuracies"])
        for each in accuracies:
            known = each.kind in KINDS and each.probe in PROBES and isinstance(each.labels, int)
            if not (known and isinstance(each.share, float) and 0 <= each.share <= 1):
                raise ValueError(f"{each} is not an accuracy")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} does not hold complete accuracies ({error}). Measure them again.") from error
    return Features(accuracies, settings)


def _settings(name_or_path: str | Path, dataset: Dataset) -> dict[str, Any]:
    """Returns the settings that the accuracies depend on."""
    return {
        "format": _FORMAT, "model": checksum(name_or_path), "data": dataset.name, "images": len(dataset.test),
        "neighbours": NEIGHBOURS,
    }  # fmt: skip


def _of_pixels(says: Mapping[str, Any]) -> dict[tuple[Kind, Probe, int], float]:
    """Returns the accuracies on pixels from other models' files; they take longest and do not depend on the model."""
    for path in (path for folder in folders() for path in sorted(folder.glob(f"*/features-{says['data']}.json"))):
        with contextlib.suppress(CheckpointError):
            found = load_features(path)
            if {**found.settings, "model": ""} == {**says, "model": ""}:
                return {each[:3]: each.share for each in found.accuracies if each.kind == "pixels"}
    return {}


def _check(train: Array, labels: Array, test: Array, test_labels: Array) -> None:
    shapes = train.ndim == test.ndim == 2 and train.shape[1] == test.shape[1]
    if not shapes or len(train) != len(labels) or len(test) != len(test_labels) or not min(len(train), len(test)):
        raise DataError(
            f"Features must have shapes (N, F) and (M, F), with one label each; these are {train.shape} and "
            f"{test.shape}."
        )
    if not (np.isfinite(train).all() and np.isfinite(test).all()):
        raise DataError("Features must be finite; some are not. The model diverged during training.")
    if len(np.unique(labels)) < 2:
        raise DataError("A classifier needs at least two classes; the labels are all equal.")
