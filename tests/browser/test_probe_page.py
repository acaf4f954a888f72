"""The page Probe under the hand: probabilities under the pointer, doubt by a threshold, a walk to another class."""

import re
from itertools import combinations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import vae
from tests.browser.axe import violations
from tests.browser.conftest import settle
from tests.browser.test_decode_and_draw import part
from tests.browser.test_map import traffic
from tests.onnx_files import network
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
    told = ask(watched_page, "it.data.doubt")
    expect(numbers).to_have_count(2)
    high = [float(text.split("%")[0]) for text in numbers.all_inner_texts()]
    slider.focus()
    watched_page.keyboard.press("Home")
    low = [float(text.split("%")[0]) for text in numbers.all_inner_texts()]
    assert low[0] < high[0] and low[1] >= high[1]
    assert low == pytest.approx([100 * told["unsure"][0], 100 * told["astray"][0]], abs=0.06)
    assert high == pytest.approx([100 * told["unsure"][told["at"]], 100 * told["astray"][told["at"]]], abs=0.06)
    expect(watched_page).to_have_url(re.compile(r"probe\.threshold=0\.500"))
    watched_page.wait_for_function(f"{PROBE}.probe.data.doubt.at === 0")
    open_probe(watched_page, watched_page.url)  # as another visitor does with the link
    expect(numbers.first).to_have_text(re.compile(rf"^{re.escape(str(low[0]))}(\.0)?%"))
    expect(slider).to_have_attribute("aria-valuetext", "50.0%")


def test_the_image_that_a_path_begins_at_is_shown_with_its_label(server: str, watched_page: Page) -> None:
    open_probe(watched_page, f"{server}/probe?probe.part=flip&image=7")
    name = "mnist" if vae.data.datasets.available("mnist") else "mnist-sample"
    test = vae.load_dataset(name).test
    figures = watched_page.locator(".probe .ways figure")
    expect(figures.first).to_have_text(f"test image 7: {int(test.labels[7])}")
    expect(figures).to_have_count(3)
    pixels = "[...it.ways.original.context.getImageData(0, 0, 28, 28).data]"
    watched_page.wait_for_function(
        f"(() => {{ const it = {PROBE}.probe; return {pixels}.some((v, i) => i % 4 < 3 && v) }})()"
    )
    found = np.array(ask(watched_page, pixels), np.uint8).reshape(28, 28, 4)[..., 0]
    assert (found == test.images[7].numpy()).all()
    open_probe(watched_page, f"{server}/probe?probe.part=flip&z=0.5,0.5")
    expect(figures.first).to_be_hidden()  # this z is not that of an image


def test_bars_of_a_classifier_that_does_not_run_here_are_said_to_be_interpolated(
    server: str, watched_page: Page
) -> None:
    open_probe(watched_page, f"{server}/probe")
    note = watched_page.locator(".probe .side > .hint")
    expect(note).to_be_hidden()
    watched_page.get_by_role("button", name="Classifier", exact=True).click()
    uploaded = {"name": "mine.onnx", "mimeType": "application/octet-stream", "buffer": network(784, 10, sigmoid=True)}
    watched_page.locator("input[type=file]").set_input_files(uploaded)
    expect(note).to_have_text(
        "The bars are interpolated between the 10,000 points at which the classifier was evaluated."
    )
    expect(note).to_be_visible()


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


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_names_stand_in_their_regions_and_apart(server: str, watched_page: Page, size: tuple[int, int]) -> None:
    watched_page.set_viewport_size({"width": size[0], "height": size[1]})
    open_probe(watched_page, f"{server}/probe")
    found = ask(
        watched_page,
        """it.plane.named.map((box, i) => {
            if (!box) return null
            const place = it.plane.place((box.left + box.right) / 2, (box.top + box.bottom) / 2)
            return [box, it.data.names[i][0], [...it.lattice.at(...place)]] })""",
    )
    shown = [each for each in found if each]
    assert len(shown) == len({label for _box, label, _shares in shown}) >= 8
    for box, label, shares in shown:
        assert np.argmax(shares) == label
        assert box["left"] >= 0 and box["top"] >= 0
    for (one, *_), (other, *_) in combinations(shown, 2):
        assert one["right"] <= other["left"] or other["right"] <= one["left"] or (
            one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
        )  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_is_accessible(server: str, watched_page: Page, scheme: str) -> None:
    watched_page.emulate_media(color_scheme=scheme)
    for name in ("map", "doubt", "flip", "classes"):
        watched_page.goto(f"{server}/probe?probe.part={name}")
        watched_page.locator(".probe .bars .best, .js-plotly-plot .main-svg").first.wait_for()
        settle(watched_page)
        assert not violations(watched_page), name
