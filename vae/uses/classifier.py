"""A small classifier of a data set's images, whose confidence in decoded images is measured.

    p(y|x) = softmax(f(x)),   f a multilayer perceptron trained on the cross entropy -log p(y|x)

The fraction of samples from a prior of which it is confident measures how many look like one of the classes (compare
the inception score, Salimans et al. 2016). It cannot judge all images: a network that has seen only digits can be
confident about images that are not digits (Nguyen, Yosinski & Clune 2015), so the fraction must be compared with those
for test images and for images outside the classes. The shipped classifier is one safetensors file,
`classifier-<data>.safetensors`, in the folder of models.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors
import torch
from numpy.typing import NDArray
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vae.data import Dataset
from vae.errors import CheckpointError, DataError
from vae.model import TrainConfig, folders, generator, mlp
from vae.paths import given, write_aside
from vae.training import rates

__all__ = [
    "SURE", "THRESHOLDS", "Classifier", "Skill", "classifier_file", "confidences", "load_classifier",
    "save_classifier", "share_sure", "train_classifier",
]  # fmt: skip

Array = NDArray[Any]
SURE = 0.95  # probability of the most probable class above which the classifier counts as confident
THRESHOLDS = np.linspace(0.5, 0.995, 100)
_VALUES = 10_000 * 28 * 28  # of test images converted to floats at once
_FORMAT = 1
_LAYERS = (256, 128)
_HOW = TrainConfig(epochs=4, learning_rate=3e-3, weight_decay=0.01)
_FAILURES = (safetensors.SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError)


class Skill(NamedTuple):
    """The performance of a classifier on test images.

    Attributes:
        images: their number.
        accuracy: fraction classified correctly.
        confidence: its mean probability of the predicted class; equal to the accuracy if it is calibrated.
        sure: fraction of which it is confident, above `SURE`.
        accuracy_sure: fraction of these that it classifies correctly.
    """

    images: int
    accuracy: float
    confidence: float
    sure: float
    accuracy_sure: float


class Classifier(nn.Module):
    """p(y|x) of images.

    Attributes:
        skill: on the test images of its data set; None before it has been evaluated.
    """

    def __init__(self, pixels: int, classes: int, layers: Sequence[int] = _LAYERS) -> None:
        super().__init__()
        self.pixels, self.layers = pixels, tuple(layers)
        self.body = mlp(pixels, self.layers, "relu")
        self.head = nn.Linear((pixels, *self.layers)[-1], classes)
        self.skill: Skill | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Returns log p(y|x) up to a constant, (N, classes), for pixels (N, D) in [0, 1]."""
        return self.head(self.body(x))


