"""Every chapter of the lesson in a real browser, in both languages: it fits, is accessible, asks, has links."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import need_axe, violations
from tests.browser.conftest import settle

CHAPTERS = [*map(str, range(1, 15)), "slips"]
LAST = {*map(str, range(1, 15, 2))}  # chapters that are answered with the last option, others with the first
VERDICT = "[data-testid=stMain] [data-testid=stAlert]"  # the sidebar may have a note of its own
SIZES = {390: 844, 1920: 1080, 1280: 800}  # widths and heights
# what is wider than its place, code apart, which may be scrolled
WIDE = """() => [...document.querySelectorAll('[data-testid=stMain] *')].filter(e => {
  if (e.clientWidth < 20 || e.closest('.katex, [data-testid=stCode], .js-plotly-plot')) return false;
  const room = e.matches('.katex-display') ? 4 : 1;  // a brace reaches a little beyond its formula
  return e.scrollWidth > e.clientWidth + room && /auto|scroll|hidden/.test(getComputedStyle(e).overflowX);
}).map(e => `${e.dataset.testid ?? e.className}: ${e.scrollWidth} > ${e.clientWidth} ${e.textContent.slice(0, 60)}`)"""


def open_chapter(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_test_id("stHeading").nth(1).wait_for()
    settle(page)
    page.wait_for_function("[...document.querySelectorAll('.js-plotly-plot')].every(plot => plot._fullLayout)")


def answer(page: Page, last: bool) -> str:
    """Commits to the first or the last option, and returns the verdict."""
    options = page.locator("[data-testid=stMain] [data-testid=stRadio] label:has(input)")
    (options.last if last else options.first).click()
    settle(page)
    commit = page.locator("[class*=st-key-lesson-commit] button")
    commit.click()
    verdict = page.locator(VERDICT).first
    verdict.wait_for()
    settle(page)
    return verdict.text_content() or ""


def too_wide(page: Page, *sizes: int) -> list[str]:
    """What sticks out at any of the sizes."""
    found = []
    for width in sizes or SIZES:
        page.set_viewport_size({"width": width, "height": SIZES[width]})
        page.wait_for_timeout(300)  # figures follow the window
        whole = page.evaluate("document.documentElement.scrollWidth")
        main = page.get_by_test_id("stMain").evaluate("element => element.scrollWidth - element.clientWidth")
        if whole > width or main > 0:
            found.append(f"the page at {width}: {whole}, {main} too wide")
        found += [f"at {width}: {each}" for each in page.evaluate(WIDE)]
    return found


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter(server: str, watched_page: Page, chapter: str) -> None:
    """In English and light, where it is answered; then by its link in Chinese and dark, where the answer stands."""
    page = watched_page
    open_chapter(page, f"{server}/lesson?chapter={chapter}&image=4&lang=en")
    asks = page.get_by_test_id("stMain").get_by_test_id("stRadio").count() > 0
    if asks:
        assert re.search(r"\d", answer(page, last=chapter in LAST))
        page.wait_for_url(re.compile(rf"answers={chapter}[a-f]"))
    assert too_wide(page) == []  # with all that an answer shows
    settle(page)
    assert violations(page) == []
    other = page.context.new_page()
    other.emulate_media(color_scheme="dark")
    open_chapter(other, page.url.replace("lang=en", "lang=zh"))
    assert re.search(r"[一-鿿]", other.locator("h2").first.inner_text())
    if asks:
        expect(other.locator(VERDICT).first).to_have_text(re.compile(r"\d"))
    assert too_wide(other, 390) == []
    assert violations(other) == []
    other.close()


def test_accessibility_was_checked() -> None:
    need_axe()


def test_right_and_wrong_are_told_apart(server: str, watched_page: Page) -> None:
    seen = set()
    for last in (False, True):
        open_chapter(watched_page, f"{server}/lesson?chapter=2&image=4")
        seen.add("Incorrect." in answer(watched_page, last))
        watched_page.get_by_role("button", name="Try again").click()
        settle(watched_page)
    open_chapter(watched_page, f"{server}/lesson?chapter=2&image=4&answers=2b")
    expect(watched_page.locator(VERDICT).first).to_contain_text("Correct.")
    assert seen == {True}


def test_the_hand_moves_z_and_the_pictures_follow(server: str, watched_page: Page) -> None:
    open_chapter(watched_page, f"{server}/lesson?image=4")
    stage = watched_page.locator(".generate .stage")
    stage.wait_for()
    status = watched_page.locator(".generate .status")
    expect(status).to_have_text(re.compile("^z = "))
    ink = "canvas => canvas.toDataURL()"
    pictures = watched_page.locator(".generate .side canvas")
    before = [pictures.nth(i).evaluate(ink) for i in (0, 2)]
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    watched_page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.4 * box["height"])
    watched_page.wait_for_timeout(300)
    assert all(pictures.nth(i).evaluate(ink) != old for i, old in zip((0, 2), before, strict=True))
    watched_page.mouse.down()
    watched_page.mouse.up()
    watched_page.wait_for_url(re.compile("z="))
    stage.focus()
    told = status.inner_text()
    stage.press("ArrowLeft")
    expect(status).not_to_have_text(told)


def test_back_and_forward_turn_the_pages(server: str, watched_page: Page) -> None:
    page = watched_page
    open_chapter(page, f"{server}/lesson?image=4")
    titles = {"1": "1 The task", "2": "2 The likelihood is an integral", "3": "3 Naive Monte Carlo"}
    for chapter in ("2", "3"):
        page.locator("[class*=st-key-lesson-next] button").click()
        expect(page.get_by_role("heading", name=titles[chapter])).to_be_visible()
        settle(page)
    page.wait_for_timeout(2500)  # sooner after a click, the browser might only be late
    for move, chapter in ((page.go_back, "2"), (page.go_back, "1"), (page.go_forward, "2")):
        move()
        expect(page.get_by_role("heading", name=titles[chapter])).to_be_visible()
        settle(page)
        assert ("chapter=2" in page.url) == (chapter == "2") and "image=4" in page.url


def test_a_lecturer_hides_and_enlarges(server: str, watched_page: Page) -> None:
    page = watched_page
    open_chapter(page, f"{server}/lesson?chapter=4&image=4&hide=code,train,variance,digit,questions,menu&present=1")
    navigation = page.get_by_test_id("stSidebarNav")
    expect(navigation.get_by_role("link", name="Likelihood")).to_have_count(1)
    expect(navigation.get_by_role("link", name="Train")).to_have_count(0)
    expect(navigation.get_by_role("link", name="Decoder variance")).to_have_count(0)
    for gone in (page.get_by_test_id("stExpander"), page.get_by_test_id("stPopover"), page.get_by_test_id("stRadio")):
        expect(gone).to_have_count(0)
    words = page.locator("[data-testid=stMain] p").filter(has_text="cannot compute the posterior")
    expect(words.first).to_have_css("font-size", "21.6px")
    figure = page.locator(".js-plotly-plot").first
    tall = figure.evaluate("plot => plot._fullLayout.height")
    assert too_wide(page, 1920) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator("label:has-text('Presenter mode')").click()
    settle(page)
    expect(page).not_to_have_url(re.compile("present"))
    expect(words.first).to_have_css("font-size", "16px")
    assert figure.evaluate("plot => plot._fullLayout.height") < 0.8 * tall
    navigation.get_by_role("link", name="Samples").click()
    expect(page.get_by_role("heading", name="Samples", level=1)).to_be_visible()
    settle(page)
    assert "hide=code" in page.url.replace("%2C", ",")
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="Train")).to_have_count(0)


@pytest.mark.parametrize("chapter", ["11", "13"])
def test_a_chapter_about_the_classifier_leads_to_the_page_probe(server: str, watched_page: Page, chapter: str) -> None:
    page = watched_page
    open_chapter(page, f"{server}/lesson?chapter={chapter}&image=4")
    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("Probe: what this classifier sees")).click()
    expect(page.get_by_role("heading", name="Probe", level=1)).to_be_visible()
    page.locator(".probe .bars .best").wait_for()
    settle(page)
    assert re.search(r"/probe\?.*image=4", page.url)
    open_chapter(page, f"{server}/lesson?chapter={chapter}&hide=probe")
    expect(page.get_by_test_id("stMain").get_by_role("link", name=re.compile("Probe: "))).to_have_count(0)


def test_a_sidebar_can_be_hidden(server: str, watched_page: Page) -> None:
    open_chapter(watched_page, f"{server}/lesson?chapter=4&image=4&model=mnist-bernoulli-2d&hide=sidebar&present=1")
    expect(watched_page.get_by_test_id("stSidebar")).to_have_count(0)
    assert "mnist-bernoulli-2d" in watched_page.url
    assert too_wide(watched_page, 1920, 1280) == []  # a hall's beamer


def test_a_notebook_is_downloaded(server: str, watched_page: Page) -> None:
    open_chapter(watched_page, f"{server}/lesson?chapter=3&image=4")
    watched_page.get_by_text("The code", exact=True).click()
    button = watched_page.get_by_role("button", name="Download as notebook")
    button.wait_for()
    settle(watched_page)
    with watched_page.expect_download() as download:
        button.click()
    notebook = json.loads(download.value.path().read_text())
    assert download.value.suggested_filename == "lesson-3.ipynb"
    assert "vae.load('mnist-2d')" in "".join(notebook["cells"][0]["source"])
