"""Requests: in order, none lost to another, and nothing foreign obeyed."""

import threading

import pytest

from vae.errors import JobError
from vae.jobs.control import FOLDER, ask, clear, requests


def test_requests_come_in_order_and_stay_until_they_are_done(tmp_path):
    clear(tmp_path)
    assert requests(tmp_path) == []
    ask(tmp_path, "pause")
    ask(tmp_path, "change", learning_rate=0.1, beta=2)
    ask(tmp_path, "go")
    assert [request for _, request in requests(tmp_path)] == [
        ("pause", {}), ("change", {"learning_rate": 0.1, "beta": 2.0}), ("go", {})
    ]  # fmt: skip
    requests(tmp_path)[0][0].unlink()
    assert [action for _, (action, _) in requests(tmp_path)] == ["change", "go"]
    clear(tmp_path)
    assert requests(tmp_path) == []


def test_two_who_ask_at_once_are_both_heard(tmp_path):
    clear(tmp_path)
    threads = [threading.Thread(target=lambda: [ask(tmp_path, "step") for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    seen: set = set()
    while any(thread.is_alive() for thread in threads):
        seen |= {path for path, _ in requests(tmp_path)}
    assert len(seen | {path for path, _ in requests(tmp_path)}) == 80


@pytest.mark.parametrize("content", [
    b"", b"{", b"[]", b"null", b'["erase", {}]', b'["change", {"learning_rate": "high"}]', b'["change", {"seed": 3}]',
    b'["change", []]', b"\xff",
])  # fmt: skip
def test_what_is_no_request_is_thrown_away(tmp_path, content):
    clear(tmp_path)
    (tmp_path / FOLDER / "0.json").write_bytes(content)
    ask(tmp_path, "stop")
    assert [action for _, (action, _) in requests(tmp_path)] == ["stop"]
    assert not (tmp_path / FOLDER / "0.json").exists()


def test_a_folder_that_has_gone_is_said(tmp_path):
    assert requests(tmp_path) == []  # where the requests alone have
    with pytest.raises(JobError, match="deleted or moved"):
        requests(tmp_path / "gone")
