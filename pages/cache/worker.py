"""A worker process of the pool: it reads tasks from its input, and writes results to its output."""

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
    """Runs tasks until the input ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that printed text does not mix with results
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, and this process ends with it
    torch.set_num_threads(1)
    while True:
        try:
            head, (content, *drawn) = receive(requests)
        except EOFError:
            return
        try:
            function = inspect.unwrap(getattr(importlib.import_module(head["module"]), head["function"]))
            args = typed.loads(content, typed.taken(function))
            models.images(args[0])  # registers samples that replace them
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
