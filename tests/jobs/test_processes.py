"""Training as a process: what its folder says, however it ends."""

import contextlib
import json
import math
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from tests.toys import small_config, toy_dataset
from tests.waiting import wait_for
from vae import paths
from vae.cli import commands as cli
from vae.cli.flags import config_of
from vae.errors import CheckpointError, DataError, DivergenceError, JobError
from vae.evidence import estimates as evidence
from vae.jobs import cards, control, keeper, runs
from vae.jobs import job as status
from vae.jobs import processes as jobs
from vae.latent.codes import encode
from vae.model import checkpoints
from vae.model.checkpoints import Record, load, read_record
from vae.model.distributions import generator
from vae.model.objectives import Autoencoder
from vae.model.vae import VAE, build
from vae.settings.config import ModelConfig, TrainConfig
from vae.training.reports import Report
from vae.training.scores import score
from vae.training.trainer import Trainer

pytestmark = pytest.mark.slow

TOY = toy_dataset()
SMALL = small_config()
QUICK = TrainConfig(data="mnist-sample", epochs=3, batch_size=100, learning_rate=0.01)  # three steps per epoch


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(keeper, "load_dataset", lambda name: TOY)
    return tmp_path / "own"


SETTLED = replace(QUICK, precision="float32")  # what auto is for a Gaussian

FILES = ["card.md", "config.json", "control", "history.jsonl", "job.json", "lock", "model.safetensors", "replay.bin"]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def write_job(folder: Path, **changes) -> None:
    """A job.json of this process, with changes."""
    folder.mkdir(parents=True, exist_ok=True)
    says = {"state": "running", "message": "", "pid": os.getpid(), "born": paths.born(os.getpid())}
    (folder / "job.json").write_text(json.dumps(says | changes))


def one_report() -> Report:
    return Report(1, 9, 0.5, 2.0, 1.0, None, None, 0.1, 1000.0)


def test_a_training_leaves_a_model_its_history_and_a_card(own):
    reports = list(jobs.run("a-model", SMALL, QUICK))
    assert files(own / "a-model") == FILES
    assert [report.step for report in reports] == [3, 6, 9]
    for written, report in zip(jobs.history("a-model"), reports, strict=True):
        assert written.kl_by_dimension == pytest.approx(report.kl_by_dimension, abs=6e-5)
        assert written == report._replace(kl_by_dimension=written.kl_by_dimension)
    assert jobs.status("a-model") == jobs.latest() == jobs.Job("a-model", "done") and jobs.running() is None
    record = read_record("a-model")
    assert (record.model, record.training, record.data_checksum) == (SMALL, SETTLED, TOY.checksum)
    assert record.epochs_done == 3 and record.seconds == reports[-1].seconds


def test_the_figures_of_a_model_are_those_of_its_file():
    list(jobs.run("a-model", SMALL, QUICK))
    model, held_out = load("a-model"), read_record("a-model").held_out
    noise = generator(1)  # not the noise that made the figures
    estimate = evidence.elbo(model, model.pixels(TOY.test.images, noise), 50, noise)
    error = estimate.standard_error.square().sum().sqrt().item() * math.sqrt(1 + 50 / 10) / 64  # of 50 draws and of 10
    assert held_out["elbo"] == pytest.approx(estimate.value.mean().item(), abs=4 * error + 0.02)  # and dequantisation
    assert held_out["kl"] == pytest.approx(encode(model, TOY.test.images).kl.sum(1).mean(), rel=1e-4)
    assert held_out["elbo"] == pytest.approx(held_out["reconstruction"] - held_out["kl"], abs=1e-9)
    assert held_out["bits_per_dimension"] == pytest.approx(8 - held_out["elbo"] / 16 / math.log(2), abs=1e-9)
    spread = estimate.value.std().item() / 8
    assert held_out["elbo_standard_error"] == pytest.approx(spread, rel=0.1) and held_out["images"] == 64


def test_the_figures_of_half_precision_are_those_of_the_rounded_weights():
    list(jobs.run("half", SMALL, QUICK, half=True))
    list(jobs.run("whole", SMALL, QUICK))
    model, noise = load("half"), generator(0)
    assert all(torch.equal(weight, weight.half().float()) for weight in model.parameters())
    again = evidence.elbo(model, model.pixels(TOY.test.images, noise), 10, noise).value.mean().item()
    assert read_record("half").held_out["elbo"] == again != read_record("whole").held_out["elbo"]
    assert "--half" in (checkpoints.folders()[0] / "half" / "card.md").read_text()


