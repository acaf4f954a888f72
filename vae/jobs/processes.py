"""Training that outlives whoever watches it: a process of its own, and a folder that says how it stands.

The shell and the Train page start the same thing, `python -m vae train <name> ...`; see `vae.jobs.runs` for the folder.
Any number of pages and shells may watch it and ask things of it; they come and go as they like.
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
    """Makes a process load PyTorch and wait, unless one does, so that the next training that is started begins at once.

    It ends with whoever called this, or becomes that training.
    """
    spares.prepare(_environment(ModelConfig()))


def start(name: str, model_config: ModelConfig, config: TrainConfig, *, seconds: float | None = None) -> None:
    """Starts `python -m vae train` as a process of its own, which waits for its turn and then trains.

    Arguments:
        name: of the model.
        model_config, config: what, and how.
        seconds: after which it is stopped, counted from when its turn comes, pauses included; None for no limit.

    Raises:
        JobError: the disk refuses, or a training of that name is busy.
        CheckpointError: the name is not one, or is taken.
    """
    check_name(name)
    refuse_taken(name)
    _spawn(name, arguments(name, model_config, config) + _at_most(seconds), model_config)


def start_seeds(
    name: str, model_config: ModelConfig, config: TrainConfig, count: int, *, seconds: float | None = None
) -> list[str]:
    """Starts the same training from several seeds: the config's and those after it, as <name>-s0, <name>-s1, ...

    Returns:
        The names, in the order of their tickets.

    Raises:
        JobError, CheckpointError: as for `start`; where a name is taken none is started.
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
    """Goes on with a training: one that is paused in its process, one that was stopped or killed in a new one.

    Arguments:
        name: of the model.
        seconds: as for `start`, for a new process; a paused one keeps the time that it was given.

    Raises:
        JobError: there is nothing to go on with.
    """
    job = status(name)
    if job and job.busy:
        ask(folders()[0] / name, "go")
        return
    plan = read_plan(folders()[0] / check_name(name))
    _spawn(name, ["train", name, "--resume", *_at_most(seconds)], plan.model)


def resumable(name: str) -> bool:
    """Whether a training has ended before it was done, and can go on."""
    job = status(name)
    if job is None or job.busy:
        return False
    try:
        return bool(read_plan(folders()[0] / name))
    except JobError:
        return False


def stop(name: str) -> None:
    """Asks a training, if it is busy, to stop after the step that it is at; it saves its model and ends."""
    _ask(name, "stop")


def pause(name: str) -> None:
    """Asks a training, if it is busy, to pause after the step that it is at."""
    _ask(name, "pause")


def step(name: str) -> None:
    """Asks a training, if it is busy, to take exactly one step and pause."""
    _ask(name, "step")


def change(name: str, *, learning_rate: float | None = None, beta: float | None = None) -> None:
    """Asks a training, if it is busy, for another highest learning rate or weight of the KL from the next step on.

    Raises:
        ConfigError: a value is outside its range.
    """
    given = {key: value for key, value in (("learning_rate", learning_rate), ("beta", beta)) if value is not None}
    for key, value in given.items():
        TrainConfig.from_dict({key: value})  # refused here, where someone can mend it
    if beta is not None and (job := status(name)) and job.busy:
        plan = read_plan(folders()[0] / name)
        if plan.training.objective == "autoencoder":
            raise ConfigError("objective autoencoder has no KL, so no beta to change.")
    if given:
        _ask(name, "change", **given)


def status(name: str) -> Job | None:
    """Returns how a training stands, dead processes found out; None when there never was one of that name here."""
    return standing(folders()[0] / check_name(name))


def running() -> Job | None:
    """Returns the first training that is busy, if one is; see `queue` for all."""
    return next(iter(queue()), None)


def known() -> Iterator[Job]:
    """Yields all trainings that there are, busy or ended, the one that said something last first."""
    files = []
    for path in folders()[0].glob("*/job.json"):
        with contextlib.suppress(OSError):  # its folder was deleted just now
            files.append((path.stat().st_mtime, path))
    return (job for _, path in sorted(files, reverse=True) if (job := standing(path.parent)))


