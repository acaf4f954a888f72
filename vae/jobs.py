"""Training that outlives whoever watches it: a process of its own, and a folder that says how it stands.

`checkpoints/<name>/` holds

    model.safetensors   the model after the last whole epoch, then the final one
    history.jsonl       one `Report` a line
    job.json            state, process, message
    card.md             how to make the model again, and its figures
    stop                there when someone asked the process to stop
    log.txt             what the process printed, when a page started it

The shell and the Train page start the same thing, `python -m vae train <name> ...`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import psutil

from vae import reports
from vae.cards import arguments, card, held_out_figures
from vae.checkpoints import Record, check_name, folders, save, write_aside
from vae.config import ModelConfig, TrainConfig
from vae.data import Dataset, load_dataset
from vae.errors import CheckpointError, JobError, VAEError
from vae.models import VAE, build
from vae.reports import Report
from vae.training import fit

__all__ = ["Job", "State", "history", "latest", "run", "running", "start", "status", "stop"]

State = Literal["starting", "running", "done", "stopped", "failed"]
_BUSY = ("starting", "running")


class Job(NamedTuple):
    """How a training stands: its name, state, and why it failed if it did."""

    name: str
    state: State
    message: str = ""

    @property
    def busy(self) -> bool:
        return self.state in _BUSY


def run(
    name: str, model_config: ModelConfig, config: TrainConfig, *, half: bool = False, overwrite: bool = False
) -> Generator[Report]:
    """Trains a model in this process and keeps its folder up to date.

    The model is saved after each epoch and at the end. Closing the iterator early, an interrupt, or a file `stop` in
    the folder ends the training with the model as it is then.

    Arguments:
        name: of the model.
        model_config, config: what, and how.
        half: store weights as float16; the figures are those of the rounded weights.
        overwrite: whether a model of that name may be replaced; it stays until the first epoch is saved.

    Yields:
        The reports of `fit`.

    Raises:
        VAEError: the name is taken, the data are missing, the loss diverges, or the disk refuses.
    """
    folder = folders()[0] / check_name(name)
    if not overwrite:
        _refuse_taken(name)
    says = _says(folder)
    started = says.get("pid") == os.getpid()  # by `start`, and someone may have asked it to stop already
    if not started and says.get("state") in _BUSY and _alive(says):
        raise JobError(f"Two processes cannot train one model; {name!r} is in training. Choose another name.")
    _write_job(folder, "running")
    for leftover in ("history.jsonl",) if started else ("history.jsonl", "stop"):
        (folder / leftover).unlink(missing_ok=True)
    state: State = "failed"
    message = "The process ended before it said how."
    try:
        dataset = load_dataset(config.data)
        model = build(model_config, config.seed)
        record = Record(name=name, model=model_config, training=config, data_checksum=dataset.checksum)
        report = None
        try:
            for report in fit(model, dataset, config):
                record = replace(record, epochs_done=report.epoch, seconds=report.seconds)
                _append(folder / "history.jsonl", reports.line(report))
                if report.held_out_kl is not None:
                    save(model, record, overwrite=True, half=half, folder=folder.parent)
                    (folder / "card.md").unlink(missing_ok=True)  # of the model that was there before
                yield report
                if (folder / "stop").exists():
                    state = "stopped"
                    break
            else:
                state = "done"
        except (GeneratorExit, KeyboardInterrupt):
            state = "stopped"
            raise
        finally:
            if state != "failed" and report is not None:
                _finish(model, record, dataset, folder, half)
        message = ""
    except VAEError as error:
        state, message = "failed", str(error)
        raise
    finally:
        (folder / "stop").unlink(missing_ok=True)
        _write_job(folder, state, message if state == "failed" else "")


def start(name: str, model_config: ModelConfig, config: TrainConfig) -> None:
    """Starts `python -m vae train` as a process of its own, at low priority so that the app stays quick.

    Raises:
        JobError: another training is running, or the disk refuses.
        CheckpointError: the name is not one, or is taken.
    """
    folder = folders()[0] / check_name(name)
    _refuse_taken(name)
    if busy := running():
        raise JobError(f"One training runs at a time; {busy.name!r} is running. Stop it or wait for it.")
    # found by its path and not by the working directory, which relative paths in the environment are from
    paths = [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    env.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait starve the app, and each other
    words = [sys.executable, "-m", "vae", *arguments(name, model_config, config)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stop").unlink(missing_ok=True)
        with (folder / "log.txt").open("wb") as log:
            quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            process = subprocess.Popen(words, env=env, start_new_session=True, **quiet)
    except OSError as error:
        raise JobError(f"{folder} could not be written: {error.strerror}. Choose another VAE_CHECKPOINTS.") from error
    with contextlib.suppress(psutil.Error):  # it is gone already; its log says why
        psutil.Process(process.pid).nice(10 if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
        _write_job(folder, "starting", pid=process.pid)
    threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie


def stop(name: str) -> None:
    """Asks a training, if it is running, to stop; it saves its model and ends at its next report."""
    if (job := status(name)) and job.busy:
        write_aside(folders()[0] / name / "stop", b"")


def status(name: str) -> Job | None:
    """Returns how a training stands, dead processes found out; None when there never was one of that name here."""
    return _status(folders()[0] / check_name(name))


def running() -> Job | None:
    """Returns the training that is running, if one is."""
    found = (_status(path.parent) for path in folders()[0].glob("*/job.json"))
    return next((job for job in found if job and job.busy), None)


def latest() -> Job | None:
    """Returns the training that was started last, running or ended."""
    files = []
    for path in folders()[0].glob("*/job.json"):
        with contextlib.suppress(OSError):  # its folder was deleted just now
            files.append((path.stat().st_mtime, path))
    return next((job for _, path in sorted(files, reverse=True) if (job := _status(path.parent))), None)


def history(name: str) -> list[Report]:
    """Returns the reports of a training so far, whole lines only."""
    for folder in folders():
        path = folder / check_name(name) / "history.jsonl"
        if path.exists():
            return reports.read(path)
    return []


def _refuse_taken(name: str) -> None:
    if any((folder / name / "model.safetensors").exists() for folder in folders()):
        raise CheckpointError(f"A model's name must be new; {name!r} is taken. Choose another, or overwrite it.")


def _finish(model: VAE, record: Record, dataset: Dataset, folder: Path, half: bool) -> None:
    model.eval()
    if half:
        model.half().float()
    record = replace(record, held_out=held_out_figures(model, dataset, config=record.training))
    save(model, record, overwrite=True, half=half, folder=folder.parent)
    write_aside(folder / "card.md", card(record, dataset, half).encode())


def _write_job(folder: Path, state: State, message: str = "", pid: int | None = None) -> None:
    pid = os.getpid() if pid is None else pid
    says = {"state": state, "message": message, "pid": pid, "born": psutil.Process(pid).create_time()}
    write_aside(folder / "job.json", json.dumps(says).encode())


def _says(folder: Path) -> dict[str, Any]:
    """Reads what a training said of itself; nothing where it never did, or the file is damaged."""
    try:
        says = json.loads((folder / "job.json").read_text())
        kinds = {"state": str, "message": str, "pid": int, "born": float}
        whole = all(isinstance(says[key], kind) for key, kind in kinds.items()) and says["state"] in get_args(State)
        return says if whole and check_name(folder.name) else {}
    except (OSError, ValueError, TypeError, KeyError, CheckpointError):
        return {}


def _status(folder: Path) -> Job | None:
    says = _says(folder)
    if says.get("state") in _BUSY and not _alive(says):
        says = _says(folder)  # it may have said its last word between the two looks
        if says.get("state") in _BUSY:
            log = folder / "log.txt"
            last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
            message = " ".join(["The process is gone.", *last, "What it saved before is kept."])
            return Job(folder.name, "failed", message)
    return Job(folder.name, says["state"], says["message"]) if says else None


def _alive(says: dict[str, Any]) -> bool:
    try:
        process = psutil.Process(says["pid"])
        # a number is given to a new process some time after its owner died, so the time of birth must agree too
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - says["born"]) < 1
    except (psutil.Error, ValueError, OverflowError):  # gone, or a number that no process has
        return False


def _append(path: Path, line: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(line)
    except OSError as error:
        raise JobError(f"{path} could not be written: {error.strerror}. Free some space and train again.") from error
