"""Trainings that are killed, starved of disk, moved away, queued and watched: nothing is lost, and each is said.

Most run in forks of this process, which has PyTorch loaded already; a fork starts in milliseconds.
"""

import contextlib
import errno
import json
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from tests.toys import small_config, toy_dataset
from tests.waiting import wait_for
from vae import paths
from vae.errors import CheckpointError, ConfigError, JobError
from vae.jobs import job as status
from vae.jobs import keeper, runs
from vae.jobs import processes as jobs
from vae.jobs.files import Lock
from vae.jobs.replay import REPLAY_FILE, replay
from vae.latent.codes import encode
from vae.model.checkpoints import load, read_record
from vae.settings.config import TrainConfig
from vae.training import reports
from vae.training.trainer import Trainer

pytestmark = pytest.mark.slow

TOY = toy_dataset()
SMALL = small_config()
LONG = TrainConfig(data="mnist-sample", epochs=30, batch_size=50, learning_rate=0.01, beta_warmup=3)  # 180 steps
ENDLESS = replace(LONG, epochs=10_000)  # for what is to happen while it runs, whenever that is


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(keeper, "load_dataset", lambda name: TOY)
    monkeypatch.setattr("os.fsync", lambda file: None)  # what a kill leaves in the system's hands is not lost
    monkeypatch.setattr(keeper, "SAVE_EVERY", 0.0)
    monkeypatch.setattr(keeper, "SAVE_SHARE", 1e9)  # a state after each step
    monkeypatch.delenv("VAE_JOBS", raising=False)
    return tmp_path / "own"


@pytest.fixture
def fork() -> Iterator[Callable]:
    """Runs something in a fork of this process, and returns its number; whatever is left over is killed."""
    children = []

    def begin(what: Callable[[], object]) -> int:
        if pid := os.fork():
            children.append(pid)
            return pid
        code = 1
        try:
            what()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    yield begin
    for pid in children:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def slowly(monkeypatch, seconds: float = 0.005) -> None:
    advance = Trainer.advance

    def slow(self):
        time.sleep(seconds)
        return advance(self)

    monkeypatch.setattr(Trainer, "advance", slow)


def weights(name: str) -> dict[str, torch.Tensor]:
    return load(name).state_dict()


def same(a: str, b: str) -> bool:
    return all(torch.equal(weight, weights(b)[key]) for key, weight in weights(a).items())


def told(name: str) -> list[reports.Report]:
    """A history without what depends on the clock."""
    return [r._replace(seconds=0, images_per_second=0, seconds_left=0) for r in jobs.history(name)]


def test_a_training_killed_at_20_random_moments_ends_as_if_nothing_had_happened(own, fork, monkeypatch):
    longer = replace(LONG, epochs=60)
    list(runs.run("whole", SMALL, longer))
    taken = mmap.mmap(-1, 1)  # steps since the fork, where both processes see them
    advance = Trainer.advance

    def counted(self):
        taken[0] = min(255, taken[0] + 1)
        return advance(self)

    monkeypatch.setattr(Trainer, "advance", counted)
    moments = random.Random(0)
    steps = []
    for _ in range(20):
        taken[0], at = 0, moments.randrange(15)
        begun = (own / "killed" / "config.json").exists()
        pid = fork(lambda: list(runs.resume("killed") if begun else runs.run("killed", SMALL, longer)))  # noqa: B023
        wait_for(lambda: taken[0] >= at)  # noqa: B023
        time.sleep(moments.uniform(0, 0.01))
        os.kill(pid, signal.SIGKILL)
        assert ended(pid) == -signal.SIGKILL
        steps.append((jobs.history("killed") or [None])[-1])
    assert len({report and report.step for report in steps}) > 10, "the moments were not spread over the training"
    last = jobs.status("killed")
    assert last and last.state == "failed" and "can be resumed" in last.message
    list(runs.resume("killed"))
    assert same("whole", "killed") and told("whole") == told("killed")
    assert (own / "whole" / REPLAY_FILE).read_bytes() == (own / "killed" / REPLAY_FILE).read_bytes()
    assert read_record("killed").held_out == read_record("whole").held_out
    assert jobs.status("killed") == jobs.Job("killed", "done") and not (own / "killed" / "state.safetensors").exists()