def latest() -> Job | None:
    """Returns the training that said something last, busy or ended."""
    return next(known(), None)


def history(name: str) -> list[Report]:
    """Returns the reports of a training so far, whole lines only."""
    places = (folder / check_name(name) / "history.jsonl" for folder in folders())
    return next((reports.read(path) for path in places if path.is_file()), [])


def last_step(name: str) -> SlowStep | None:
    """Returns the last step that a training took by itself, in slow motion; None if there was none."""
    return load_slow_step(folders()[0] / check_name(name) / "step.npz")


def _ask(name: str, action: Action, **values: float) -> None:
    if (job := status(name)) and job.busy:
        ask(folders()[0] / name, action, **values)


def measure(model_config: ModelConfig, config: TrainConfig) -> float:
    """Estimates what a training would take here and now, in seconds, in a process like one that trains.

    It takes about four seconds, most of them for the process to begin. See `presets.estimate`.

    Raises:
        JobError: the training would be refused, or diverges at once.
    """
    command = [*_COMMAND, *arguments("estimate", model_config, config), "--estimate"]
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # at the priority of whoever asks: it is short, and on busy cores what gives way to all others would never end
    with subprocess.Popen(command, env=_environment(model_config), text=True, **pipes) as process:
        try:
            said, complaint = process.communicate(timeout=120)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise JobError(
                "An estimate must come within two minutes; this did not. The model is large, or the machine busy."
            ) from error
    try:
        return float(json.loads(said.splitlines()[-1])["estimated_seconds"])
    except (ValueError, IndexError, KeyError) as error:
        last = complaint.strip().splitlines()[-1:] or ["its process ended without a word."]
        raise JobError(last[0].removeprefix("vae train: ")) from error


def _at_most(seconds: float | None) -> list[str]:
    return [] if seconds is None else [f"--at-most={seconds:g}"]


def _environment(model_config: ModelConfig) -> dict[str, str]:
    """Returns what a training finds in its environment; what is set already stays."""
    # products of matrices this small are slower on two threads as soon as the app needs a core; convolutions are not
    threads = min(2, os.cpu_count() or 1) if model_config.channels else 1
    defaults = {
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait starve the app, and each other
    }
    found = {**defaults, **os.environ}
    if not paths.INSTALLED:
        # a checkout is found by its path and not by the working directory, which relative paths are from
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(paths.LIBRARY.parent), os.environ.get("PYTHONPATH")]))
    return found


def _spawn(name: str, words: list[str], model_config: ModelConfig) -> None:
    folder = folders()[0] / name
    limit()  # refused here, where someone can mend it
    with held(queue_lock(folder.parent)):
        if (job := standing(folder)) and job.busy:
            raise JobError(f"A training of each name runs at a time; {name!r} is busy. Choose another name.")
        made, process = not folder.exists(), None
        try:
            clear(folder)
            env, path = _environment(model_config), folder / "log.txt"
            with path.open("wb") as log:
                quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
                process = spares.take(words, path, env) or subprocess.Popen(
                    [*_COMMAND, *words], env=env, start_new_session=True, **quiet
                )
            with contextlib.suppress(psutil.Error):  # it is gone already; its log says why
                _give_way(process.pid)
                tell(folder, "starting", pid=process.pid, ticket=next_ticket(folder.parent))
        except (OSError, CheckpointError) as error:  # as on a full disk; nothing of it stays
            if process is not None:
                process.kill()
                process.wait()
            if made:
                shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, CheckpointError):
                raise
            raise JobError(
                f"{folder} could not be written: {error.strerror}. Choose another VAE_CHECKPOINTS."
            ) from error
    threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie


def _give_way(number: int) -> None:
    """Gives a process low priority, so that the app stays quick."""
    child = psutil.Process(number)
    # who has a lower priority has no right to a higher one
    child.nice(max(10, child.nice()) if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
    with contextlib.suppress(OSError):  # Linux weighs sessions first, and only then their processes
        Path(f"/proc/{number}/autogroup").write_text("10")
