"""The page Decoder variance in a real browser: it fits a phone, a click on a map decodes there, the floor moves."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

MAP = ".js-plotly-plot"


def visit(page: Page, url: str) -> None:
    page.goto(url)
    page.locator(MAP).nth(2).wait_for()  # one for each of three models
    settle(page)


def test_a_click_on_a_map_decodes_there(server: str, watched_page: Page) -> None:
    visit(watched_page, f"{server}/variance?variance.step=map&image=7")
    expect(watched_page.get_by_role("button", name=re.compile("Image: test image 7,"))).to_be_visible()
    pictures = watched_page.get_by_role("img", name="mean of p(x|z)")
    before = [picture.get_attribute("src") or "" for picture in pictures.all()]
    chart = watched_page.locator(MAP).nth(1)
    chart.scroll_into_view_if_needed()
    chart.click(
        position=chart.evaluate("""chart => { const layout = chart._fullLayout, x = layout.xaxis, y = layout.yaxis
           return {x: x._offset + x.c2p(-6), y: y._offset + y.c2p(5)} }""")
    )
    expect(pictures.nth(1)).not_to_have_attribute("src", before[1])
    expect(pictures.nth(0)).to_have_attribute("src", before[0])
    settle(watched_page)
    watched_page.get_by_role("button", name=re.compile("Image: ")).click()
    watched_page.get_by_role("button", name="4", exact=True).click()  # another digit takes z back to its code
    expect(pictures.nth(0)).not_to_have_attribute("src", before[0])
    settle(watched_page)
    assert re.search(r"[?&]image=(?!7$)\d+", watched_page.url)


def test_a_floor_moves_the_nats_and_not_the_mean(server: str, watched_page: Page) -> None:
    visit(watched_page, f"{server}/variance?variance.step=floor")
    nats = watched_page.get_by_text(re.compile(r"^-?[\d,]+ nats, .* bits per dimension$"))
    expect(nats).to_have_count(3)
    means = watched_page.get_by_role("img", name="mean of p(x|z)")
    before, mean = nats.nth(0).inner_text(), means.nth(0).get_attribute("src") or ""
    slider = watched_page.get_by_role("slider")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowLeft")
    expect(watched_page).to_have_url(re.compile("variance.floor=-8"))
    settle(watched_page)
    expect(nats.nth(0)).not_to_have_text(before)
    expect(means.nth(0)).to_have_attribute("src", mean)
