"""The command `vae classroom`: the class's folder, the lecturer's key, the password, and what the server is told."""

import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from vae import data
from vae.cli import main

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a system where the server takes the command's place")


@pytest.fixture
def port() -> Iterator[int]:
    """A port that is in use."""
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The servers that were started, in place of starting them; MNIST is there."""
    found: list[list[str]] = []

    def take_the_place(program: str, words: list[str]) -> None:
        found.append(words)
        raise SystemExit(0)  # nothing of the command runs after it

    monkeypatch.setattr(os, "execv", take_the_place)
    monkeypatch.setattr(data, "available", lambda name: True)
    monkeypatch.setenv("VAE_CLASSROOM", "")
    return found


def begin(folder: Path, *words: str) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = str(probe.getsockname()[1])
    try:
        return main(["classroom", str(folder), "--address=192.0.2.7", f"--port={free}", *words])
    except SystemExit as end:
        return int(end.code or 0)


def test_a_class_has_a_key_that_is_shown_once_and_kept_as_a_hash(
    tmp_path: Path, served: list[list[str]], capsys: pytest.CaptureFixture
) -> None:
    assert begin(tmp_path / "class") == 0
    out = capsys.readouterr().out
    address, key = re.search(r"(http://192\.0\.2\.7:\d+)/\?key=(\S{32})\n", out).groups()
    says = json.loads((tmp_path / "class" / "class.json").read_text())
    assert says == {"lecturer": hashlib.sha256(key.encode()).hexdigest(), "address": address}
    assert (tmp_path / "class" / "class.json").stat().st_mode & 0o077 == 0
    assert f"Students open {address}\n" in out and out.count("█") > 100
    assert os.environ["VAE_CLASSROOM"] == str(tmp_path / "class")

    says["limits"] = {"epochs": 4}
    (tmp_path / "class" / "class.json").write_text(json.dumps(says))
    assert begin(tmp_path / "class") == 0
    out, again = capsys.readouterr().out, json.loads((tmp_path / "class" / "class.json").read_text())
    assert "?key=" not in out and again | {"address": address} == says

    assert begin(tmp_path / "class", "--new-key") == 0
    assert "?key=" in capsys.readouterr().out
    assert json.loads((tmp_path / "class" / "class.json").read_text())["lecturer"] != says["lecturer"]


def test_the_server_is_open_to_the_network_and_protected(tmp_path: Path, served: list[list[str]]) -> None:
    assert begin(tmp_path / "class") == 0
    options = dict(word.removeprefix("--").split("=", 1) for word in served[0] if word.startswith("--"))
    assert options["server.address"] == "0.0.0.0" and options["browser.serverAddress"] == "192.0.2.7"
    assert options["server.enableXsrfProtection"] == options["server.enableCORS"] == "true"
    assert options["client.showErrorDetails"] == "none"


def test_a_password_is_kept_where_streamlit_reads_secrets(
    tmp_path: Path, served: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tomllib

    path = tmp_path / "class" / "secrets.toml"
    for given, kept in (('a "b" \\ ä', {"class": {"password": 'a "b" \\ ä'}}), ("", {})):
        monkeypatch.setattr("getpass.getpass", lambda prompt, given=given: given)
        assert begin(tmp_path / "class", "--password") == 0
        assert tomllib.loads(path.read_text(encoding="utf-8")) == kept and path.stat().st_mode & 0o077 == 0
        assert f"--secrets.files={path}" in served[-1]


def test_what_cannot_be_is_said(
    tmp_path: Path, served: list[list[str]], port: int, capsys: pytest.CaptureFixture
) -> None:
    assert main(["classroom", str(tmp_path / "class"), f"--port={port}"]) == 2
    assert f"A class needs a free port; {port}" in capsys.readouterr().err
    assert main(["classroom", str(tmp_path / "class"), "--port=0"]) == 2
    assert "from 1 to 65535" in capsys.readouterr().err
    assert not (tmp_path / "class").exists()
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "class.json").write_text("[1")
    assert begin(tmp_path / "class") == 2
    assert "class.json is damaged" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert begin(tmp_path / "file") == 2
    assert "could not be written" in capsys.readouterr().err and not served
