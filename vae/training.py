"""Training: a generator of reports, which never prints, draws or sleeps. Whoever iterates it decides when to stop."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vae.config import TrainConfig
from vae.data import Dataset
from vae.distributions import generator
from vae.errors import ConfigError, DataError, DivergenceError
from vae.models import VAE
from vae.objectives import ELBO, Autoencoder, Objective, objective_of
from vae.schedules import rates

__all__ = ["Report", "fit", "learned_from", "score"]


class Report(NamedTuple):
    """How training stands. Nats an image, means since the report before; held-out parts at the end of an epoch only.

    Attributes:
        step, steps: optimiser steps taken, and in all.
        epoch: passes over the training images, with its fraction.
        reconstruction, kl: parts of the ELBO on training images, whatever the objective makes of them.
        held_out_reconstruction, held_out_kl: the same on held-out images.
        seconds: since the start, without what the caller did between reports.
        images_per_second: over the steps since the report before.
    """

    step: int
    steps: int
    epoch: float
    reconstruction: float
    kl: float
    held_out_reconstruction: float | None
    held_out_kl: float | None
    seconds: float
    images_per_second: float


def fit(
    model: VAE, dataset: Dataset, config: TrainConfig, *, report_every: int = 50, held_out_images: int = 2000
) -> Iterator[Report]:
    """Trains a model in place with fused AdamW.

    Maximises the mean of the objective. Pixels are dequantised or binarised afresh at every visit.

    Arguments:
        model: changed in place; stopping the iteration early leaves it as the last report found it.
        dataset: its training images are learned from, its test images are held out.
        config: how.
        report_every: steps between reports; the end of an epoch always reports.
        held_out_images: how many of the first test images the reports score.

    Yields:
        Reports, the last of them at the last step.

    Raises:
        DataError: images and model differ in size, or there are none.
        ConfigError: the model's weights are frozen, as those of `load` are.
        DivergenceError: a loss or gradient is not finite; the model is as it was at the last sound end of an epoch.
    """
    _check_images(model, dataset)
    held_out_objective: Objective = Autoencoder()
    if config.objective != "autoencoder":
        held_out_objective = ELBO(config.samples if config.objective == "elbo" else 1)
    noise = generator(config.seed)
    images = dataset.train.images[: learned_from(len(dataset.train), config)]
    steps_an_epoch = math.ceil(len(images) / config.batch_size)
    steps = steps_an_epoch * config.epochs
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ConfigError("A model in training needs weights that may change; call model.requires_grad_() first.")
    optimiser = torch.optim.AdamW(parameters, weight_decay=config.weight_decay, eps=config.adam_epsilon, fused=True)
    good = copy.deepcopy(model.state_dict())
    good_epoch, step, seen, seconds = 0, 0, 0, 0.0
    totals = torch.zeros(2)
    clock = before = time.perf_counter()
    model.train()
    for epoch in range(1, config.epochs + 1):
        for rows in torch.randperm(len(images), generator=noise).split(config.batch_size):
            now = rates(config, step, steps_an_epoch)
            optimiser.param_groups[0].update(lr=now.learning_rate, betas=(now.momentum, config.adam_beta2))
            step += 1
            try:
                terms = objective_of(config, now.beta)(model, model.pixels(images[rows], noise), noise)
                loss = -terms.objective.mean()
                optimiser.zero_grad()
                loss.backward()
                norm = torch.nn.utils.get_total_norm(p.grad for p in parameters if p.grad is not None)
                sound = bool((loss + norm).isfinite())
            except ValueError:  # a distribution refuses parameters that are not numbers
                sound = False
            if not sound:
                model.load_state_dict(good)
                raise DivergenceError(_diverged(model, config, step, good_epoch), step)
            optimiser.step()
            totals += torch.stack([terms.reconstruction.detach().sum(), terms.kl.detach().sum()])
            seen += len(rows)
            if step % report_every == 0 or step % steps_an_epoch == 0:
                held_out: tuple[float | None, float | None] = (None, None)
                spent = time.perf_counter() - before
                if step % steps_an_epoch == 0:
                    try:
                        held_out = score(model, dataset.test.images[:held_out_images], held_out_objective)
                        sound = math.isfinite(sum(held_out))
                    except ValueError:
                        sound = False
                    if not sound:  # the step itself has spoilt the weights
                        model.load_state_dict(good)
                        raise DivergenceError(_diverged(model, config, step, good_epoch), step)
                    good, good_epoch = copy.deepcopy(model.state_dict()), epoch
                    model.train()
                seconds += time.perf_counter() - clock
                reconstruction, kl = (totals / seen).tolist()
                yield Report(step, steps, step / steps_an_epoch, reconstruction, kl, *held_out, seconds, seen / spent)
                totals.zero_()
                seen = 0
                clock = before = time.perf_counter()
    model.eval()


def learned_from(images: int, config: TrainConfig) -> int:
    """Returns how many of the training images a model learns from."""
    return max(1, round(config.share * images))


@torch.inference_mode()
def score(model: VAE, images: Tensor, objective: Objective, seed: int = 0, batch: int = 1000) -> tuple[float, float]:
    """Returns the mean reconstruction and KL of images (N, H, W) uint8 under an objective, in nats an image."""
    model.eval()
    noise = generator(seed)
    totals = torch.zeros(2, dtype=torch.float64)
    for part in images.split(batch):
        terms = objective(model, model.pixels(part, noise), noise)
        totals += torch.stack([terms.reconstruction.double().sum(), terms.kl.double().sum()])
    reconstruction, kl = (totals / len(images)).tolist()
    return reconstruction, kl


def _check_images(model: VAE, dataset: Dataset) -> None:
    shape = model.config.image_shape
    for name, split in (("training", dataset.train), ("test", dataset.test)):
        if len(split.images) == 0:
            raise DataError(f"A data set needs at least one {name} image; {dataset.name} has none.")
        if tuple(split.images.shape[1:]) != shape:
            came = " x ".join(map(str, split.images.shape[1:]))
            raise DataError(
                f"The images must be {shape[0]} x {shape[1]} pixels, as the model is; {dataset.name} has {came}. "
                f"Set image_shape to match."
            )


def _diverged(model: VAE, config: TrainConfig, step: int, good_epoch: int) -> str:
    ways = [f"a lower learning rate than {config.learning_rate:g}"]
    if model.config.likelihood != "bernoulli" and model.config.log_variance_floor is None:
        ways.insert(0, "a variance floor such as -6")
    return (
        f"The loss must stay finite; at step {step} it did not. The model is as it was after epoch {good_epoch}. "
        f"Try {' or '.join(ways)}."
    )