EVENTS = [
    "os.fsync",
    "pathlib.Path.replace",
    "os.truncate",
    "vae.jobs.keeper.append",
    "vae.jobs.keeper.tell",
    "vae.jobs.runs.tell",
]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("after", [False, True])
def test_a_training_killed_beside_each_write_goes_on(own, fork, monkeypatch, event, after):
    config = TrainConfig(data="mnist-sample", epochs=4, batch_size=100, learning_rate=0.01)
    list(runs.run("whole", SMALL, config))
    calls = []

    def deadly(real, at):
        def call(*arguments, **more):
            calls.append(1)
            if len(calls) == at and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **more)
            if len(calls) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for at in (1, 2, 5, 9, 14):
        name = f"killed-{at}"

        def train(name=name, at=at):
            module, _, attribute = event.rpartition(".")
            place = {"os": os, "pathlib.Path": Path, "vae.jobs.keeper": keeper, "vae.jobs.runs": runs}[module]
            setattr(place, attribute, deadly(getattr(place, attribute), at))
            list(runs.run(name, SMALL, config))

        if ended(fork(train)) == 0:  # it does not come to so many
            continue
        if (own / name / "config.json").exists():
            list(runs.resume(name))
        else:
            list(runs.run(name, SMALL, config))
        assert same("whole", name) and told("whole") == told(name), (event, at)


def test_a_training_that_was_stopped_goes_on_bit_for_bit(own):
    list(runs.run("whole", SMALL, LONG))
    for report in runs.run("stopped", SMALL, LONG):
        if report.step == 100:
            jobs.stop("stopped")
    assert jobs.status("stopped") == jobs.Job("stopped", "stopped") and read_record("stopped").epochs_done < 20
    assert read_record("stopped").held_out["elbo"]
    steps = [report.step for report in runs.resume("stopped")]
    assert steps[0] == 102
    assert same("whole", "stopped") and told("whole") == told("stopped")


