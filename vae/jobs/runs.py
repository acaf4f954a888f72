"""One training in this process, with its folder kept up to date.

`checkpoints/<name>/` holds

    model.safetensors   the model after the last complete epoch, then the final one
    config.json         the settings of the model and the training
    history.jsonl       one `Report` per line
    state.safetensors   the complete state of the training until it is finished; it can be resumed from there
    replay.bin          how the latent space formed
    step.npz            the last single step, in slow motion
    job.json            state, process, message, place in the queue
    control/            requests that have not been handled yet
    lock                held by the process that trains
    card.md             the command that reproduces the model, and its figures
    log.txt             the output of the process, if a page started it
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path

from vae.errors import JobError, VAEError
from vae.jobs.control import clear, requests
from vae.jobs.files import Lock, held, vanished
from vae.jobs.job import BUSY, State, ahead, limit, next_ticket, says, tell
from vae.jobs.keeper import Keeper, Plan, Stopped, read_plan
from vae.model import ModelConfig, TrainConfig, check_name, folders
from vae.settings import refuse_taken
from vae.training import Report

__all__ = ["UNBEGUN", "Waits", "queue_lock", "refuse_taken", "resume", "run"]

UNBEGUN = "It was stopped before its first step."  # so that a model in its folder is not its own
Waits = Callable[[int], None]  # called with the number of trainings ahead, whenever it changes


def run(
    name: str, model_config: ModelConfig, config: TrainConfig, *, half: bool = False, overwrite: bool = False,
    waits: Waits | None = None, seconds: float | None = None,
) -> Generator[Report]:  # fmt: skip
    """Trains a model in this process when its turn comes, and keeps its folder up to date.

    The model is saved after each epoch and at the end. Closing the iterator early, an interrupt, or a request to stop
    ends the training with the model as it is then; it can be resumed.

    Arguments:
        name: of the model.
        model_config, config: the model and its training.
        half: store weights as float16; the figures are those of the rounded weights.
        overwrite: whether an existing model of that name may be replaced; it is kept until the first epoch is saved.
        waits: called with the number of trainings ahead while this one waits for its turn.
        seconds: time limit, counted from when its turn comes, pauses included; None for no limit.

    Yields:
        Its reports.

    Raises:
        VAEError: the name is taken, the data are missing, the loss diverges, the folder vanishes, or writing fails.
    """
    folder = folders()[0] / check_name(name)
    if not overwrite:
        refuse_taken(name, "overwrite=True")
    return (yield from _carry_out(folder, Plan(model_config, config, half), False, waits, seconds))


def resume(name: str, waits: Waits | None = None, seconds: float | None = None) -> Generator[Report]:
    """Resumes in this process a training that was stopped or killed, as if nothing had happened.

    Arguments:
        name: of the model.
        waits, seconds: as for `run`; the time starts again.

    Yields:
        Its reports, starting from the last state.

    Raises:
        VAEError: as for `run`; or there is nothing to resume.
    """
    folder = folders()[0] / check_name(name)
    return (yield from _carry_out(folder, read_plan(folder), True, waits, seconds))


def queue_lock(root: Path) -> Path:
    """Returns the file to lock while giving out a ticket."""
    return root / ".queue.lock"


def _carry_out(
    folder: Path, plan: Plan, resumed: bool, waits: Waits | None, seconds: float | None
) -> Generator[Report]:
    lock = Lock(folder / "lock")
    # a training that was stopped releases its folder a moment later, when its evaluation is finished
    found = says(folder)
    patient = found.get("state") not in BUSY or (found["state"], found["pid"]) == ("starting", os.getpid())
    if not lock.acquire(wait=120 if patient else 0):
        raise JobError(f"Two processes cannot train one model; {folder.name!r} is being trained. Choose another name.")
    state: State = "failed"
    message = "The process ended without recording why."
    keeper = None
    try:
        try:
            _wait(folder, lock, waits)
            keeper = Keeper(folder, plan, lock, resumed, seconds)
            yield from keeper.reports()
            keeper.finish()
            state, message = "done", ""
        except (Stopped, GeneratorExit, KeyboardInterrupt) as end:
            begun = resumed or (keeper is not None and keeper.trainer.step > 0)
            state, message = "stopped", str(end) if begun else UNBEGUN
            if keeper:
                keeper.stop()
            if not isinstance(end, Stopped):
                raise
    except VAEError as error:
        state, message = "failed", str(error)
        raise
    except Exception as error:  # unexpected; the traceback is in the log
        state, message = "failed", traceback.format_exception_only(error)[-1].strip().splitlines()[0]
        raise
    finally:
        found = says(folder)
        others = found.get("state") in BUSY and found.get("pid") != os.getpid()  # that is already waiting to resume it
        if lock.intact and not others:
            clear(folder)
            tell(folder, state, message)
            if state == "done":
                (folder / "state.safetensors").unlink(missing_ok=True)
        lock.release()


def _wait(folder: Path, lock: Lock, waits: Waits | None) -> None:
    """Waits until it is this training's turn."""
    with held(queue_lock(folder.parent)):  # so that `jobs.start` has recorded its state
        found = says(folder)
        if not (found.get("pid") == os.getpid() and found["state"] in BUSY):
            clear(folder)
            tell(folder, "starting", ticket=next_ticket(folder.parent))
    before = None
    while lock.intact and (others := ahead(folder)) >= limit():
        if others != before:
            if before is None:
                tell(folder, "queued")
            if waits:
                waits(others)
            before = others
        if any(action == "stop" for _, (action, _) in requests(folder)):
            raise Stopped
        time.sleep(0.1)
    if not lock.intact:
        raise vanished(folder)
    tell(folder, "running")
