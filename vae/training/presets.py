"""How long a training would take here, a preset or any other."""

from __future__ import annotations

import time

from vae.data import Dataset
from vae.model import best_device, build
from vae.settings import PRESETS, ModelConfig, Preset, TrainConfig, fitted_to
from vae.training.trainer import Trainer

__all__ = ["PRESETS", "Preset", "estimate", "fitted_to"]


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
    trainer = Trainer(build(model_config, config.seed).to(best_device()), dataset, config)
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
