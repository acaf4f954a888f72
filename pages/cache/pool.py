"""Worker processes for slow computations, because all sessions share one interpreter and its lock.

Identical requests share one task, and a task that nobody waits for is ended.
"""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import psutil

from pages.cache import frames
from pages.cache.tasks import Asked, Task
from pages.operating import log
from pages.ui.language import _
from vae import paths
from vae.errors import VAEError

_OFTEN = 0.25  # seconds between checks whether somebody still waits
GRACE = 3.0  # seconds that a task continues when nobody waits: it may finish, or the user may return
# silences Streamlit's warnings that there is no server, which start at its import
_WORKER = "import logging; logging.disable(logging.WARNING); from pages.cache.worker import main; main()"
MOST = 8  # processes, by default


class Ended(Exception):
    """The pool was stopped before the task had finished."""


class Killed(VAEError):
    """Two worker processes in a row were killed during a task."""

    def __str__(self) -> str:
        """Returns the message in the language of the session that shows it."""
        return _("The processes that compute this value were killed, possibly for lack of memory. Reload the page.")


class Pool:
    """Worker processes, each served by a thread."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}  # in the order of requests
        self._queue: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self.ended = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.workers)]
        for thread in self._threads:
            thread.start()

    def work(self, asked: Asked, tell: Callable[[int], None]) -> bytes:
        """Calls a function in one of the processes.

        Arguments:
            asked: the request.
            tell: called every quarter of a second with the number of tasks ahead; an exception from it ends the wait.

        Returns:
            The result as `typed.dumps` writes it.

        Raises:
            VAEError: raised by the function, or two processes in a row were killed.
            Ended: the pool was stopped.
        """
        with self._wanted(asked) as task:
            while not _ended(task):
                tell(self._before(asked.key))
            return task.answer.result()

    def stream(self, asked: Asked, tell: Callable[[int], None]) -> Iterator[bytes | None]:
        """Calls a function that returns an iterator in one of the processes.

        Arguments:
            asked, tell: as for `work`; `tell` is not called after the first item.

        Yields:
            Each item as `typed.dumps` writes it; later requests for the same task get all items too. None in each
            quarter of a second without an item.

        Raises:
            VAEError, Ended: as `work`.
        """
        with self._wanted(asked) as task:
            given, ended = 0, False
            while not ended:
                ended = _ended(task)
                new = task.items[given:]
                if not given and not new and not ended:
                    tell(self._before(asked.key))
                yield from new
                given += len(new)
                if not new:
                    yield None
            task.answer.result()

    @contextlib.contextmanager
    def _wanted(self, asked: Asked) -> Iterator[Task]:
        """Queues a task, or finds it in the queue, and ends it when nobody waits for it."""
        with self._lock:
            if self.ended:
                raise Ended
            task = self._tasks.get(asked.key)
            if task is None:
                self._tasks[asked.key] = task = Task(asked)
                self._queue.put(task)
            task.waiting += 1
        try:
            yield task
        except CancelledError as error:
            raise Ended from error
        finally:
            with self._lock:
                task.waiting -= 1
            if not task.waiting and not task.answer.done():
                threading.Timer(GRACE, self._end, (task,)).start()

    def stop(self) -> None:
        """Stops the processes; those who wait get `Ended`."""
        with self._lock:
            self.ended = True
            for task in list(self._tasks.values()):
                task.answer.cancel()
            for process in self._processes:
                process.kill()
        for _worker in range(self.workers):
            self._queue.put(None)
        for thread in self._threads:
            thread.join(10)

    def standing(self) -> tuple[int, int, list[int]]:
        """Returns the number of tasks in progress, the number waiting, and the process IDs."""
        with self._lock:
            at_hand = sum(task.process is not None for task in self._tasks.values())
            return at_hand, len(self._tasks) - at_hand, [process.pid for process in self._processes]

    def _before(self, key: str) -> int:
        """Returns how many tasks start before this one."""
        with self._lock:
            return max(0, list(self._tasks).index(key) - self.workers + 1) if key in self._tasks else 0

    def _forget(self, task: Task) -> None:
        """Removes a task, so that later requests for the same start a new one."""
        if self._tasks.get(task.key) is task:
            del self._tasks[task.key]

    def _end(self, task: Task) -> None:
        """Ends a task that nobody waits for."""
        with self._lock:
            if task.waiting or task.answer.done():
                return
            self._forget(task)
            task.unwanted = True
            if not task.answer.cancel() and task.process is not None:
                task.process.kill()

    def _serve(self) -> None:
        """Feeds tasks to one process, and starts another when it has ended."""
        process = self._make()
        while (task := self._queue.get()) is not None and not self.ended:
            if not task.answer.set_running_or_notify_cancel():
                continue
            began = time.perf_counter()
            answer: bytes | Exception = Killed()
            for _attempt in range(2):  # a process killed while idle must not fail a task
                try:
                    process = process or self._make()
                    if process is None:
                        raise OSError
                    answer = self._ask(process, task)
                    break
                except (OSError, EOFError, ValueError):
                    self._unmake(process)
                    process = None
                    if self.ended or task.unwanted:
                        answer = Ended()
                        break
            log.event("value", of=task.name, seconds=time.perf_counter() - began, whole=isinstance(answer, bytes))
            with self._lock:
                task.process = None
                self._forget(task)
                if isinstance(answer, bytes):
                    task.answer.set_result(answer)
                else:
                    task.answer.set_exception(answer)
            if process is None and not self.ended:
                process = self._make()
        self._unmake(process)

    def _ask(self, process: subprocess.Popen[bytes], task: Task) -> bytes | Exception:
        """Runs a task in a process; OSError, EOFError or ValueError if the process ends."""
        assert process.stdin is not None and process.stdout is not None
        with self._lock:
            task.process = process
        frames.send(process.stdin, task.head, task.parts)
        head, parts = frames.receive(process.stdout)
        count = 0
        while head["is"] == frames.ITEM:
            count += 1
            if count > len(task.items):  # else it came already from the process that was killed
                task.items.append(parts[0])
            head, parts = frames.receive(process.stdout)
        if head["is"] == frames.OK:
            return parts[0]
        return (VAEError if head["is"] == frames.REFUSED else RuntimeError)(head["says"])

    def _make(self) -> subprocess.Popen[bytes] | None:
        """Starts a process, or returns None if the system refuses."""
        path = os.pathsep.join(filter(None, [str(paths.SHIPPED), os.environ.get("PYTHONPATH")]))
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
            )
        except OSError:
            return None
        with self._lock:
            self._processes.add(process)
        with contextlib.suppress(psutil.Error):  # lower priority than the server, which must respond to users
            nice = psutil.Process().nice()
            psutil.Process(process.pid).nice(max(5, nice) if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return process

    def _unmake(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None:
            return
        with self._lock:
            self._processes.discard(process)
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # unsent data may remain in the buffer
                if pipe is not None:
                    pipe.close()
        process.wait()


def _ended(task: Task) -> bool:
    """Waits briefly for the end of a task; CancelledError if the pool was stopped."""
    with contextlib.suppress(TimeoutError):
        task.answer.exception(_OFTEN)
        return True
    return False


_pool: Pool | None = None
_changing = threading.Lock()


def start() -> None:
    """Starts the pool of this server: `$VAE_WORKERS` processes, by default one per core; with 0 there is no pool."""
    global _pool
    said = os.environ.get("VAE_WORKERS", "")
    workers = int(said) if said.isdecimal() else min(MOST, os.cpu_count() or 1)
    with _changing:
        _pool = _pool or (Pool(workers) if workers else None)


def stop() -> None:
    """Stops the pool of this server."""
    global _pool
    with _changing:
        pool, _pool = _pool, None
    if pool is not None:
        pool.stop()


def running() -> Pool | None:
    """Returns the pool of this server, if it has one."""
    return _pool
