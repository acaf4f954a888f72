"""State dicts with a description: the same numbers as the modules whose weights they are."""

import json
from typing import Any

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae.errors import CheckpointError, ConfigError, VAEError
from vae.interchange import Found, read_layers
from vae.interchange.descriptions import __doc__ as described

EXAMPLE = described[described.index("    latent") : described.index("This is PyTorch")]


class Example(nn.Module):
    """The architecture of PyTorch's example: 784-400-20 and back."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.fc3, self.fc4 = nn.Linear(20, 400), nn.Linear(400, 784)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))


def bound(encode: Any, decode: Any, x: Tensor, noise: Tensor) -> Tensor:
    """The ELBO as that example has it: a binary cross entropy and a KL."""
    mean, log_variance = encode(x)
    p = decode(mean + noise * (0.5 * log_variance).exp())
    kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)
    return -F.binary_cross_entropy(p, x, reduction="none").sum(1) - kl


@pytest.mark.slow
def test_the_example_of_pytorch_gives_what_it_gives() -> None:
    module, x, z = Example(), torch.rand(5, 784), torch.randn(5, 20)
    found = read_layers(safetensors.torch.save(module.state_dict()), EXAMPLE)
    assert (found.latent, found.image_shape, found.gives) == (20, (28, 28), "probabilities")
    for ours, theirs in zip(found.encoder(x), module.encode(x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.decoder(z)[0], module.decode(z), rtol=1e-6, atol=1e-6)
    ours = bound(found.encoder, lambda z: found.decoder(z)[0], x, z)
    torch.testing.assert_close(ours, bound(module.encode, module.decode, x, z), rtol=1e-6, atol=1e-6)


class Colour(nn.Module):
    """Convolutions of images in colour, both halves of the code from one layer, and a Gaussian's mean and variance."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(3, 4, 4, 2, 1, bias=False),
            nn.BatchNorm2d(4, eps=1e-3),
            nn.LeakyReLU(0.3),
            nn.Conv2d(4, 6, 3, 2, 1),
        )
        self.act, self.code = nn.PReLU(6), nn.Linear(54, 4)
        self.dec = nn.Sequential(nn.Linear(2, 54), nn.LayerNorm(54), nn.ReLU(), nn.Unflatten(1, (6, 3, 3)))
        self.up = nn.ConvTranspose2d(6, 4, 3, 2, 1, output_padding=1)
        self.mean, self.log_variance = nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def encode(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.code(self.act(self.enc(x)).flatten(1)).chunk(2, 1)

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        h = self.up(self.dec(z)).tanh()
        return self.mean(h), self.log_variance(h)


COLOUR: dict[str, Any] = {
    "latent": 2,
    "image": [12, 12, 3],
    "likelihood": "gaussian",
    "encoder": {
        "layers": [
            {"conv": "enc.0", "stride": 2, "padding": 1},
            {"batch_norm": "enc.1", "epsilon": 1e-3},
            {"leaky_relu": 0.3},
            {"conv": "enc.3", "stride": 2, "padding": 1},
            "act",
        ],
        "mean": "code",
        "log_variance": "code",
    },
    "decoder": {
        "layers": [
            "dec.0",
            "dec.1",
            "relu",
            {"reshape": [6, 3, 3]},
            {"conv_transpose": "up", "stride": 2, "padding": 1, "output_padding": 1},
            "tanh",
        ],
        "mean": {"conv_transpose": "mean", "stride": 2, "padding": 1},
        "log_variance": {"conv_transpose": "log_variance", "stride": 2, "padding": 1},
    },
}


def colour() -> tuple[Colour, Found]:
    module = Colour().train()
    module.encode(torch.rand(16, 3, 12, 12))  # running averages that are not those of an untrained network
    return module.eval(), read_layers(safetensors.torch.save(module.state_dict()), json.dumps(COLOUR))


@pytest.mark.slow
def test_convolutions_in_colour_give_what_they_gave() -> None:
    module, found = colour()
    x, z = torch.rand(5, 3, 12, 12), torch.randn(5, 2)
    assert (found.image_shape, found.gives) == ((12, 12, 3), "mean and log variance")
    for ours, theirs in zip(found.encoder(x.permute(0, 2, 3, 1).flatten(1)), module.encode(x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(found.decoder(z), module.decode(z), strict=True):
        torch.testing.assert_close(ours, theirs.permute(0, 2, 3, 1).flatten(1), rtol=1e-5, atol=1e-6)


SMALL = {
    name: torch.ones(shape)
    for name, shape in {
        "a.weight": (3, 4),
        "a.bias": (3,),
        "b.weight": (1, 3),
        "c.weight": (4, 1),
        "k.weight": (2, 2, 3, 3),
        "torn.weight": (2, 2, 2),
        "up.weight": (1, 1, 3, 3),
    }.items()
}
GOOD: dict[str, Any] = {
    "latent": 1,
    "image": [2, 2],
    "likelihood": "bernoulli",
    "encoder": {"layers": ["a", "relu"], "mean": "b", "log_variance": ["b", "tanh"]},
    "decoder": {"layers": ["c"]},
}


@pytest.mark.slow
def test_logits_are_what_a_bernoulli_decoder_without_a_sigmoid_gives() -> None:
    assert read_layers(safetensors.torch.save(SMALL), json.dumps(GOOD)).gives == "logits"


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"latent": "two"}, ConfigError, "latent must be a whole number"),
        ({"latent": 2}, CheckpointError, "does not match the one before it"),
        (
            {"encoder": {"layers": [], "mean": "relu", "log_variance": "relu"}},
            CheckpointError,
            "encoder must return 1 and 1",
        ),
        ({"latent": 10**9}, CheckpointError, "1 to 1,024 latent"),
        ({"image": 28}, ConfigError, "image must be"),
        ({"image": [2, 200]}, ConfigError, "at most 128 x 128"),
        ({"image": [2, 2, 4]}, ConfigError, r"3\) for colour"),
        ({"image": [3, 3]}, CheckpointError, "does not match the one before it"),
        ({"likelihood": "poisson"}, ConfigError, "bernoulli or gaussian"),
        ({"colour": True}, ConfigError, "must not have colour"),
        ({"encoder": ["a"]}, ConfigError, "table of names"),
        ({"encoder": {"layers": []}}, ConfigError, "lacks log_variance, mean"),
        ({"decoder": {"layers": ["z"]}}, ConfigError, "'z' is not a layer or an activation here. The file has a, b, c"),
        ({"decoder": {"layers": ["torn"]}}, ConfigError, "'torn' is not"),
        ({"decoder": {"layers": [7]}}, ConfigError, "neither"),
        ({"decoder": {"layers": [{"conv": "a"}]}}, ConfigError, "four dimensions"),
        ({"decoder": {"layers": [{"conv": "k", "stride": -1}]}}, ConfigError, "stride must be a whole number"),
        ({"decoder": {"layers": [{"conv": "k", "strides": 1}]}}, ConfigError, "conv must not have strides"),
        ({"decoder": {"layers": [{"conv": "k", "groups": 3}]}}, ConfigError, "cannot be made"),
        ({"decoder": {"layers": [{"batch_norm": "a"}]}}, ConfigError, "running_mean"),
        ({"decoder": {"layers": [{"reshape": "flat"}]}}, ConfigError, "reshape must be"),
        (
            {"decoder": {"layers": [{"reshape": [1, 1, 1]}, *[{"conv_transpose": "up", "stride": 64}] * 5]}},
            CheckpointError,
            "more than 4,194,304 numbers",
        ),
        ({"decoder": {"layers": ["relu"] * 300}}, ConfigError, "at most 200"),
        ({"decoder": {"layers": ["c"], "log_variance": "c"}}, ConfigError, "mean as well"),
        ({"decoder": {"layers": [], "mean": "c", "log_variance": "c"}}, ConfigError, "With a Bernoulli"),
    ],
)
def test_a_description_that_is_wrong_is_refused(change: dict[str, Any], error: type[VAEError], says: str) -> None:
    with pytest.raises(error, match=says):
        read_layers(safetensors.torch.save(SMALL), json.dumps(GOOD | change))


def test_a_description_is_toml_or_json() -> None:
    with pytest.raises(ConfigError, match="neither TOML nor JSON"):
        read_layers(safetensors.torch.save(SMALL), "latent: 20")
