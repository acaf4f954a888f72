"""Work for the pool whose length a test chooses."""

import os
import time
from pathlib import Path

from vae.errors import DataError


def nap(model: tuple[str, float], data_name: str, seconds: float, trace: str) -> int:
    """Adds a line to a file, sleeps, and returns the number of the process."""
    with Path(trace).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    return os.getpid()


def refuse(model: tuple[str, float], data_name: str) -> int:
    raise DataError("There is no such thing.")


def fail(model: tuple[str, float], data_name: str) -> int:
    raise ZeroDivisionError("by zero")
