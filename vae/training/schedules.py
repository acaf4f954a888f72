"""Learning rate, momentum and beta over a training, as functions of the step, without any state."""

from __future__ import annotations

import math
from typing import NamedTuple

from vae.model import TrainConfig

__all__ = ["Rates", "learned_from", "rates"]

# Smith & Topin (2018): up over 30% of the steps from 1/25 of the highest rate, then down to 1/10,000 of the first
_RISE, _FIRST, _LAST = 0.3, 25, 1e4


class Rates(NamedTuple):
    """The rates of one step.

    Attributes:
        learning_rate: of AdamW.
        momentum: its beta1, which one-cycle varies inversely to the learning rate.
        beta: weight of the KL.
    """

    learning_rate: float
    momentum: float
    beta: float


def rates(config: TrainConfig, step: int, steps_an_epoch: int) -> Rates:
    """Returns the rates of a step.

    one-cycle: half a cosine up over 30% of the steps, half a cosine down; adam_beta1 + 0.05, down to - 0.05, and back.
    constant, cosine: a linear rise over `warmup` epochs, then the highest rate, or half a cosine from it down to 0.
    beta: a linear rise from 0 over `beta_warmup` epochs.

    Arguments:
        config: how a model is trained.
        step: counted from 0.
        steps_an_epoch: optimiser steps per pass over the training images.
    """
    steps = steps_an_epoch * config.epochs
    beta = config.beta * _risen(step, config.beta_warmup * steps_an_epoch)
    if config.schedule == "one-cycle":
        return Rates(*_one_cycle(config, step, max(steps, 2)), beta)
    rise = config.warmup * steps_an_epoch
    rate = config.learning_rate * _risen(step + 1, rise)  # so that the rate of the first step is not 0
    if config.schedule == "cosine" and step >= rise:
        rate *= (1 + math.cos(math.pi * (step - rise) / (steps - rise))) / 2
    return Rates(rate, config.adam_beta1, beta)


def _risen(steps: float, over: float) -> float:
    return min(1.0, steps / over) if over else 1.0


def _one_cycle(config: TrainConfig, step: int, steps: int) -> tuple[float, float]:
    highest, first = config.learning_rate, config.learning_rate / _FIRST
    # in hundredths, so that the default gives 0.95 and 0.85 to the last bit
    slow, quick = (100 * config.adam_beta1 + 5) / 100, (100 * config.adam_beta1 - 5) / 100
    top = _RISE * steps - 1
    if step <= top:
        return _cosine(first, highest, step / top), _cosine(slow, quick, step / top)
    share = (step - top) / (steps - 1 - top)
    return _cosine(highest, first / _LAST, share), _cosine(quick, slow, share)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (math.cos(math.pi * share) + 1)


def learned_from(images: int, config: TrainConfig) -> int:
    """Returns the number of training images that a model is trained on."""
    return max(1, round(config.share * images))
