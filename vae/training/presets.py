"""An estimate of how long a training takes on this machine, for a preset or any other settings."""

from __future__ import annotations

import time

from vae.data import Dataset
from vae.model import best_device, build
from vae.settings import PRESETS, ModelConfig, Preset, TrainConfig, fitted_to
from vae.training.trainer import Trainer

__all__ = ["PRESETS", "Preset", "estimate", "fitted_to"]


def estimate(model_config: ModelConfig, config: TrainConfig, dataset: Dataset, seconds: float = 0.5) -> float:
    """Estimates how long a training would take here and now, by timing a few steps and discarding them.

    Arguments:
        model_config, config: the model and its training.
        dataset: to train on.
        seconds: how long to measure, after two steps of warm-up; at least one step is measured.

    Returns:
        Seconds for the steps and for the evaluations at the ends of epochs; loading images and the final evaluation
        come on top.

    Raises:
        VAEError: the training would be rejected, or diverges immediately.
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