def test_the_card_says_what_the_record_says(own):
    list(jobs.run("a-model", SMALL, QUICK))
    record, card = read_record("a-model"), (own / "a-model" / "card.md").read_text()
    assert card.startswith("# a-model\n") and f"`{cards.command(record)}`" in card
    assert "256 images of mnist-sample, 3 epochs" in card and "| likelihood | gaussian |" in card
    assert "| floor of log variance | -6 |" in card and "| held-out images | 64 |" in card
    for key in ("elbo", "elbo_standard_error", "bits_per_dimension", "kl", "reconstruction"):
        assert f"{record.held_out[key]:.{4 if key == 'bits_per_dimension' else 2}f}" in card, key


def test_a_record_says_what_the_precision_auto_came_to(own):
    list(jobs.run("a-model", SMALL, QUICK))
    assert QUICK.precision == "auto" and read_record("a-model").training == SETTLED
    assert "--precision=float32" in (own / "a-model" / "card.md").read_text()


def test_an_autoencoder_claims_no_bound(own):
    config = TrainConfig(epochs=1, objective="autoencoder")
    list(jobs.run("a-model", small_config(likelihood="bernoulli"), config))
    held_out = read_record("a-model").held_out
    assert held_out.keys() == {"images", "reconstruction"}
    assert held_out["reconstruction"] == score(load("a-model"), TOY.test.images, Autoencoder())[0]
    card = (own / "a-model" / "card.md").read_text()
    assert "ELBO" not in card.replace("elbo", "") and "floor of log variance | does not apply" in card


def test_the_model_is_saved_after_each_epoch():
    reports = jobs.run("a-model", SMALL, QUICK)
    for epoch in (1, 2):
        next(reports)
        assert read_record("a-model").epochs_done == epoch and jobs.status("a-model") == jobs.Job("a-model", "running")
        assert jobs.running() == jobs.Job("a-model", "running")
    reports.close()


def test_closing_early_keeps_the_model_as_it_is(own):
    reports = jobs.run("a-model", SMALL, TrainConfig(epochs=9, batch_size=1))
    first = next(reports)
    assert first.step == 50 and not (own / "a-model" / "model.safetensors").exists()
    reports.close()
    assert jobs.status("a-model") == jobs.Job("a-model", "stopped")
    record = read_record("a-model")
    assert record.epochs_done == pytest.approx(50 / 256) and math.isfinite(record.held_out["elbo"])
    assert "0.195312 epochs" in (own / "a-model" / "card.md").read_text() and load("a-model")


def test_an_interrupt_keeps_the_model_too():
    reports = jobs.run("a-model", SMALL, QUICK)
    next(reports)
    with pytest.raises(KeyboardInterrupt):
        reports.throw(KeyboardInterrupt)
    assert jobs.status("a-model") == jobs.Job("a-model", "stopped") and read_record("a-model").epochs_done == 1


def test_a_request_to_stop_ends_it(own):
    steps = []
    for report in jobs.run("a-model", SMALL, QUICK):
        steps.append(report.step)
        if report.step == 6:
            jobs.stop("a-model")
    assert steps == [3, 6] and jobs.status("a-model") == jobs.Job("a-model", "stopped")
    assert files(own / "a-model") == sorted([*FILES, "state.safetensors"]) and not files(own / "a-model" / "control")
    assert read_record("a-model").epochs_done == 2


def test_a_request_to_stop_that_nobody_heard_does_not_stop_the_next(own):
    write_job(own / "a-model", pid=2**22 + 1)
    control.ask(own / "a-model", "stop")
    assert len(list(jobs.run("a-model", SMALL, QUICK))) == 3


def test_a_request_to_stop_while_the_process_starts_is_heard(own):
    write_job(own / "a-model", state="starting")  # as jobs.start does, with the number of the process that then runs
    jobs.stop("a-model")
    assert list(jobs.run("a-model", SMALL, QUICK)) == []
    assert jobs.status("a-model") == jobs.Job("a-model", "stopped", runs.UNBEGUN)
    assert not (own / "a-model" / "model.safetensors").exists()  # which has learned nothing


