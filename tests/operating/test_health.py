"""The health address: what it says of the folder of models, and of a server that ends."""

import json
from pathlib import Path

import pytest
from starlette.requests import Request

from pages.operating import ending, health
from vae import paths


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of models."""
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    return tmp_path / "models"


def asked() -> tuple[int, dict]:
    answer = health.answer(Request({"type": "http", "method": "GET", "headers": []}))
    return answer.status_code, json.loads(bytes(answer.body))


def test_all_is_well(folder: Path) -> None:
    for _ in ("a folder that is still to be made", "one that is there"):
        status, found = asked()
        assert status == 200 and found["status"] == "ok" and found["version"]
        assert found["checkpoints"] == {"readable": True, "writable": True}
        folder.mkdir(exist_ok=True)
    assert not list(folder.iterdir())  # what was tried is gone


def test_models_can_be_looked_at_but_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_where: object) -> None:
        raise OSError(28, "No space left on device")

    folder.mkdir()
    monkeypatch.setattr(paths.tempfile, "TemporaryFile", full)
    status, found = asked()
    assert status == 200 and found["status"] == "read-only"
    assert found["checkpoints"] == {"readable": True, "writable": False}


def test_models_cannot_be_looked_at(folder: Path) -> None:
    folder.write_text("no folder")
    status, found = asked()
    assert status == 503 and found["status"] == "unreadable"


def test_a_server_that_ends_is_not_to_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "begun", lambda: True)
    status, found = asked()
    assert status == 503 and found["status"] == "stopping"
