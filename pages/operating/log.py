"""The event log: one line of JSON per event, in a rotated file; off unless `$VAE_LOG` names the file.

No line identifies a user or contains a name that a user chose: no keys, no addresses, no names of models, data sets or
uploads, and only the type and location of an error. Sessions and training runs are numbered in order.
"""

import contextlib
import json
import logging
import os
import time
import traceback
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

MOST = 5_000_000  # bytes per file
OLD = 5  # older files kept, as NAME.1, NAME.2, ...

Event = Literal[
    "server start", "server stop", "session begin", "session end", "page", "job start", "job end", "value", "error"
]
_logger = logging.Logger("events")  # separate from Python's root logger


class _Handler(RotatingFileHandler):
    """Continues without the file: a full disk must not fail a request, or fill the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drops the event."""


def file() -> Path | None:
    """Returns the log file, or None if logging is off."""
    said = os.environ.get("VAE_LOG")
    return Path(said).expanduser() if said else None


def begin() -> None:
    """Opens the log file; if that fails, warns in the terminal and continues without logging."""
    place = file()
    if place is None:
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _logger.addHandler(_Handler(place, maxBytes=MOST, backupCount=OLD, encoding="utf-8"))
    except OSError as error:
        refusal = f"{place} could not be opened: {error.strerror}. Choose another VAE_LOG."
        logging.getLogger(__name__).log(logging.WARNING, refusal)


def end() -> None:
    """Closes the log file."""
    for handler in list(_logger.handlers):
        _logger.removeHandler(handler)
        with contextlib.suppress(OSError):  # raised again on a full disk
            handler.close()


def writes() -> bool:
    """Whether events are logged."""
    return bool(_logger.handlers)


def event(kind: Event, **what: str | float | bool) -> None:
    """Logs an event.

    Arguments:
        kind: of the event.
        what: details of the event; times are in seconds.
    """
    if not writes():
        return
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in what.items()}
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    _logger.info(json.dumps({"time": when, "event": kind, "process": os.getpid(), **rounded}))


def page(path: str, began: float, whole: bool) -> None:
    """Logs the run of a page.

    Arguments:
        path: of the page in the address.
        began: start of the run, by `time.perf_counter`.
        whole: whether it ran to its end, rather than being cut short by a newer click or a closed tab.
    """
    event("page", page=path, seconds=time.perf_counter() - began, whole=whole)


def error(error: Exception) -> None:
    """Logs an unexpected error: its type, and the last line of this project in its traceback."""
    lines = [each for each in traceback.extract_tb(error.__traceback__) if _ours(Path(each.filename))]
    where = f"{'/'.join(Path(lines[-1].filename).parts[-2:])}:{lines[-1].lineno}" if lines else ""
    event("error", type=type(error).__qualname__, where=where)


def _ours(path: Path) -> bool:
    """Whether a file belongs to the explorer or the library, which is beside it or, once installed, around it."""
    here = Path(__file__).parents[2]
    library = here.parent if here.name == "explorer" else here / "vae"
    return path == here / "app.py" or any(path.is_relative_to(folder) for folder in (here / "pages", library))
