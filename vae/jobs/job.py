"""The state of trainings, as recorded in their folders, and the order of the queue.

`job.json` holds state, message, process and ticket. Tickets are given out in the order of starting; a training runs
when fewer than `limit()` running trainings have smaller tickets, so that all processes agree without a coordinator.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from vae import paths
from vae.errors import CheckpointError, JobError
from vae.model import check_name, folders
from vae.paths import write_aside

__all__ = ["BUSY", "Job", "State", "ahead", "alive", "limit", "next_ticket", "queue", "says", "standing", "tell"]

State = Literal["queued", "starting", "running", "paused", "done", "stopped", "failed"]
BUSY: tuple[State, ...] = ("queued", "starting", "running", "paused")


class Job(NamedTuple):
    """The state of a training: its name, its state, why it failed if it did, and its place in the queue."""

    name: str
    state: State
    message: str = ""
    ahead: int = 0

    @property
    def busy(self) -> bool:
        """Whether its process is training, paused, or waiting for its turn."""
        return self.state in BUSY


def limit() -> int:
    """Returns how many trainings may run at once, `$VAE_JOBS` or 1; the others are queued.

    Raises:
        JobError: it is not a positive whole number.
    """
    given = os.environ.get("VAE_JOBS") or "1"
    if not (given.isascii() and given.isdigit() and int(given)):
        raise JobError(f"VAE_JOBS must be a whole number, at least 1; it is {given!r}.")
    return int(given)


def tell(folder: Path, state: State, message: str = "", *, pid: int | None = None, ticket: int | None = None) -> None:
    """Records the state of a training.

    Arguments:
        folder: of the training.
        state, message: to record.
        pid: its process; this one if None.
        ticket: its place in the queue; unchanged if None.

    Raises:
        CheckpointError: the file cannot be written.
    """
    pid = os.getpid() if pid is None else pid
    ticket = says(folder).get("ticket", 0) if ticket is None else ticket
    what = {"state": state, "message": message, "pid": pid, "born": paths.born(pid), "ticket": ticket}
    content = json.dumps(what).encode()
    try:
        write_aside(folder / "job.json", content)
    except CheckpointError as full:
        try:  # a full disk has no room for a new file, but the block of the old one has some
            with (folder / "job.json").open("r+b") as file:
                file.write(content)
                file.truncate()
        except OSError:
            raise full from None


def says(folder: Path) -> dict[str, Any]:
    """Reads what a training has recorded; an empty result if there is nothing, or the file is damaged."""
    try:
        found = json.loads((folder / "job.json").read_text())
        found.setdefault("ticket", 0)
        kinds = {"state": str, "message": str, "pid": int, "born": float, "ticket": int}
        whole = all(isinstance(found[key], kind) for key, kind in kinds.items()) and found["state"] in get_args(State)
        return found if whole and check_name(folder.name) else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, CheckpointError):
        return {}


def standing(folder: Path) -> Job | None:
    """Returns the state of the training in a folder, noticing dead processes; None if there never was one."""
    found = says(folder)
    if found.get("state") in BUSY and not alive(found):
        found = says(folder)  # it may have recorded its end between the two checks
        if found.get("state") in BUSY:
            log = folder / "log.txt"
            last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
            why = "".join(f"{line} " for line in last)
            message = f"The process has ended. {why}The last saved state is kept, and the training can be resumed."
            return Job(folder.name, "failed", message)
    if not found:
        return None
    waits = found["state"] in ("queued", "starting")
    return Job(folder.name, found["state"], found["message"], ahead(folder) if waits else 0)


def alive(found: dict[str, Any]) -> bool:
    """Whether the process that recorded this is still running."""
    return paths.alive(found["pid"], found["born"])


def queue() -> list[Job]:
    """Returns the busy trainings, running or waiting, in the order of their tickets."""
    found = [(waiting["ticket"], folder) for folder, waiting in _busy(folders()[0])]
    jobs = [standing(folder) for _, folder in sorted(found)]
    return [job for job in jobs if job and job.busy]


def ahead(folder: Path) -> int:
    """Returns how many running trainings of other processes have smaller tickets than the one in a folder.

    Trainings of this process do not count: they cannot end while this one waits.
    """
    own = says(folder)
    others = (found for place, found in _busy(folder.parent) if place != folder and found["pid"] != own.get("pid"))
    return sum(found["ticket"] < own.get("ticket", 0) for found in others)


def next_ticket(root: Path) -> int:
    """Returns a ticket after all others in a folder of models; the caller must hold the queue lock of `root`."""
    return 1 + max((says(path.parent).get("ticket", 0) for path in root.glob("*/job.json")), default=0)


def _busy(root: Path) -> list[tuple[Path, dict[str, Any]]]:
    found = [(path.parent, says(path.parent)) for path in root.glob("*/job.json")]
    return [(folder, what) for folder, what in found if what.get("state") in BUSY and alive(what)]
