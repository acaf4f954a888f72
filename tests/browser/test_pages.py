"""The app in a real browser: every page by deep link on a fresh server, and what a visitor does there."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle
from vae.training import reports

# what shows that a page has its content, not only its frame
CONTENT = {
    "": ".map .pictures canvas",
    "decode": ".sliders .strip canvas",
    "draw": ".sketch .pictures canvas",
    "samples": "[data-testid=stImage] img",
    "views": "[data-testid=stPlotlyChart] .main-svg",
    "train": "[data-testid=stPlotlyChart] .main-svg",
    "likelihood": "[data-testid=stPlotlyChart] .main-svg",
}


def visit(page: Page, url: str) -> None:
    page.goto(url)
    settle(page)


@pytest.mark.parametrize("path", ["", "draw", "views", "train"])  # one of each section
def test_deep_link_on_a_fresh_server(fresh_server: str, watched_page: Page, path: str) -> None:
    watched_page.goto(f"{fresh_server}/{path}")
    watched_page.locator(CONTENT[path]).first.wait_for()
    expect(watched_page.get_by_role("combobox", name="Model")).to_have_count(1)  # app.py itself has run
    settle(watched_page)


@pytest.mark.parametrize("path", CONTENT)
def test_fits_a_phone(server: str, watched_page: Page, path: str) -> None:
    scheme = "dark" if list(CONTENT).index(path) % 2 else "light"
    watched_page.emulate_media(color_scheme=scheme)
    watched_page.set_viewport_size({"width": 390, "height": 844})
    watched_page.goto(f"{server}/{path}")
    watched_page.locator(CONTENT[path]).first.wait_for()
    if path == "likelihood":  # which goes on for a while
        watched_page.locator("table").first.wait_for()
    else:
        settle(watched_page)
    wide = watched_page.evaluate("document.documentElement.scrollWidth")
    main = watched_page.get_by_test_id("stMain").evaluate("element => element.scrollWidth")
    assert max(wide, main) <= 390
    dark = watched_page.get_by_test_id("stApp").evaluate("element => getComputedStyle(element).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", dark)[:3])) < 200) == (scheme == "dark")


def test_model_survives_page_changes_and_is_in_the_link(server: str, watched_page: Page) -> None:
    visit(watched_page, f"{server}/samples?model=mnist-10d")
    for name in ("Decode", "Latent map", "Samples"):
        watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        expect(watched_page.get_by_role("heading", name=name, level=1)).to_be_visible()
        settle(watched_page)
        expect(watched_page).to_have_url(re.compile("model=mnist-10d$"))
        expect(watched_page.get_by_test_id("stSidebar")).to_contain_text("J = 10")


def test_new_draws_are_new(server: str, watched_page: Page) -> None:
    visit(watched_page, f"{server}/samples")
    pictures = watched_page.locator("[data-testid=stImage] img")
    expect(pictures).to_have_count(4)
    before = pictures.first.get_attribute("src")
    watched_page.get_by_role("button", name="New draws").dblclick()
    expect(pictures.first).not_to_have_attribute("src", before or "")
    settle(watched_page)


def test_train_stop_and_use(server: str, models: Path, watched_page: Page) -> None:
    """A model is trained from the page, survives a reload and a stop, and can be used at once."""
    visit(watched_page, f"{server}/train")
    watched_page.get_by_role("combobox", name="Preset").click()
    watched_page.get_by_role("option", name="beta-10d").click()
    expect(watched_page.get_by_role("spinbutton", name="Dimensions J")).to_have_value("10")
    expect(watched_page.get_by_text("Objective: ELBO, β = 4")).to_be_visible()
    expect(watched_page.get_by_text(re.compile(r"about \d+ (s|min) here"))).to_be_visible()
    watched_page.get_by_role("combobox", name="Data set").click()
    watched_page.get_by_role("option", name="mnist-sample").click()
    watched_page.get_by_role("textbox", name="Name").fill("by-hand")
    watched_page.get_by_role("spinbutton", name="Epochs").fill("500")
    watched_page.get_by_role("button", name="Train", exact=True).click()
    stop = watched_page.get_by_test_id("stMain").get_by_role("button", name="Stop training")
    stop.wait_for()
    expect(watched_page.get_by_text("images a second")).to_be_visible()
    watched_page.reload()
    stop.wait_for()
    expect(watched_page.get_by_text("held-out images, epoch")).to_be_visible()
    # the map of the training moves; a pause holds it, a step takes one step, and it goes on
    step = re.compile(r"step [\d,]+")
    status = watched_page.locator(".replay .status")
    expect(status).to_have_text(step)
    watched_page.get_by_role("button", name="Pause", exact=True).click()
    watched_page.get_by_role("button", name="Next step").wait_for()
    expect(watched_page.get_by_text("is paused")).to_be_visible()
    watched_page.wait_for_timeout(2500)  # the words come before the map of the same look at the training
    held = status.inner_text()
    watched_page.wait_for_timeout(2500)
    expect(status).to_have_text(held)
    watched_page.get_by_role("button", name="Next step").click()
    watched_page.get_by_role("button", name="Resume").click()
    expect(status).not_to_have_text(held)
    # the learning rate is changed on the way, and what it was trained with says so
    history = models / "by-hand" / "history.jsonl"
    before = max(report.learning_rate or 0 for report in reports.read(history))
    assert before > 0
    watched_page.get_by_role("button", name="Change", exact=True).click()
    watched_page.get_by_role("spinbutton", name="Highest learning rate").fill("0.0001")
    watched_page.get_by_role("button", name="Change from the next step on").click()
    for _ in range(600):
        if (reports.read(history)[-1].learning_rate or 1) < before / 4:
            break
        watched_page.wait_for_timeout(100)
    else:
        pytest.fail("The learning rate did not change.")
    watched_page.keyboard.press("Escape")
    stop.click()
    use = watched_page.get_by_role("button", name="Use this model")
    use.wait_for()
    expect(watched_page.get_by_text("What it had learned is saved")).to_be_visible()
    timeline = watched_page.get_by_role("slider", name="Time of the training")
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
    assert watched_page.url.endswith("model=by-hand")


def test_likelihood_streams_and_gives_way(server: str, watched_page: Page) -> None:
    """The first figures come while the race goes on, and a visitor may leave in the middle of it."""
    watched_page.goto(f"{server}/likelihood?model=mnist-2d")
    watched_page.locator(CONTENT["likelihood"]).first.wait_for()
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Decode", exact=True).click()
    expect(watched_page.get_by_role("heading", name="Decode", level=1)).to_be_visible()
    settle(watched_page)
