"""Chinese in a real browser: chosen by it first, switched without losing anything, and no wider than the screen."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle
from tests.browser.test_decode_and_draw import ONE, ask, draw, open_page
from tests.browser.test_map import open_map


def unfold(page: Page, key: str) -> None:
    box = page.locator(f".st-key-{key}").get_by_role("combobox")
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # a list that opens while the page scrolls closes at once
    box.click()


def speak(page: Page, name: str) -> None:
    unfold(page, "lang")
    page.get_by_role("option", name=name).click()
    settle(page)


def choose(page: Page, key: str, place: int) -> str:
    unfold(page, key)
    option = page.get_by_role("option").nth(place)
    name = option.inner_text()
    option.click()
    settle(page)
    return name


def chosen(page: Page, key: str) -> str:
    return page.locator(f".st-key-{key}").get_by_role("combobox").input_value()


@pytest.mark.browser_context_args(locale="zh-CN")
def test_the_browsers_language_comes_first(server: str, watched_page: Page) -> None:
    watched_page.goto(server)
    expect(watched_page.get_by_role("heading", name="隐空间地图", level=1)).to_be_visible()
    expect(watched_page.locator("html")).to_have_attribute("lang", "zh")
    settle(watched_page)
    assert "lang" not in watched_page.url
    speak(watched_page, "English")
    expect(watched_page.get_by_role("heading", name="Latent map", level=1)).to_be_visible()
    expect(watched_page.locator("html")).to_have_attribute("lang", "en")
    expect(watched_page).to_have_url(re.compile("lang=en"))
    watched_page.goto(watched_page.url)
    expect(watched_page.get_by_role("heading", name="Latent map", level=1)).to_be_visible()


def test_switching_keeps_model_image_choices_and_link(server: str, watched_page: Page) -> None:
    open_map(watched_page, f"{server}/?model=mnist-20d&image=5")
    watched_page.get_by_role("radio", name="Two coordinates").click()
    settle(watched_page)
    across = choose(watched_page, "map-first", 4)
    assert across.endswith("nats")
    speak(watched_page, "简体中文")
    expect(watched_page.get_by_role("heading", name="隐空间地图", level=1)).to_be_visible()
    assert chosen(watched_page, "map-first") == across.replace("nats", "奈特")
    up = choose(watched_page, "map-second", 6)  # another run: a label of the old language would mean nothing to it
    assert chosen(watched_page, "map-first") == across.replace("nats", "奈特")
    expect(watched_page.locator(".map .status")).to_contain_text("测试图像 5")
    for part in ("model=mnist-20d", "image=5", "lang=zh"):
        assert part in watched_page.url
    speak(watched_page, "English")
    assert [chosen(watched_page, key) for key in ("map-first", "map-second")] == [across, up.replace("奈特", "nats")]
    assert "lang=en" in watched_page.url  # it was chosen: whoever gets the link reads what its sender read


def test_switching_keeps_a_drawing_and_its_undo(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/draw", "sketch")
    draw(watched_page, ONE)
    settle(watched_page)
    before = ask(watched_page, "sketch", "it.ink.strokes")
    speak(watched_page, "简体中文")
    expect(watched_page.get_by_role("button", name="撤销")).to_be_visible()
    assert ask(watched_page, "sketch", "it.ink.strokes") == before
    watched_page.get_by_role("button", name="撤销").click()
    assert ask(watched_page, "sketch", "it.ink.strokes") == []
