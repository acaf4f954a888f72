"""Waiting for what another process does, with a limit that only a hang meets, however busy the machine is."""

import time
from collections.abc import Callable

HANG = 600.0  # seconds; below the limit of a whole test, so that what was waited for is named


def wait_for(condition: Callable[[], object], about: Callable[[], object] = lambda: "") -> None:
    """Waits until a condition holds; `about` says more in the failure of a test that hung."""
    until = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < until, about()
        time.sleep(0.005)
