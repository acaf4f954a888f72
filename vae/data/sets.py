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

__all__ = ["NAMES", "TITLES", "Dataset", "Facts", "Split", "folder", "said_size"]

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


class Split:
    """Images and their labels, if there are any.

    Attributes:
        images: (N, H, W) uint8 in [0, 255], where 0 is background, or (N, H, W, 3) for colour. They may be mapped from
            a file larger than memory, so they are taken a batch at a time.
        labels: (N,) int64, each an index into the classes of the data set; all 0 where there are none.
        labelled: whether there are any.

    Raises:
        DataError: there are other than N labels.
    """

    def __init__(self, images: Tensor, labels: Tensor | None = None) -> None:
        import torch  # here, because it takes seconds to import

        self.images = images
        self.labelled = labels is not None
        self.labels = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
        if len(self.labels) != len(images):
            raise DataError(f"Each image has one label, or none has; there are {len(images)} and {len(self.labels)}.")

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory, or mapped from disk.

    Attributes:
        name: one of `vae.data.names()`, or of one's own.
        train: the images that models are trained on.
        test: the images held out.
        classes: what each label stands for; () where there are no labels.
        checksum: SHA-256 of training images, training labels, test images, test labels.
        title: what people call it; its name if not given.
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
        """Whether this is the whole set, and not the sample that ships."""
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
        """Say what this is, as in `MNIST: 60,000 training and 10,000 test images`."""
        return f"{self.title}: {len(self.train):,} training and {len(self.test):,} test images"


class Facts(NamedTuple):
    """What is known of a data set without PyTorch.

    Attributes:
        title: what people call it.
        train, test: how many images there are.
        classes: what each label stands for; () where there are no labels.
        image_shape: (H, W), or (H, W, 3) for colour.
    """

    title: str
    train: int
    test: int
    classes: tuple[str, ...]
    image_shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Bytes that the images take in memory."""
        return (self.train + self.test) * math.prod(self.image_shape)


def said_size(image_shape: tuple[int, ...]) -> str:
    """Says the size of images of a shape: `28 x 28 pixels`, or `24 x 24 pixels in colour` for (24, 24, 3).

    What is neither (H, W) nor (H, W, 3) is said as it is: `3 x 24 x 24 numbers`.
    """
    if len(image_shape) == 2:
        return f"{image_shape[0]} x {image_shape[1]} pixels"
    if len(image_shape) == 3 and image_shape[2] == 3:
        return f"{image_shape[0]} x {image_shape[1]} pixels in colour"
    return " x ".join(map(str, image_shape)) + " numbers" if image_shape else "single numbers"


def folder() -> Path:
    """Return the folder of the data sets that are fetched or imported: `$VAE_DATA`, or else as `vae.paths.own` says."""
    return paths.own("data")
