"""A clock that jumps by a day, forward and back, with the app open and a model in training: nothing is lost by it."""

import os
import time
from pathlib import Path

import psutil
import pytest

import vae
from tests.app.test_pages import ROOT
from tests.browser.conftest import free_port, launched, trainings_ended
from tests.visitor import Visitor
from tests.waiting import wait_for
from vae import jobs, paths
from vae.jobs import control, shelf
from vae.model import locate

DAY = 24 * 3600


def jump(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Moves the clock of this process."""
    real, real_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: real() + seconds)
    monkeypatch.setattr(time, "time_ns", lambda: real_ns() + seconds * 10**9)
    if hasattr(psutil, "_pslinux"):
        booted = psutil._pslinux.boot_time
        monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: booted() + seconds)


def made(name: str) -> None:
    config = vae.ModelConfig(encoder_layers=(4,), decoder_layers=(4,))
    vae.save(vae.build(config), vae.Record(name=name, model=config, training=vae.TrainConfig(data="mnist-sample")))


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_process_stays_the_one_that_it_was(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    since = paths.born(os.getpid())
    jump(monkeypatch, seconds)
    assert paths.alive(os.getpid(), since) and not paths.alive(os.getpid(), since + 2)


@pytest.mark.parametrize("seconds", [2 * DAY, -2 * DAY])
def test_what_is_being_written_is_not_swept_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seconds: int) -> None:
    mine = paths.aside(tmp_path)
    others = tmp_path / mine.name.replace(f".{os.getpid()}-", ".999999999-")
    others.mkdir()
    jump(monkeypatch, seconds)
    paths.sweep(tmp_path)
    assert mine.exists() and others.exists() == (seconds < 0)


def test_what_was_deleted_last_can_be_brought_back_when_the_clock_was_set_back(
    monkeypatch: pytest.MonkeyPatch, own_folders: Path
) -> None:
    for number in range(shelf.KEPT):
        made(f"old-{number}")
        shelf.discard(f"old-{number}")
    made("last")
    jump(monkeypatch, -DAY)
    token = shelf.discard("last")
    assert shelf.discarded()[0] == token and shelf.bring_back(token) == "last" and vae.load("last")


def test_requests_stay_in_order_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch, own_folders: Path) -> None:
    control.ask(own_folders, "pause")
    jump(monkeypatch, -DAY)
    control.ask(own_folders, "step")
    jump(monkeypatch, 3 * DAY)
    control.ask(own_folders, "go")
    assert [action for _path, (action, _values) in control.requests(own_folders)] == ["pause", "step", "go"]


@pytest.mark.slow
def test_the_app_and_a_training_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, port = tmp_path / "clock", free_port()
    clock.write_text("0")
    for kind in ("checkpoints", "data", "cache"):
        monkeypatch.setenv(f"VAE_{kind.upper()}", str(tmp_path / kind))
    more = {
        "VAE_TEST_CLOCK": str(clock),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).with_name("jumping")), str(ROOT)]),
    }

    def state(name: str) -> str:
        return job.state if (job := jobs.status(name)) else ""

    with trainings_ended(tmp_path), launched(tmp_path, port, **more):
        visitor = Visitor(port)
        for name, epochs in (("learned", 100), ("after-it", 1)):
            visitor.visit("train", "model=mnist-2d")
            visitor.set("train.name", string_value=name)
            visitor.set("train.epochs", int_value=epochs)
            visitor.ask(train__start=True)
            visitor.wait()
        wait_for(lambda: jobs.history("learned"))
        for seconds in (DAY, 0, -DAY, 0):
            clock.write_text(str(seconds))
            steps = jobs.history("learned")[-1].step
            wait_for(lambda steps=steps: jobs.history("learned")[-1].step > steps)
            assert (state("learned"), state("after-it")) == ("running", "queued")
            visitor.visit("train", "job=learned")
            assert "train.stop" in visitor.ids and not visitor.said("error")
            visitor.visit("decode", "model=mnist-2d&image=7")
            assert not visitor.said("error")
        clock.write_text(str(-DAY))
        visitor.visit("train", "job=learned")
        visitor.ask(train__stop=True)
        visitor.wait()
        wait_for(lambda: state("learned") == "stopped" and state("after-it") == "done", lambda: state("after-it"))
        assert not visitor.faults and locate("learned") and vae.load("learned") and jobs.resumable("learned")
