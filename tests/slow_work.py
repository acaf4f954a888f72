"""Work for the pool whose length a test chooses."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from vae.errors import DataError


def nap(model: tuple[str, float], data_name: str, seconds: float, trace: str) -> int:
    """Adds a line to a file, sleeps, and returns the number of the process."""
    with Path(trace).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    return os.getpid()


def count(model: tuple[str, float], data_name: str, trace: str, gate: str) -> Iterator[int]:
    """Gives 0, 1 and 2, a line in a file for each process, and before 1 waits for another file."""
    with Path(trace).open("a") as file:
        file.write(f"{os.getpid()}\n")
    yield 0
    while not Path(gate).exists():
        time.sleep(0.01)
    yield from (1, 2)


def refuse(model: tuple[str, float], data_name: str) -> int:
    raise DataError("There is no such thing.")


def fail(model: tuple[str, float], data_name: str) -> int:
    raise ZeroDivisionError("by zero")
