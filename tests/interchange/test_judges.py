"""A classifier from an ONNX file: read as data, held against what its weights say, refused with a sentence."""

import numpy as np
import pytest
import torch

from tests.onnx_files import network, weights
from vae.errors import CheckpointError, ConfigError
from vae.interchange import read_classifier


def pixels(count: int = 5) -> torch.Tensor:
    return torch.rand(count, 784, generator=torch.Generator().manual_seed(0))


def test_it_gives_what_its_weights_say() -> None:
    found = read_classifier(network(784, 10), (28, 28))
    assert found.classes == 10
    np.testing.assert_allclose(found(pixels()).numpy(), pixels().numpy() @ weights(784, 10), atol=1e-5)


def test_pixels_are_standardised_as_it_wants_them() -> None:
    found = read_classifier(network(784, 10), (28, 28), mean=0.1307, deviation=0.3081)
    standard = (pixels().numpy() - 0.1307) / 0.3081
    np.testing.assert_allclose(found(pixels()).numpy(), standard @ weights(784, 10), atol=1e-4)


def test_probabilities_become_their_logarithms() -> None:
    found = read_classifier(network(784, 3, sigmoid=True), (28, 28))
    shares = 1 / (1 + np.exp(-pixels().numpy() @ weights(784, 3)))
    np.testing.assert_allclose(found(pixels()).numpy(), np.log(shares), atol=1e-5)


def test_images_may_have_channels_first() -> None:
    found = read_classifier(network(784, 10, shape=(1, 28, 28)), (28, 28))
    np.testing.assert_allclose(found(pixels()).numpy(), pixels().numpy() @ weights(784, 10), atol=1e-5)


def test_it_has_gradients() -> None:
    x = pixels().requires_grad_()
    read_classifier(network(784, 10), (28, 28))(x)[:, 3].sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad[0].numpy(), weights(784, 10)[:, 3], atol=1e-6)


@pytest.mark.parametrize(
    ("content", "shape", "says"),
    [
        (lambda: network(784, 10), (20, 30), "must take images of 20 x 30 pixels, 600 numbers; this one takes 784"),
        (lambda: network(784, 1), (28, 28), "this network gives 1"),
        (lambda: network(784, 2000), (28, 28), "this network gives 2,000"),
        (lambda: b"nothing", (28, 28), "ONNX"),
    ],
)
def test_what_is_no_classifier_of_the_images_is_refused(content, shape, says: str) -> None:
    pytest.importorskip("onnx", reason="onnx (requirements-extra.txt)")
    with pytest.raises(CheckpointError, match=says):
        read_classifier(content(), shape)


@pytest.mark.parametrize(("mean", "deviation"), [(float("nan"), 1.0), (0.0, 0.0), (0.0, float("inf"))])
def test_pixels_cannot_be_standardised_by_anything(mean: float, deviation: float) -> None:
    with pytest.raises(ConfigError, match="finite and the standard deviation above 0"):
        read_classifier(b"", (28, 28), mean=mean, deviation=deviation)
