"""A process of the pool: work comes by its input, and answers go by its output."""

import importlib
import inspect
import logging
import os
import signal
import sys
from collections.abc import Iterator
from typing import get_args, get_origin

import numpy as np
import torch

from pages.cache import models, sets, typed
from pages.cache.frames import FAILED, ITEM, OK, REFUSED, receive, send
from vae.errors import VAEError


def main() -> None:
    """Answers until the input ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is no answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, whose end is this one's too
    torch.set_num_threads(1)
    while True:
        try:
            head, (content, *drawn) = receive(requests)
        except EOFError:
            return
        try:
            function = inspect.unwrap(getattr(importlib.import_module(head["module"]), head["function"]))
            args = typed.loads(content, typed.taken(function))
            models.images(args[0])  # draws may stand in for them
            if drawn:
                sets.drawing(typed.loads(drawn[0], np.ndarray))
            value, kind = function(*args), typed.returned(function)
            if get_origin(kind) is Iterator:
                (item,) = get_args(kind)
                for each in value:
                    send(answers, {"is": ITEM}, [typed.dumps(each, item)])
                send(answers, {"is": OK}, [b""])
            else:
                send(answers, {"is": OK}, [typed.dumps(value, kind)])
        except VAEError as error:
            send(answers, {"is": REFUSED, "says": str(error)})
        except Exception as error:
            logging.exception("%s", head)
            send(answers, {"is": FAILED, "says": f"{type(error).__name__}: {error}"})
