"""Reads a classifier from an ONNX file made by another program; it is parsed as data, like the networks of a model."""

from __future__ import annotations

import math

from torch import Tensor, nn

from vae.data import said_size
from vae.errors import CheckpointError, ConfigError
from vae.interchange.found import written_down
from vae.interchange.onnx import Network
from vae.model import Graph

__all__ = ["OwnClassifier", "read_classifier"]

_MOST_CLASSES = 1000
_SHARES = ("Softmax", "Sigmoid")  # operators that return probabilities


class OwnClassifier(nn.Module):
    """A classifier p(y|x) of images.

    Attributes:
        classes: K, the number of classes.
    """

    def __init__(self, graph: Graph, classes: int) -> None:
        super().__init__()
        self.graph, self.classes = graph, classes

    def forward(self, x: Tensor) -> Tensor:
        """Returns log p(y|x) up to a constant, (N, K), for pixels (N, D) in [0, 1]."""
        return self.graph(x)[0]


def read_classifier(
    content: bytes, image_shape: tuple[int, ...], *, mean: float = 0.0, deviation: float = 1.0
) -> OwnClassifier:
    """Reads a classifier.

    Arguments:
        content: an ONNX file. If its last operator is a softmax or a sigmoid, its output is taken as probabilities;
            otherwise as log probabilities or logits.
        image_shape: of the images to classify, (H, W) or (H, W, 3).
        mean, deviation: its input is (x - mean) / deviation for pixels x in [0, 1].

    Raises:
        CheckpointError: the file is damaged, uses an unsupported operator, or is not a classifier of such images.
        ConfigError: the mean is not finite, or the deviation is not positive.
    """
    if not (math.isfinite(mean) and math.isfinite(deviation) and deviation > 0):
        raise ConfigError(
            f"The mean must be finite and the standard deviation above 0; these are {mean} and {deviation}."
        )
    network, pixels = Network(content, image_shape), math.prod(image_shape)
    if network.takes.numbers != pixels:
        raise CheckpointError(
            f"The classifier must take images of {said_size(image_shape)}, {pixels:,} numbers; this one takes "
            f"{network.takes.numbers:,}."
        )
    numbers = [each.numbers for each in network.gives]
    if len(numbers) != 1 or not 2 <= numbers[0] <= _MOST_CLASSES:
        came = " and ".join(f"{each:,}" for each in numbers)
        raise CheckpointError(
            f"A classifier gives one number for each of 2 to {_MOST_CLASSES:,} classes; this network gives {came}."
        )
    shares = network.ends_with in _SHARES

    def scores(x: Tensor) -> Tensor:
        standard = x if (mean, deviation) == (0.0, 1.0) else (x - mean) / deviation
        found = network(standard)[0]
        return found.clamp_min(1e-30).log() if shares else found

    return OwnClassifier(written_down(scores, pixels), numbers[0])
