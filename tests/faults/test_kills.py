"""The server is killed (-9) while images are uploaded and kept, models saved, copied, renamed and deleted, and trained.

Whatever the moment, nothing half-written is listed and nothing that was finished is lost; a fresh server opens on it.
`make faults` kills it 100 times.
"""

import contextlib
import io
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
from websockets.exceptions import ConnectionClosed

import vae
from tests.browser.conftest import serving, trainings_ended
from tests.visitor import Visitor, put
from tests.waiting import wait_for
from vae import jobs
from vae.data import imports, stored
from vae.jobs import shelf
from vae.model import locate

KINDS = ("keep", "copy", "rename", "delete")
LATEST = 0.4  # seconds from the last click to the kill


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for all that the servers of a test write."""
    for kind in ("data", "cache", "checkpoints"):
        monkeypatch.setenv(f"VAE_{kind.upper()}", str(tmp_path / kind))
    return tmp_path


@contextlib.contextmanager
def server(places: Path) -> Iterator[tuple[int, psutil.Process]]:
    """A server that the block is to kill."""
    with serving(places) as url:
        port = urlsplit(url).port or 0
        owners = [it for it in psutil.Process().children() if str(port) in it.cmdline()]
        yield port, owners[0]


def images(life: int) -> bytes:
    content = io.BytesIO()
    np.savez(content, x=np.random.default_rng(life).integers(0, 256, (3000, 28, 28), dtype=np.uint8))
    return content.getvalue()


def model(name: str, life: int) -> None:
    config = vae.ModelConfig()
    record = vae.Record(name=name, model=config, training=vae.TrainConfig(data="mnist-sample"))
    vae.save(vae.build(config, life), record)


def drained(visitor: Visitor) -> list[str]:
    """What a visitor was told of success before the server was gone."""
    with contextlib.suppress(ConnectionClosed, OSError, EOFError, TimeoutError):
        while True:
            visitor.take(20)
    return visitor.said("success")


def one_life(places: Path, life: int, moment: float) -> dict[str, bool]:
    """Starts a server, has three visitors ask for something at once, and kills it; what was said to be finished."""
    kind = KINDS[life % len(KINDS)]
    if kind != "keep":
        model(f"old-{life}", life)
    with server(places) as (port, process):
        uploads, models, trainings = Visitor(port), Visitor(port), Visitor(port)
        uploads.visit("data")
        models.visit("models")
        trainings.visit("train")
        assert not uploads.said("error") + models.said("error")  # the training that was killed before is said to be
        uploads.upload("data.files0", "images.npz", images(life))
        uploads.ask()
        uploads.wait()
        uploads.set("data.name", string_value=f"set-{life}")
        uploads.ask()
        uploads.wait()
        if kind == "keep":
            model("mailed", life)
            models.upload("models.files0", "m.safetensors", locate("mailed").read_bytes())
            models.ask()
            models.wait()
            models.set("models.name", string_value=f"new-{life}")
        else:
            models.set("models.one", string_value=f"old-{life}")
            models.set("models.new", string_value=f"new-{life}")
        models.ask()
        models.wait()
        trainings.set("train.name", string_value=f"trained-{life}")
        trainings.ask()
        trainings.wait()
        helpers = [it for it in process.children(recursive=True) if "train" not in it.cmdline()]
        earlier = [it for it in psutil.process_iter() if of_training(it)]
        begun = life % 3 == 0 and jobs.running() is None
        # a file is on its way too
        url = f"/_stcore/upload_file/{uploads.session}/{'0' * 32}"
        sending = threading.Thread(target=sent, args=(port, url), daemon=True)
        sending.start()
        uploads.ask(data__keep=True)
        models.ask(**{f"models__{kind}": True})
        if begun:
            trainings.ask(train__start=True)
        time.sleep(moment)
        process.kill()
        for each in earlier:  # which have learned for a while
            with contextlib.suppress(psutil.Error):
                each.kill()
        process.wait()
        told = {"set": bool(drained(uploads)), "model": bool(drained(models))}
        wait_for(lambda: not any(it.is_running() and it.status() != psutil.STATUS_ZOMBIE for it in helpers))
    return told


def sent(port: int, url: str) -> None:
    with contextlib.suppress(OSError):
        put(port, url, "large", os.urandom(1000) * 30_000)


def of_training(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return "train" in words and os.environ["VAE_CHECKPOINTS"] == process.environ().get("VAE_CHECKPOINTS")
    return False


def look(finished: dict[str, bytes]) -> None:
    """Checks that all that is listed is whole, and that what was finished is as it was."""
    cards, troubles = stored.cards()
    assert troubles == []
    for card in cards:
        stored.load(card)
        assert imports._checksum(stored.folder() / card.name) == card.checksum
    records, damaged = vae.catalogue()
    assert damaged == []
    names = {record.name for record in records} - set(shelf.SHIPPED)
    for name in names - finished.keys():
        vae.load(name)
    for name, content in finished.items():
        assert locate(name).read_bytes() == content
    for token in shelf.discarded():
        vae.load(vae.paths.own("checkpoints") / shelf.DISCARDED / token / token.partition("-")[2])
    for job in jobs.known():
        assert job.state in ("queued", "starting", "running", "done", "stopped", "failed")
        jobs.history(job.name)


@pytest.mark.slow
def test_a_server_that_is_killed_leaves_nothing_half_and_loses_nothing(places: Path, thorough: bool) -> None:
    draw, sets, finished = random.Random(0), set(), {}
    counts = dict.fromkeys(("kills", "sets kept", "sets not", "models done", "models not"), 0)
    with trainings_ended(places):
        for life in range(100 if thorough else 4):
            told = one_life(places, life, draw.uniform(0, LATEST))
            look(finished)
            kind, kept = KINDS[life % len(KINDS)], {card.name for card in stored.cards()[0]}
            listed = {record.name for record in vae.catalogue()[0]}
            assert sets <= kept and (f"set-{life}" in kept or not told["set"])
            sets = kept
            old, new = f"old-{life}" in listed, f"new-{life}" in listed
            away = any(token.endswith(f"-old-{life}") for token in shelf.discarded())
            if kind == "keep":
                assert new or not told["model"]
            elif kind == "copy":
                assert old
            elif kind == "rename":
                assert old != new
            else:
                assert old != away
            for name in {f"old-{life}", f"new-{life}"} & listed:
                finished[name] = locate(name).read_bytes()
            done = new or away
            counts["kills"] += 1
            counts["sets kept" if f"set-{life}" in kept else "sets not"] += 1
            counts["models done" if done else "models not"] += 1
        for job in list(jobs.known()):  # one that was killed on its way goes on to its end
            if jobs.resumable(job.name):
                jobs.resume(job.name)
                wait_for(lambda name=job.name: (now := jobs.status(name)) and not now.busy)
                assert jobs.status(job.name) == jobs.Job(job.name, "done")
                vae.load(job.name)
                break
        with server(places) as (port, _process):
            for page in ("", "data", "models", "train"):
                visitor = Visitor(port)
                visitor.visit(page)
                assert not visitor.faults and (page == "train" or not visitor.said("error"))
    print(counts, "left aside:", len(list(places.glob("*/.*.part"))))
