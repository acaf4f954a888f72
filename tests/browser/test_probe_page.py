"""The page Probe under the hand: probabilities under the pointer, doubt by a threshold, a walk to another class."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import vae
from tests.browser.axe import violations
from tests.browser.conftest import settle
from tests.browser.test_decode_and_draw import part
from tests.browser.test_map import traffic
from vae.uses import classifier, probe

PROBE = f"{part('probe')}"


def open_probe(page: Page, url: str) -> None:
    page.goto(url)
    page.locator(".probe .bars .best").wait_for()
    settle(page)
    page.wait_for_function(f"{PROBE}?.probe?.plane.sheet && {PROBE}.probe.shown && !!{PROBE}.probe.classify")


def ask(page: Page, expression: str) -> object:
    """Evaluates an expression of `it`, the component of the page."""
    return page.evaluate(f"(() => {{ const it = {PROBE}.probe; return {expression} }})()")


def truth(z: np.ndarray, name: str = "mnist-2d") -> np.ndarray:
    judge = classifier.load_classifier(classifier.classifier_file("mnist"))
    return np.exp(probe.decoded_log_probabilities(vae.load(name), judge, z))


@pytest.mark.parametrize("model", ["mnist-2d", "mnist-5d"])
def test_what_is_under_the_pointer_is_decoded_and_classified_without_the_server(
    server: str, watched_page: Page, model: str
) -> None:
    open_probe(watched_page, f"{server}/probe?model={model}")
    box = watched_page.locator(".stage").bounding_box()
    assert box
    counts = traffic(watched_page)
    before = dict(counts)
    for across, up in ((0.3, 0.4), (0.5, 0.5), (0.65, 0.3), (0.45, 0.7)):
        watched_page.mouse.move(box["x"] + across * box["width"], box["y"] + up * box["height"])
        watched_page.wait_for_function(f"!{PROBE}.probe.waiting")
        place = ask(watched_page, "[it.place.a, it.place.b]")
        z = np.array(ask(watched_page, "[...it.plane.lift(it.place.a, it.place.b, it.z)]"))
        shares = truth(z[None], model)[0]
        shown = np.array(ask(watched_page, "it.shown.shares"))
        assert np.abs(shown - shares).max() < 1e-3, place
        between = np.array(ask(watched_page, "[...it.lattice.at(it.place.a, it.place.b)]"))
        assert np.abs(between - shares).max() < 0.2, place  # which is what other classifiers are shown by
        wanted = vae.decode(vae.load(model), z[None]).mean[0]
        data = ask(watched_page, "[...it.mean.context.getImageData(0, 0, 28, 28).data]")
        found = np.array(data, np.uint8).reshape(28, 28, 4)[..., 0]
        assert np.abs(found - 255 * wanted).max() <= 1
        best = watched_page.locator(".probe .bars .best")
        expect(best).to_contain_text(str(shown.argmax()))
    assert counts == before


def test_keys_move_z_and_a_click_puts_it_in_use(server: str, watched_page: Page) -> None:
    open_probe(watched_page, f"{server}/probe")
    stage = watched_page.locator(".stage")
    box = stage.bounding_box()
    assert box
    watched_page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    expect(watched_page).to_have_url(re.compile("z="))
    settle(watched_page)
    watched_page.mouse.move(1, 1)
    before = ask(watched_page, "[...it.z]")
    stage.focus()
    watched_page.keyboard.press("ArrowRight")
    after = ask(watched_page, "[...it.z]")
    assert after[0] > before[0] and after[1] == pytest.approx(before[1], abs=1e-3)


def test_the_threshold_moves_both_numbers(server: str, watched_page: Page) -> None:
    open_probe(watched_page, f"{server}/probe?probe.part=doubt")
    slider = watched_page.get_by_role("slider", name="confident")
    numbers = watched_page.locator(".probe .amount strong")
    expect(numbers).to_have_count(2)
    high = [float(text.split("%")[0]) for text in numbers.all_inner_texts()]
    slider.focus()
    watched_page.keyboard.press("Home")
    low = [float(text.split("%")[0]) for text in numbers.all_inner_texts()]
    assert low[0] < high[0] and low[1] >= high[1]
    told = ask(watched_page, "it.data.doubt")
    assert low == pytest.approx([100 * told["unsure"][0], 100 * told["astray"][0]], abs=0.06)
    assert high == pytest.approx([100 * told["unsure"][told["first"]], 100 * told["astray"][told["first"]]], abs=0.06)


def test_a_walk_ends_in_another_class_and_the_pair_is_kept(server: str, watched_page: Page) -> None:
    open_probe(watched_page, f"{server}/probe?probe.part=flip")
    watched_page.wait_for_function(f"{PROBE}.probe.plane.field?.grain === 1")  # however often it was begun anew
    way = ask(watched_page, "it.ways.way")
    slider = watched_page.get_by_role("slider", name="Along the path")
    ends = np.array(ask(watched_page, "[[...it.z], [...it.ways.at()]]"))
    start, end = truth(ends).argmax(1)
    assert start != end and way["short"].startswith(f"{start} → {end}")
    slider.focus()
    watched_page.keyboard.press("Home")
    watched_page.wait_for_function(f"!{PROBE}.probe.waiting")
    expect(watched_page.locator(".probe .bars .best")).to_contain_text(str(start))
    watched_page.get_by_role("button", name="Along high q(z)").click()
    watched_page.get_by_role("button", name="Keep this pair").click()
    settle(watched_page)
    pairs = watched_page.get_by_role("list", name="Kept pairs").get_by_role("listitem")
    expect(pairs).to_have_count(1)
    watched_page.get_by_text("Regions", exact=True).first.click()  # and is there again when one comes back
    watched_page.locator(".probe .ways").wait_for(state="detached")
    settle(watched_page)
    watched_page.get_by_text("To another class", exact=True).first.click()
    expect(pairs).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_is_accessible(server: str, watched_page: Page, scheme: str) -> None:
    watched_page.emulate_media(color_scheme=scheme)
    for name in ("map", "doubt", "flip", "classes"):
        watched_page.goto(f"{server}/probe?probe.part={name}")
        watched_page.locator(".probe .bars .best, .js-plotly-plot .main-svg").first.wait_for()
        settle(watched_page)
        assert not violations(watched_page), name
