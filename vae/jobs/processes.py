"""Training that outlives its observers: a separate process, and a folder that records its state.

The shell and the Train page start the same command, `vae train <name> ...`; see `vae.jobs.runs` for the
folder. Any number of pages and shells may watch it and send requests to it, and may come and go.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from vae import paths
from vae.errors import CheckpointError, ConfigError, JobError
from vae.jobs import spares
from vae.jobs.cards import arguments
from vae.jobs.control import Action, ask, clear
from vae.jobs.files import held
from vae.jobs.job import Job, State, limit, next_ticket, queue, standing, tell
from vae.jobs.keeper import read_plan
from vae.jobs.runs import queue_lock, refuse_taken, run
from vae.model import ModelConfig, TrainConfig, check_name, folders
from vae.training import Report, SlowStep, load_slow_step, reports

__all__ = [
    "Job", "State", "change", "history", "known", "last_step", "latest", "measure", "pause", "prepare", "queue",
    "resumable", "resume", "run", "running", "start", "start_seeds", "status", "step", "stop",
]  # fmt: skip

_COMMAND = (sys.executable, "-m", "vae")


def prepare() -> None:
    """Starts a process that loads PyTorch and waits, unless one is waiting, so that the next training begins at once.

    It ends with the program that called this, or becomes that training.
    """
    spares.prepare(_environment(ModelConfig()))


def start(name: str, model_config: ModelConfig, config: TrainConfig, *, seconds: float | None = None) -> None:
    """Starts `vae train` as a separate process, which waits for its turn and then trains.

    Arguments:
        name: of the model.
        model_config, config: the model and its training.
        seconds: time limit, counted from when its turn comes, pauses included; None for no limit.

    Raises:
        JobError: the folder cannot be written, or a training of that name is busy.
        CheckpointError: the name is invalid or taken.
    """
    check_name(name)
    refuse_taken(name)
    _spawn(name, arguments(name, model_config, config) + _at_most(seconds), model_config)


def start_seeds(
    name: str, model_config: ModelConfig, config: TrainConfig, count: int, *, seconds: float | None = None
) -> list[str]:
    """Starts the same training with several seeds: that of the config and those after it, as <name>-s0, <name>-s1, ...

    Returns:
        The names, in the order of their tickets.

    Raises:
        JobError, CheckpointError: as for `start`; if a name is taken, none is started.
    """
    seeds = range(config.seed, config.seed + count)
    names = [f"{name}-s{seed}" for seed in seeds]
    for each in names:
        check_name(each)
        refuse_taken(each)
    for each, seed in zip(names, seeds, strict=True):
        start(each, model_config, replace(config, seed=seed), **({} if seconds is None else {"seconds": seconds}))
    return names


def resume(name: str, *, seconds: float | None = None) -> None:
    """Continues a training: in its process if it is paused, in a new one if it was stopped or killed.

    Arguments:
        name: of the model.
        seconds: as for `start`, for a new process; a paused one keeps its time limit.

    Raises:
        JobError: there is nothing to resume.
    """
    job = status(name)
    if job and job.busy:
        ask(folders()[0] / name, "go")
        return
    plan = read_plan(folders()[0] / check_name(name))
    _spawn(name, ["train", name, "--resume", *_at_most(seconds)], plan.model)


def resumable(name: str) -> bool:
    """Whether a training ended before it was finished, and can be resumed."""
    job = status(name)
    if job is None or job.busy:
        return False
    try:
        return bool(read_plan(folders()[0] / name))
    except JobError:
        return False


def stop(name: str) -> None:
    """Asks a training, if it is busy, to stop after the current step; it saves its model and ends."""
    _ask(name, "stop")


def pause(name: str) -> None:
    """Asks a training, if it is busy, to pause after the current step."""
    _ask(name, "pause")


def step(name: str) -> None:
    """Asks a training, if it is busy, to take one step and pause."""
    _ask(name, "step")


def change(name: str, *, learning_rate: float | None = None, beta: float | None = None) -> None:
    """Asks a training, if it is busy, to use another highest learning rate or KL weight from the next step on.

    Raises:
        ConfigError: a value is outside its range.
    """
    given = {key: value for key, value in (("learning_rate", learning_rate), ("beta", beta)) if value is not None}
    for key, value in given.items():
        TrainConfig.from_dict({key: value})  # rejected here, where the user can correct it
    if beta is not None and (job := status(name)) and job.busy:
        plan = read_plan(folders()[0] / name)
        if plan.training.objective == "autoencoder":
            raise ConfigError("The objective autoencoder has no KL term, so its beta cannot be changed.")
    if given:
        _ask(name, "change", **given)


def status(name: str) -> Job | None:
    """Returns the state of a training, noticing dead processes; None if there never was one of that name here."""
    return standing(folders()[0] / check_name(name))


def running() -> Job | None:
    """Returns the first busy training, if there is one; see `queue` for all."""
    return next(iter(queue()), None)


def known() -> Iterator[Job]:
    """Yields all trainings, busy or ended, the most recently updated first."""
    files = []
    for path in folders()[0].glob("*/job.json"):
        with contextlib.suppress(OSError):  # its folder has just been deleted
            files.append((path.stat().st_mtime, path))
    return (job for _, path in sorted(files, reverse=True) if (job := standing(path.parent)))


def latest() -> Job | None:
    """Returns the most recently updated training, busy or ended."""
    return next(known(), None)


def history(name: str) -> list[Report]:
    """Returns the reports of a training so far, complete lines only."""
    places = (folder / check_name(name) / "history.jsonl" for folder in folders())
    return next((reports.read(path) for path in places if path.is_file()), [])


def last_step(name: str) -> SlowStep | None:
    """Returns the last single step of a training, in slow motion; None if there was none."""
    return load_slow_step(folders()[0] / check_name(name) / "step.npz")


def _ask(name: str, action: Action, **values: float) -> None:
    if (job := status(name)) and job.busy:
        ask(folders()[0] / name, action, **values)


def measure(model_config: ModelConfig, config: TrainConfig) -> float:
    """Estimates how long a training would take here and now, in seconds, in a process like one that trains.

    It takes about four seconds, most of them for the process to start. See `presets.estimate`.

    Raises:
        JobError: the training would be rejected, or diverges immediately.
    """
    command = [*_COMMAND, *arguments("estimate", model_config, config), "--estimate"]
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # at the caller's priority: it is short, and with a low priority it might never finish on busy cores
    with subprocess.Popen(command, env=_environment(model_config), text=True, **pipes) as process:
        try:
            said, complaint = process.communicate(timeout=120)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise JobError(
                "An estimate must finish within two minutes; this one did not. The model is large, or the machine is "
                "busy."
            ) from error
    try:
        return float(json.loads(said.splitlines()[-1])["estimated_seconds"])
    except (ValueError, IndexError, KeyError) as error:
        last = complaint.strip().splitlines()[-1:] or ["its process ended without a message."]
        raise JobError(last[0].removeprefix("vae train: ")) from error


def _at_most(seconds: float | None) -> list[str]:
    return [] if seconds is None else [f"--at-most={seconds:g}"]


def _environment(model_config: ModelConfig) -> dict[str, str]:
    """Returns the environment of a training; variables that are already set are kept."""
    # products of matrices this small are slower on two threads as soon as the app needs a core; convolutions are not
    threads = min(2, os.cpu_count() or 1) if model_config.channels else 1
    defaults = {
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while waiting starve the app, and each other
    }
    found = {**defaults, **os.environ}
    if not paths.INSTALLED:
        # a checkout is found by its path, not by the working directory, to which relative paths refer
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(paths.LIBRARY.parent), os.environ.get("PYTHONPATH")]))
    return found


def _spawn(name: str, words: list[str], model_config: ModelConfig) -> None:
    folder = folders()[0] / name
    limit()  # rejected here, where the user can correct it
    with held(queue_lock(folder.parent)):
        if (job := standing(folder)) and job.busy:
            raise JobError(f"Only one training of a name may run at a time; {name!r} is busy. Choose another name.")
        made, process = not folder.exists(), None
        try:
            clear(folder)
            env, path = _environment(model_config), folder / "log.txt"
            with path.open("wb") as log:
                quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
                process = spares.take(words, path, env) or subprocess.Popen(
                    [*_COMMAND, *words], env=env, start_new_session=True, **quiet
                )
            with contextlib.suppress(psutil.Error):  # it has already ended; its log says why
                _give_way(process.pid)
                tell(folder, "starting", pid=process.pid, ticket=next_ticket(folder.parent))
        except (OSError, CheckpointError) as error:  # as on a full disk; nothing is left behind
            if process is not None:
                process.kill()
                process.wait()
            if made:
                shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, CheckpointError):
                raise
            raise JobError(
                f"{folder} could not be written: {error.strerror}. Set VAE_CHECKPOINTS to another folder."
            ) from error
    threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie


def _give_way(number: int) -> None:
    """Gives a process low priority, so that the app remains responsive."""
    child = psutil.Process(number)
    # a process with lower priority than that may not raise it
    child.nice(max(10, child.nice()) if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
    with contextlib.suppress(OSError):  # Linux schedules sessions first, and only then their processes
        Path(f"/proc/{number}/autogroup").write_text("10")
