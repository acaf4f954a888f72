"""Who is connected: each tab of a browser has a websocket to the server as long as it is open."""

import itertools
import threading
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.operating import log

_STREAM = "/_stcore/stream"
_lock = threading.Lock()
_open: dict[int, float] = {}  # by the numbers of sessions, when they began
_numbers = itertools.count(1)


def count() -> int:
    """Returns how many tabs are connected now."""
    return len(_open)


class Sessions:
    """Between the network and the app: writes down when sessions begin and end, and what fails on the way."""

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
