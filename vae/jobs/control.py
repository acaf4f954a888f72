"""Requests to a running training: a folder of small files, one per request, handled in order.

Several pages and shells may send requests at once, and none overwrites the request of another.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import Literal, get_args

from vae.jobs.files import vanished
from vae.paths import write_aside

__all__ = ["Action", "Request", "ask", "clear", "requests"]

Action = Literal["pause", "go", "step", "stop", "change"]
Request = tuple[Action, dict[str, float]]
FOLDER = "control"


def ask(folder: Path, action: Action, **values: float) -> None:
    """Leaves a request for the training in a folder.

    Arguments:
        folder: of the training.
        action: pause, continue, take one step and pause, stop, or change something.
        values: what to change, with the new values.

    Raises:
        CheckpointError: the file cannot be written.
    """
    asked = [int(path.name[:20]) for path in (folder / FOLDER).glob("[0-9]*-*.json") if path.name[:20].isdecimal()]
    number = max([time.time_ns(), *(last + 1 for last in asked)])  # after the others, even if the clock was set back
    name = f"{number:020d}-{uuid.uuid4().hex[:8]}.json"
    write_aside(folder / FOLDER / name, json.dumps([action, values]).encode())


def requests(folder: Path) -> list[tuple[Path, Request]]:
    """Returns the requests to a training, oldest first; whoever carries one out deletes its file.

    Raises:
        JobError: the folder of the training is gone.
    """
    try:
        names = sorted(os.listdir(folder / FOLDER))
    except FileNotFoundError:
        if not folder.is_dir():
            raise vanished(folder) from None
        names = []  # only the folder of requests was deleted
    found = []
    for name in names:
        if not name.endswith(".json"):
            continue
        path = folder / FOLDER / name
        try:
            action, values = json.loads(path.read_bytes())
            if action not in get_args(Action) or set(values) - {"learning_rate", "beta"}:
                raise ValueError(action)
            found.append((path, (action, {str(key): float(value) for key, value in values.items()})))
        except (OSError, ValueError, TypeError, AttributeError):  # not a request
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return found


def clear(folder: Path) -> None:
    """Deletes all requests, and creates the folder for new ones."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
