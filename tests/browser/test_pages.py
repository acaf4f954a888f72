"""The app in a real browser: every page by deep link on a fresh server, and what a visitor does there."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import vae
from tests.app.test_pages import STEPS
from tests.browser.conftest import settle

# what shows that a page has its content, not only its frame
CONTENT = {
    "": ".map .pictures canvas",
    "decode": ".sliders .strip canvas",
    "draw": ".sketch .pictures canvas",
    "samples": "[data-testid=stImage] img",
    "views": "[data-testid=stPlotlyChart] .main-svg",
    "probe": ".probe .bars .best",
    "train": "[data-testid=stPlotlyChart] .main-svg",
    "likelihood": ".race svg .curve",
    "variance": "[data-testid=stMain] table",
    "data": "[data-testid=stImage] img",
    "models": "[data-testid=stTable]",
    "report": ".st-key-report-make button, .st-key-report-html button",
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


WATCH = """
window.places = [];
const look = () => {
  const title = document.querySelector(".stMain h1")?.getBoundingClientRect();
  const place = title && [title.x, title.y, title.height].map(Math.round).join();
  if (place && place !== places.at(-1)) places.push(place);
  requestAnimationFrame(look);
};
look();
"""


@pytest.mark.parametrize("path", ["", "train"])  # Streamlit compresses its page at deep links alone
def test_the_title_never_moves(server: str, watched_page: Page, path: str) -> None:
    watched_page.add_init_script(WATCH)
    visit(watched_page, f"{server}/{path}")
    assert len(watched_page.evaluate("places")) == 1


@pytest.fixture
def small(models: Path) -> str:
    """The name of a model on which a report takes seconds; draws of its own stand in for its images."""
    config = vae.ModelConfig(latent=5, encoder_layers=(8,), decoder_layers=(8,), image_shape=(12, 12))
    record = vae.Record(name="small", model=config, training=vae.TrainConfig(data="gone"))
    vae.save(vae.build(config), record, folder=models, overwrite=True)
    return record.name


@pytest.mark.parametrize("path", CONTENT)
def test_fits_every_screen(server: str, watched_page: Page, small: str, path: str) -> None:
    """In English and light at three widths, then in Chinese and dark on a phone."""
    model = f"&model={small}" if path == "report" else ""
    for language, scheme, widths in (("en", "light", (1920, 1280, 390)), ("zh", "dark", (390,))):
        watched_page.emulate_media(color_scheme=scheme)
        watched_page.goto(f"{server}/{path}?lang={language}{model}")
        expect(watched_page.locator("html")).to_have_attribute("lang", language)
        watched_page.locator(CONTENT[path]).first.wait_for()
        if path == "report" and language == "en":  # after which it is kept
            watched_page.locator(".st-key-report-make button").click()
            watched_page.locator(".st-key-report-html").wait_for()
        settle(watched_page)
        for width in widths:
            watched_page.set_viewport_size({"width": width, "height": 900})
            watched_page.wait_for_timeout(300)  # figures follow the window
            wide = watched_page.evaluate("document.documentElement.scrollWidth")
            main = watched_page.get_by_test_id("stMain").evaluate("element => element.scrollWidth")
            assert max(wide, main) <= width, (language, width)
        back = watched_page.get_by_test_id("stApp").evaluate("element => getComputedStyle(element).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", back)[:3])) < 200) == (scheme == "dark")


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
    watched_page.get_by_role("button", name="New samples").dblclick()
    expect(pictures.first).not_to_have_attribute("src", before or "")
    settle(watched_page)


# what shows that a step has its content
OF_STEP = {
    "views": dict.fromkeys(STEPS["pages/explore/views.py"], ".main-svg"),
    "likelihood": {
        "race": ".race svg .curve", "mass": ".main-svg", "gap": ".main-svg", "dimensions": ".main-svg",
        "area": ".main-svg", "trust": "table",
    },
    "variance": dict.fromkeys(STEPS["pages/measure/variance.py"][1:], ".main-svg") | {"score": "table"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "step"), [(path, step) for path, steps in OF_STEP.items() for step in steps], ids=lambda it: it
)
def test_a_step_fits_on_a_screen(server: str, watched_page: Page, path: str, step: str) -> None:
    """The whole of it, title and steps included, on the screen of a small laptop."""
    watched_page.set_viewport_size({"width": 1280, "height": 800})
    for model in ("mnist-2d", "mnist-20d") if path == "views" else ("mnist-2d",):
        watched_page.goto(f"{server}/{path}?model={model}&{path}.step={step}")
        watched_page.get_by_test_id("stMain").locator(OF_STEP[path][step]).first.wait_for()
        settle(watched_page)
        watched_page.wait_for_timeout(300)  # figures follow the window
        high, seen = watched_page.get_by_test_id("stMain").evaluate("it => [it.scrollHeight, it.clientHeight]")
        assert high <= seen <= 800, model


# the main picture of the pages that are longer than a screen, as all that it consists of
PICTURES = {
    "decode": ".sliders .pictures", "models": "[data-testid=stTable]", "lesson?chapter=1": ".generate .body",
    "lesson?chapter=2": ".js-plotly-plot", "lesson?chapter=3": "[class*=st-key-lesson-naive-plane]",
    "lesson?chapter=4": ".js-plotly-plot", "lesson?chapter=7": ".reparameterise .body",
    "lesson?chapter=11": "[data-testid=stImage]", "lesson?chapter=12": "[data-testid=stImage]",
    "lesson?chapter=12&uses.part=2": ".js-plotly-plot", "lesson?chapter=13": ".js-plotly-plot",
    "lesson?chapter=14": ".js-plotly-plot", "lesson?chapter=14&hidden.part=2": ".js-plotly-plot",
}  # fmt: skip


@pytest.mark.parametrize("path", PICTURES)
def test_the_main_picture_is_in_sight(server: str, watched_page: Page, path: str) -> None:
    """The whole of it, on the screen of a small laptop before anything is scrolled."""
    watched_page.set_viewport_size({"width": 1280, "height": 800})
    watched_page.goto(f"{server}/{path}")
    pictures = watched_page.get_by_test_id("stMain").locator(PICTURES[path])
    pictures.first.wait_for()
    settle(watched_page)
    watched_page.wait_for_timeout(300)  # figures follow the window
    lowest = pictures.evaluate_all("all => Math.max(...all.map(each => each.getBoundingClientRect().bottom))")
    assert 200 < lowest <= 800


def test_likelihood_streams_and_gives_way(server: str, watched_page: Page) -> None:
    """The curves come while the race goes on, and a visitor may leave in the middle of it."""
    watched_page.goto(f"{server}/likelihood?model=mnist-2d")
    watched_page.locator(CONTENT["likelihood"]).first.wait_for()
    watched_page.get_by_role("button", name="Run", exact=True).click()
    expect(watched_page.get_by_role("button", name="Stop", exact=True).last).to_be_enabled()
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Decode", exact=True).click()
    expect(watched_page.get_by_role("heading", name="Decode", level=1)).to_be_visible()
    settle(watched_page)
