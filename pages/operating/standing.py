"""The state of the server: sessions, tasks, and the use of memory and disk."""

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

from pages.cache import disk, kept, pool
from pages.operating import sessions
from vae import jobs, paths


class Standing(NamedTuple):
    """The state of the server; memory and disk are in bytes."""

    sessions: int  # connected
    since: float  # start of the server, seconds since 1970
    workers: int  # processes of the pool
    at_hand: int  # tasks in progress
    waiting: int  # tasks waiting
    server_bytes: int  # of memory
    workers_bytes: int
    free_bytes: int  # of available memory
    kept_bytes: int  # of values in memory
    cache_bytes: int  # of values on disk
    cache_files: int
    disk_bytes: int  # free on the disk with the models
    jobs: list[jobs.Job]  # running or waiting


def now() -> Standing:
    """Returns the current state of the server."""
    workers = pool.running()
    at_hand, waiting, processes = workers.standing() if workers else (0, 0, [])
    files = list(_sizes(disk.folder().glob("*.npz")))
    server = psutil.Process()
    return Standing(
        sessions.count(), server.create_time(), len(processes), at_hand, waiting, server.memory_info().rss,
        sum(map(_memory, processes)), psutil.virtual_memory().available, kept.memory().bytes, sum(files), len(files),
        _free(paths.own("checkpoints")), jobs.queue(),
    )  # fmt: skip


def _memory(process: int) -> int:
    """Returns the memory of a process, bytes; 0 if it has ended."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(process).memory_info().rss
    return 0


def _sizes(files: Iterable[Path]) -> Iterable[int]:
    for file in files:
        with contextlib.suppress(OSError):  # removed in the meantime
            yield file.stat().st_size


def _free(folder: Path) -> int:
    """Returns the free bytes on the disk where a folder is, or where it would be created."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
