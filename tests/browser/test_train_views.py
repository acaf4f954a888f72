"""What is seen of trainings in a real browser: the replay with its bars, and a step in slow motion."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import vae
from tests.browser.conftest import running_app, serving, settle, trainings_ended
from tests.browser.test_pages import CONTENT, visit
from tests.waiting import wait_for
from vae import jobs
from vae.jobs.replay import replay
from vae.jobs.runs import run
from vae.training.reports import kl_at, read
from vae.training.schedules import rates
from vae.training.slowmotion import load_slow_step

FIVE = vae.ModelConfig(latent=5, encoder_layers=(16,), decoder_layers=(16,))
STAGES = ("Encode", "Sample", "Decode", "Losses", "Backward")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this module's own server, whose page Train shows no training of others."""
    return tmp_path_factory.mktemp("training") / "checkpoints"


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[str]:
    with running_app(models.parent) as url:
        yield url


@pytest.fixture(autouse=True)
def in_use(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(models))


@pytest.fixture
def paused() -> Iterator[str]:
    """A training in a process of its own, paused after at least one step."""
    jobs.start("held", FIVE, vae.TrainConfig(data="mnist-sample", epochs=1000))
    wait_for(lambda: jobs.history("held"))
    jobs.pause("held")
    wait_for(lambda: jobs.status("held").state == "paused")
    jobs.step("held")
    wait_for(lambda: jobs.last_step("held"))
    yield "held"
    jobs.stop("held")
    wait_for(lambda: not jobs.status("held").busy)


def inked(page: Page, selector: str) -> bool:
    """Whether a canvas in a component has more than one colour."""
    return page.locator(selector).first.evaluate(
        "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size > 1"
    )


def test_a_replay_shows_what_each_dimension_carried_at_each_time(server: str, watched_page: Page, models: Path) -> None:
    list(run("five", FIVE, vae.TrainConfig(data="mnist-sample", epochs=2, share=0.3)))
    found = replay(models / "five")
    kl = kl_at(read(models / "five" / "history.jsonl"), found.steps)
    watched_page.goto(f"{server}/train?job=five")
    says = watched_page.locator(".replay .carried figcaption")
    expect(says).to_contain_text("of 5 are above 0.01")
    settle(watched_page)
    assert inked(watched_page, ".replay .carried canvas")
    bars = watched_page.locator(".replay .carried canvas")
    timeline = watched_page.get_by_role("slider", name="Training progress")
    for key, at in (("End", -1), ("Home", 0)):
        timeline.focus()
        timeline.press(key)
        expect(says).to_contain_text(f"{(kl[at] > 0.01).sum()} of 5 are above 0.01")
        largest = re.escape(named(int(kl[at].argmax())))
        expect(bars).to_have_attribute("aria-label", re.compile(f": {largest} "))
        expect(watched_page.locator(".replay .sheet")).to_have_attribute(
            "aria-label", re.compile(" × ".join(named(int(j)) for j in found.axes[at]))
        )
    watched_page.get_by_text("Largest KL first").click()
    settle(watched_page)
    order = watched_page.locator(".replay").evaluate("root => root.replay.data.order")
    assert order == np.argsort(-kl[-1], kind="stable").tolist()


