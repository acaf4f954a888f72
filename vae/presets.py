"""Trainings that are known to work, by name, and how long one would take here."""

from __future__ import annotations

import time
from typing import NamedTuple

from vae.config import ModelConfig, TrainConfig
from vae.data import Dataset
from vae.models import build
from vae.training import Trainer

__all__ = ["PRESETS", "Preset", "estimate"]


class Preset(NamedTuple):
    """A model and how it is trained."""

    model: ModelConfig
    training: TrainConfig


_WIDE = ModelConfig(encoder_layers=(1024, 512))
PRESETS: dict[str, Preset] = {
    # to watch a latent space form while a class looks on
    "quick-2d": Preset(ModelConfig(), TrainConfig(epochs=10)),
    "quick-bernoulli-2d": Preset(ModelConfig(likelihood="bernoulli", activation="silu"), TrainConfig(epochs=10)),
    # the models that ship, whose cards have their figures
    "mnist-2d": Preset(_WIDE, TrainConfig(epochs=50, weight_decay=0.1)),
    "mnist-5d": Preset(ModelConfig(latent=5), TrainConfig(epochs=60, weight_decay=0.1)),
    "mnist-20d": Preset(ModelConfig(latent=20), TrainConfig(epochs=40, weight_decay=0.1)),
    "mnist-bernoulli-2d": Preset(
        ModelConfig(likelihood="bernoulli", activation="silu"), TrainConfig(epochs=30, weight_decay=0.1)
    ),
    # objectives other than the ELBO
    "beta-10d": Preset(ModelConfig(latent=10), TrainConfig(epochs=10, beta=4, beta_warmup=2)),
    "free-bits-20d": Preset(
        ModelConfig(latent=20, likelihood="bernoulli"), TrainConfig(epochs=10, free_bits=0.5)
    ),
    "iwae-2d": Preset(
        ModelConfig(likelihood="bernoulli", activation="silu"), TrainConfig(epochs=10, objective="iwae", samples=10)
    ),
}  # fmt: skip


def estimate(model_config: ModelConfig, config: TrainConfig, dataset: Dataset, seconds: float = 0.5) -> float:
    """Estimates what a training would take here and now, from steps that are measured and forgotten.

    Arguments:
        model_config, config: what, and how.
        dataset: what it would learn from.
        seconds: how long to measure, once the first two steps have warmed up; at least one step is.

    Returns:
        Seconds of steps and of the scores at the ends of epochs; loading images and the figures at the end come on top.

    Raises:
        VAEError: the training would be refused, or diverges at once.
    """
    trainer = Trainer(build(model_config, config.seed), dataset, config)
    for _ in range(2):
        trainer.advance()
    taken, clock = 0, time.perf_counter()
    while taken == 0 or time.perf_counter() - clock < seconds:
        trainer.advance()
        taken += 1
    a_step = (time.perf_counter() - clock) / taken
    clock = time.perf_counter()
    trainer.score()
    return trainer.steps * a_step + config.epochs * (time.perf_counter() - clock)
