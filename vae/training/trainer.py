"""Training: a trainer that takes one step at a time, and `fit`, a generator of its reports. Neither prints anything.

The caller decides when to stop. `Trainer.state` is the complete state of a training: a trainer restored from it
continues to the same weights, bit for bit on one machine with the same number of threads.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vae.data import Dataset, said_size
from vae.errors import CheckpointError, ConfigError, DataError, DivergenceError
from vae.model import (
    ELBO,
    VAE,
    Autoencoder,
    Objective,
    Terms,
    TrainConfig,
    autocast,
    generator,
    objective_of,
    quick_products,
    settled,
    start_at,
    unchecked,
)
from vae.training.reports import Report
from vae.training.schedules import Rates, learned_from, rates
from vae.training.scores import score

__all__ = ["Trainer", "fit"]


class Trainer:
    """Trains a model in place with fused AdamW, one step at a time.

    Pixels are dequantised or binarised afresh each time an image is used.

    Attributes:
        model: changed in place.
        config: settings, with the precision resolved; `change` replaces it during the training.
        step, steps: optimiser steps taken, and in total.
        images: (N, *image_shape) uint8, the training images; they may be mapped from disk, and are moved to the device
            batch by batch.
        noise: the generator of all random numbers.
        seconds: time spent on steps and evaluations.
        changes: learning rates and betas that were changed during the training, with the step after which.

    Raises:
        DataError: images and model differ in size, or there are no images.
        ConfigError: the weights of the model are frozen, as those of `load` are, or it cannot start at the mean image.
    """

    def __init__(self, model: VAE, dataset: Dataset, config: TrainConfig) -> None:
        _check_images(model, dataset)
        self.model = model
        self.config = settled(config, model)
        self.images = dataset.train.images[: learned_from(len(dataset.train), config)]
        self.held_out = dataset.test.images
        if config.initial == "mean-image":
            start_at(model, self.images)
        self.noise = generator(config.seed, model.device)
        self.steps_an_epoch = math.ceil(len(self.images) / config.batch_size)
        self.steps = self.steps_an_epoch * config.epochs
        self.step, self.seconds = 0, 0.0
        self.changes: list[dict[str, float]] = []
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        if not self._parameters:
            raise ConfigError("A model must not be frozen to be trained; call model.requires_grad_() first.")
        self._optimiser = torch.optim.AdamW(
            self._parameters, weight_decay=config.weight_decay, eps=config.adam_epsilon, fused=True
        )
        self._order = torch.empty(0, dtype=torch.int64)  # order of the images in this epoch
        self._good, self._good_epoch = copy.deepcopy(model.state_dict()), 0
        self._totals = torch.zeros(1 + model.config.latent, device=model.device)  # reconstruction, KL of each dimension
        self._seen, self._spent = 0, 0.0  # images and seconds since the last report
        model.train()

    @property
    def done(self) -> bool:
        """Whether all steps have been taken."""
        return self.step >= self.steps

    @property
    def epoch_ended(self) -> bool:
        """Whether the last step completed an epoch; the report after it evaluates held-out images."""
        return self.step > 0 and self.step % self.steps_an_epoch == 0

    @property
    def good_epoch(self) -> int:
        """The last epoch that ended with finite weights, which the model has after a divergence; 0 at first."""
        return self._good_epoch

    @property
    def rates(self) -> Rates:
        """Learning rate, momentum and beta of the next step."""
        return rates(self.config, self.step, self.steps_an_epoch)

    def change(self, *, learning_rate: float | None = None, beta: float | None = None) -> None:
        """Sets the highest learning rate or the weight of the KL for the following steps; the schedule continues.

        Raises:
            ConfigError: a value is outside its range.
        """
        self.config = replace(
            self.config,
            learning_rate=self.config.learning_rate if learning_rate is None else learning_rate,
            beta=self.config.beta if beta is None else beta,
        )
        self.changes.append({"step": self.step, "learning_rate": self.config.learning_rate, "beta": self.config.beta})

    def advance(self) -> Terms:
        """Takes one optimiser step, and returns the terms of its loss.

        Raises:
            DivergenceError: a loss or gradient is not finite; the model is restored to the last epoch that ended well.
        """
        clock = time.perf_counter()
        now = self.rates
        place = self.step % self.steps_an_epoch * self.config.batch_size
        if place == 0:
            device = self.model.device
            self._order = torch.randperm(len(self.images), generator=self.noise, device=device).cpu()
        rows = self._order[place : place + self.config.batch_size]
        self._optimiser.param_groups[0].update(lr=now.learning_rate, betas=(now.momentum, self.config.adam_beta2))
        self.step += 1
        with quick_products(), unchecked():
            terms, weight = self._terms(rows, now.beta)
            loss = -weight * terms.objective.mean()
            self._optimiser.zero_grad()
            loss.backward()
        sums = [p.grad.sum() for p in self._parameters if p.grad is not None]  # faster than their norm
        if not (loss + torch.stack(sums).sum()).isfinite():
            raise self._diverged()
        self._optimiser.step()
        self._totals += torch.cat([terms.reconstruction.detach().sum(0, True), terms.kl_by_dimension.detach().sum(0)])
        self._seen += len(rows)
        spent = time.perf_counter() - clock
        self.seconds, self._spent = self.seconds + spent, self._spent + spent
        return terms

    def _terms(self, rows: Tensor, beta: float) -> tuple[Terms, float]:
        """Returns the terms for the images in these rows, and the weight of their mean in the loss."""
        model = self.model
        with autocast(self.config, model.device):
            x = model.pixels(self.images[rows].to(model.device), self.noise)
            return objective_of(self.config, beta)(model, x, self.noise), 1.0

    def report(self, held_out_images: int = 2000) -> Report:
        """Reports progress after at least one step, and starts new running means.

        Arguments:
            held_out_images: how many of the first test images are evaluated at the end of an epoch.

        Raises:
            DivergenceError: the last step ruined the weights; they are restored to the last epoch that ended well.
        """
        now = rates(self.config, self.step - 1, self.steps_an_epoch)
        speed = self._seen / max(self._spent, 1e-9)
        held_out: tuple[float | None, float | None] = (None, None)
        if self.epoch_ended:
            clock = time.perf_counter()
            try:
                held_out = self.score(held_out_images)
                sound = math.isfinite(sum(held_out))
            except ValueError:
                sound = False
            if not sound:
                raise self._diverged()
            self._good, self._good_epoch = copy.deepcopy(self.model.state_dict()), self.step // self.steps_an_epoch
            self.seconds += time.perf_counter() - clock
        reconstruction, *each = (self._totals / self._seen).tolist()
        self._totals.zero_()
        self._seen, self._spent = 0, 0.0
        return Report(
            self.step, self.steps, self.step / self.steps_an_epoch, reconstruction, sum(each), *held_out,
            self.seconds, speed, () if self.config.objective == "autoencoder" else tuple(each),
            self.seconds / self.step * (self.steps - self.step), now.learning_rate, now.beta,
        )  # fmt: skip

    def score(self, images: int = 2000) -> tuple[float, float]:
        """Returns the parts of the plain ELBO, or of the autoencoder's objective, on the first test images."""
        bound = ELBO(self.config.samples if self.config.objective == "elbo" else 1)
        objective = Autoencoder() if self.config.objective == "autoencoder" else bound
        found = self._score(self.held_out[:images], objective)
        self.model.train()
        return found

    def _score(self, images: Tensor, objective: Objective) -> tuple[float, float]:
        return score(self.model, images, objective)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Returns the complete state of a training: tensors by name, and other facts as JSON types.

        The tensors are those in use: write them at once rather than keeping them.
        """
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= {f"good.{key}": value for key, value in self._good.items()}
        for i, p in enumerate(self._parameters):
            tensors |= {f"adam.{i}.{key}": value for key, value in self._optimiser.state[p].items()}
        tensors |= {"noise": self.noise.get_state(), "order": self._order.int(), "totals": self._totals}
        facts = {
            "config": self.config.to_dict(), "changes": self.changes, "step": self.step,
            "good_epoch": self._good_epoch, "seen": self._seen, "spent": self._spent, "seconds": self.seconds,
        }  # fmt: skip
        return tensors, facts

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Restores a training from the result of `state`, with the same model, data and config as before.

        Raises:
            CheckpointError: the state belongs to another model, or is damaged.
        """
        try:
            config, changes = TrainConfig.from_dict(facts["config"]), list(facts["changes"])
            weights, good, moments = (_under(tensors, part) for part in ("model", "good", "adam"))
            numbers = {key: type(getattr(self, key))(facts[key.strip("_")]) for key in _NUMBERS}
            adam = [(p, _under(moments, str(i))) for i, p in enumerate(self._parameters)]
            if any(moment.shape not in (p.shape, ()) for p, own in adam for moment in own.values()):
                raise ValueError("Adam's moments have other shapes")
            self.model.load_state_dict(weights)
            self._good = {key: value.to(self.model.device, copy=True) for key, value in good.items()}
            # copies, because arithmetic is bit-for-bit repeatable only with the usual alignment in memory
            for p, own in adam:
                self._optimiser.state[p] = {key: value.to(p.device, copy=True) for key, value in own.items()}
            self.noise.set_state(tensors["noise"].clone())
            self._order = tensors["order"].to(self._order.device, torch.int64)
            self._totals = tensors["totals"].to(self._totals.device, copy=True)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise CheckpointError(f"A training's state must match its model; this one does not ({error}).") from error
        self.config, self.changes = config, changes
        vars(self).update(numbers)

    def _diverged(self) -> DivergenceError:
        self.model.load_state_dict(self._good)
        ways = [f"a lower learning rate than {self.config.learning_rate:g}"]
        if self.model.config.likelihood != "bernoulli" and self.model.config.log_variance_floor is None:
            ways.insert(0, "a variance floor such as -6")
        message = (
            f"The loss must stay finite; at step {self.step} it did not. The model is back to its state after epoch "
            f"{self._good_epoch}. Try {' or '.join(ways)}."
        )
        return DivergenceError(message, self.step)