def test_a_step_goes_through_its_stages_and_the_next_one_is_one_step(
    server: str, watched_page: Page, paused: str, models: Path
) -> None:
    watched_page.goto(f"{server}/train?job={paused}")
    title = watched_page.get_by_text("in slow motion")
    expect(title).to_be_visible()
    step = load_slow_step(models / paused / "step.npz")
    expect(title).to_contain_text(f"Step {int(step.step):,}")
    slow = watched_page.locator(".slow")
    forward, back = (slow.get_by_role("button", name=name, exact=True) for name in ("Next", "Back"))
    for i, name in enumerate(STAGES):
        expect(slow.locator("[aria-current=step]")).to_have_text(name)
        for canvas in range(slow.locator(".panel canvas").count()):
            assert inked(watched_page, f".slow .panel figure:nth-of-type({canvas + 1}) canvas")
        if i == 1:  # z = mu + sigma eps of the coordinates that are drawn
            first = int(min(np.argsort(-step.kl_by_dimension, kind="stable")[:2]))
            row = slow.locator(".panel tr").first
            expect(row).to_contain_text(named(first))
            texts = re.findall(r"−?\d[\d.e−+]*", row.locator("td").inner_text())
            mean, deviation, noise, z = (float(text.replace("−", "-")) for text in texts)
            truth = [step.mean[first], step.deviation[first], step.noise[0, first], step.z[0, first]]
            np.testing.assert_allclose([mean, deviation, noise, z], truth, rtol=0.06)  # two digits at least
        if i == 3:
            label = slow.locator(".panel canvas").first.get_attribute("aria-label")
            assert f"loss {-float(step.objective):,.1f}".replace("-", "−") in label
        assert forward.is_disabled() == (i == 4) and back.is_disabled() == (i == 0)
        if i < 4:
            forward.click()
    back.click()
    expect(slow.locator("[aria-current=step]")).to_have_text("Losses")
    slow.get_by_role("button", name="Backward").click()
    slow.get_by_role("button", name="Play").click()
    expect(slow.locator("[aria-current=step]")).to_have_text("Encode")
    expect(slow.locator("[aria-current=step]")).to_have_text("Sample")
    slow.get_by_role("button", name="Pause").click()
    watched_page.get_by_role("button", name="Next step").click()
    expect(title).to_contain_text(f"Step {int(step.step) + 1:,}")
    expect(slow.locator("[aria-current=step]")).to_have_text("Encode")
    watched_page.wait_for_timeout(1500)
    assert int(load_slow_step(models / paused / "step.npz").step) == int(step.step) + 1
    assert jobs.history(paused)[-1].step == int(step.step) + 1


