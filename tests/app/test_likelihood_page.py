"""The page Likelihood: what it says follows from the numbers, for every kind of model, and nothing on it is empty."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import vae
from pages import cache
from pages.measure.panels import area
from pages.measure.panels.race import Race
from pages.ui import words
from tests.app.test_pages import links, said, through_frame
from tests.waiting import HANG
from vae import data
from vae.evidence import races
from vae.evidence.exact import exact

pytestmark = pytest.mark.slow

PATH = "pages/measure/likelihood.py"
MNIST = "mnist" if data.available("mnist") else "mnist-sample"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setattr(cache.streams, "_GRACE", HANG)  # however slow a test is, its races go on
    monkeypatch.setattr(area, "BETAS", area.BETAS[::4])  # a curve of 9 points ends at log p(x) as one of 33 does


def table(app: AppTest, start: str) -> dict[str, list[str]]:
    """The rows of a table by their titles."""
    (text,) = (element.value for element in app.markdown if element.value.startswith(f"| {start}"))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return {title: cells for title, *cells in rows}


def save(name: str, **config: object) -> None:
    model = vae.ModelConfig(**{"encoder_layers": (8,), "decoder_layers": (8,), "activation": "tanh", **config})
    record = vae.Record(name=name, model=model, training=vae.TrainConfig(data="mnist-sample"))
    vae.save(vae.build(model), record)


def opened(model: str, step: str, **query: str) -> AppTest:
    return through_frame(PATH, model, likelihood__step=step, **query)


def chart(app: AppTest) -> dict[str, Any]:
    """What the component of the race was told."""
    (proto,) = (each.proto for each in app.get("bidi_component") if each.proto.component_name.endswith(".race"))
    return json.loads(proto.json)


def run_to_its_end(app: AppTest) -> Race:
    """Runs the page again as its fragment does in a browser, until the race has ended."""
    while "likelihood.racing" in app.session_state:
        app.run()
    assert not app.exception and not app.error
    (race,) = app.session_state["likelihood.raced"].values()
    return race


def in_a_long_race() -> AppTest:
    save("mine")
    app = through_frame(PATH, "mine")
    run_to_its_end(app)  # of the race that starts by itself
    app.select_slider(key="likelihood.most").set_value(1_000_000).run()
    return app.button(key="likelihood.run").click().run()


def test_a_race_that_has_been_run_is_there_at_once() -> None:
    app = through_frame(PATH, "mnist-bernoulli-2d")
    assert not app.exception
    assert "likelihood.racing" not in app.session_state
    assert "This run was computed in advance (seed 0)" in said(app)
    shown, model = chart(app), cache.model_id("mnist-bernoulli-2d")
    assert not shown["running"]
    tracks = {track.runner: track for track in cache.streams.raced(model, MNIST, 0)}
    names = {"naive": "naive Monte Carlo", "elbo": "ELBO", "importance": "importance sampling"}
    curves = {curve["name"]: curve for curve in shown["curves"]}
    for runner, name in names.items():
        assert curves[name]["x"] == tracks[runner].samples.tolist()
        np.testing.assert_allclose(curves[name]["middle"], np.median(tracks[runner].value[:3], 0), atol=30)
        assert all(low <= high for low, high in zip(curves[name]["low"], curves[name]["high"], strict=True))
    assert max(curves["naive Monte Carlo"]["x"]) == 100_000
    exact = vae.load_comparison(vae.comparison_file("mnist-bernoulli-2d", MNIST)).estimates["exact"].value[0]
    assert shown["level"]["name"] == "log p(x), exact"
    assert shown["level"]["nats"] == pytest.approx(float(exact))


def test_who_comes_within_a_nat_and_stays_is_said_and_marked() -> None:
    app = through_frame(PATH, "mnist-bernoulli-2d")
    shown = chart(app)
    text = said(app)
    for curve in shown["curves"]:
        off = [abs(value - shown["level"]["nats"]) > 1 for value in curve["middle"]]
        first = next(i for i in range(len(off) + 1) if not any(off[i:]))
        if first == len(off) - 1:
            assert curve["arrived"] is None
            assert re.search(rf"Only the last estimate is .*{re.escape(curve['name'])} \*\*", text)
        elif first == len(off):
            assert curve["arrived"] is None
            assert re.search(
                rf"Not within 1 nat yet: .*{re.escape(curve['name'])} \*\*\S+ nats\*\* (below|above) after", text
            )
        else:
            assert curve["arrived"] == first
            assert f"{curve['name']} **{curve['x'][first]:,.0f}**" in text
    assert any(curve["arrived"] is not None for curve in shown["curves"])


def test_more_dimensions_need_more_samples() -> None:
    app = opened("mnist-bernoulli-2d", "dimensions")
    sides = table(app, "nats")
    assert sides["nats"] == ["J = 2", "J = 5", "J = 10", "J = 20", "mnist-bernoulli-2d"]
    far = [float(cell.replace(",", "").replace("−", "-")) for cell in sides["naive, 10³"] if cell != "–"]
    assert len(far) > 1
    assert far[-1] > -20  # J = 2 with binary pixels
    assert far[-2] < -100  # J = 20


def test_the_verdict_follows_the_numbers_of_the_model() -> None:
    verdicts = {}
    for name in ("mnist-bernoulli-2d", "mnist-20d"):
        app = opened(name, "trust")
        found = vae.load_comparison(vae.comparison_file(name, MNIST))
        truth, _kind = found.reference()
        good = truth.isfinite()
        errors = [
            (found.estimates[method].value - truth)[good].mean() for method in ("naive_100000", "importance_5000")
        ]
        verdicts[name] = "naive Monte Carlo is closer" in said(app)
        assert verdicts[name] == (errors[0] > errors[1])
        assert verdicts[name] != ("importance sampling is closer" in said(app))
        shown = table(app, "estimate")["importance sampling, K = 5,000"]
        assert shown[0] == f"{errors[1]:+,.2f}".replace("-", "−")
    assert not verdicts["mnist-20d"]


def test_a_button_takes_one_to_the_worst_image() -> None:
    app = opened("mnist-bernoulli-2d", "trust")
    button = app.button(key="likelihood.case.importance")
    row = int(re.search(r"image (\d+)", button.label)[1])
    found = vae.load_comparison(vae.comparison_file("mnist-bernoulli-2d", MNIST))
    error = (found.estimates["importance_5000"].value - found.estimates["exact"].value).abs().nan_to_num(-1)
    assert row == error.argmax()
    button.click().run()
    assert app.number_input(key="likelihood.row").value == row


def test_an_image_is_chosen_by_a_button_or_by_its_number() -> None:
    app = opened("mnist-bernoulli-2d", "gap")
    app.button(key="likelihood.image.4").click().run()
    labels = vae.load_dataset(MNIST).test.labels
    row = app.session_state["image"]
    assert labels[row] == 4
    assert app.number_input(key="likelihood.row").value == row
    app.number_input(key="likelihood.row").set_value(12).run()
    assert app.session_state["image"] == 12
    assert not app.exception


def test_a_race_runs_as_far_as_was_asked_and_is_kept() -> None:
    save("mine")
    app = through_frame(PATH, "mine")
    first = run_to_its_end(app)
    assert max(step.samples for step in first.steps) == 1000  # nothing ships for it, so it starts by itself
    assert {step.runner for step in first.steps} == {"naive", "elbo", "importance"}
    app.pills(key="likelihood.runners").set_value(["naive", "jackknife"])
    app.select_slider(key="likelihood.most").set_value(10_000).run()
    app.button(key="likelihood.run").click().run()
    race = run_to_its_end(app)
    assert race.asked.seed != first.asked.seed
    assert {step.runner for step in race.steps} == {"naive", "jackknife"}
    assert max(step.samples for step in race.steps if step.runner == "naive") == 10_000
    x = cache.pixels(cache.model_id("mine"), "mnist-sample", (0,))
    again = list(races.race(vae.load("mine"), x, ("naive",), 100, replicates=5, seed=race.asked.seed))  # as anybody can
    by_hand = {(step.samples, step.replicate): float(step.value[0]) for step in again}
    shown = {(step.samples, step.replicate): float(step.value[0]) for step in race.steps if step.runner == "naive"}
    assert by_hand.items() <= shown.items()
    count = len(race.steps)
    app.segmented_control(key="likelihood.cost").set_value("seconds").run()
    app.segmented_control(key="likelihood.distance").set_value(False).run()
    assert not app.exception
    shown = chart(app)
    assert max(shown["curves"][0]["x"]) < 1000 and not shown["distance"] and shown["words"]["up"] == "nats"
    assert len(app.session_state["likelihood.raced"].popitem()[1].steps) == count


def test_a_reload_shows_the_race_of_the_link_as_far_as_it_has_run() -> None:
    save("mine")
    app = through_frame(PATH, "mine")
    run_to_its_end(app)
    app.pills(key="likelihood.runners").set_value(["jackknife", "naive"])
    app.select_slider(key="likelihood.most").set_value(1_000_000).run()
    app.button(key="likelihood.run").click().run()
    app.button(key="likelihood.stop").click().run()
    (race,) = app.session_state["likelihood.raced"].values()
    link = app.query_params["likelihood.ran"]
    assert link == f"{race.asked.seed},1000000,naive,jackknife" and race.steps
    again = through_frame(PATH, "mine", likelihood__ran=link)
    assert not again.exception and "likelihood.racing" not in again.session_state
    assert chart(again) == chart(app) and f"with seed {race.asked.seed}" in said(again)
    assert again.query_params["likelihood.ran"] == link
    assert set(again.pills(key="likelihood.runners").value) == {"naive", "jackknife"}


def test_a_reload_goes_on_with_a_race_that_runs() -> None:
    save("mine")
    app = through_frame(PATH, "mine")  # nothing ships for it, so a race starts by itself
    again = through_frame(PATH, "mine", likelihood__ran=app.query_params["likelihood.ran"])
    first, second = run_to_its_end(app), run_to_its_end(again)
    assert first.asked == second.asked and len(first.steps) == len(second.steps)
    assert all(torch.equal(a.value, b.value) for a, b in zip(first.steps, second.steps, strict=True))


def test_a_race_goes_on_after_the_server_was_busy_for_long() -> None:
    app = in_a_long_race()
    (before,) = app.session_state["likelihood.raced"].values()
    _key, slices = app.session_state["likelihood.racing"]
    slices._abandon()
    app.run()
    _key, again = app.session_state["likelihood.racing"]
    (race,) = app.session_state["likelihood.raced"].values()
    assert not app.exception and not again.ended and race.asked == before.asked and race.steps
    app.button(key="likelihood.stop").click().run()
    assert again.ended and not again.abandoned


@pytest.mark.parametrize("ran", ["500,1000,naive", "x,1000,naive", "100,1001,naive", "100,1000", "100,1000,best"])
def test_a_link_to_a_race_that_nobody_has_run_shows_the_first_one(ran: str) -> None:
    app = through_frame(PATH, "mnist-bernoulli-2d", likelihood__ran=ran)
    assert not app.exception and "computed in advance (seed 0)" in said(app)


def test_a_race_is_stopped_and_ends_with_its_images() -> None:
    app = in_a_long_race()
    assert not app.button(key="likelihood.stop").disabled
    app.button(key="likelihood.stop").click().run()
    (race,) = app.session_state["likelihood.raced"].values()
    assert race.steps and race.steps[-1].share < 1  # what was run so far stays
    assert "likelihood.racing" not in app.session_state
    app.button(key="likelihood.run").click().run()
    _key, slices = app.session_state["likelihood.racing"]
    app.number_input(key="likelihood.row").set_value(5).run()
    assert slices.ended


def test_the_gap_adds_up_once_q_is_refined() -> None:
    save("mine")
    app = opened("mine", "gap")
    whole = float(re.search(r"the bound is \*\*(-?\d+\.\d+) nats\*\* low", said(app))[1])
    app.button(key="likelihood.refine").click().run()
    assert not app.exception
    kl, amortisation, approximation = map(
        float, re.search(r"Of the (\S+) nats, \*\*(\S+)\*\* are the amort.*?\*\*(\S+)\*\* the appr", said(app)).groups()
    )
    assert kl == whole
    assert amortisation + approximation == pytest.approx(kl, abs=0.011)  # each is rounded to 0.01
    assert amortisation >= 0
    model, dataset = vae.load("mine"), vae.load_dataset("mnist-sample")
    x = model.pixels(dataset.test.images, vae.generator(0))[:1]
    log_p = exact(model, x).value.item()
    assert log_p - vae.elbo(model, x, 20_000, vae.generator(3)).value.item() == pytest.approx(kl, abs=0.1)


def test_the_area_is_the_evidence_from_either_side() -> None:
    save("mine")
    app = opened("mine", "area")
    model, dataset = vae.load("mine"), vae.load_dataset("mnist-sample")
    log_p = exact(model, model.pixels(dataset.test.images, vae.generator(0))[:1]).value.item()
    app.select_slider(key="likelihood.steps").set_value(50)
    for base in ("encoder", "prior"):
        app.segmented_control(key="likelihood.base").set_value(base).run()
        assert f"log p(x) = {log_p:,.1f}" in said(app)
        halves = re.search(r"\*\*(\S+)\*\* ± \S+ nats, on av.*\*\*(\S+)\*\* ± \S+, on average", said(app)).groups()
        below, above = (float(half.replace(",", "")) for half in halves)
        assert below - 0.3 < log_p < above + 0.3  # 32 chains are good to some tenths of a nat
        assert above - below < 2


def test_other_images_than_those_of_the_shipped_models_stand_alone() -> None:
    save("mine")
    app = opened("mine", "dimensions")
    shared = [] if data.available("mnist") else ["J = 2", "J = 5", "J = 10", "J = 20"]
    assert table(app, "nats")["nats"] == [*shared, "mine"]


def test_a_model_of_many_dimensions_says_what_is_left_out() -> None:
    save("many", latent=7)
    says = {
        "race": "log p(x) is not known exactly for J = 7",
        "mass": "can be drawn where the latent space is a plane; many has J = 7",
        "gap": "exactly for J ≤ 2", "area": "exactly for J ≤ 2", "trust": "`vae compare many`",
    }  # fmt: skip
    for step, text in says.items():
        app = opened("many", step)
        assert not app.exception
        assert text in said(app), step


def test_a_collapsed_latent_is_no_trouble() -> None:
    config = vae.ModelConfig(encoder_layers=(8,), decoder_layers=(8,), activation="tanh")
    model = vae.build(config)
    with torch.no_grad():
        for part in (model.encoder.head.weight, model.encoder.head.bias, model.decoder.body[0][0].weight):
            part.zero_()
    vae.save(model, vae.Record(name="asleep", model=config, training=vae.TrainConfig(data="mnist-sample")))
    for link in links(PATH):
        app = through_frame(PATH, "asleep", **link)
        assert not app.exception
        assert not app.error
    app = opened("asleep", "mass")
    assert "= 0.0 nats, naive Monte Carlo needs about $e^{0.0}$ ≈ **1** samples" in " ".join(said(app).split())


def test_an_autoencoder_has_no_evidence() -> None:
    assert "is a plain autoencoder, so it has no p(x)" in said(through_frame(PATH, "mnist-autoencoder-2d"))


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (1, "1"),
        (9.6, "10"),
        (24_137, "20,000"),
        (960_000, "1 × 10⁶"),
        (3e8, "3 × 10⁸"),
        (2e14, "2 × 10¹⁴"),
        (0.02, "0.02"),
    ],
)
def test_large_numbers_in_one_digit(count: float, says: str) -> None:
    assert words.about(count) == says
    assert words.power(math.log(count)) == says