def train_classifier(dataset: Dataset, *, seed: int = 0, config: TrainConfig = _HOW) -> Classifier:
    """Trains a classifier on the training images, and evaluates it on the test images.

    Arguments:
        dataset: images and their labels.
        seed: of the weights and the order of the images; torch's global generator is not touched.
        config: epochs, batch size, and learning rate of the one-cycle schedule.

    Raises:
        DataError: the labels have fewer than two classes, or the images are in colour.
    """
    if not dataset.train.labelled:
        raise DataError(f"A classifier needs labels; {dataset.name} has none.")
    if dataset.train.images.ndim != 3:
        raise DataError(f"The classifier needs grey images; those of {dataset.name} are in colour.")
    images, labels = dataset.train.images.flatten(1), dataset.train.labels
    if len(labels.unique()) < 2:
        raise DataError("A classifier needs at least two classes; these images all belong to one.")
    with torch.device("meta"):  # the default initial weights would come from torch's global generator
        net = Classifier(images.shape[1], len(dataset.classes))
    net.to_empty(device="cpu")
    noise = generator(seed)
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, nn.Linear):
                for values in part.parameters():
                    values.uniform_(-(part.in_features**-0.5), part.in_features**-0.5, generator=noise)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=config.weight_decay, fused=True)
    steps = math.ceil(len(images) / config.batch_size)
    with torch.inference_mode(False), torch.enable_grad():
        for epoch in range(config.epochs):
            for step, rows in enumerate(torch.randperm(len(images), generator=noise).split(config.batch_size)):
                now = rates(config, epoch * steps + step, steps)
                optimiser.param_groups[0].update(lr=now.learning_rate, betas=(now.momentum, config.adam_beta2))
                loss = cross_entropy(net(images[rows].float() / 255), labels[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
    net.eval().requires_grad_(False)
    for values in net.parameters():  # as they are stored
        values.copy_(values.half().float())
    net.skill = _skill(net, dataset)
    return net


@torch.inference_mode()
def _skill(net: Classifier, dataset: Dataset) -> Skill:
    parts = dataset.test.images.flatten(1).split(max(1, _VALUES // net.pixels))
    highest, chosen = torch.cat([net(part.float() / 255) for part in parts]).softmax(1).max(1)
    right, sure = (chosen == dataset.test.labels).float(), highest > SURE
    accuracy_sure = float(right[sure].mean()) if bool(sure.any()) else math.nan
    return Skill(len(right), float(right.mean()), float(highest.mean()), float(sure.float().mean()), accuracy_sure)


@torch.inference_mode()
def confidences(net: Classifier, images: Array) -> tuple[Array, Array]:
    """Returns a classifier's confidence in its predictions for images, and the predictions.

    Arguments:
        net: the classifier.
        images: (N, H, W) in [0, 1].

    Returns:
        The probability of the most probable class (N,), and its index (N,).

    Raises:
        DataError: the images differ in size from its training images.
    """
    x = torch.from_numpy(np.array(images, np.float32)).flatten(1)
    if images.ndim != 3 or x.shape[1] != net.pixels:
        raise DataError(f"The classifier needs images (N, H, W) of {net.pixels} pixels; theirs is {images.shape}.")
    highest, chosen = net(x).softmax(1).max(1)
    return highest.numpy(), chosen.numpy()


def share_sure(confidence: Array, thresholds: Array = THRESHOLDS) -> Array:
    """Returns the fraction of images whose confidence (N,) is above each threshold (T,), as (T,)."""
    return 1 - np.searchsorted(np.sort(confidence), thresholds, "right") / len(confidence)


def classifier_file(data_name: str) -> Path:
    """Returns the path of the classifier of a data set; the sample of MNIST uses that of MNIST."""
    file = f"classifier-{'mnist' if data_name == 'mnist-sample' else data_name}.safetensors"
    places = [folder / file for folder in folders()]
    return next((path for path in places if path.is_file()), places[0])


def save_classifier(path: Path, net: Classifier, data_name: str) -> None:
    """Writes a classifier, with its weights as float16.

    Raises:
        CheckpointError: the file cannot be written; whatever was at the path before is still there.
    """
    skill = None if net.skill is None else net.skill._asdict()
    says = {
        "format": _FORMAT, "data": data_name, "pixels": net.pixels, "layers": net.layers,
        "classes": net.head.out_features, "skill": skill,
    }  # fmt: skip
    weights = {key: value.detach().half().contiguous() for key, value in net.state_dict().items()}
    write_aside(path, to_bytes(weights, {"classifier": json.dumps(says)}))


def load_classifier(path: Path) -> Classifier:
    """Reads a classifier.

    Raises:
        CheckpointError: there is no such file, or it is damaged, not a classifier, or of another version.
    """
    path = given(path)
    if not path.is_file():
        raise CheckpointError(f"There is no classifier at {path}; `vae classifier DATA` makes one.")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            says = json.loads((file.metadata() or {})["classifier"])
            if says["format"] != _FORMAT:
                raise ValueError(f"format {says['format']}, but this version reads {_FORMAT}")
            with torch.device("meta"):
                net = Classifier(says["pixels"], says["classes"], says["layers"])
            weights = {key: file.get_tensor(key).float() for key in net.state_dict()}
        net.load_state_dict(weights, assign=True)
        if not all(bool(value.isfinite().all()) for value in weights.values()):
            raise ValueError("its weights are not all finite")
        net.skill = None if says["skill"] is None else Skill(**says["skill"])
    except _FAILURES as error:
        why = " ".join(str(error).split())  # PyTorch's messages have several lines
        raise CheckpointError(f"{path} is not a complete classifier ({why:.200}). Make it again.") from error
    return net.eval().requires_grad_(False)
