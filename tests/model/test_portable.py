"""Flat weights are read back by numpy as the module's docstring says, and give what PyTorch gives."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tests.toys import numpy_encoder, small_model
from vae.errors import ConfigError
from vae.model.capture import capture
from vae.model.imported import ImportedDecoder, ImportedEncoder
from vae.model.portable import Portable, pack_codes, portable
from vae.model.vae import VAE
from vae.settings.config import ImportedConfig

_ACTIVATIONS = {"relu": lambda h: np.maximum(h, 0), "tanh": np.tanh, "silu": lambda h: h / (1 + np.exp(-h))}


def run(net: Portable, activation: str, h: NDArray) -> list[NDArray]:
    """The outputs of each head for inputs (N, width), from the flat array alone."""
    flat = net.weights.view(np.float16) if net.weights.dtype == np.uint16 else net.weights
    rest = flat.astype(np.float64)

    def affine(h: NDArray, width: int) -> NDArray:
        nonlocal rest
        size = h.shape[1] * width
        weight, bias, rest = rest[:size].reshape(width, -1), rest[size : size + width], rest[size + width :]
        return h @ weight.T + bias

    assert h.shape[1] == net.widths[0]
    for width in net.widths[1:]:
        h = _ACTIVATIONS[activation](affine(h, width))
    outputs = []
    for place, width in enumerate(net.heads):
        if place == 1 and net.constant:
            outputs.append(np.broadcast_to(rest[:width], (len(h), width)))
            rest = rest[width:]
        else:
            outputs.append(affine(h, width))
    assert not len(rest)
    return outputs


CASES = {
    "two layers": {"decoder_layers": (8, 5), "activation": "relu"},
    "tanh, one variance": {"likelihood": "gaussian-shared", "activation": "tanh"},
    "silu, binary": {"likelihood": "bernoulli", "activation": "silu"},
    "linear": {"decoder_layers": (), "encoder_layers": ()},
    "linear, one variance": {"decoder_layers": (), "likelihood": "gaussian-shared"},
    "linear, binary": {"decoder_layers": (), "likelihood": "bernoulli"},
    "colour": {"image_shape": (3, 5, 3), "decoder_layers": (8, 5)},
    "colour, one variance": {"image_shape": (3, 5, 3), "likelihood": "gaussian-shared"},
    "many latents": {"latent": 7, "log_variance_floor": None},
}


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_a_decoder_from_flat_weights(changes: dict) -> None:
    model = small_model(3, **changes)
    net = portable(model.decoder)
    z = torch.randn(6, model.config.latent)
    with torch.no_grad():
        body = model.decoder.body(z)
        wanted = [model.decoder.location(body)]
        if isinstance(model.decoder.log_variance, nn.Linear):
            wanted.append(model.decoder.log_variance(body))
        elif model.decoder.log_variance is not None:
            wanted.append(model.decoder.log_variance.expand(6, -1))
    found = run(net, model.config.activation, z.double().numpy())
    assert [part.shape for part in found] == [tuple(part.shape) for part in wanted]
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=0, atol=2e-6)  # float32 sums of up to 8 terms


@pytest.mark.parametrize("shape", [(4, 4), (3, 5, 3)])
@pytest.mark.parametrize("layers", [(), (8,), (8, 5)])
def test_an_encoder_from_flat_weights(layers: tuple, shape: tuple) -> None:
    model = small_model(4, encoder_layers=layers, latent=3, image_shape=shape)
    x = np.random.default_rng(0).random((5, math.prod(shape)))
    mean, log_variance = run(portable(model.encoder), model.config.activation, x)
    wanted, deviation = numpy_encoder(model, x)
    np.testing.assert_allclose(mean, wanted, rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_variance / 2), deviation, rtol=1e-12)


def halved(model: VAE) -> VAE:
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.half())
    return model


def test_half_precision_only_where_it_loses_nothing() -> None:
    assert portable(small_model().decoder).weights.dtype == np.float32
    model = halved(small_model())
    net = portable(model.decoder)
    assert net.weights.dtype == np.uint16
    flat = torch.cat([weight.flatten() for weight in model.decoder.parameters()]).detach().numpy()
    assert sorted(net.weights.view(np.float16).tolist()) == sorted(flat.tolist())


def test_a_layout_is_plain_json() -> None:
    layout = portable(small_model(decoder_layers=(8, 5)).decoder).layout()
    assert layout == {
        "widths": [2, 8, 5], "heads": [16, 16], "constant": False, "activation": "relu", "bounded": True,
    }  # fmt: skip


def test_what_is_no_perceptron_stays_on_the_server() -> None:
    model = small_model()
    model.decoder.body = nn.Sequential(nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()))
    with pytest.raises(ConfigError, match="server"):
        portable(model.decoder)

    convolutional = small_model(channels=(3,))
    for part in (convolutional.encoder, convolutional.decoder):
        with pytest.raises(ConfigError, match="server"):
            portable(part)

    class Foreign(nn.Module):
        pass

    with pytest.raises(ConfigError, match="server"):
        portable(Foreign())


def test_a_net_too_wide_for_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    count = sum(weight.numel() for weight in model.decoder.parameters())
    monkeypatch.setattr("vae.model.portable.MOST_PORTABLE", count)
    portable(model.decoder)
    monkeypatch.setattr("vae.model.portable.MOST_PORTABLE", count - 1)
    with pytest.raises(ConfigError, match="too slow for a browser"):
        portable(model.decoder)


def test_codes_in_sixteen_bits() -> None:
    values = np.random.default_rng(1).standard_normal((500, 3)) * [1, 10, 0] + [0, 5, 2]
    book = pack_codes(values)
    found = book.low + book.step * book.levels
    assert book.levels.dtype == np.uint16
    assert (np.abs(found - values) <= book.step / 2 + 1e-9).all()
    assert (np.abs(found - values)[:, :2] < np.ptp(values[:, :2], 0) / 2**16).all()


def brought(network: nn.Module, likelihood: str = "bernoulli", constant: bool = False) -> ImportedDecoder:
    """A network from z (N, 3) as the decoder of a model from elsewhere, of 12 pixels."""
    given = capture(network.eval(), torch.rand(3, 3))
    config = ImportedConfig(latent=3, likelihood=likelihood, image_shape=(3, 4))
    return ImportedDecoder(given, config, torch.tensor([-1.0]) if constant else None)


class Heads(nn.Module):
    def __init__(self, mean: nn.Module, spread: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 7), nn.Tanh(), nn.Linear(7, 5), nn.Tanh())
        self.mean, self.spread = mean, spread

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = self.body(z)
        return self.mean(h), self.spread(h)


@pytest.mark.slow
def test_perceptrons_from_elsewhere_are_taken_apart() -> None:
    z, x = torch.randn(6, 3), torch.rand(6, 12)
    logits = brought(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 12), nn.Unflatten(1, (3, 4)), nn.Flatten()))
    net = portable(logits)
    (found,) = run(net, net.activation, z.numpy())
    np.testing.assert_allclose(found, logits(z).base_dist.logits.numpy(), rtol=1e-5, atol=1e-5)
    assert net.bounded and net.heads == (12,)
    heads = Heads(nn.Sequential(nn.Linear(5, 12), nn.Sigmoid()), nn.Linear(5, 12))
    net = portable(brought(heads, "gaussian"))
    mean, spread = run(net, net.activation, z.numpy())
    with torch.no_grad():
        np.testing.assert_allclose(1 / (1 + np.exp(-mean)), heads(z)[0].numpy(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(spread, heads(z)[1].numpy(), rtol=1e-5, atol=1e-5)
    assert net.bounded and net.activation == "tanh"
    net = portable(brought(nn.Linear(3, 12), "gaussian-shared", constant=True))
    assert not net.bounded and net.constant and net.heads == (12, 1)
    assert run(net, net.activation, z.numpy())[1][0, 0] == -1
    body = nn.Sequential(nn.Linear(12, 9), nn.SiLU(), nn.Linear(9, 6))
    for split in (lambda x: body(x).chunk(2, 1), lambda x: (body(x)[:, :3], body(x)[:, 3:])):
        encoder = ImportedEncoder(capture(split, torch.rand(3, 12)))
        net = portable(encoder)
        mean, spread = run(net, net.activation, x.numpy())
        np.testing.assert_allclose(mean, encoder(x).mean.numpy(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.exp(0.5 * spread), encoder(x).stddev.numpy(), rtol=1e-5, atol=1e-5)


class Products(nn.Module):
    """A perceptron as ONNX has it: a product, and then the bias, on either side."""

    def __init__(self, scale: float = 1) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.randn(3, 8)), nn.Parameter(torch.randn(12, 8))
        self.bias, self.row = nn.Parameter(torch.randn(8)), nn.Parameter(torch.randn(1, 12))
        self.scale = scale

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(torch.add(z @ self.first, self.bias, alpha=self.scale))
        return self.row + hidden @ self.second.T


def test_products_and_biases_apart_are_a_perceptron() -> None:
    z, network = torch.randn(6, 3), brought(Products())
    net = portable(network)
    (found,) = run(net, net.activation, z.numpy())
    np.testing.assert_allclose(found, network(z).base_dist.logits.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        Products(scale=2),
        nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 12)),  # of two activations
        nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 12)),
        nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 12)),
        nn.Sequential(nn.Linear(3, 12), nn.ReLU()),
        nn.Sequential(nn.Linear(3, 12), nn.Sigmoid()),  # of a Bernoulli the logits are wanted
        nn.Sequential(nn.Linear(3, 12), nn.Unflatten(1, (3, 2, 2)), nn.Conv2d(3, 3, 1), nn.Flatten()),
    ],
)
@pytest.mark.slow
def test_other_graphs_are_left_to_the_server(network: nn.Module) -> None:
    with pytest.raises(ConfigError, match="Only a multilayer perceptron"):
        portable(brought(network))
