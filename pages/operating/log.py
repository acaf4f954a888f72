"""What happens on the server, as one line of JSON an event, in a file that is rotated; off unless `$VAE_LOG` names it.

No line says who somebody is or what they called something: there is no key, no address, no name of a model, a data set
or an upload, and of an error only its kind and its place. Sessions and trainings are numbered as they come.
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

MOST = 5_000_000  # bytes of a file
OLD = 5  # files that are kept beside the newest, as NAME.1, NAME.2, ...

Event = Literal[
    "server start", "server stop", "session begin", "session end", "page", "job start", "job end", "value", "error"
]
_logger = logging.Logger("events")  # of this module alone; nothing is said to Python's root logger


class _Handler(RotatingFileHandler):
    """Goes on without its file: a full disk is no reason to fail a visitor, or to fill the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Lets the event go."""


def file() -> Path | None:
    """Returns the file of events, or None where nothing is written down."""
    said = os.environ.get("VAE_LOG")
    return Path(said).expanduser() if said else None


def begin() -> None:
    """Opens the file; one that cannot be opened is said to the terminal, and the server goes on without it."""
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
    """Closes the file."""
    for handler in list(_logger.handlers):
        _logger.removeHandler(handler)
        with contextlib.suppress(OSError):  # which it says once more of a full disk
            handler.close()


def writes() -> bool:
    """Whether events are written down."""
    return bool(_logger.handlers)


def event(kind: Event, **what: str | float | bool) -> None:
    """Writes an event down.

    Arguments:
        kind: of the event.
        what: is known of it; times are in seconds.
    """
    if not writes():
        return
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in what.items()}
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    _logger.info(json.dumps({"time": when, "event": kind, "process": os.getpid(), **rounded}))


def page(path: str, began: float, whole: bool) -> None:
    """Writes down that a page has run.

    Arguments:
        path: of the page in the address.
        began: when, by `time.perf_counter`.
        whole: whether it ran to its end; a newer click, or a visitor who leaves, cuts it short.
    """
    event("page", page=path, seconds=time.perf_counter() - began, whole=whole)


def error(error: Exception) -> None:
    """Writes down an error that nobody foresaw: its kind, and the last line of this project that it came through."""
    lines = [each for each in traceback.extract_tb(error.__traceback__) if _ours(Path(each.filename))]
    where = f"{'/'.join(Path(lines[-1].filename).parts[-2:])}:{lines[-1].lineno}" if lines else ""
    event("error", type=type(error).__qualname__, where=where)


def _ours(path: Path) -> bool:
    """Whether a file is one of the explorer or of the library, which lies beside it or, once installed, around it."""
    here = Path(__file__).parents[2]
    library = here.parent if here.name == "explorer" else here / "vae"
    return path == here / "app.py" or any(path.is_relative_to(folder) for folder in (here / "pages", library))
