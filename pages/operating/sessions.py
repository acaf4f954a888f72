"""Counts the connected sessions: each open browser tab has a websocket to the server."""

import itertools
import threading
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.operating import log

_STREAM = "/_stcore/stream"
_lock = threading.Lock()
_open: dict[int, float] = {}  # start times by session number
_numbers = itertools.count(1)


def count() -> int:
    """Returns the number of connected tabs."""
    return len(_open)


class Sessions:
    """Middleware that logs when sessions begin and end, and errors in between."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request or a websocket on."""
        number = None

        async def accepted(message: Message) -> None:
            nonlocal number
            await send(message)
            if number is None and message["type"] == "websocket.accept":
                number = _begin()

        follows = scope["type"] == "websocket" and scope["path"].endswith(_STREAM)
        try:
            await self.app(scope, receive, accepted if follows else send)
        except Exception as error:
            log.error(error)
            raise
        finally:
            if number is not None:
                _end(number)


def _begin() -> int:
    with _lock:
        number = next(_numbers)
        _open[number] = time.monotonic()
    log.event("session begin", session=number)
    return number


def _end(number: int) -> None:
    with _lock:
        began = _open.pop(number)
    log.event("session end", session=number, seconds=time.monotonic() - began)
