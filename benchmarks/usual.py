"""What people run instead: the script that everyone begins with, and the nets that it shares with pythae's row.

It needs PyTorch and torchvision alone, so that an environment without this project can import it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

__all__ = ["BATCH", "LATENT", "Usual", "loader", "nets", "train"]

BATCH, LATENT = 128, 20


def nets(convolutional: bool) -> tuple[nn.Sequential, int, nn.Sequential]:
    """Returns what stands before q's heads, its width, and the decoder: 784-400-20, or two convolutions each way."""
    if not convolutional:
        decoder = nn.Sequential(nn.Linear(LATENT, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU()), 400, decoder
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(3136, 256), nn.ReLU(),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(LATENT, 256), nn.ReLU(), nn.Linear(256, 3136), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Flatten(), nn.Sigmoid(),
    )  # fmt: skip
    return encoder, 256, decoder


class Usual(nn.Module):
    """A VAE as it is usually written: mu and log variance out, a sigmoid, binary cross entropy."""

    def __init__(self, convolutional: bool = False) -> None:
        super().__init__()
        self.encoder, width, self.decoder = nets(convolutional)
        self.mu, self.log_variance = nn.Linear(width, LATENT), nn.Linear(width, LATENT)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x)
        mu, log_variance = self.mu(h), self.log_variance(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * log_variance)
        return self.decoder(z), mu, log_variance


def loss(x: Tensor, reconstruction: Tensor, mu: Tensor, log_variance: Tensor) -> Tensor:
    """Minus the ELBO, summed over a batch."""
    entropy = functional.binary_cross_entropy(reconstruction, x.flatten(1), reduction="sum")
    return entropy - 0.5 * torch.sum(1 + log_variance - mu.pow(2) - log_variance.exp())


def loader(folder: Path) -> DataLoader:
    """MNIST as torchvision has it: an image decoded and turned into a tensor at each visit."""
    from torchvision import datasets, transforms

    images = datasets.MNIST(str(folder), train=True, transform=transforms.ToTensor())
    return DataLoader(images, batch_size=BATCH, shuffle=True)


def train(
    model: Usual, batches: Iterator[tuple[Tensor, Tensor]], optimiser: torch.optim.Optimizer, binarise: bool
) -> float:
    """Takes a step for each batch, and returns the mean loss an image."""
    model.train()
    total, images = 0.0, 0
    for x, _ in batches:
        x = torch.bernoulli(x) if binarise else x
        optimiser.zero_grad()
        bound = loss(x, *model(x))
        bound.backward()
        total += bound.item()
        images += len(x)
        optimiser.step()
    return total / images