def test_a_stop_before_the_first_step_is_told_apart_from_one_that_saved(own):
    list(jobs.run("a-model", SMALL, QUICK))
    before = contents(own / "a-model")["model.safetensors"]
    write_job(own / "a-model", state="starting")
    jobs.stop("a-model")
    assert list(jobs.run("a-model", SMALL, QUICK, overwrite=True)) == []
    assert jobs.status("a-model") == jobs.Job("a-model", "stopped", runs.UNBEGUN)
    assert contents(own / "a-model")["model.safetensors"] == before  # of the training before


@pytest.mark.parametrize("name", ["nothing", "done"])
def test_only_what_runs_can_be_stopped(name, own):
    write_job(own / "done", state="done")
    jobs.stop(name)
    assert files(own) == ["done"] and files(own / "done") == ["job.json"]


def test_a_taken_name_is_refused(own):
    list(jobs.run("a-model", SMALL, QUICK))
    before = contents(own / "a-model")
    with pytest.raises(CheckpointError, match="'a-model' is taken"):
        next(jobs.run("a-model", SMALL, QUICK))
    with pytest.raises(CheckpointError, match="'a-model' is taken"):
        jobs.start("a-model", SMALL, QUICK)
    assert before == contents(own / "a-model")


def test_a_taken_name_can_be_replaced():
    list(jobs.run("a-model", SMALL, QUICK))
    list(jobs.run("a-model", small_config(latent=3), TrainConfig(epochs=1), overwrite=True))
    assert load("a-model").config.latent == 3 and len(jobs.history("a-model")) == 1
    assert read_record("a-model").epochs_done == 1


def test_a_replacement_that_fails_leaves_the_model_that_was_there(own, monkeypatch):
    list(jobs.run("a-model", SMALL, QUICK))
    kept = [(own / "a-model" / name).read_bytes() for name in ("model.safetensors", "card.md")]

    def missing(name):
        raise DataError("MNIST is not on disk.")

    monkeypatch.setattr(keeper, "load_dataset", missing)
    with pytest.raises(DataError):
        next(jobs.run("a-model", SMALL, QUICK, overwrite=True))
    monkeypatch.setattr(keeper, "load_dataset", lambda name: toy_dataset(shape=(5, 5)))
    with pytest.raises(DataError):
        next(jobs.run("a-model", SMALL, QUICK, overwrite=True))
    assert kept == [(own / "a-model" / name).read_bytes() for name in ("model.safetensors", "card.md")]
    status = jobs.status("a-model")
    assert status and status.state == "failed" and "5 x 5" in status.message


@pytest.mark.parametrize("name", ["../x", "A B", "", "a/b"])
def test_a_name_cannot_leave_its_folder(name, tmp_path):
    for call in (
        lambda: next(jobs.run(name, SMALL, QUICK)),
        lambda: jobs.start(name, SMALL, QUICK),
        lambda: jobs.stop(name),
        lambda: jobs.status(name),
        lambda: jobs.history(name),
    ):
        with pytest.raises(CheckpointError, match="lower-case"):
            call()
    assert list(tmp_path.iterdir()) == []


def diverging(monkeypatch, *steps: int) -> None:
    """Lets trainings meet weights that are not numbers before these steps."""
    advance = Trainer.advance

    def spoilt(self):
        if self.step + 1 in steps:
            with torch.no_grad():
                self.model.decoder.location.weight.fill_(math.nan)
        return advance(self)

    monkeypatch.setattr(Trainer, "advance", spoilt)


@pytest.mark.parametrize(("step", "epoch"), [(2, 0), (5, 1)])
def test_a_divergence_leaves_the_model_of_the_last_sound_epoch_and_is_not_resumed(own, monkeypatch, step, epoch):
    diverging(monkeypatch, step)
    with pytest.raises(DivergenceError, match=f"after epoch {epoch}"):
        list(jobs.run("a-model", SMALL, QUICK))
    assert read_record("a-model").epochs_done == epoch
    if epoch == 0:
        initial = build(SMALL, QUICK.seed).state_dict()
        assert all(torch.equal(weight, initial[key]) for key, weight in load("a-model").state_dict().items())
    assert not jobs.resumable("a-model")
    for begin in (lambda: jobs.resume("a-model"), lambda: next(runs.resume("a-model"))):
        with pytest.raises(JobError, match="would diverge again; 'a-model' diverged"):
            begin()


