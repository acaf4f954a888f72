"""How the server ends when it is told to by SIGTERM: at once where it can, and within a few seconds in any case.

Uvicorn closes the websockets, and then waits for requests that are under way without a limit; a file of the menu may
take minutes. Trainings are processes of their own, which go on; their states are on disk.
"""

import os
import signal
import threading
import time
from types import FrameType

LIMIT = 5.0  # seconds
_begun = threading.Event()


def begun() -> bool:
    """Whether the server was told to end."""
    return _begun.is_set()


def heed() -> None:
    """Hears SIGTERM from now on, before whoever hears it at present; to be called once the server has begun."""
    if threading.current_thread() is not threading.main_thread():  # where Python lets nobody hear signals
        return
    former = signal.getsignal(signal.SIGTERM)

    def leave(number: int, frame: FrameType | None) -> None:
        if not begun():
            _begun.set()
            threading.Thread(target=_insist, daemon=True).start()
        if callable(former):
            former(number, frame)

    signal.signal(signal.SIGTERM, leave)


def _insist() -> None:
    """Ends the process when its time is over."""
    time.sleep(LIMIT)
    from pages.cache import pool  # which loads PyTorch
    from pages.operating import log

    threading.Thread(target=pool.stop, daemon=True).start()  # the processes end with their pipes anyway
    time.sleep(0.5)
    log.event("server stop", whole=False)
    os._exit(0)