def test_an_interrupt_in_the_middle_of_a_step_spoils_nothing(monkeypatch):
    list(runs.run("whole", SMALL, LONG))
    real = torch.optim.AdamW.step

    def interrupted(self, closure=None):
        result = real(self, closure)
        if self.state[self.param_groups[0]["params"][0]]["step"] == 77:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(torch.optim.AdamW, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(runs.run("cut", SMALL, LONG))
    assert jobs.status("cut") == jobs.Job("cut", "stopped")
    monkeypatch.setattr(torch.optim.AdamW, "step", real)
    list(runs.resume("cut"))
    assert same("whole", "cut")


def test_an_interrupt_while_an_epoch_is_scored_loses_no_report(monkeypatch):
    list(runs.run("whole", SMALL, LONG))
    real, scores = Trainer.score, []

    def interrupted(self, *arguments):
        scores.append(1)
        if len(scores) == 3:
            raise KeyboardInterrupt
        return real(self, *arguments)

    monkeypatch.setattr(Trainer, "score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(runs.run("cut", SMALL, LONG))
    assert jobs.status("cut") == jobs.Job("cut", "stopped") and len(told("cut")) == 2
    monkeypatch.setattr(Trainer, "score", real)
    list(runs.resume("cut"))
    assert same("whole", "cut") and told("whole") == told("cut")


@pytest.mark.parametrize("stop_at", [None, 102])
def test_the_last_frame_of_a_replay_is_what_the_training_ended_with(own, stop_at):
    config = replace(LONG, epochs=29)  # 174 steps, where no frame is due
    for report in runs.run("a-model", SMALL, config):
        if report.step == stop_at:
            jobs.stop("a-model")
    found, model = replay(own / "a-model"), load("a-model")
    assert found.steps[-1] == (stop_at or 174) and found.steps[-1] % 50
    codes = encode(model, TOY.test.images[found.rows]).mean
    np.testing.assert_allclose(found.codes[-1], codes, rtol=1e-3, atol=1e-6)  # float16 has eleven bits


def test_pause_step_change_and_go(own, fork, monkeypatch):
    slowly(monkeypatch)
    pid = fork(lambda: list(runs.run("a-model", SMALL, LONG)))
    wait_for(lambda: jobs.history("a-model"))
    jobs.pause("a-model")
    wait_for(lambda: jobs.status("a-model").state == "paused")
    standing = len(jobs.history("a-model"))
    seen = replay(own / "a-model").steps[-1]  # what is seen of it is of where it stands
    time.sleep(0.1)
    assert len(jobs.history("a-model")) == standing
    for count in (1, 2, 3):
        jobs.step("a-model")
        wait_for(lambda: len(jobs.history("a-model")) == standing + count)  # noqa: B023
    steps = [report.step for report in jobs.history("a-model")[standing:]]
    assert steps == [seen + 1, seen + 2, seen + 3] and jobs.status("a-model").state == "paused"
    assert jobs.last_step("a-model").step == steps[-1]
    jobs.change("a-model", learning_rate=1e-4, beta=3)
    jobs.step("a-model")
    wait_for(lambda: len(jobs.history("a-model")) == standing + 4)
    last = jobs.history("a-model")[-1]
    assert last.learning_rate <= 1e-4 and last.beta == 3 * min(1, (last.step - 1) / 18)
    jobs.resume("a-model")
    assert ended(pid) == 0
    assert jobs.status("a-model") == jobs.Job("a-model", "done")
    change = {"step": steps[-1], "learning_rate": 1e-4, "beta": 3.0}
    assert read_record("a-model").changes == [change]
    assert "changed during training" in (own / "a-model" / "card.md").read_text()


def test_a_change_survives_a_kill_from_the_step_where_it_was_made(own, fork, monkeypatch):
    monkeypatch.setattr(keeper, "SAVE_EVERY", 1000.0)  # no state but those that a change or a pause makes

    def changed(name, kill):
        for report in runs.run(name, SMALL, LONG):
            if report.step == 60:
                jobs.change(name, learning_rate=3e-3)
            if report.step == 120 and kill:
                os.kill(os.getpid(), signal.SIGKILL)

    changed("whole", False)
    assert ended(fork(lambda: changed("killed", True))) == -signal.SIGKILL
    steps = [report.step for report in runs.resume("killed")]
    assert steps[0] == 66  # from step 60 on
    assert same("whole", "killed") and told("whole") == told("killed")
    assert read_record("killed").changes == read_record("whole").changes != []


@pytest.mark.parametrize("given", [{"learning_rate": 2}, {"learning_rate": 0}, {"beta": -1}])
def test_a_wrong_change_is_refused_where_it_is_asked_for(given):
    with pytest.raises(ConfigError):
        jobs.change("a-model", **given)


def test_an_autoencoder_has_no_beta_to_change(own):
    training = runs.run("a-model", SMALL, TrainConfig(data="mnist-sample", objective="autoencoder"))
    next(training)
    with pytest.raises(ConfigError, match="beta cannot be changed"):
        jobs.change("a-model", beta=2)
    training.close()


def test_a_stop_is_obeyed_before_the_next_step(monkeypatch):
    advance = Trainer.advance

    def asked_on_the_way(self):
        if self.step == 7:  # far from a report, which comes every 50 steps
            jobs.stop("a-model")
        return advance(self)

    monkeypatch.setattr(Trainer, "advance", asked_on_the_way)
    list(runs.run("a-model", SMALL, LONG))
    assert jobs.status("a-model").state == "stopped"
    assert read_record("a-model").epochs_done == pytest.approx(8 / 6)  # the step in hand was taken to its end


def test_what_is_done_or_never_began_cannot_be_resumed(own):
    list(runs.run("a-model", SMALL, TrainConfig(data="mnist-sample", epochs=1)))
    for name, words in (("a-model", "is finished"), ("b-model", "no training at")):
        with pytest.raises(JobError, match=words):
            next(runs.resume(name))
        with pytest.raises(JobError, match=words):
            jobs.resume(name)
    assert not (own / "b-model").exists()


def test_other_images_are_not_gone_on_with(own, monkeypatch):
    training = runs.run("a-model", SMALL, LONG)
    next(training)
    training.close()
    monkeypatch.setattr(keeper, "load_dataset", lambda name: toy_dataset(train=200))
    with pytest.raises(CheckpointError, match="images that it began with"):
        next(runs.resume("a-model"))


# The queue


def test_trainings_queue_in_order_and_say_where_they_stand(own, fork, monkeypatch):
    slowly(monkeypatch)
    order = []
    pids = {}
    for name in ("b-model", "c-model", "a-model"):
        pids[name] = fork(lambda: list(runs.run(name, SMALL, LONG)))  # noqa: B023
        wait_for(lambda: (job := jobs.status(name)) and job.state in ("running", "queued"))  # noqa: B023
    assert [(job.name, job.state, job.ahead) for job in jobs.queue()] == [
        ("b-model", "running", 0), ("c-model", "queued", 1), ("a-model", "queued", 2),
    ]  # fmt: skip
    jobs.stop("c-model")  # while it waits
    assert ended(pids["c-model"]) == 0
    wait_for(lambda: jobs.status("a-model").ahead == 1)
    assert jobs.status("c-model") == jobs.Job("c-model", "stopped", runs.UNBEGUN)
    assert not jobs.history("a-model")
    jobs.stop("b-model")
    wait_for(lambda: jobs.status("a-model").state == "running")
    order = [job.name for job in jobs.queue()]
    assert order == ["a-model"]


def test_a_killed_one_leaves_its_place_to_the_next(fork, monkeypatch):
    slowly(monkeypatch)
    first = fork(lambda: list(runs.run("a-model", SMALL, LONG)))
    wait_for(lambda: (job := jobs.status("a-model")) and job.state == "running")
    fork(lambda: list(runs.run("b-model", SMALL, LONG)))
    wait_for(lambda: (job := jobs.status("b-model")) and job.state == "queued")
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    wait_for(lambda: jobs.status("b-model").state == "running")


def test_as_many_run_at_once_as_one_says(fork, monkeypatch):
    monkeypatch.setenv("VAE_JOBS", "2")
    slowly(monkeypatch)
    for name in ("a-model", "b-model", "c-model"):
        fork(lambda: list(runs.run(name, SMALL, LONG)))  # noqa: B023
        wait_for(lambda: (job := jobs.status(name)) and job.state in ("running", "queued"))  # noqa: B023
    assert [job.state for job in jobs.queue()] == ["running", "running", "queued"]


@pytest.mark.parametrize("given", ["0", "-1", "many", "1.5", "²"])
def test_a_wrong_limit_is_refused(given, monkeypatch):
    monkeypatch.setenv("VAE_JOBS", given)
    for begin in (lambda: next(runs.run("a-model", SMALL, LONG)), lambda: jobs.start("b-model", SMALL, LONG)):
        with pytest.raises(JobError, match="VAE_JOBS must be a whole number"):
            begin()
    assert jobs.status("b-model") is None


def test_tickets_are_given_under_one_lock(own, fork):
    pids = [fork(lambda: _take_ticket(own / f"model-{i}")) for i in range(8)]  # noqa: B023
    assert [ended(pid) for pid in pids] == [0] * 8
    tickets = [json.loads(path.read_text())["ticket"] for path in own.glob("*/job.json")]
    assert sorted(tickets) == list(range(1, 9))


def _take_ticket(folder: Path) -> None:
    folder.mkdir(parents=True)
    lock = Lock(folder / "lock")
    lock.acquire()
    runs._wait(folder, lock, None)
    status.tell(folder, "done")


# Faults


def test_two_processes_cannot_train_in_one_folder(own, fork, monkeypatch):
    slowly(monkeypatch)
    fork(lambda: list(runs.run("a-model", SMALL, LONG)))
    wait_for(lambda: jobs.history("a-model"))
    for second in (runs.run("a-model", SMALL, LONG, overwrite=True), runs.resume("a-model")):
        with pytest.raises(JobError, match="'a-model' is being trained"):
            next(second)
    assert jobs.status("a-model").state == "running"


@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_a_folder_that_vanishes_is_said_and_not_made_again(own, how, tmp_path):
    training = runs.run("a-model", SMALL, LONG)
    next(training)
    if how == "deleted":
        shutil.rmtree(own / "a-model")
    else:
        (own / "a-model").rename(tmp_path / "elsewhere")
    with pytest.raises(JobError, match="deleted or moved during the training"):
        next(training)
    assert not (own / "a-model").exists() and jobs.status("a-model") is None


def test_a_folder_that_vanishes_while_it_waits_or_pauses_is_said(own, fork, monkeypatch):
    slowly(monkeypatch)

    def told_off(name):
        with pytest.raises(JobError, match="deleted or moved during the training"):
            list(runs.run(name, SMALL, ENDLESS))

    pids = []
    for name in ("a-model", "b-model"):
        pids.append(fork(lambda: told_off(name)))  # noqa: B023
        wait_for(lambda: (job := jobs.status(name)) and job.state in ("running", "queued"))  # noqa: B023
    jobs.pause("a-model")
    wait_for(lambda: jobs.status("a-model").state == "paused")
    for name in ("b-model", "a-model"):  # a file that the training takes away meanwhile is no error
        wait_for(lambda: shutil.rmtree(own / name, ignore_errors=True) or not (own / name).exists())  # noqa: B023
    assert [ended(pid) for pid in pids] == [0, 0]
    assert not (own / "a-model").exists() and not (own / "b-model").exists()


def full_disk(monkeypatch, only: Callable[[str], bool]) -> None:
    """Lets no file be opened for writing whose name is of some kind, as a disk without any room."""
    real = Path.open

    def opened(self, mode="r", *more, **others):
        if mode[0] in "wax" and only(self.name):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, mode, *more, **others)

    def aside(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", opened)
    if only("anything"):
        monkeypatch.setattr("tempfile.NamedTemporaryFile", aside)


@pytest.mark.parametrize("kind", ["everything", "history.jsonl"])
def test_a_full_disk_is_said_and_nothing_is_lost(own, monkeypatch, kind):
    list(runs.run("whole", SMALL, LONG))
    with pytest.raises((JobError, CheckpointError), match="No space left"):
        for report in runs.run("a-model", SMALL, LONG):
            if report.step == 102:
                full_disk(monkeypatch, lambda name: kind in ("everything", name))
    job = jobs.status("a-model")
    assert job.state == "failed" and "No space left" in job.message
    before = told("a-model")
    assert before[-1].step == 102 and weights("a-model")
    monkeypatch.undo()
    monkeypatch.setenv("VAE_CHECKPOINTS", str(own))
    monkeypatch.setattr(keeper, "load_dataset", lambda name: TOY)
    list(runs.resume("a-model"))
    assert same("whole", "a-model") and told("whole") == told("a-model") and told("a-model")[: len(before)] == before


@pytest.fixture
def tiny_disk(tmp_path) -> Iterator[Path]:
    """A file system of 300 kB, where one may mount it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("root, who may mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_real_disk_that_fills_up_is_said_and_nothing_is_lost(tiny_disk, monkeypatch):
    list(runs.run("whole", SMALL, LONG))
    whole = weights("whole")
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tiny_disk))
    with pytest.raises((JobError, CheckpointError), match="No space left"):
        for report in runs.run("a-model", SMALL, LONG):
            if report.step == 102:
                (tiny_disk / "other").touch()
                with contextlib.suppress(OSError), (tiny_disk / "other").open("wb", buffering=0) as other:
                    while other.write(b"x" * 4096):
                        pass
    job = jobs.status("a-model")
    assert job.state == "failed" and "No space left" in job.message and jobs.history("a-model")[-1].step >= 102
    (tiny_disk / "other").unlink()
    list(runs.resume("a-model"))
    assert all(torch.equal(weight, whole[key]) for key, weight in weights("a-model").items())


def test_a_loss_that_is_no_number_keeps_the_last_good_model(fork, monkeypatch):
    good = {}
    real = Trainer.advance

    def spoilt(self):
        if self.step == 40:
            with torch.no_grad():
                self.model.decoder.location.weight.fill_(float("nan"))
        return real(self)

    monkeypatch.setattr(Trainer, "advance", spoilt)
    with pytest.raises(Exception, match="step 41 it did not"):
        for report in runs.run("a-model", SMALL, LONG):
            if report.step == 36:
                good = weights("a-model")
    job = jobs.status("a-model")
    assert job.state == "failed" and "after epoch 6" in job.message and "learning rate" in job.message
    assert good and all(torch.equal(weight, good[key]) for key, weight in weights("a-model").items())


# Those who watch


def test_two_readers_see_the_same_and_never_half(own, fork, monkeypatch):
    slowly(monkeypatch, 0.001)
    pid = fork(lambda: list(runs.run("a-model", SMALL, LONG)))

    def watch():
        seen = 0
        while (job := jobs.status("a-model")) is None or job.busy:
            steps = [report.step for report in jobs.history("a-model")]
            assert steps == sorted(set(steps)) and len(steps) >= seen and (job is None or job.state != "failed")
            seen = len(steps)
            frames = replay(own / "a-model", last=2)
            assert frames is None or np.isfinite(frames.codes).all()
            if (own / "a-model" / "model.safetensors").exists():
                load("a-model")
        assert job.state == "done"

    readers = [fork(watch) for _ in range(2)]
    assert [ended(reader) for reader in readers] == [0, 0] and ended(pid) == 0
    assert jobs.history("a-model")[-1].step == 180


def test_a_training_outlives_the_server_that_started_it(own, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    code = (
        "from vae import ModelConfig, TrainConfig, jobs; import time; "
        "jobs.start('a-model', ModelConfig(encoder_layers=(), decoder_layers=()), "
        "TrainConfig(data='mnist-sample', epochs=1000)); print(flush=True); time.sleep(60)"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(jobs.__file__).parents[2])
    try:
        server.stdout.readline()
        server.kill()
        server.communicate()
        wait_for(lambda: jobs.history("a-model"))
        assert jobs.running() == jobs.Job("a-model", "running")  # any process can watch it, and ask things of it
        jobs.stop("a-model")
        wait_for(lambda: jobs.status("a-model").state == "stopped")
    finally:
        server.kill()
        server.wait()
        with contextlib.suppress(psutil.Error, OSError, ValueError):
            psutil.Process(json.loads((own / "a-model" / "job.json").read_text())["pid"]).kill()


@pytest.mark.parametrize("paused", [False, True])
def test_a_training_ends_when_its_time_is_over(paused, monkeypatch):
    clock, later = time.monotonic, 0
    monkeypatch.setattr(time, "monotonic", lambda: clock() + later)
    for _report in runs.run("a-model", SMALL, ENDLESS, seconds=5000):
        if paused:
            jobs.pause("a-model")  # which is no way to hold the queue
        later = 6000
    ended = jobs.status("a-model")
    assert ended.state == "stopped" and "time limit was reached" in ended.message
    assert jobs.resumable("a-model") and read_record("a-model").held_out["elbo"]