def test_a_divergence_at_once_leaves_the_model_that_was_to_be_replaced(monkeypatch):
    list(jobs.run("a-model", SMALL, QUICK))
    before = load("a-model").state_dict()
    diverging(monkeypatch, 2)
    with pytest.raises(DivergenceError):
        list(jobs.run("a-model", SMALL, QUICK, overwrite=True))
    assert all(torch.equal(weight, before[key]) for key, weight in load("a-model").state_dict().items())


def test_an_error_that_nobody_foresaw_is_said(monkeypatch):
    def broken(self):
        raise RuntimeError("no such kernel\nmore about it")

    monkeypatch.setattr(Trainer, "advance", broken)
    with pytest.raises(RuntimeError):
        list(jobs.run("a-model", SMALL, QUICK))
    assert jobs.status("a-model") == jobs.Job("a-model", "failed", "RuntimeError: no such kernel")
    assert jobs.resumable("a-model")


def test_a_divergence_is_said_and_what_was_saved_is_kept(monkeypatch):
    made = []
    build = keeper.build

    def watched(*arguments) -> VAE:
        made.append(build(*arguments))
        return made[0]

    monkeypatch.setattr(keeper, "build", watched)
    reports = jobs.run("a-model", SMALL, QUICK)
    next(reports)
    good = load("a-model").state_dict()
    with torch.no_grad():
        made[0].decoder.location.weight.fill_(math.nan)
    with pytest.raises(DivergenceError) as caught:
        next(reports)
    assert jobs.status("a-model") == jobs.Job("a-model", "failed", str(caught.value)) and "step 4" in str(caught.value)
    assert len(jobs.history("a-model")) == 1
    assert all(torch.equal(weight, good[key]) for key, weight in load("a-model").state_dict().items())


