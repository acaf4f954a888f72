"""A task for the worker processes: the request and its state."""

import subprocess
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np

from pages.cache import typed


class Asked(NamedTuple):
    """A request.

    Attributes:
        key: identifies the request; concurrent requests with the same key share one result.
        function: of a module in `pages.cache`, with a model and the name of a data set first.
        args: its arguments.
        drawn: the image (H, W), if the data set is a drawing.
    """

    key: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    drawn: np.ndarray | None = None


class Task:
    """A requested task."""

    def __init__(self, asked: Asked) -> None:
        self.key = asked.key
        self.head = {"module": asked.function.__module__, "function": asked.function.__name__}
        self.parts = [typed.dumps(asked.args, typed.taken(asked.function))]
        if asked.drawn is not None:
            self.parts.append(typed.dumps(asked.drawn, np.ndarray))
        self.answer: Future[bytes] = Future()
        self.items: list[bytes] = []  # the items so far, if the function yields several
        self.waiting = 0
        self.unwanted = False
        self.process: subprocess.Popen[bytes] | None = None  # the process that runs it
        self.name = (
            f"{self.head['module'].rpartition('.')[2]}.{self.head['function']}"  # without names of models or data sets
        )
