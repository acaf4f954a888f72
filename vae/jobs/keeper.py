"""A trainer with its folder: takes the steps, handles requests in between, and keeps everything on disk."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from vae import distributed
from vae.data import load_dataset
from vae.errors import ConfigError, DivergenceError, JobError
from vae.jobs.cards import card
from vae.jobs.control import requests
from vae.jobs.files import Lock, append, vanished
from vae.jobs.job import says, tell
from vae.jobs.replay import Recorder
from vae.jobs.states import load_state, save_state
from vae.latent import held_out_figures
from vae.model import MODEL_FILE, ModelConfig, Record, TrainConfig, best_device, build, save
from vae.paths import write_aside
from vae.training import Report, reports, save_slow_step, slow_step

__all__ = ["Keeper", "Plan", "Stopped", "read_plan"]

REPORT_EVERY = 50  # steps
SAVE_EVERY = 10.0  # seconds between saved states
SAVE_SHARE = 0.02  # fraction of the time that is spent on saving states, at most
_DIVERGED = "The loss must stay finite"  # start of the message of a training that diverged


class Plan(NamedTuple):
    """The model, its data and its training; `half` stores weights as float16."""

    model: ModelConfig
    training: TrainConfig
    half: bool = False


class Stopped(Exception):
    """A request stopped the training, or its time is over; the message says which."""


class Keeper:
    """A trainer with its folder. It stops after the given number of seconds, or never if None."""

    def __init__(self, folder: Path, plan: Plan, lock: Lock, resumed: bool, seconds: float | None = None) -> None:
        self.until = time.monotonic() + (math.inf if seconds is None else seconds)
        self.folder, self.plan, self.lock = folder, plan, lock
        self.dataset = load_dataset(plan.training.data)
        model = build(plan.model, plan.training.seed).to(best_device())
        self.trainer = distributed.trainer(model, self.dataset, plan.training)
        self.of = {
            "model": plan.model.to_dict(), "training": plan.training.to_dict(), "data": self.dataset.checksum
        }  # fmt: skip
        self.of = json.loads(json.dumps(self.of))  # tuples become lists, as in the files that this is compared with
        self.paused, self.singles = False, 0
        self.whole = True  # the last step was taken and reported; an interrupt may come in between
        self.saved, self.took = time.monotonic(), 0.0
        if resumed and (folder / "state.safetensors").exists():
            load_state(folder / "state.safetensors", self.trainer, self.of)
        elif not resumed:
            for leftover in ("state.safetensors", "step.npz"):
                (folder / leftover).unlink(missing_ok=True)
            write_aside(folder / "config.json", json.dumps({**self.of, "half": plan.half}).encode())
        step = self.trainer.step
        reports.keep(folder / "history.jsonl", step)  # later reports will be repeated
        self.recorder = Recorder(
            folder, self.trainer.model, self.dataset.test, self.trainer.steps_an_epoch, step,
            by_variance=plan.training.objective == "autoencoder",
        )  # fmt: skip
        if step == 0:
            self.recorder.record(0)

    def reports(self) -> Generator[Report]:
        """Takes the remaining steps one by one, and handles requests in between.

        Raises:
            DivergenceError: the loss diverged; the saved model is that of the last epoch that ended well.
        """
        try:
            yield from self._steps()
        except DivergenceError:
            epoch = self.trainer.good_epoch
            if epoch or not (self.folder / MODEL_FILE).exists():  # an existing model is better than an untrained one
                self._save_model(epoch)
            raise

    def _steps(self) -> Generator[Report]:
        trainer = self.trainer
        while not trainer.done:
            self._heed()
            self.whole = False
            if self.paused:
                save_slow_step(self.folder / "step.npz", slow_step(trainer))
            else:
                trainer.advance()
            if self.paused or trainer.done or self.recorder.due(trainer.step):
                self._check()
                self.recorder.record(trainer.step)
            report = None
            if trainer.step % REPORT_EVERY == 0 or trainer.epoch_ended or self.paused:
                report = trainer.report()
                self._check()
                append(self.folder / "history.jsonl", reports.line(report))
            self.whole = True
            if report:
                if trainer.epoch_ended:
                    self._save_model()
                yield report
            if time.monotonic() - self.saved > max(SAVE_EVERY, self.took / SAVE_SHARE):
                self._save_state()

    def stop(self) -> None:
        """Saves the model and the state at once, then evaluates the model."""
        if self.trainer.step == 0 or not self.lock.intact:
            return
        if self.whole:  # otherwise the steps since the last state are repeated on resuming
            self._save_state()
        self._save_model()
        if self.whole:
            self.recorder.record(self.trainer.step)
        tell(self.folder, "stopped")
        self.finish()

    def finish(self) -> None:
        """Evaluates the model on all test images, and saves it with its figures and card."""
        model, half = self.trainer.model.eval().cpu(), self.plan.half
        if half:
            model.half().float()
        record = replace(self._record(), held_out=held_out_figures(model, self.dataset, self.plan.training))
        self._check()
        save(model, record, overwrite=True, half=half, folder=self.folder.parent)
        write_aside(self.folder / "card.md", card(record, self.dataset, half).encode())

    def _heed(self) -> None:
        """Handles the requests since the previous step; returns when the next step can be taken."""
        while True:
            if time.monotonic() > self.until:
                raise Stopped("It was stopped because its time limit was reached.")
            for path, (action, values) in requests(self.folder):
                if action == "stop":
                    raise Stopped
                if action == "change":
                    with contextlib.suppress(ConfigError):  # `jobs.change` has already told the caller
                        self.trainer.change(**values)
                    self._save_state()  # so that after a crash it applies from the same step
                self.singles += action == "step"
                paused = action in ("pause", "step") if action != "change" else self.paused
                if action == "go":
                    self.singles = 0
                if paused != self.paused:
                    self.paused = paused
                    if paused:  # everything shown or stored is of the current step once the state says "paused"
                        self._save_state()
                        self.recorder.record(self.trainer.step)
                    tell(self.folder, "paused" if paused else "running")
                path.unlink(missing_ok=True)
            if not self.paused:
                return
            if self.singles:
                self.singles -= 1
                return
            self._check()  # otherwise it would wait forever if the folder is deleted meanwhile
            time.sleep(0.02)

    def _record(self) -> Record:
        trainer = self.trainer
        training = replace(self.plan.training, precision=trainer.config.precision)
        return Record(
            name=self.folder.name, model=self.plan.model, training=training, changes=trainer.changes,
            data_checksum=self.dataset.checksum, epochs_done=trainer.step / trainer.steps_an_epoch,
            seconds=trainer.seconds,
        )  # fmt: skip

    def _save_model(self, epochs: float | None = None) -> None:
        self._check()
        record = self._record() if epochs is None else replace(self._record(), epochs_done=epochs)
        save(self.trainer.model, record, overwrite=True, half=self.plan.half, folder=self.folder.parent)
        (self.folder / "card.md").unlink(missing_ok=True)  # of the previous model

    def _save_state(self) -> None:
        self._check()
        clock = time.monotonic()
        save_state(self.folder / "state.safetensors", self.trainer, self.of)
        self.saved = time.monotonic()
        self.took = self.saved - clock

    def _check(self) -> None:
        if not self.lock.intact:
            raise vanished(self.folder)


def read_plan(folder: Path) -> Plan:
    """Reads the settings of a training that can be resumed.

    Raises:
        JobError: it is finished, diverged, or never began.
    """
    found = says(folder)
    if found.get("state") == "done":
        raise JobError(f"A finished training cannot be resumed; {folder.name!r} is finished. Train another model.")
    if found.get("state") == "failed" and found["message"].startswith(_DIVERGED):
        raise JobError(
            f"A training that diverged cannot be resumed, since it would diverge again; {folder.name!r} diverged. "
            "Train the model again, with a lower learning rate."
        )
    try:
        found = json.loads((folder / "config.json").read_text())
        kinds = ModelConfig.from_dict(found["model"]), TrainConfig.from_dict(found["training"])
        return Plan(*kinds, bool(found["half"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise JobError(f"There is no training at {folder} to resume. Train the model again.") from error
