"""What the Train page shows of trainings: under way, paused, over, side by side, and from other seeds."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import vae
from pages.cache import training as cache_training
from pages.train.panels import compare, forming, seeds
from tests.app.test_pages import ROOT, said
from tests.waiting import HANG
from vae import jobs, latent
from vae.jobs.job import tell
from vae.jobs.replay import balanced_rows, replay
from vae.jobs.runs import run
from vae.model.checkpoints import Record
from vae.training.slowmotion import save_slow_step, slow_step
from vae.training.trainer import Trainer

pytestmark = pytest.mark.slow

FIVE = vae.ModelConfig(latent=5, encoder_layers=(16,), decoder_layers=(16,))


def training(**changes: object) -> vae.TrainConfig:
    return vae.TrainConfig(**{"data": "mnist-sample", "epochs": 2, "share": 0.1, "batch_size": 50, **changes})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small models that were trained, with all that is kept of that."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_CHECKPOINTS", str(folder))
        for name, changes in {
            "five": {}, "five-again": {"seed": 1}, "five-beta": {"beta": 0.5, "samples": 3},
            "plain": {"objective": "autoencoder"},
        }.items():  # fmt: skip
            list(run(name, FIVE, training(**changes)))
        list(run("binary", vae.ModelConfig(latent=2, likelihood="bernoulli", encoder_layers=(8,)), training()))
    return folder


@pytest.fixture(autouse=True)
def in_use(models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(models))
    return models


def opened(job: str, view: str | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG)
    app.query_params["job"] = job
    if view:
        app.query_params["train.view"] = view
    app.run()
    app = app.switch_page(str(ROOT / "pages/train/train.py")).run()
    assert not app.exception and not app.error
    return app


def drawn(app: AppTest) -> list[dict]:
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def numbers(array: dict | list) -> np.ndarray:
    if isinstance(array, list):
        return np.array(array)
    values = np.frombuffer(base64.b64decode(array["bdata"]), np.dtype(array["dtype"]))
    return values.reshape([int(n) for n in str(array.get("shape", -1)).split(",")])


def heat_map(app: AppTest) -> dict | None:
    return next((figure["data"][0] for figure in drawn(app) if figure["data"][0]["type"] == "heatmap"), None)


def test_a_training_that_is_over_shows_its_kl_over_time_in_the_order_asked_for() -> None:
    app = opened("five")
    history = jobs.history("five")
    kl = np.array([report.kl_by_dimension for report in history])
    np.testing.assert_allclose(numbers(heat_map(app)["z"]), kl.T, rtol=1e-5)
    np.testing.assert_allclose(numbers(heat_map(app)["x"])[1:], [report.epoch for report in history], rtol=1e-5)
    app.toggle(key="train.sorted").set_value(True).run()
    assert not app.exception
    last = numbers(heat_map(app)["z"])[:, -1]
    assert (np.diff(last) <= 0).all()
    np.testing.assert_allclose(np.sort(last), np.sort(kl[-1]), rtol=1e-5)


def test_an_autoencoder_has_no_kl_to_show() -> None:
    app = opened("plain")
    assert heat_map(app) is None and "train.sorted" not in [toggle.key for toggle in app.toggle]
    assert len(app.get("bidi_component")) >= 1


def test_a_model_that_ships_is_shown_without_what_was_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG)
    app.query_params["model"] = "mnist-10d"
    app = app.run().switch_page(str(ROOT / "pages/train/train.py")).run()
    assert not app.exception and not app.error
    assert "how mnist-10d was trained" in said(app) and heat_map(app) is None
    assert "ELBO" in said(app) and len(drawn(app)) == 2


@pytest.mark.parametrize("name", ["five", "plain", "binary"])
def test_the_replay_keeps_one_plane_for_the_points_and_says_which_was_decoded(in_use: Path, name: str) -> None:
    found = replay(in_use / name)
    formed = cache_training.formed(name, "mnist-sample", live=False)
    shown = forming.given(formed, sort=False, by_variance=name == "plain")
    axes = found.axes[-1]
    assert formed["axes"] == axes.tolist() and len(shown["planes"]) == len(found.steps)
    book = formed["codes"].reshape(-1, 2) * np.array(formed["scale"]["step"]) + np.array(formed["scale"]["low"])
    truth = found.codes[..., axes].reshape(-1, 2)
    np.testing.assert_allclose(book, truth, atol=2e-3 * np.abs(truth).max())
    if name == "plain":
        assert shown["kl"] is None and shown["order"] == []
    else:
        steps = [report.step for report in jobs.history(name)]
        kl = shown["kl"].reshape(len(found.steps), -1)
        for step, row in zip(found.steps, kl, strict=True):
            report = next((r for r in jobs.history(name) if r.step >= step), jobs.history(name)[-1])
            np.testing.assert_allclose(row, report.kl_by_dimension, rtol=1e-6)
        assert steps and shown["order"] == list(range(kl.shape[1]))
        by_size = forming.given(formed, sort=True, by_variance=False)["order"]
        assert (np.diff(kl[-1][by_size]) <= 0).all()
    assert bool(shown["words"]["chosen"]) == (name != "binary")
    live = cache_training.formed(name, "mnist-sample", live=True)
    assert live["steps"] == [found.steps[-1]] and live["axes"] == axes.tolist()


@pytest.mark.parametrize(("message", "saved"), [("", True), (jobs.runs.UNBEGUN, False)])
def test_a_stopped_training_is_offered_only_if_it_saved_a_model(in_use: Path, message: str, saved: bool) -> None:
    job = in_use / "five" / "job.json"
    before = job.read_bytes()
    try:
        tell(in_use / "five", "stopped", message)
        app = opened("five")
    finally:
        job.write_bytes(before)
    assert ("train.use" in {each.key for each in app.button}) == saved
    assert any("before its first step" in each.value for each in app.markdown) != saved


@pytest.fixture
def paused(in_use: Path) -> Iterator[Trainer]:
    """A training of this process that has taken a step by itself, and its trainer's like."""
    running = run("held", FIVE, training(epochs=50))
    next(running)
    tell(in_use / "held", "paused")
    trainer = Trainer(vae.build(FIVE), vae.load_dataset("mnist-sample", fetch=False), training())
    save_slow_step(in_use / "held" / "step.npz", slow_step(trainer))
    yield trainer
    running.close()
    shutil.rmtree(in_use / "held")


