"""What a visitor sees first: a page that begins at its top, the whole map, and a tour that never comes again."""

import re
from itertools import combinations
from random import Random

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import settle
from tests.browser.test_map import MAP, ask, open_map
from tests.waiting import wait_for

NEW = """for (const what of ['tour', 'map'])
    localStorage.getItem(`vae-explorer.${what}`) ?? localStorage.setItem(`vae-explorer.${what}`, 'new')"""
PLACES = """window.places = new Set(); (function look() {
    requestAnimationFrame(look)
    const box = window.vaeExplorer?.stage?.getBoundingClientRect()
    if (box) places.add([box.x, box.y, box.width, box.height].map(Math.round).join(' '))
})()"""
MODULE = "performance.getEntriesByType('resource').map((e) => e.name).find((name) => name.endsWith('/plane.js'))"
ARROW = "stExpandSidebarButton"


def box(locator: Locator) -> dict[str, float]:
    found = locator.bounding_box()
    assert found
    return found | {"right": found["x"] + found["width"], "bottom": found["y"] + found["height"]}


def apart(one: Locator, other: Locator) -> bool:
    a, b = box(one), box(other)
    return a["right"] <= b["x"] or b["right"] <= a["x"] or a["bottom"] <= b["y"] or b["bottom"] <= a["y"]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_begins_at_the_top_and_the_buttons_there_can_be_used(
    server: str, watched_page: Page, width: int
) -> None:
    page = watched_page
    page.set_viewport_size({"width": width, "height": 800})
    open_map(page, server)
    title, menu = page.get_by_role("heading", level=1), page.get_by_test_id("stMainMenu")
    take_away = page.get_by_test_id("stPopoverButton")
    arrow = page.get_by_test_id(ARROW)
    if not arrow.count():
        page.get_by_test_id("stSidebar").hover()
        page.get_by_role("button", name="Collapse sidebar").click()
    arrow.wait_for()
    wait_for(lambda: apart(arrow, title))
    assert box(title)["y"] < 20 and box(page.locator(".stage"))["y"] < 0.5 * 800
    assert apart(take_away, menu) and apart(take_away, title)
    take_away.click()
    expect(page.locator(".takeaway")).to_be_visible()
    page.keyboard.press("Escape")
    arrow.click()
    expect(page.get_by_role("button", name="Collapse sidebar")).to_be_attached()
    expect(arrow).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_whole_map_is_in_sight_and_follows_the_window(server: str, watched_page: Page, language: str) -> None:
    page = watched_page
    page.set_viewport_size({"width": 1280, "height": 800})
    stage = open_map(page, f"{server}/?lang={language}")
    sizes = {}
    for width, height in ((1280, 800), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        wait_for(lambda high=height: high - 60 < box(stage)["bottom"] < high)
        for part in (".legend", ".across", ".zoom", ".pictures figure:first-child canvas", ".status"):
            inside = box(page.locator(f".map {part}"))
            assert inside["y"] > 0 and inside["bottom"] <= height and inside["right"] <= width, part
        wide, high = ask(page, "[map.plane.width, map.plane.height]")
        assert [wide, high] == pytest.approx([box(stage)["width"] - 2, box(stage)["height"] - 2], abs=3)
        points = ask(page, "[...map.plane.across].map((a, n) => map.plane.screen(a, map.plane.up[n]))")
        assert all(0 < x < wide and 0 < y < high for x, y in points)
        sizes[width] = wide, high
    assert min(sizes[1280]) > 560 and min(sizes[1920]) > 800
    page.get_by_role("button", name="Zoom in" if language == "en" else "放大").click()
    view = ask(page, "map.plane.view")
    page.set_viewport_size({"width": 1280, "height": 800})
    wait_for(lambda: ask(page, "map.plane.height") == sizes[1280][1])
    assert ask(page, "map.plane.view") == view  # a view that was chosen stays


def test_the_map_does_not_move_while_its_page_loads(server: str, watched_page: Page) -> None:
    page = watched_page
    page.set_viewport_size({"width": 1280, "height": 800})
    page.add_init_script(PLACES)
    for address in (server, f"{server}/?model=mnist-20d"):
        open_map(page, address)
        assert len(page.evaluate("[...window.places]")) == 1


def laid_out(
    page: Page, labels: list[list[float]], taken: str = "[]", far: str = "undefined"
) -> list[list[float] | None]:
    """Where labels (x, y, half their width), 20 px high, stand in a picture of 400 x 300."""
    return page.evaluate(
        f"""async (labels) => (await import({MODULE}.replace('plane.js', 'labels.js'))).layOut(
            labels.map(([x, y, wide]) => ({{ x, y, wide, tall: 10, far: {far} }})), 400, 300, {taken})""",
        labels,
    )


def test_labels_take_the_nearest_free_place_and_lie_on_nothing(server: str, watched_page: Page) -> None:
    open_map(watched_page, server)

    def laid(labels: list[list[float]], taken: str = "[]", far: str = "undefined") -> list[list[float] | None]:
        return laid_out(watched_page, labels, taken, far)

    assert laid([[100, 100, 8], [200, 100, 8]]) == [[100, 100], [200, 100]]  # where they belong
    crowd = [[200 + 3 * i, 150 + 2 * (i % 3), 8 + i] for i in range(8)]
    found = laid(crowd)
    assert found == laid(crowd) and None not in found
    for (i, (x, y)), (j, (u, v)) in combinations(enumerate(found), 2):
        assert abs(x - u) >= crowd[i][2] + crowd[j][2] or abs(y - v) >= 20
    assert max(abs(x - u) + abs(y - v) for (x, y), (u, v, _wide) in zip(found, crowd, strict=True)) < 80
    (moved,) = laid([[100, 100, 8]], "[{ left: 90, right: 110, top: 90, bottom: 110 }]")
    assert 10 < abs(moved[0] - 100) + abs(moved[1] - 100) < 60
    ((x, y),) = laid([[2, 150, 30]])
    assert x >= 30 and y == pytest.approx(150, abs=35)  # the whole label is in sight
    assert laid([[-5, 150, 8]]) == [None]
    assert laid([[100, 100, 8], [102, 100, 8]], far="3") == [[100, 100], None]  # the other may not go far enough


def test_lines_from_labels_to_their_anchors_cross_no_other_label(server: str, watched_page: Page) -> None:
    open_map(watched_page, server)
    random = Random(0)
    crowds = [
        [[random.uniform(160, 240), random.uniform(120, 180), random.uniform(9, 30)] for _ in range(10)]
        for _ in range(40)
    ]
    crossings, missing = 0, 0
    for crowd in crowds:
        found = laid_out(watched_page, crowd)
        missing += found.count(None)
        placed = [(label, place) for label, place in zip(crowd, found, strict=True) if place]
        for label, place in placed:
            for other, middle in placed:
                if other is not label:
                    steps = [(label[k] + (place[k] - label[k]) * t / 200 for k in (0, 1)) for t in range(201)]
                    crossings += any(abs(x - middle[0]) < other[2] and abs(y - middle[1]) < 10 for x, y in steps)
    assert (crossings, missing) == (0, 0)


def test_names_of_classes_keep_clear_of_one_another_and_of_the_image_in_use(server: str, watched_page: Page) -> None:
    watched_page.set_viewport_size({"width": 1280, "height": 800})
    open_map(watched_page, server)
    places = watched_page.evaluate("window.vaeExplorer.stage.isConnected") and ask(watched_page, "map.plane.labels")
    assert len(places) == 10 and all(places)
    for one, other in combinations(places, 2):
        assert one["right"] <= other["left"] or other["right"] <= one["left"] or (
            one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
        )  # fmt: skip
    x, y = ask(watched_page, "map.plane.screen(...map.plane.kept)")
    for each in places:
        assert not (each["left"] - 14 < x < each["right"] + 14 and each["top"] - 14 < y < each["bottom"] + 14)


def test_the_size_of_the_model_is_a_click_away(server: str, watched_page: Page) -> None:
    page = watched_page
    open_map(page, f"{server}/?image=3")
    sizes = page.get_by_test_id("stSidebar").get_by_role("radio")
    expect(sizes).to_have_text(["2", "5", "10", "20"])
    sizes.nth(2).click()
    expect(page).to_have_url(re.compile("model=mnist-10d"))
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("mnist-10d")
    settle(page)
    assert "image=3" in page.url and ask(page, "map.model.J") == 10
    sizes.first.click()
    expect(page).not_to_have_url(re.compile("model="))
    settle(page)
    expect(sizes.first).to_be_checked()
    page.goto(f"{server}/?model=mnist-bernoulli-2d")
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("mnist-bernoulli-2d")
    settle(page)
    expect(sizes).to_have_count(0)


@pytest.fixture
def newcomer(browser: object, server: str) -> Page:
    """The page of someone who was never here."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.add_init_script(NEW)
    yield context.new_page()
    context.close()


def test_a_tour_for_a_first_visitor_is_closed_once(server: str, newcomer: Page) -> None:
    page = newcomer
    open_map(page, server)
    card = page.get_by_role("dialog", name="A short tour")
    expect(card).to_contain_text("1 / 3")
    expect(card.get_by_role("button", name="Next")).to_be_focused()
    assert box(card)["x"] > box(page.locator(".stage"))["x"] and box(card)["right"] < box(page.locator(".side"))["x"]
    assert not violations(page)
    page.keyboard.press("Enter")
    expect(card).to_contain_text("2 / 3")
    wait_for(lambda: abs(box(card)["x"] - box(page.locator(".st-key-choice"))["right"]) < 40)
    page.get_by_test_id("stSidebar").get_by_role("radio", name="5", exact=True).click()  # the page stays usable
    expect(page).to_have_url(re.compile("model=mnist-5d"))
    settle(page)
    expect(card).to_contain_text("2 / 3")
    card.get_by_role("button", name="Next").click()
    expect(card).to_contain_text("3 / 3")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    open_map(page, server)
    page.wait_for_timeout(1000)
    expect(card).to_have_count(0)


def test_a_link_with_something_in_use_comes_without_a_tour_and_still(server: str, newcomer: Page) -> None:
    open_map(newcomer, f"{server}/?image=4")
    newcomer.wait_for_timeout(1000)
    expect(newcomer.get_by_role("dialog", name="A short tour")).to_have_count(0)
    assert ask(newcomer, "map.place") is None


def test_the_pointer_moves_by_itself_until_the_map_is_touched(server: str, newcomer: Page) -> None:
    page = newcomer
    page.emulate_media(reduced_motion="reduce")
    stage = open_map(page, server)
    page.wait_for_timeout(300)
    assert ask(page, "map.place") is None
    page.emulate_media(reduced_motion="no-preference")
    open_map(page, server)
    page.keyboard.press("Escape")
    page.wait_for_function(f"{MAP}.latentMap.place")
    first = ask(page, "map.place")
    wait_for(lambda: ask(page, "map.place") != first)
    expect(page.locator(".status")).to_contain_text("z = (")
    middle = box(stage)
    page.mouse.move(middle["x"] + 90, middle["y"] + 90)
    page.mouse.move(middle["right"] + 40, middle["y"] + 90)
    expect(page.locator(".status")).to_contain_text("Test image 0:")
    assert ask(page, "map.place") is None
    open_map(page, server)
    page.wait_for_timeout(300)
    assert ask(page, "map.place") is None  # for good


def test_the_moving_pointer_is_stopped_by_a_button_that_the_tab_key_reaches(server: str, newcomer: Page) -> None:
    page = newcomer
    open_map(page, server)
    page.keyboard.press("Escape")  # the tour
    page.wait_for_function(f"{MAP}.latentMap.place")
    pause = page.get_by_role("button", name="Pause", exact=True)
    assert not violations(page)
    page.get_by_role("button", name="Points only").focus()
    for _ in range(20):  # past the backgrounds and the classes
        page.keyboard.press("Tab")
        if pause.evaluate("button => button.matches(':focus')"):
            break
    expect(pause).to_be_focused()
    assert ask(page, "map.place") is not None
    page.keyboard.press("Enter")
    expect(pause).to_have_count(0)
    expect(page.locator(".stage")).to_be_focused()
    assert ask(page, "map.place") is None
    open_map(page, server)
    page.wait_for_timeout(300)
    expect(pause).to_have_count(0)  # for good
    assert ask(page, "map.place") is None
