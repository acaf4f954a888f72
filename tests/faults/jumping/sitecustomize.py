"""Has the clock of a process, and of every Python that it starts, jump as a file says; only tests use it.

Python imports a module of this name when it starts, from wherever PYTHONPATH leads. `$VAE_TEST_CLOCK` names a file with
seconds to add to the time of day. As on a real machine the time since its start goes on as it did.
"""

import os
import time
from pathlib import Path

import psutil

_FILE = Path(os.environ["VAE_TEST_CLOCK"])
_time, _time_ns = time.time, time.time_ns


def _jump() -> int:
    return int(_FILE.read_text() or 0)


time.time = lambda: _time() + _jump()
time.time_ns = lambda: _time_ns() + _jump() * 10**9
if hasattr(psutil, "_pslinux"):
    _boot_time = psutil._pslinux.boot_time
    psutil._pslinux.boot_time = lambda: _boot_time() + _jump()