_NUMBERS = ("step", "seconds", "_good_epoch", "_seen", "_spent")


def fit(
    model: VAE, dataset: Dataset, config: TrainConfig, *, report_every: int = 50, held_out_images: int = 2000
) -> Iterator[Report]:
    """Trains a model in place; see `Trainer`.

    Arguments:
        model: changed in place; if the iteration is stopped early, it is as it was at the last report.
        dataset: its training images are trained on, its test images are held out.
        config: settings of the training.
        report_every: steps between reports; there is always a report at the end of an epoch.
        held_out_images: how many of the first test images are evaluated for the reports.

    Yields:
        Reports, the last of them at the last step.

    Raises:
        DataError, ConfigError: as for `Trainer`.
        DivergenceError: a loss or gradient is not finite; the model is restored to the last epoch that ended well.
    """
    trainer = Trainer(model, dataset, config)
    while not trainer.done:
        trainer.advance()
        if trainer.step % report_every == 0 or trainer.epoch_ended:
            yield trainer.report(held_out_images)
    model.eval()


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{prefix}."): value for key, value in tensors.items() if key.startswith(f"{prefix}.")}


def _check_images(model: VAE, dataset: Dataset) -> None:
    shape = model.config.image_shape
    for name, split in (("training", dataset.train), ("test", dataset.test)):
        if len(split.images) == 0:
            raise DataError(f"A data set needs at least one {name} image; {dataset.name} has none.")
        if tuple(split.images.shape[1:]) != shape:
            want, came = said_size(shape), said_size(tuple(split.images.shape[1:]))
            raise DataError(
                f"The images must be {want}, the size of the model; those of {dataset.name} are {came}. "
                f"Set image_shape to match."
            )
