"""A data set in memory or mapped from disk: images of a training and a test split, and their labels."""

from __future__ import annotations

import math
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vae import paths
from vae.errors import DataError

if typing.TYPE_CHECKING:
    from torch import Tensor

__all__ = ["DOWNLOADS", "NAMES", "TITLES", "Dataset", "Facts", "Split", "folder", "said_size"]

TITLES = {  # of the sets that ship or are fetched
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "kmnist": "Kuzushiji-MNIST",
    "qmnist": "QMNIST",
    "emnist-letters": "EMNIST letters",
    "emnist-balanced": "EMNIST balanced",
    "emnist-digits": "EMNIST digits",
    "emnist-byclass": "EMNIST by class",
    "emnist-bymerge": "EMNIST by merge",
    "emnist-mnist": "EMNIST's MNIST",
    "mnist-sample": "A sample of MNIST",
}
NAMES = tuple(TITLES)
# MB to download, at most; the six sets of EMNIST are in one archive
DOWNLOADS = {"mnist": 12, "fashion-mnist": 31, "kmnist": 21, "qmnist": 21}
DOWNLOADS |= {name: 562 for name in NAMES if name.startswith("emnist-")}


class Split:
    """Images and their labels, if there are any.

    Attributes:
        images: (N, H, W) uint8 in [0, 255], where 0 is background, or (N, H, W, 3) for colour. They may be mapped from
            a file larger than memory, so use them batch by batch.
        labels: (N,) int64, each an index into the classes of the data set; all 0 if there are none.
        labelled: whether there are any.

    Raises:
        DataError: the number of labels is not N.
    """

    def __init__(self, images: Tensor, labels: Tensor | None = None) -> None:
        import torch  # imported here, because it takes seconds

        self.images = images
        self.labelled = labels is not None
        self.labels = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
        if len(self.labels) != len(images):
            raise DataError(
                f"Each image or none must have a label; there are {len(images)} images and {len(self.labels)} labels."
            )

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory, or mapped from disk.

    Attributes:
        name: one of `vae.data.names()`, or a name of your own.
        train: the images that models are trained on.
        test: the held-out images.
        classes: the meaning of each label; () if there are no labels.
        checksum: SHA-256 of training images, training labels, test images, test labels.
        title: the name to display; by default its name.
    """

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    checksum: str
    title: str = ""

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", TITLES.get(self.name, self.name))

    @property
    def complete(self) -> bool:
        """Whether this is a complete set rather than the sample that ships."""
        return self.name != "mnist-sample"

    @property
    def labelled(self) -> bool:
        """Whether the training images have labels."""
        return self.train.labelled

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(H, W), or (H, W, 3) for colour."""
        return tuple(self.train.images.shape[1:])

    def describe(self) -> str:
        """Describe the set, as in `MNIST: 60,000 training and 10,000 test images`."""
        return f"{self.title}: {len(self.train):,} training and {len(self.test):,} test images"


class Facts(NamedTuple):
    """Facts about a data set that do not need PyTorch.

    Attributes:
        title: the name to display.
        train, test: numbers of images.
        classes: the meaning of each label; () if there are no labels.
        image_shape: (H, W), or (H, W, 3) for colour.
    """

    title: str
    train: int
    test: int
    classes: tuple[str, ...]
    image_shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Size of the images in memory, in bytes."""
        return (self.train + self.test) * math.prod(self.image_shape)


def said_size(image_shape: tuple[int, ...]) -> str:
    """Describes the size of images: `28 x 28 pixels`, or `24 x 24 pixels in colour` for the shape (24, 24, 3).

    A shape that is neither (H, W) nor (H, W, 3) is written out: `3 x 24 x 24 numbers`.
    """
    if len(image_shape) == 2:
        return f"{image_shape[0]} x {image_shape[1]} pixels"
    if len(image_shape) == 3 and image_shape[2] == 3:
        return f"{image_shape[0]} x {image_shape[1]} pixels in colour"
    return " x ".join(map(str, image_shape)) + " numbers" if image_shape else "single numbers"


def folder() -> Path:
    """Return the folder of downloaded and imported data sets: `$VAE_DATA`, or else that of `vae.paths.own`."""
    return paths.own("data")
