"""Gradient ascent on the ELBO in single steps, observed on one image that is not among the training images.

(theta, phi) <- (theta, phi) + eta * gradient of the batch's mean of log p(x|mu + sigma * eps) - KL[q(z|x) || p(z)]
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.data import Dataset
from vae.model import ELBO, ModelConfig, TrainConfig, build, generator
from vae.training import SlowStep, Trainer, slow_step

__all__ = ["Climb", "Look"]

Array = NDArray[Any]
_DRAWS = 16  # samples from which the bound of the image is estimated


class Look(NamedTuple):
    """The image after a step.

    Attributes:
        step: number of steps taken.
        reconstruction, elbo: nats, L1 and the bound, from the same 16 samples each time.
        decoded: (H, W) or (H, W, 3), the mean of p(x|z) at the mean of q(z|x), in [0, 1].
    """

    step: int
    reconstruction: float
    elbo: float
    decoded: Array


class Climb:
    """A model that starts untrained, and takes as many steps as requested.

    Arguments:
        model_config, config: of the model and its training.
        dataset: to train on.
        x: (1, D), pixels of the image that is observed.

    Attributes:
        trainer: of the model.
        last: the latest step in slow motion.
        looks: at the image, before the first step and after each call of `go`.

    Raises:
        VAEError: the settings of the training are rejected.
    """

    def __init__(self, model_config: ModelConfig, dataset: Dataset, config: TrainConfig, x: Tensor) -> None:
        self.trainer = Trainer(build(model_config, config.seed), dataset, config)
        self.x = x
        self.last: SlowStep | None = None
        self.looks = [self._look()]

    def go(self, steps: int = 1) -> None:
        """Takes the given number of optimiser steps, the last of them in slow motion, and looks at the image.

        Raises:
            DivergenceError: as `Trainer.advance`.
        """
        for _ in range(steps - 1):
            self.trainer.advance()
        self.last = slow_step(self.trainer)
        self.looks.append(self._look())

    def _look(self) -> Look:
        model = self.trainer.model
        with torch.inference_mode():
            terms = ELBO(_DRAWS)(model, self.x, generator(0))
            decoded = model.decoder(model.encoder(self.x).mean).mean.unflatten(-1, model.config.image_shape)[0]
        return Look(
            self.trainer.step, float(terms.reconstruction[0]), float(terms.elbo[0]), np.asarray(decoded.numpy())
        )
