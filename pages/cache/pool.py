"""Work that takes long is done by a few processes beside the server, whose sessions share one interpreter and its lock.

Two who ask for the same wait for the same; what nobody waits for any more is ended.
"""

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any, NamedTuple

import numpy as np
import psutil

from pages.cache import frames, typed
from vae import paths
from vae.errors import VAEError

_OFTEN = 0.25  # seconds between looks at whether somebody still waits
GRACE = 3.0  # seconds that work goes on when nobody waits for it any more: most ends, and somebody may come back
# without Streamlit's warnings, from the import on, that no server is here
_WORKER = "import logging; logging.disable(logging.WARNING); from pages.cache.worker import main; main()"
MOST = 8  # processes, where nobody asks for more


class Ended(Exception):
    """The pool was ended before it had an answer."""


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


class _Task:
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


class Pool:
    """Processes, each fed by a thread."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._lock = threading.Lock()
        self._tasks: dict[str, _Task] = {}  # in the order in which they were asked for
        self._queue: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self.ended = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.workers)]
        for thread in self._threads:
            thread.start()

    def work(self, asked: Asked, tell: Callable[[int], None]) -> bytes:
        """Has a function called by one of the processes.

        Arguments:
            asked: what is asked for.
            tell: is told every quarter of a second how many pieces of work come before this; what it raises ends the
                wait.

        Returns:
            What `typed.dumps` writes of the answer.

        Raises:
            VAEError: as the function does, or two processes in a row were killed.
            Ended: the pool was.
        """
        with self._wanted(asked) as task:
            while not _ended(task):
                tell(self._before(asked.key))
            return task.answer.result()

    def stream(self, asked: Asked, tell: Callable[[int], None]) -> Iterator[bytes | None]:
        """Has a function that returns an iterator called by one of the processes.

        Arguments:
            asked, tell: as for `work`; nothing is told from the first item on.

        Yields:
            What `typed.dumps` writes of each item, as it comes, all of them also to who asks later than another; None
            every quarter of a second in which none came.

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
    def _wanted(self, asked: Asked) -> Iterator[_Task]:
        """Queues work, or finds it queued, and ends it when nobody waits for it any more."""
        with self._lock:
            if self.ended:
                raise Ended
            task = self._tasks.get(asked.key)
            if task is None:
                self._tasks[asked.key] = task = _Task(asked)
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
        """Ends the processes; who waits is told by `Ended`."""
        with self._lock:
            self.ended = True
            for task in list(self._tasks.values()):
                task.answer.cancel()
            for process in self._processes:
                process.kill()
        for _ in range(self.workers):
            self._queue.put(None)
        for thread in self._threads:
            thread.join(10)

    def _before(self, key: str) -> int:
        """How many pieces of work begin before this one."""
        with self._lock:
            return max(0, list(self._tasks).index(key) - self.workers + 1) if key in self._tasks else 0

    def _forget(self, task: _Task) -> None:
        """Lets whoever asks for the same from now on have it worked out anew."""
        if self._tasks.get(task.key) is task:
            del self._tasks[task.key]

    def _end(self, task: _Task) -> None:
        """Ends work that nobody waits for."""
        with self._lock:
            if task.waiting or task.answer.done():
                return
            self._forget(task)
            task.unwanted = True
            if not task.answer.cancel() and task.process is not None:
                task.process.kill()

    def _serve(self) -> None:
        """Gives one process its work, and makes another when it has ended."""
        process = self._make()
        while (task := self._queue.get()) is not None and not self.ended:
            if not task.answer.set_running_or_notify_cancel():
                continue
            answer: bytes | Exception = _killed()
            for _attempt in range(2):  # one that was killed while it had nothing to do costs nobody's work
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

    def _ask(self, process: subprocess.Popen[bytes], task: _Task) -> bytes | Exception:
        """Has a process do a piece of work; OSError, EOFError or ValueError where it ends meanwhile."""
        assert process.stdin is not None and process.stdout is not None
        with self._lock:
            task.process = process
        frames.send(process.stdin, task.head, task.parts)
        head, parts = frames.receive(process.stdout)
        count = 0
        while head["is"] == frames.ITEM:
            count += 1
            if count > len(task.items):  # otherwise from the process that was killed
                task.items.append(parts[0])
            head, parts = frames.receive(process.stdout)
        if head["is"] == frames.OK:
            return parts[0]
        return (VAEError if head["is"] == frames.REFUSED else RuntimeError)(head["says"])

    def _make(self) -> subprocess.Popen[bytes] | None:
        """Starts a process, or returns None where the system has none to give."""
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
        with contextlib.suppress(psutil.Error):  # it gives way to the server, which answers hands
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
            with contextlib.suppress(OSError):  # what it was sent last may be on the way still
                if pipe is not None:
                    pipe.close()
        process.wait()


def _ended(task: _Task) -> bool:
    """Waits a moment for the end of some work; CancelledError where the pool was ended."""
    with contextlib.suppress(TimeoutError):
        task.answer.exception(_OFTEN)
        return True
    return False


def _killed() -> VAEError:
    return VAEError("The processes that worked this out were killed, perhaps for want of memory. Reload the page.")


_pool: Pool | None = None
_changing = threading.Lock()


def start() -> None:
    """Makes the pool of this server: `$VAE_WORKERS` processes or, without it, one a core. With 0 there is no pool."""
    global _pool
    said = os.environ.get("VAE_WORKERS", "")
    workers = int(said) if said.isdecimal() else min(MOST, os.cpu_count() or 1)
    with _changing:
        _pool = _pool or (Pool(workers) if workers else None)


def stop() -> None:
    """Ends the pool of this server."""
    global _pool
    with _changing:
        pool, _pool = _pool, None
    if pool is not None:
        pool.stop()


def running() -> Pool | None:
    """Returns the pool of this server, if it has one."""
    return _pool
