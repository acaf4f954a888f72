"""Shutdown on SIGTERM: immediately if possible, and within a few seconds in any case.

Uvicorn closes the websockets, and then waits without limit for pending requests; a file of the menu can take minutes.
Training runs are separate processes, which continue; their state is on disk.
"""

import os
import signal
import threading
import time
from types import FrameType

LIMIT = 5.0  # seconds
_begun = threading.Event()


def begun() -> bool:
    """Whether the server has been told to shut down."""
    return _begun.is_set()


def heed() -> None:
    """Installs a handler of SIGTERM in front of the present one; call it once the server has started."""
    if threading.current_thread() is not threading.main_thread():  # signals can be handled only in the main thread
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
    """Ends the process after the time limit."""
    time.sleep(LIMIT)
    from pages.cache import pool  # which loads PyTorch
    from pages.operating import log

    threading.Thread(target=pool.stop, daemon=True).start()  # the workers end with their pipes anyway
    time.sleep(0.5)
    log.event("server stop", whole=False)
    os._exit(0)
