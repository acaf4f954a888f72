"""A process that waits with PyTorch loaded, and becomes the training that is started next."""

import contextlib
import json
import os
from pathlib import Path

import psutil
import pytest

from tests.waiting import wait_for
from vae import paths
from vae.jobs import processes as jobs
from vae.jobs import spares
from vae.settings.config import ModelConfig, TrainConfig

pytestmark = pytest.mark.slow

LINEAR = ModelConfig(encoder_layers=(), decoder_layers=())
LONG = TrainConfig(data="mnist-sample", epochs=1000)


@pytest.fixture
def waiting(monkeypatch):
    monkeypatch.setattr(spares, "_waiting", None)
    jobs.prepare()
    process = spares._waiting
    yield process
    for each in (process, spares._waiting):
        if each is not None:
            each.kill()
            each.communicate()


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "shipped")
    yield tmp_path / "own"
    for path in tmp_path.glob("own/*/job.json"):
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid(path.parent)).kill()


def pid(folder: Path) -> int:
    return int(json.loads((folder / "job.json").read_text())["pid"])


def test_it_becomes_the_training_that_is_started_next(waiting, own):  # VAE_CHECKPOINTS is set while it waits already
    jobs.prepare()
    assert spares._waiting is waiting  # one is enough
    jobs.start("a-model", LINEAR, LONG)
    assert pid(own / "a-model") == waiting.pid and psutil.Process(waiting.pid).nice() == 10
    wait_for(lambda: jobs.history("a-model"), (own / "a-model" / "log.txt").read_text)
    jobs.stop("a-model")
    assert waiting.wait() == 0
    assert jobs.status("a-model") == jobs.Job("a-model", "stopped")
    assert '"elbo"' in (own / "a-model" / "log.txt").read_text()
    assert spares._waiting is None


def test_a_training_starts_without_it_where_it_was_killed(waiting, own):
    waiting.kill()
    waiting.wait()
    jobs.start("a-model", LINEAR, LONG)
    assert pid(own / "a-model") != waiting.pid
    wait_for(lambda: jobs.history("a-model"), (own / "a-model" / "log.txt").read_text)
    jobs.prepare()
    assert spares._waiting.poll() is None


def test_a_command_that_fails_says_so_in_its_log(waiting, tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    process = spares.take(["train", "No Name"], log, {**os.environ, "OMP_NUM_THREADS": "1"})
    assert process is waiting and process.wait() == 2
    assert log.read_text().startswith("before\nvae train: ") and "No Name" in log.read_text()


def test_it_ends_with_whoever_made_it(waiting):
    waiting.stdin.close()
    assert waiting.wait() == 0
