"""How the server stands: who is connected, what is being worked out, and what it takes of memory and disk."""

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
    """How the server stands; memory and disk are in bytes."""

    sessions: int  # connected now
    since: float  # when the server began, seconds since 1970
    workers: int  # processes of the pool
    at_hand: int  # pieces of work that they are at
    waiting: int  # and that wait for one of them
    server_bytes: int  # of memory
    workers_bytes: int
    free_bytes: int  # of memory that anybody may have
    kept_bytes: int  # of values in memory
    cache_bytes: int  # of values on disk
    cache_files: int
    disk_bytes: int  # that the disk with the models has free
    jobs: list[jobs.Job]  # that run or wait


def now() -> Standing:
    """Returns how the server stands now."""
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
    """Returns what a process takes; nothing where it has ended."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(process).memory_info().rss
    return 0


def _sizes(files: Iterable[Path]) -> Iterable[int]:
    for file in files:
        with contextlib.suppress(OSError):  # it was removed meanwhile
            yield file.stat().st_size


def _free(folder: Path) -> int:
    """Returns the bytes that are free where a folder is, or where it would be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
