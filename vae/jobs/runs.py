"""One training in this process, and the folder that it keeps up to date.

`checkpoints/<name>/` holds

    model.safetensors   the model after the last whole epoch, then the final one
    config.json         what is trained, and how
    history.jsonl       one `Report` a line
    state.safetensors   all that the training is, until it is done; it can be resumed from there
    replay.bin          how the latent space formed
    step.npz            the last step that was taken by itself, in slow motion
    job.json            state, process, message, place in the queue
    control/            what was asked of it and is not done yet
    lock                held by the process that trains
    card.md             how to make the model again, and its figures
    log.txt             what the process printed, when a page started it
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

__all__ = ["Waits", "queue_lock", "refuse_taken", "resume", "run"]

Waits = Callable[[int], None]  # called with the number of trainings ahead, whenever it changes


def run(
    name: str, model_config: ModelConfig, config: TrainConfig, *, half: bool = False, overwrite: bool = False,
    waits: Waits | None = None, seconds: float | None = None,
) -> Generator[Report]:  # fmt: skip
    """Trains a model in this process when its turn comes, and keeps its folder up to date.

    The model is saved after each epoch and at the end. Closing the iterator early, an interrupt, or a request to stop
    ends the training with the model as it is then, to be resumed if one likes.

    Arguments:
        name: of the model.
        model_config, config: what, and how.
        half: store weights as float16; the figures are those of the rounded weights.
        overwrite: whether a model of that name may be replaced; it stays until the first epoch is saved.
        waits: called with the number of trainings ahead while this one waits for its turn.
        seconds: after which it is stopped, counted from when its turn comes, pauses included; None for no limit.

    Yields:
        Its reports.

    Raises:
        VAEError: the name is taken, the data are missing, the loss diverges, the folder vanishes or the disk refuses.
    """
    folder = folders()[0] / check_name(name)
    if not overwrite:
        refuse_taken(name, "overwrite=True")
    return (yield from _carry_out(folder, Plan(model_config, config, half), False, waits, seconds))


def resume(name: str, waits: Waits | None = None, seconds: float | None = None) -> Generator[Report]:
    """Goes on in this process with a training that was stopped or killed, as if nothing had happened.

    Arguments:
        name: of the model.
        waits, seconds: as for `run`; the time is counted anew.

    Yields:
        Its reports from the last state on.

    Raises:
        VAEError: as for `run`; or there is nothing to go on with.
    """
    folder = folders()[0] / check_name(name)
    return (yield from _carry_out(folder, read_plan(folder), True, waits, seconds))


def queue_lock(root: Path) -> Path:
    """Returns the file to hold while giving out a ticket."""
    return root / ".queue.lock"


def _carry_out(
    folder: Path, plan: Plan, resumed: bool, waits: Waits | None, seconds: float | None
) -> Generator[Report]:
    lock = Lock(folder / "lock")
    # one that was stopped lets go of its folder a moment later, when its figures are done
    found = says(folder)
    patient = found.get("state") not in BUSY or (found["state"], found["pid"]) == ("starting", os.getpid())
    if not lock.acquire(wait=120 if patient else 0):
        raise JobError(f"Two processes cannot train one model; {folder.name!r} is in training. Choose another name.")
    state: State = "failed"
    message = "The process ended before it said how."
    keeper = None
    try:
        try:
            _wait(folder, lock, waits)
            keeper = Keeper(folder, plan, lock, resumed, seconds)
            yield from keeper.reports()
            keeper.finish()
            state, message = "done", ""
        except (Stopped, GeneratorExit, KeyboardInterrupt) as end:
            state, message = "stopped", str(end) if keeper else "It was stopped before it began."
            if keeper:
                keeper.stop()
            if not isinstance(end, Stopped):
                raise
    except VAEError as error:
        state, message = "failed", str(error)
        raise
    except Exception as error:  # that nobody foresaw; the traceback is in the log
        state, message = "failed", traceback.format_exception_only(error)[-1].strip().splitlines()[0]
        raise
    finally:
        found = says(folder)
        others = found.get("state") in BUSY and found.get("pid") != os.getpid()  # who waits to resume it already
        if lock.intact and not others:
            clear(folder)
            tell(folder, state, message)
            if state == "done":
                (folder / "state.safetensors").unlink(missing_ok=True)
        lock.release()


def _wait(folder: Path, lock: Lock, waits: Waits | None) -> None:
    """Returns when it is this training's turn."""
    with held(queue_lock(folder.parent)):  # so that `jobs.start` has said its word
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
