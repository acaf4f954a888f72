"""A spare process that has already loaded PyTorch, so that the next training run starts at once."""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

__all__ = ["prepare", "take", "wait"]

_CODE = "from vae.jobs import spares; spares.wait()"

_waiting: subprocess.Popen[bytes] | None = None
_changing = threading.Lock()


def prepare(environment: Mapping[str, str]) -> None:
    """Starts a spare process unless there is one; does nothing if the system refuses to start a process.

    Arguments:
        environment: environment variables of the process, until `take` replaces them.
    """
    global _waiting
    with _changing:
        if _waiting is not None and _waiting.poll() is not None:
            _waiting.communicate()  # closes its pipe
            _waiting = None
        if _waiting is None:
            pipes: dict[str, Any] = {name: subprocess.DEVNULL for name in ("stdout", "stderr")}
            pipes["stdin"] = subprocess.PIPE
            with contextlib.suppress(OSError):
                _waiting = subprocess.Popen(
                    [sys.executable, "-c", _CODE], env=environment, start_new_session=True, **pipes
                )


def take(words: list[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
    """Runs `vae <words>` in the spare process.

    Arguments:
        words: arguments of the command.
        log: an existing file, to which its output is appended.
        environment: environment variables for the command, including OMP_NUM_THREADS.

    Returns:
        The process; None if there is no spare process.
    """
    global _waiting
    with _changing:
        process, _waiting = _waiting, None
    if process is None or process.stdin is None:
        return None
    asked = {"words": words, "log": str(log.absolute()), "environment": dict(environment)}
    try:
        with process.stdin:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
    except OSError:  # the process was killed while it waited
        process.wait()
        return None
    return process


def wait() -> None:
    """Runs in the spare process: imports what training needs, and waits for a command or for the end of its parent."""
    __import__("torch._dynamo")  # imported by every optimiser
    line = sys.stdin.buffer.readline()
    if not line:
        return
    asked = json.loads(line)
    os.environ.clear()
    os.environ.update(asked["environment"])
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))  # PyTorch reads the variable only when it is imported
    for file, number in ((os.open(os.devnull, os.O_RDONLY), 0), (os.open(asked["log"], os.O_WRONLY | os.O_APPEND), 1)):
        os.dup2(file, number)
    os.dup2(1, 2)
    sys.argv = ["vae", *asked["words"]]
    runpy.run_module("vae", run_name="__main__")
