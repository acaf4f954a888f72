"""pythae's own trainer, timed; run by `peers.timed` with the Python of an environment where pythae is.

    python -m benchmarks.pythae_peer IMAGES mlp|convolutional

Prints the seconds that one epoch over so many random images takes, in batches of 128, after one to warm up.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig

from benchmarks.usual import BATCH, LATENT, nets


class Encoder(BaseEncoder):
    def __init__(self, body: torch.nn.Module, width: int) -> None:
        super().__init__()
        self.body = body
        self.mu, self.log_variance = torch.nn.Linear(width, LATENT), torch.nn.Linear(width, LATENT)

    def forward(self, x: torch.Tensor) -> ModelOutput:
        h = self.body(x)
        return ModelOutput(embedding=self.mu(h), log_covariance=self.log_variance(h))


class Decoder(BaseDecoder):
    def __init__(self, body: torch.nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, z: torch.Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.body(z).reshape(-1, 1, 28, 28))


def main(images: int, convolutional: bool) -> None:
    logging.disable(logging.WARNING)
    before, width, after = nets(convolutional)
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    model = VAE(config, encoder=Encoder(before, width), decoder=Decoder(after))
    x = (torch.rand(images, 1, 28, 28) < 0.13).float()
    with tempfile.TemporaryDirectory() as folder:
        trainer = BaseTrainer(
            model=model,
            train_dataset=BaseDataset(data=x, labels=torch.zeros(images)),
            training_config=BaseTrainerConfig(
                output_dir=folder, num_epochs=2, per_device_train_batch_size=BATCH, learning_rate=1e-3,
                optimizer_cls="Adam", no_cuda=True,
            ),
        )  # fmt: skip
        trainer.prepare_training()
        trainer.train_step(1)
        start = time.perf_counter()
        trainer.train_step(2)
        print(time.perf_counter() - start)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "convolutional")
