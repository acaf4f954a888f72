"""The file of events: what a line has, that it is rotated, and what becomes of it where it cannot be written."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.operating import log


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a server that writes events down."""
    place = tmp_path / "deep" / "events.jsonl"
    monkeypatch.setenv("VAE_LOG", str(place))
    log.begin()
    yield place
    log.end()


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_an_event_is_a_line_of_json(file: Path) -> None:
    log.event("job end", job=3, state="done", seconds=1.23456)
    (line,) = lines(file)
    assert line.pop("time").endswith("+00:00")
    assert isinstance(line.pop("process"), int)
    assert line == {"event": "job end", "job": 3, "state": "done", "seconds": 1.235}


def test_of_an_error_only_its_kind_and_its_place_are_kept(file: Path) -> None:
    try:
        json.loads("a secret")  # fails in the standard library
    except ValueError as error:
        log.error(error)
    (line,) = lines(file)
    assert line["type"] == "JSONDecodeError" and line["where"] == "" and "secret" not in file.read_text()


def test_the_place_of_an_error_is_a_line_of_the_explorer(file: Path) -> None:
    try:
        log.event("page", secret=object())  # type: ignore[arg-type]
    except TypeError as error:
        log.error(error)
    assert lines(file)[-1]["where"].startswith("operating/log.py:")


def test_files_are_rotated_and_few(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.end()
    monkeypatch.setattr(log, "MOST", 300)
    log.begin()
    for number in range(100):
        log.event("session begin", session=number)
    kept = sorted(file.parent.iterdir())
    assert len(kept) == log.OLD + 1 and all(each.stat().st_size <= 300 for each in kept)
    assert lines(file)[-1]["session"] == 99


def test_nothing_is_written_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAE_LOG", raising=False)
    monkeypatch.chdir(tmp_path)
    log.begin()
    log.event("server start")
    assert not log.writes() and not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_opened_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAE_LOG", str(tmp_path / "file" / "events.jsonl"))
    log.begin()
    log.event("server start")
    assert "Choose another VAE_LOG" in caplog.text and not log.writes()


def test_a_disk_that_is_full_fails_nobody(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full, a disk that is always full")
    monkeypatch.setenv("VAE_LOG", "/dev/full")
    log.begin()
    log.event("server start")
    log.end()
    assert capfd.readouterr().err == ""