def slow_steps(app: AppTest) -> list[dict]:
    sent = [json.loads(element.proto.json) for element in app.get("bidi_component") if element.proto.json]
    return [data for data in sent if "mean_gradient" in data]


def test_a_paused_training_shows_its_step_and_takes_exactly_one_more(
    paused: Trainer, in_use: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def step(name: str) -> None:
        asked.append(name)
        save_slow_step(in_use / name / "step.npz", slow_step(paused))

    monkeypatch.setattr(jobs, "step", step)
    app = opened("held")
    assert "is paused" in said(app) and "Step 1 in slow motion" in said(app)
    assert slow_steps(app)[0]["id"].startswith("1 ")
    app.button(key="train.next").click().run()
    assert not app.exception and asked == ["held"]
    assert "Step 2 in slow motion" in said(app) and slow_steps(app)[0]["id"].startswith("2 ")
    (in_use / "held" / "step.npz").unlink()
    app.run()
    assert not app.exception and "Take one step" in said(app) and not slow_steps(app)


def test_a_step_and_a_resumption_that_arrive_together_leave_the_training_running(
    paused: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(jobs, "step", lambda name: asked.append("step"))
    monkeypatch.setattr(jobs, "resume", lambda name, **more: asked.append("resume"))
    app = opened("held")
    app.button(key="train.next").click()
    app.button(key="train.resume").click().run()
    assert not app.exception and asked == ["resume"]


def test_trainings_are_compared_by_their_held_out_elbo() -> None:
    app = opened("five", "compared")
    chosen = app.multiselect[0]
    assert chosen.value[0] == "five" and set(chosen.value) >= {"five", "five-again", "five-beta"}
    assert "plain" not in chosen.options and "binary" not in chosen.value and not app.warning
    (figure,) = drawn(app)
    lines = {line["name"]: line for line in figure["data"]}
    for name in ("five", "five-beta"):
        ends = [report for report in jobs.history(name) if report.held_out_kl is not None]
        truth = [report.held_out_reconstruction - report.held_out_kl for report in ends]
        np.testing.assert_allclose(numbers(lines[name]["y"]), truth)
        np.testing.assert_allclose(numbers(lines[name]["x"]), [1, 2])
        row = app.table[0].value.set_index("training").loc[name]
        assert row["held-out ELBO, nats"] == f"{truth[-1]:,.1f}" and (row["J"], row["epochs"]) == ("5", "2.0")
        assert (row["objective"], row["β"]) == (("ELBO, L = 3", "0.5") if name == "five-beta" else ("ELBO", "1"))
    app.segmented_control(key="train.against").set_value("seconds").run()
    seconds = [report.seconds for report in jobs.history("five") if report.held_out_kl is not None]
    lines = {line["name"]: line for line in drawn(app)[0]["data"]}
    np.testing.assert_allclose(numbers(lines["five"]["x"]), seconds)
    app.multiselect[0].set_value(["five", "binary", "mnist-20d"]).run()
    assert not app.exception and "cannot be compared" in app.warning[0].value
    app.multiselect[0].set_value([]).run()
    assert not app.exception and not drawn(app)


def test_what_can_be_compared_is_about_the_same_pixels() -> None:
    def plan(training_changes: dict = {}, **model: object) -> compare.Plan:  # noqa: B006 - never changed
        return vae.ModelConfig(**model), training(**training_changes)

    assert compare.comparable(plan(), plan({"epochs": 9, "objective": "iwae", "samples": 5}, latent=20))
    assert not compare.comparable(plan(), plan({"data": "mnist"}))
    assert not compare.comparable(plan(), plan(log_variance_floor=-8.0))
    assert not compare.comparable(plan(), plan(likelihood="bernoulli"))
    binary = plan(likelihood="bernoulli")
    assert compare.comparable(binary, plan(likelihood="bernoulli", log_variance_floor=-8.0))


def test_models_alike_differ_in_their_seed_alone() -> None:
    def record(name: str, model: vae.ModelConfig = FIVE, **changes: object) -> Record:
        return Record(name=name, model=model, training=training(**changes))

    records = [
        record("a"), record("b", seed=1), record("c", seed=2, beta=0.5), record("d", vae.ModelConfig(latent=6), seed=3),
        record("e", seed=9), record("f", beta=0.5),
    ]  # fmt: skip
    assert seeds.alike(records) == [["a", "b", "e"], ["c", "f"]]
    assert seeds.alike(records[:1]) == []


def test_the_same_model_from_two_seeds_is_turned_onto_itself() -> None:
    app = opened("five", "seeds")
    assert [box.value for box in app.main.selectbox if box.key.startswith("train.r")] == ["five"]
    figures = [figure["data"][0] for figure in drawn(app)]
    points = [np.stack([numbers(figure[axis]) for axis in "xy"], 1) for figure in figures]
    assert [len(each) for each in points] == [1000] * 3
    before, after = (
        float(text.value.rsplit(" ", 1)[1].strip("*")) for text in app.markdown if "residual" in text.value
    )
    assert after < before
    # min ||b R - a||^2 = ||a||^2 + ||b||^2 - 2 ||b^T a||_*, the nuclear norm from eigenvalues
    data = vae.load_dataset("mnist-sample", fetch=False)
    images = data.test.images[balanced_rows(data.test.labels, 1000)]
    a, b = (latent.encode(vae.load(name), images).mean.astype(float) for name in ("five", "five-again"))
    assert abs(((a - b) ** 2).sum() / (a**2).sum() - before) < 0.006
    nuclear = np.sqrt(np.linalg.eigvalsh((b.T @ a).T @ (b.T @ a)).clip(0)).sum()
    assert abs(((a**2).sum() + (b**2).sum() - 2 * nuclear) / (a**2).sum() - after) < 0.006


def test_without_two_seeds_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG)
    app.query_params["train.view"] = "seeds"
    app = app.run().switch_page(str(ROOT / "pages/train/train.py")).run()
    assert not app.exception and "different seed" in said(app)
