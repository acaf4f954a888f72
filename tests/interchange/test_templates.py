"""The descriptions to begin with are read as they stand, in TOML and in JSON."""

import pytest
import safetensors.torch
from torch import nn

from vae.interchange import TEMPLATES, as_json, read_layers

NETS = {
    "perceptron": {
        "fc1": nn.Linear(784, 50), "fc21": nn.Linear(50, 20), "fc22": nn.Linear(50, 20), "fc3": nn.Linear(20, 50),
        "fc4": nn.Linear(50, 784),
    },
    "convolutional": {
        "enc": nn.Sequential(nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1)),
        "to_mean": nn.Linear(64 * 49, 10), "to_log_variance": nn.Linear(64 * 49, 10),
        "dec": nn.Sequential(
            nn.Linear(10, 64 * 49), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)), nn.ConvTranspose2d(64, 32, 4, 2, 1),
            nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1),
        ),
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_read_as_it_stands(name: str) -> None:
    weights = safetensors.torch.save(nn.ModuleDict(NETS[name]).state_dict())
    for text in (TEMPLATES[name], as_json(TEMPLATES[name])):
        found = read_layers(weights, text)
        assert found.image_shape == (28, 28) and found.gives == "probabilities"
