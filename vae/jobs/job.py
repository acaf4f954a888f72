"""How trainings stand, by what their folders say, and who is next when several wait.

`job.json` holds state, message, process and ticket. Tickets are given in the order of starting; a training runs when
fewer than `limit()` living ones have smaller tickets, so that all processes agree without anyone in charge.
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
    """How a training stands: its name, state, why it failed if it did, and how many are ahead of it in the queue."""

    name: str
    state: State
    message: str = ""
    ahead: int = 0

    @property
    def busy(self) -> bool:
        """Whether its process is at work, or waits for its turn or for a word."""
        return self.state in BUSY


def limit() -> int:
    """Returns how many trainings run at once, `$VAE_JOBS` or 1; the others queue.

    Raises:
        JobError: it is not a whole number above 0.
    """
    given = os.environ.get("VAE_JOBS") or "1"
    if not (given.isascii() and given.isdigit() and int(given)):
        raise JobError(f"VAE_JOBS must be a whole number, at least 1; it is {given!r}.")
    return int(given)


def tell(folder: Path, state: State, message: str = "", *, pid: int | None = None, ticket: int | None = None) -> None:
    """Writes how a training stands.

    Arguments:
        folder: of the training.
        state, message: what to say.
        pid: its process; this one if None.
        ticket: its place in the queue; what it was if None.

    Raises:
        CheckpointError: the disk refuses.
    """
    pid = os.getpid() if pid is None else pid
    ticket = says(folder).get("ticket", 0) if ticket is None else ticket
    what = {"state": state, "message": message, "pid": pid, "born": paths.born(pid), "ticket": ticket}
    content = json.dumps(what).encode()
    try:
        write_aside(folder / "job.json", content)
    except CheckpointError as full:
        try:  # a full disk has no room for a new file, but there is some in the block that the old one has
            with (folder / "job.json").open("r+b") as file:
                file.write(content)
                file.truncate()
        except OSError:
            raise full from None


def says(folder: Path) -> dict[str, Any]:
    """Reads what a training said of itself; nothing where it never did, or the file is damaged."""
    try:
        found = json.loads((folder / "job.json").read_text())
        found.setdefault("ticket", 0)
        kinds = {"state": str, "message": str, "pid": int, "born": float, "ticket": int}
        whole = all(isinstance(found[key], kind) for key, kind in kinds.items()) and found["state"] in get_args(State)
        return found if whole and check_name(folder.name) else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, CheckpointError):
        return {}


def standing(folder: Path) -> Job | None:
    """Returns how the training in a folder stands, dead processes found out; None where there never was one."""
    found = says(folder)
    if found.get("state") in BUSY and not alive(found):
        found = says(folder)  # it may have said its last word between the two looks
        if found.get("state") in BUSY:
            log = folder / "log.txt"
            last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
            why = "".join(f"{line} " for line in last)
            message = f"The process is gone. {why}What it saved before is kept; it can be resumed."
            return Job(folder.name, "failed", message)
    if not found:
        return None
    waits = found["state"] in ("queued", "starting")
    return Job(folder.name, found["state"], found["message"], ahead(folder) if waits else 0)


def alive(found: dict[str, Any]) -> bool:
    """Whether the process that said this is still there."""
    return paths.alive(found["pid"], found["born"])


def queue() -> list[Job]:
    """Returns the trainings that are busy, in the order of their tickets: those that run, and those that wait."""
    found = [(waiting["ticket"], folder) for folder, waiting in _busy(folders()[0])]
    jobs = [standing(folder) for _, folder in sorted(found)]
    return [job for job in jobs if job and job.busy]


def ahead(folder: Path) -> int:
    """Returns how many living trainings of other processes have smaller tickets than the one in a folder.

    Of this process there is but one at work: what else it holds cannot end while this waits.
    """
    own = says(folder)
    others = (found for place, found in _busy(folder.parent) if place != folder and found["pid"] != own.get("pid"))
    return sum(found["ticket"] < own.get("ticket", 0) for found in others)


def next_ticket(root: Path) -> int:
    """Returns a ticket behind all that were given out in a folder of models; ask while holding `root`'s queue lock."""
    return 1 + max((says(path.parent).get("ticket", 0) for path in root.glob("*/job.json")), default=0)


def _busy(root: Path) -> list[tuple[Path, dict[str, Any]]]:
    found = [(path.parent, says(path.parent)) for path in root.glob("*/job.json")]
    return [(folder, what) for folder, what in found if what.get("state") in BUSY and alive(what)]