def test_another_error_is_a_failure_too(monkeypatch):
    def broken(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(keeper, "build", broken)
    with pytest.raises(RuntimeError):
        next(jobs.run("a-model", SMALL, QUICK))
    status = jobs.status("a-model")
    assert status and status.state == "failed" and status.message


@pytest.mark.parametrize("state", ["starting", "running"])
def test_a_process_that_died_without_a_word_is_found_out(state, own):
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    write_job(own / "a-model", state=state, pid=dead.pid)
    (own / "a-model" / "log.txt").write_text("epoch 1\nKilled: out of memory\n")
    status = jobs.status("a-model")
    assert status and status.state == "failed"
    assert "Killed: out of memory" in status.message and "epoch 1" not in status.message
    assert jobs.running() is None and jobs.latest() == status


def test_a_number_that_went_to_another_process_is_not_the_training(own):
    write_job(own / "a-model", born=paths.born(os.getpid()) - 1000)
    status = jobs.status("a-model")
    assert status and status.state == "failed"


def test_a_process_that_ends_between_two_looks_has_not_failed(own, monkeypatch):
    write_job(own / "a-model")

    def ended(_):
        write_job(own / "a-model", state="done")
        return False

    monkeypatch.setattr(status, "alive", ended)
    assert jobs.status("a-model") == jobs.Job("a-model", "done")


@pytest.mark.parametrize("text", [
    "", "{", "null", "[]", "3", "{}", "\udcff", '{"state": "running"}',
    '{"state": "odd", "message": "", "pid": 1, "born": 1.0}', '{"state": [], "message": "", "pid": 1, "born": 1.0}',
    '{"state": "running", "message": "", "pid": "x", "born": 1.0}',
])  # fmt: skip
def test_a_damaged_job_is_none(text, own):
    write_job(own / "b-model", state="done")
    write_job(own / "a-model")
    (own / "a-model" / "job.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert jobs.status("a-model") is None and jobs.running() is None
    assert jobs.latest() == jobs.Job("b-model", "done")


@pytest.mark.parametrize("pid", [-1, 0, 2**40, 10**30])
def test_a_number_that_no_process_has_is_a_dead_one(pid, own):
    write_job(own / "a-model", pid=pid)
    status = jobs.status("a-model")
    assert status and status.state == "failed"


def test_a_folder_that_is_no_model_is_passed_over(own):
    write_job(own / "Copy of a-model")
    assert jobs.running() is None and jobs.latest() is None


def test_where_there_is_nothing_there_is_no_job():
    assert jobs.status("a-model") is jobs.running() is jobs.latest() is None and jobs.history("a-model") == []


def test_the_latest_is_the_last_to_have_said_something(own):
    for age, name in enumerate(("b-model", "a-model", "c-model")):
        write_job(own / name, state="done")
        os.utime(own / name / "job.json", (1000 - age, 1000 - age))
    assert jobs.latest() == jobs.Job("b-model", "done")
    assert [job.name for job in jobs.known()] == ["b-model", "a-model", "c-model"]


def test_a_damaged_history_keeps_its_whole_lines(own):
    (own / "a-model").mkdir(parents=True)
    line = json.dumps(one_report()._asdict()).encode()
    lines = [line, b"{", b"[1]", b'{"step": 1}', b"\xff", b"null", line, line[:20]]
    (own / "a-model" / "history.jsonl").write_bytes(b"\n".join(lines))
    assert jobs.history("a-model") == [one_report()] * 2


def test_a_shipped_history_can_be_read(tmp_path):
    (tmp_path / "shipped" / "checkpoints" / "a-model").mkdir(parents=True)
    (tmp_path / "shipped" / "checkpoints" / "a-model" / "history.jsonl").write_text(
        json.dumps(one_report()._asdict()) + "\n"
    )
    assert jobs.history("a-model") == [one_report()]


def test_a_folder_that_is_a_file_is_refused(own):
    own.write_text("in the way")
    with pytest.raises(JobError, match="could not be written"):
        next(jobs.run("a-model", SMALL, QUICK))
    with pytest.raises(JobError):
        jobs.start("a-model", SMALL, QUICK)


CONFIGS = [
    (ModelConfig(), TrainConfig()),
    (ModelConfig(likelihood="gaussian-shared", activation="silu"), TrainConfig(objective="autoencoder", samples=5)),
    (ModelConfig(log_variance_floor=None, decoder_layers=()), TrainConfig(data="fashion-mnist", epochs=100)),
    (ModelConfig(log_variance_floor=-1e-7, encoder_layers=(7,)), TrainConfig(learning_rate=1 / 3, weight_decay=1e-05)),
    (ModelConfig(log_variance_floor=4, latent=20), TrainConfig(learning_rate=1, weight_decay=10, seed=2**63 - 1)),
    (ModelConfig(), TrainConfig(beta=0.5, beta_warmup=2, free_bits=0.1, share=0.5, adam_beta1=0.8, adam_beta2=0.9)),
    (ModelConfig(), TrainConfig(objective="iwae", samples=50, schedule="cosine", warmup=0.5, adam_epsilon=1e-4)),
    (ModelConfig(likelihood="bernoulli", image_shape=(3, 5), encoder_layers=(9, 8)), TrainConfig(data="It's a $NAME")),
]


@pytest.mark.parametrize(("model", "training"), CONFIGS)
@pytest.mark.parametrize("half", [True, False])
def test_the_command_makes_the_same_configs_again(model, training, half):
    words = cards.arguments("a-model", model, training, half)
    line = cards.command(Record(name="a-model", model=model, training=training), half)
    assert shlex.split(line) == ["vae", *words, "--overwrite"]
    chosen = cli._parser().parse_args(words)
    assert (chosen.command, chosen.name, chosen.half) == ("train", "a-model", half)
    assert config_of(ModelConfig, chosen) == model and config_of(TrainConfig, chosen) == training
    if (model, training, half) == (ModelConfig(), TrainConfig(), False):
        assert words == ["train", "a-model"]  # defaults go without saying


def test_two_trainings_cannot_share_a_folder(own):
    first = jobs.run("a-model", SMALL, QUICK)
    next(first)
    before = contents(own / "a-model")
    for second in (jobs.run("a-model", SMALL, QUICK, overwrite=True), runs.resume("a-model")):
        with pytest.raises(JobError, match="'a-model' is being trained"):
            next(second)
    with pytest.raises(JobError, match="'a-model' is busy"):
        jobs._spawn("a-model", [], SMALL)
    assert contents(own / "a-model") == before and jobs.status("a-model") == jobs.Job("a-model", "running")
    assert [report.step for report in first] == [6, 9]


def test_convolutions_have_two_threads_and_what_is_set_stays(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert jobs._environment(SMALL)["OMP_NUM_THREADS"] == "1"
    assert jobs._environment(ModelConfig(channels=(4,)))["OMP_NUM_THREADS"] == "2"
    assert jobs._environment(SMALL)["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert jobs._environment(ModelConfig(channels=(4,)))["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert jobs._environment(SMALL)["OMP_NUM_THREADS"] == "3"
    assert jobs._environment(SMALL)["OMP_WAIT_POLICY"] == "ACTIVE"


def test_several_seeds_are_trainings_of_their_own_or_none_at_all(own, monkeypatch):
    begun = []
    monkeypatch.setattr(jobs, "start", lambda *given: begun.append(given))
    assert jobs.start_seeds("a-model", SMALL, replace(QUICK, seed=4), 2) == ["a-model-s4", "a-model-s5"]
    assert begun == [("a-model-s4", SMALL, replace(QUICK, seed=4)), ("a-model-s5", SMALL, replace(QUICK, seed=5))]
    list(jobs.run("b-model-s2", SMALL, QUICK))
    with pytest.raises(CheckpointError, match="'b-model-s2' is taken"):
        jobs.start_seeds("b-model", SMALL, QUICK, 3)
    assert len(begun) == 2


def test_what_ended_early_can_be_resumed_and_what_is_done_cannot(own):
    reports = jobs.run("a-model", SMALL, QUICK)
    next(reports)
    assert not jobs.resumable("a-model")  # it is under way
    reports.close()
    assert jobs.resumable("a-model")
    list(runs.resume("a-model"))
    write_job(own / "b-model", state="stopped")  # before it began
    assert not any(jobs.resumable(name) for name in ("a-model", "b-model", "nobody"))


def test_an_estimate_comes_from_a_process_like_one_that_trains():
    config = TrainConfig(data="mnist-sample", epochs=1, batch_size=5000, share=0.5)  # one step
    one = jobs.measure(ModelConfig(encoder_layers=(), decoder_layers=()), config)
    assert 0 < one < 60
    with pytest.raises(JobError, match="data must be one of mnist,"):
        jobs.measure(SMALL, replace(config, data="none"))


@pytest.fixture
def no_process_left(own):
    yield
    for path in own.glob("*/job.json"):
        with contextlib.suppress(psutil.Error):
            if (pid := json.loads(path.read_text())["pid"]) != os.getpid():
                psutil.Process(pid).kill()


@pytest.mark.usefixtures("no_process_left")
def test_a_process_of_its_own_trains_and_stops_when_asked(own, monkeypatch):
    monkeypatch.chdir(own.parent)
    monkeypatch.setenv("VAE_CHECKPOINTS", "own")  # relative to where we are, for the process too
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    config = TrainConfig(data="mnist-sample", epochs=1000)
    jobs.start("a-model", ModelConfig(encoder_layers=(), decoder_layers=()), config)
    assert jobs.status("a-model") == jobs.running() == jobs.latest() == jobs.Job("a-model", "starting")
    with pytest.raises(JobError, match="'a-model' is busy"):
        jobs.start("a-model", SMALL, config)
    wait_for(lambda: jobs.history("a-model"))
    process = psutil.Process(json.loads((own / "a-model" / "job.json").read_text())["pid"])
    assert process.environ()["OMP_NUM_THREADS"] == "1" and process.environ()["OMP_WAIT_POLICY"] == "PASSIVE"
    assert process.nice() == 10
    jobs.pause("a-model")
    wait_for(lambda: jobs.status("a-model").state == "paused")
    before = len(jobs.history("a-model"))
    jobs.step("a-model")
    wait_for(lambda: len(jobs.history("a-model")) > before)
    jobs.stop("a-model")
    wait_for(lambda: not jobs.running())
    assert jobs.status("a-model") == jobs.Job("a-model", "stopped"), (own / "a-model" / "log.txt").read_text()
    last = jobs.history("a-model")[-1]
    wait_for(lambda: (own / "a-model" / "card.md").exists())
    assert read_record("a-model").epochs_done == last.epoch and load("a-model").config.linear
