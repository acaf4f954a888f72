"""Training on two ranks, as `torchrun` starts them: the same losses as one process, and a rank that dies."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from tests.toys import small_model, toy_dataset
from tests.waiting import HANG, wait_for
from vae import paths
from vae.cli import commands as cli
from vae.distributed import evaluation as ranks
from vae.distributed import processes as distributed
from vae.errors import ConfigError, JobError
from vae.evidence.evaluation import evaluate
from vae.jobs import processes as jobs
from vae.jobs import runs
from vae.jobs.cards import arguments
from vae.model.checkpoints import Record, load, read_record, save
from vae.model.distributions import generator
from vae.model.vae import build
from vae.settings.config import ModelConfig, TrainConfig

MODEL = ModelConfig(latent=3, likelihood="bernoulli", encoder_layers=(16,), decoder_layers=(16,), activation="tanh")
# 999 images are nine batches of 111, an odd number for two ranks; three draws, so that these are shared too
PLAIN = TrainConfig(data="mnist-sample", share=0.0999, epochs=3, batch_size=111, learning_rate=0.01)
IWAE = replace(PLAIN, objective="iwae", samples=3, precision="float32")
LONG = replace(PLAIN, epochs=30, precision="float32")  # 270 steps
ENDLESS = replace(LONG, epochs=100_000)  # for what is to happen while it runs, whenever that is
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "shipped")
    return tmp_path


@pytest.fixture
def launched() -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts `torchrun` with two ranks; ends what is left of it."""
    started: list[subprocess.Popen] = []

    def launch(*words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "vae"]
        env = os.environ | {"OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [*command, *words], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()


def until(what: Callable[[], object], process: subprocess.Popen) -> None:
    def come() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return bool(what())

    wait_for(come)


def processes(process: subprocess.Popen) -> dict[str, psutil.Process]:
    found = (child for child in psutil.Process(process.pid).children() if "RANK" in child.environ())
    return {child.environ()["RANK"]: child for child in found}


@pytest.mark.slow
def test_two_ranks_have_the_losses_of_one_process(launched):
    process = launched(*arguments("two", MODEL, IWAE))
    list(runs.run("one", MODEL, IWAE))
    out, _ = process.communicate(timeout=HANG)
    assert process.returncode == 0, out
    assert out.count("epoch ") == 3  # rank 0 alone speaks
    one, two = jobs.history("one"), jobs.history("two")
    assert [report.step for report in two] == [report.step for report in one] == [9, 18, 27]
    for a, b in zip(one, two, strict=True):
        # 27 steps of float32 sums in another order; the losses themselves have moved by 100 nats
        assert b.reconstruction == pytest.approx(a.reconstruction, rel=1e-5)
        assert b.kl_by_dimension == pytest.approx(a.kl_by_dimension, rel=1e-3, abs=1e-4)
        assert b.held_out_reconstruction == pytest.approx(a.held_out_reconstruction, rel=1e-5)
        assert b.held_out_kl == pytest.approx(a.held_out_kl, rel=1e-3, abs=1e-4)
    for key, weight in load("one").state_dict().items():
        torch.testing.assert_close(load("two").state_dict()[key], weight, rtol=1e-3, atol=1e-4)
    assert read_record("two").training == IWAE and jobs.status("two") == jobs.Job("two", "done")


def lose_a_rank(process: subprocess.Popen) -> None:
    """Kills one of two ranks, and checks that the other ends the job and says so."""
    processes(process)["1"].send_signal(signal.SIGKILL)
    out, _ = process.communicate(timeout=HANG)
    assert process.returncode != 0, out
    job = jobs.status("two")
    assert job.state in ("stopped", "failed") and not job.busy
    assert job.state == "stopped" or "has ended" in job.message or "has failed" in job.message
    assert "Traceback" not in out.split("torch/distributed")[0]


@pytest.mark.slow
def test_a_rank_that_dies_ends_the_job(launched):
    process = launched(*arguments("two", MODEL, ENDLESS))
    until(lambda: jobs.history("two"), process)
    lose_a_rank(process)


@pytest.mark.slow
def test_a_job_that_lost_a_rank_while_it_paused_is_resumed_on_one_process(launched):
    process = launched(*arguments("two", MODEL, LONG))
    until(lambda: jobs.status("two"), process)
    jobs.pause("two")  # which saves the state
    until(lambda: jobs.status("two").state == "paused", process)
    jobs.step("two")
    until(lambda: jobs.history("two"), process)
    stood = jobs.history("two")[-1].step
    lose_a_rank(process)
    resumed = [report.step for report in runs.resume("two")]
    assert 0 < resumed[0] <= stood + 50 and resumed[-1] == 270
    list(runs.run("one", MODEL, LONG))
    bounds = [read_record(name).held_out["elbo"] for name in ("one", "two")]
    assert bounds[0] == pytest.approx(bounds[1], abs=1)  # 270 steps in which rounding has grown


@pytest.mark.slow
@pytest.mark.parametrize("words", [
    ("--method=importance", "--samples=60", "--images=600", "--replicates=2", "--jackknife"),  # parts of 256, 256, 88
    ("--method=importance", "--samples=5", "--images=20"),  # one part: the other rank has none
])  # fmt: skip
def test_two_ranks_evaluate_to_the_numbers_of_one_process(launched, capsys, words):
    model = build(MODEL, 3)
    save(model, Record(name="a-model", model=MODEL, training=PLAIN))
    process = launched("evaluate", "a-model", "--json", *words)
    assert cli.main(["evaluate", "a-model", "--json", *words]) == 0
    one = json.loads(capsys.readouterr().out)
    out, _ = process.communicate(timeout=HANG)
    assert process.returncode == 0, out
    (line,) = [line for line in out.splitlines() if line.startswith("{")]  # rank 0 alone speaks
    two = json.loads(line)
    assert two.keys() == one.keys() and two["standard_error_nats"] > 0
    for key in one.keys() - {"seconds"}:
        # sums of float32 may go another way in a process of its own
        assert two[key] == (pytest.approx(one[key], rel=1e-5) if isinstance(one[key], float) else one[key]), key


def test_what_ranks_cannot_share_is_refused(monkeypatch):
    monkeypatch.setattr(ranks, "ranks", lambda: 2)
    for method in ("ais", "naive"):
        with pytest.raises(ConfigError, match=f"Only elbo, importance, exact can be shared by ranks; {method}"):
            ranks.refuse_alone(method)
    ranks.refuse_alone("importance")


@pytest.mark.parametrize("latent", [1, 2])
@pytest.mark.slow
def test_parts_together_are_the_whole_of_an_exact_evidence(monkeypatch, latent):
    model, noise = small_model(latent=latent), generator(0)
    x = model.pixels(toy_dataset().test.images[:5], noise)
    (whole,) = evaluate(model, x, "exact")
    monkeypatch.setitem(ranks._PARTS, "exact", (2, 0))
    (parts,) = ranks.evaluate_share(model, x, "exact", generator=noise)  # one rank that has them all
    torch.testing.assert_close(parts.value, whole.value, rtol=0, atol=1e-3)
    assert parts.error_bound is not None and parts.ess is None and parts.k_hat is None


def test_without_torchrun_there_is_one_rank(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with distributed.group():
        assert distributed.rank() == 0
        plain = distributed.trainer(small_model(), toy_dataset(), TrainConfig())
        assert type(plain) is distributed.Trainer


@pytest.mark.parametrize(("changes", "words"), [
    ({"batch_size": 1}, "an image of each batch; the smallest batch has 1, for 2 ranks"),
    ({"batch_size": 255}, "an image of each batch; the smallest batch has 1, for 2 ranks"),  # of 256 images
    ({"free_bits": 0.5}, "free_bits"),
])  # fmt: skip
def test_what_cannot_be_shared_is_refused(monkeypatch, changes, words):
    monkeypatch.setattr(distributed.dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(distributed.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed.dist, "get_rank", lambda: 0)
    with pytest.raises(ConfigError, match=words):
        distributed.trainer(small_model(), toy_dataset(), TrainConfig(**changes))


def test_a_broken_connection_is_said_plainly():
    with pytest.raises(JobError, match=r"one has failed \(Connection closed\).*--resume"), distributed._all_there():
        raise RuntimeError("Connection closed\nby peer")
