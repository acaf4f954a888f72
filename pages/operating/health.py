"""The health address: whether the server can do its work, for whatever watches it.

Streamlit's own, /_stcore/health, says that the server answers. This one says also whether models can be read and kept.
"""

import os
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pages.operating import ending
from pages.ui import routes


def answer(request: Request) -> Response:
    """Answers /health: with 200 as long as the server is of use, and else with 503."""
    found = state()
    status = 503 if found["status"] in ("stopping", "unreadable") else 200
    return JSONResponse(found, status, {"Cache-Control": "no-store"})


def state() -> dict[str, Any]:
    """Returns how the server is.

    Returns:
        `status`: "ok"; "read-only" where models can be looked at but not kept; "unreadable" where they cannot even be
        looked at; "stopping" from SIGTERM on. `version` of the explorer. `checkpoints`: whether a user's own folder of
        models is `readable` and `writable`.
    """
    from vae import paths  # which loads PyTorch

    folder = paths.own("checkpoints")
    readable, writable = _readable(folder), paths.takes(folder)
    status = "ok" if readable and writable else "read-only" if readable else "unreadable"
    return {
        "status": "stopping" if ending.begun() else status, "version": paths.version(),
        "checkpoints": {"readable": readable, "writable": writable},
    }  # fmt: skip


def _readable(folder: Path) -> bool:
    """Whether a folder can be listed; one that is not there yet holds nothing that could not be read."""
    try:
        with os.scandir(folder) as found:
            next(found, None)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def served() -> list[Route]:
    """Returns the routes of the health address."""
    return routes.everywhere("/health", answer)
