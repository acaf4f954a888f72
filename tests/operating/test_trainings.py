"""What is written down of trainings and of work beside the server: numbers and times, and no names."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import cache
from pages.cache import pool
from pages.cache.tasks import Asked
from pages.operating import log, trainings
from tests import slow_work
from tests.waiting import HANG, wait_for
from vae import jobs


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a server that writes events down."""
    monkeypatch.setenv("VAE_LOG", str(tmp_path / "events.jsonl"))
    log.begin()
    yield tmp_path / "events.jsonl"
    log.end()


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_trainings_begin_and_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [jobs.Job("anna", "running"), jobs.Job("ben", "queued", ahead=1)]
    monkeypatch.setattr(trainings, "EVERY", 0.01)
    monkeypatch.setattr(jobs, "queue", lambda: list(busy))
    monkeypatch.setattr(jobs, "status", lambda name: jobs.Job("anna", "done") if name == "anna" else None)
    ended = threading.Event()
    watching = threading.Thread(target=trainings.watch, args=(ended,))
    watching.start()
    try:
        wait_for(lambda: len(lines(file)) == 2, file.read_text)
        busy.clear()
        wait_for(lambda: len(lines(file)) == 4, file.read_text)
    finally:
        ended.set()
        watching.join(HANG)
    began, over = lines(file)[:2], lines(file)[2:]
    assert {line["event"] for line in began} == {"job start"} and {line["event"] for line in over} == {"job end"}
    assert {line["job"] for line in began} == {line["job"] for line in over}
    assert sorted(line["state"] for line in over) == ["deleted", "done"]
    assert "anna" not in file.read_text() and "ben" not in file.read_text()


@pytest.mark.slow
def test_heavy_values_are_written_down(file: Path, tmp_path: Path) -> None:
    one = pool.Pool(1)
    try:
        asked = cache.model_id("mnist-2d"), "mnist-sample", 0.0, str(tmp_path / "trace")
        one.work(Asked("key", slow_work.nap, asked), lambda before: None)
    finally:
        one.stop()
    (line,) = lines(file)
    assert line["event"] == "value" and line["of"] == "slow_work.nap" and line["whole"] and line["seconds"] >= 0
    assert "mnist" not in file.read_text()
