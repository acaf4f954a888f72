"""The health check: whether the server works, for monitoring.

Streamlit's own, /_stcore/health, only shows that the server responds. This one also tells whether models can be read
and saved.
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
    """Answers /health with status 200 while the server is usable, and with 503 otherwise."""
    found = state()
    status = 503 if found["status"] in ("stopping", "unreadable") else 200
    return JSONResponse(found, status, {"Cache-Control": "no-store"})


def state() -> dict[str, Any]:
    """Returns the state of the server.

    Returns:
        `status`: "ok"; "read-only" if models can be read but not saved; "unreadable" if they cannot even be read;
        "stopping" after SIGTERM. `version` of the explorer. `checkpoints`: whether the user's folder of models is
        `readable` and `writable`.
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
    """Whether a folder can be listed, or does not exist yet."""
    try:
        with os.scandir(folder) as found:
            next(found, None)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def served() -> list[Route]:
    """Returns the routes of the health check."""
    return routes.everywhere("/health", answer)
