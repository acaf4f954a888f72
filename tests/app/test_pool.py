"""The processes beside the server: what they answer, what two share, and what becomes of work that nobody wants."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from pages import cache
from pages.cache import pool, typed
from tests import slow_work
from tests.waiting import HANG, wait_for
from vae.errors import VAEError

pytestmark = pytest.mark.slow
MODEL, DATA = "mnist-bernoulli-2d", "mnist-sample"


@pytest.fixture(scope="module")
def one() -> Iterator[pool.Pool]:
    """A pool of one process."""
    made = pool.Pool(1)
    yield made
    made.stop()


class Left(BaseException):
    """What Streamlit raises in a session whose visitor has left."""


def leave(before: int) -> None:
    raise Left


def stay(before: int) -> None:
    pass


def asked(one: pool.Pool, key: str, function: Callable[..., Any], *args: Any, tell: Any = stay) -> Any:
    content = one.work(pool.Asked(key, function, (cache.model_id(MODEL), DATA, *args)), tell)
    return typed.loads(content, int)


def streamed(one: pool.Pool, *args: Any, seen: Callable[[], None] = lambda: None) -> list[int]:
    """What comes of work that gives one thing after the other."""
    found = []
    asked = pool.Asked(f"count {args}", slow_work.count, (cache.model_id(MODEL), DATA, *args))
    for content in one.stream(asked, stay):
        if content is not None:
            found.append(typed.loads(content, int))
            seen()
    return found


def test_the_answer_is_that_of_the_function(one: pool.Pool) -> None:
    model = cache.model_id(MODEL)
    content = one.work(pool.Asked("kl", cache.needed, (model, DATA, 3)), stay)
    assert typed.loads(content, float) == pytest.approx(cache.needed(model, DATA, 3), abs=1e-3)


def test_a_drawing_goes_along(one: pool.Pool) -> None:
    model, drawn = cache.model_id(MODEL), np.full((28, 28), 100, np.uint8)
    name = cache.drawing(drawn).name
    content = one.work(pool.Asked("drawn", cache.needed, (model, name, 0), drawn), stay)
    assert typed.loads(content, float) == pytest.approx(cache.needed(model, name, 0), abs=1e-3)


def test_two_who_ask_for_the_same_share_it(one: pool.Pool, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with ThreadPoolExecutor() as threads:
        both = [threads.submit(asked, one, "same", slow_work.nap, 1.0, str(trace)) for _ in range(2)]
        first, second = (each.result(HANG) for each in both)
    assert first == second and len(trace.read_text().splitlines()) == 1


def test_who_waits_is_told_how_many_come_before(one: pool.Pool, tmp_path: Path) -> None:
    trace, gate, told = tmp_path / "trace", tmp_path / "gate", list[int]()

    def tell(before: int) -> None:
        told.append(before)
        gate.touch()  # only now the first may end

    with ThreadPoolExecutor() as threads:
        first = threads.submit(streamed, one, str(trace), str(gate))
        wait_for(trace.exists)
        asked(one, "second", slow_work.nap, 0.0, str(tmp_path / "other"), tell=tell)
        first.result(HANG)
    assert told[0] == 1


def test_what_nobody_waits_for_is_ended(one: pool.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "GRACE", 0.1)
    trace = tmp_path / "trace"
    with pytest.raises(Left):
        asked(
            one,
            "left",
            slow_work.nap,
            1000.0,
            str(trace),
            tell=lambda before: leave(before) if trace.exists() else None,
        )
    number = int(trace.read_text())
    wait_for(lambda: not psutil.pid_exists(number))
    assert asked(one, "next", slow_work.nap, 0.0, str(trace)) != number


def test_what_waits_in_line_and_is_left_never_begins(
    one: pool.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "GRACE", 0.0)
    begun = tmp_path / "begun"
    with ThreadPoolExecutor() as threads:
        first = threads.submit(asked, one, "long", slow_work.nap, 2.0, str(tmp_path / "trace"))
        wait_for((tmp_path / "trace").exists)
        with pytest.raises(Left):
            asked(one, "in line", slow_work.nap, 0.0, str(begun), tell=leave)
        first.result(HANG)
    asked(one, "after", slow_work.nap, 0.0, str(tmp_path / "trace"))
    assert not begun.exists()


def test_who_asks_late_for_what_streams_gets_all_of_it(one: pool.Pool, tmp_path: Path) -> None:
    trace, gate, begun = tmp_path / "trace", tmp_path / "gate", threading.Event()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(streamed, one, str(trace), str(gate), seen=begun.set)
        assert begun.wait(HANG)
        again = threading.Event()
        second = threads.submit(streamed, one, str(trace), str(gate), seen=again.set)
        assert again.wait(HANG)
        gate.touch()
        assert first.result(HANG) == second.result(HANG) == [0, 1, 2]
    assert len(trace.read_text().splitlines()) == 1


def test_a_stream_whose_process_is_killed_goes_on_where_it_was(one: pool.Pool, tmp_path: Path) -> None:
    trace, gate = tmp_path / "trace", tmp_path / "gate"

    def kill() -> None:
        if not gate.exists():
            gate.touch()
            os.kill(int(trace.read_text()), signal.SIGKILL)

    found = streamed(one, str(trace), str(gate), seen=kill)
    assert found == [0, 1, 2] and len(trace.read_text().splitlines()) in (1, 2)


def test_a_stream_that_is_left_is_ended(one: pool.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "GRACE", 0.1)
    trace = tmp_path / "trace"
    with pytest.raises(Left):
        streamed(one, str(trace), str(tmp_path / "none"), seen=lambda: leave(0))
    number = int(trace.read_text())
    wait_for(lambda: not psutil.pid_exists(number))


def killing(trace: Path, times: int) -> None:
    """Kills the processes that take up work, one after the other."""
    for count in range(1, times + 1):
        wait_for(lambda count=count: trace.exists() and len(trace.read_text().splitlines()) == count)
        os.kill(int(trace.read_text().splitlines()[-1]), signal.SIGKILL)


def test_a_process_that_is_killed_costs_nobody_an_answer(one: pool.Pool, tmp_path: Path) -> None:
    first = asked(one, "idle", slow_work.nap, 0.0, str(tmp_path / "trace"))
    os.kill(first, signal.SIGKILL)  # while it has nothing to do
    assert asked(one, "idle", slow_work.nap, 0.0, str(tmp_path / "trace")) != first
    trace = tmp_path / "busy"
    threading.Thread(target=killing, args=(trace, 1)).start()
    assert asked(one, "busy", slow_work.nap, 5.0, str(trace)) == int(trace.read_text().splitlines()[-1])


def test_work_that_kills_two_processes_is_given_up(one: pool.Pool, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    threading.Thread(target=killing, args=(trace, 2)).start()
    with pytest.raises(VAEError, match="were killed"):
        asked(one, "killed", slow_work.nap, 1000.0, str(trace))
    assert asked(one, "killed", slow_work.nap, 0.0, str(tmp_path / "again"))


def test_errors_come_back_as_what_they_are(one: pool.Pool) -> None:
    with pytest.raises(VAEError, match=r"There is no such thing\."):
        asked(one, "refused", slow_work.refuse)
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by zero"):
        asked(one, "failed", slow_work.fail)


def test_a_pool_that_stops_answers_all_who_wait(tmp_path: Path) -> None:
    two = pool.Pool(1)
    with ThreadPoolExecutor() as threads:
        running = threads.submit(asked, two, "one", slow_work.nap, 1000.0, str(tmp_path / "trace"))
        wait_for((tmp_path / "trace").exists)
        in_line = threads.submit(asked, two, "two", slow_work.nap, 1000.0, str(tmp_path / "none"))
        wait_for(lambda: len(two._tasks) == 2)
        two.stop()
        for each in (running, in_line):
            with pytest.raises(pool.Ended):
                each.result(HANG)
    with pytest.raises(pool.Ended):
        asked(two, "late", slow_work.nap, 0.0, str(tmp_path / "none"))
