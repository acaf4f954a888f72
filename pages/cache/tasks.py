"""A piece of work for the processes beside the server: what is asked for, and how it stands."""

import subprocess
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np

from pages.cache import typed


class Asked(NamedTuple):
    """What is asked for.

    Attributes:
        key: what it is known by; who asks for the same meanwhile gets the same answer.
        function: of a module in `pages.cache`, with a model and the name of a data set first.
        args: its arguments.
        drawn: the image (H, W), where the data set is a drawing.
    """

    key: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    drawn: np.ndarray | None = None


class Task:
    """Work that somebody asked for."""

    def __init__(self, asked: Asked) -> None:
        self.key = asked.key
        self.head = {"module": asked.function.__module__, "function": asked.function.__name__}
        self.parts = [typed.dumps(asked.args, typed.taken(asked.function))]
        if asked.drawn is not None:
            self.parts.append(typed.dumps(asked.drawn, np.ndarray))
        self.answer: Future[bytes] = Future()
        self.items: list[bytes] = []  # what came so far, of work that gives one thing after the other
        self.waiting = 0
        self.unwanted = False
        self.process: subprocess.Popen[bytes] | None = None  # which is at it
        self.name = f"{self.head['module'].rpartition('.')[2]}.{self.head['function']}"  # without whose, or of what