def test_two_tabs_steer_one_training_which_outlives_the_server(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    with trainings_ended(tmp_path):
        steer_and_restart(tmp_path, browser)


def steer_and_restart(folder: Path, browser: Browser) -> None:
    training, paused = "by-two is training", "by-two is paused"
    with serving(folder) as url:
        one, two = browser.new_page(), browser.new_page()
        one.goto(f"{url}/train")
        settle(one)
        one.get_by_role("combobox", name="Data set").click()
        one.get_by_role("option", name="mnist-sample").click()
        one.get_by_role("textbox", name="Name").fill("by-two")
        one.get_by_role("spinbutton", name="Epochs").fill("1000")
        one.get_by_role("button", name="Train", exact=True).click()
        expect(one.get_by_text(training)).to_be_visible()
        two.goto(f"{url}/train?job=by-two")
        expect(two.get_by_text(training)).to_be_visible()
        two.get_by_role("button", name="Pause", exact=True).click()
        for each in (one, two):
            expect(each.get_by_text(paused)).to_be_visible()
        one.get_by_role("button", name="Resume").click()
        for each in (one, two):
            expect(each.get_by_text(training)).to_be_visible()
        one.close()
        two.close()
    wait_for(lambda: jobs.history("by-two"))
    process, step = pid(folder), jobs.history("by-two")[-1].step
    wait_for(lambda: jobs.history("by-two")[-1].step > step)
    with serving(folder) as url:
        page = browser.new_page()
        page.goto(f"{url}/train?job=by-two")
        expect(page.get_by_text(training)).to_be_visible()
        assert pid(folder) == process
        page.get_by_test_id("stMain").get_by_role("button", name="Stop training").click()
        expect(page.get_by_text("was stopped and saved")).to_be_visible()
        page.close()


def pid(folder: Path) -> int:
    return json.loads((folder / "checkpoints" / "by-two" / "job.json").read_text())["pid"]


def named(j: int) -> str:
    return "z" + str(j + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def test_train_stop_and_use(server: str, models: Path, watched_page: Page) -> None:
    """A model is trained from the page, survives a reload and a stop, and can be used at once."""
    visit(watched_page, f"{server}/train")
    watched_page.get_by_role("combobox", name="Preset").click()
    watched_page.get_by_role("option", name="beta-10d").click()
    expect(watched_page.get_by_role("spinbutton", name="Dimensions J")).to_have_value("10")
    expect(watched_page.get_by_text("Objective: ELBO, β = 4")).to_be_visible()
    expect(watched_page.get_by_text(re.compile(r"about \d+ (s|min) on this machine"))).to_be_visible()
    watched_page.get_by_role("combobox", name="Data set").click()
    watched_page.get_by_role("option", name="mnist-sample").click()
    settle(watched_page)  # the page of another data set proposes another name
    watched_page.get_by_role("textbox", name="Name").fill("by-hand")
    watched_page.get_by_role("spinbutton", name="Epochs").fill("500")
    settle(watched_page)
    watched_page.get_by_role("button", name="Train", exact=True).click()
    stop = watched_page.get_by_test_id("stMain").get_by_role("button", name="Stop training")
    stop.wait_for()
    expect(watched_page.get_by_text("images per second")).to_be_visible()
    watched_page.reload()
    stop.wait_for()
    expect(watched_page.get_by_text("held-out images, after epoch")).to_be_visible()
    # the map of the training moves; a pause holds it, a step takes one step, and it goes on
    step = re.compile(r"step [\d,]+")
    status = watched_page.locator(".replay .status")
    expect(status).to_have_text(step)
    watched_page.get_by_role("button", name="Pause", exact=True).click()
    watched_page.get_by_role("button", name="Next step").wait_for()
    expect(watched_page.get_by_text("is paused")).to_be_visible()
    # the words come before the map of the same look at the training, which has a frame of where it was paused
    wait_for(lambda: jobs.status("by-hand").state == "paused")
    expect(status).to_contain_text(f"step {replay(models / 'by-hand').steps[-1]:,}")
    held = status.inner_text()
    watched_page.wait_for_timeout(2500)  # two more looks change nothing
    expect(status).to_have_text(held)
    watched_page.get_by_role("button", name="Next step").click()
    watched_page.get_by_role("button", name="Resume").click()
    expect(status).not_to_have_text(held)
    # the highest learning rate is changed on the way, and the schedule goes on from it
    lower = replace(jobs.read_plan(models / "by-hand").training, learning_rate=1e-4)

    def follows_the_lower() -> bool:
        last = read(models / "by-hand" / "history.jsonl")[-1]
        at_its_step = rates(lower, last.step - 1, last.steps // lower.epochs).learning_rate
        return math.isclose(last.learning_rate or 0, at_its_step, rel_tol=1e-3)

    assert not follows_the_lower()
    watched_page.get_by_role("button", name="Change settings", exact=True).click()
    highest = watched_page.get_by_role("spinbutton", name="Peak learning rate")
    highest.fill("0.0001")
    highest.press("Tab")  # the form takes a number when it is left
    settle(watched_page)
    expect(highest).to_have_value("0.0001")
    watched_page.get_by_role("button", name="Apply from the next step").click()
    wait_for(follows_the_lower)
    watched_page.keyboard.press("Escape")
    stop.click()
    use = watched_page.get_by_role("button", name="Use this model")
    use.wait_for()
    expect(watched_page.get_by_text("was stopped and saved")).to_be_visible()
    timeline = watched_page.get_by_role("slider", name="Training progress")
    expect(timeline).to_be_visible()
    timeline.focus()
    timeline.press("Home")
    expect(status).to_have_text(re.compile("epoch 0.00, step 0"))
    watched_page.get_by_role("button", name="Play").click()
    expect(status).not_to_have_text(re.compile("step 0$"))
    use.click()
    expect(watched_page.get_by_role("combobox", name="Model")).to_have_value("by-hand")
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Latent map").click()
    watched_page.locator(CONTENT[""]).first.wait_for()
    settle(watched_page)
    expect(watched_page).to_have_url(re.compile("model=by-hand$"))
