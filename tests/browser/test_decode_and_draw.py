"""Sliders that act while they are dragged, and a drawing that is encoded with every stroke."""

import base64
import io
import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

import vae
from tests.browser.conftest import settle
from tests.browser.recording import Recording
from tests.browser.test_map import traffic
from tests.waiting import wait_for

ONE = [(14, 4), (14, 14), (14, 24)]  # strokes of a pen, in pixels of the image
SEVEN = [(7, 6), (20, 6), (16, 14), (12, 24)]


def part(name: str) -> str:
    return f"[...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.{name}')).find(Boolean)"


def ask(page: Page, name: str, expression: str) -> object:
    """Evaluates an expression of `it`, the component of that name."""
    kept = {"sliders": "sliders", "sketch": "sketch"}[name]
    return page.evaluate(f"(() => {{ const it = {part(name)}.{kept}; return {expression} }})()")


def open_page(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.locator(f".{name} canvas").first.wait_for()
    settle(page)
    page.wait_for_function(f"{part(name)}.{name}?.mean")
    page.wait_for_timeout(100)


def grey(page: Page, name: str, picture: str) -> np.ndarray:
    data = ask(page, name, f"[...it.{picture}.context.getImageData(0, 0, 28, 28).data]")
    return np.array(data, np.uint8).reshape(28, 28, 4)[..., 0]


def test_a_slider_acts_while_it_is_dragged(server: str, watched_page: Page) -> None:
    counts = traffic(watched_page)
    open_page(watched_page, f"{server}/decode?model=mnist-5d", "sliders")
    model = vae.load("mnist-5d")
    slider = watched_page.get_by_role("slider").first
    box = slider.bounding_box()
    assert box
    before, seen = dict(counts), set()
    y = box["y"] + box["height"] / 2
    watched_page.mouse.move(box["x"] + box["width"] / 2, y)
    watched_page.mouse.down()
    for i in range(20):
        watched_page.mouse.move(box["x"] + box["width"] * (0.5 + i / 50), y)
        watched_page.wait_for_timeout(20)
        seen.add(grey(watched_page, "sliders", "mean").tobytes())
    assert counts == before  # not a word to the server
    assert len(seen) > 10
    z = np.array(ask(watched_page, "sliders", "[...it.z]"))
    wanted = vae.decode(model, z[None])
    assert np.abs(grey(watched_page, "sliders", "mean") - 255 * wanted.mean[0]).max() <= 1
    watched_page.mouse.up()
    expect(watched_page).to_have_url(re.compile("z="))
    settle(watched_page)
    # a strip shows where its slider leads, with the other coordinates as they are
    watched_page.wait_for_function(f"!{part('sliders')}.sliders.work")
    order = ask(watched_page, "sliders", "it.data.order")
    for j in (order[0], order[3]):
        for k, value in enumerate(ask(watched_page, "sliders", f"it.rows.get({j}).pictures.map((p) => p.value)")):
            there = z.copy()
            there[j] = value
            data = ask(
                watched_page, "sliders", f"[...it.rows.get({j}).pictures[{k}].context.getImageData(0, 0, 28, 28).data]"
            )
            found = np.array(data, np.uint8).reshape(28, 28, 4)[..., 0]
            assert np.abs(found - 255 * vae.decode(model, there[None]).mean[0]).max() <= 1


def test_sliders_are_ordered_and_unused_ones_are_folded(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/decode?model=mnist-20d", "sliders")
    carried = ask(watched_page, "sliders", "it.data.order.map((j) => it.data.carried[j])")
    assert carried == sorted(carried, reverse=True)
    labels = watched_page.locator(".body > .rows > .slider .label b").all_inner_texts()
    used = sum(amount >= 0.01 for amount in carried)
    assert len(labels) == used
    assert watched_page.locator(".rows details").count() == (used < 20)
    watched_page.get_by_role("button", name="Prior mean, z = 0").click()
    assert not any(ask(watched_page, "sliders", "[...it.z]"))
    number = watched_page.locator(".body > .rows > .slider input[type=number]").first
    number.fill("1.5")
    number.press("Enter")
    first = ask(watched_page, "sliders", "it.data.order[0]")
    assert ask(watched_page, "sliders", f"it.z[{first}]") == 1.5
    number.fill("99")
    number.press("Tab")
    expect(number).to_have_value("1.50")
    watched_page.locator(".body > .rows > .slider").nth(1).locator(".strip button").last.click()
    second = ask(watched_page, "sliders", "it.data.order[1]")
    assert ask(watched_page, "sliders", f"it.z[{second}]") == ask(watched_page, "sliders", f"it.data.reach[{second}]")
    watched_page.get_by_role("button", name="Sample z ~ p(z)").dblclick()
    expect(watched_page).to_have_url(re.compile("z="))
    settle(watched_page)


def test_a_test_image_sets_the_sliders(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/decode", "sliders")
    watched_page.locator(".rows input[type=range]").first.press("End")
    settle(watched_page)
    box = watched_page.get_by_role("spinbutton", name="Test image")
    box.fill("18")
    box.press("Enter")
    name = "mnist" if vae.data.datasets.available("mnist") else "mnist-sample"
    mean = vae.encode(vae.load("mnist-2d"), vae.load_dataset(name).test.images).mean[18]
    watched_page.wait_for_function(f"{part('sliders')}.sliders.row === 18")
    assert np.allclose(ask(watched_page, "sliders", "[...it.z]"), mean, atol=1e-4)
    expect(watched_page).to_have_url(re.compile("image=18$"))


def draw(page: Page, points: list[tuple[float, float]]) -> None:
    box = page.locator(".pad").bounding_box()
    assert box
    places = [(box["x"] + x / 28 * box["width"], box["y"] + y / 28 * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def test_each_stroke_is_encoded_decoded_and_scored(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/draw", "sketch")
    expect(watched_page.get_by_text("a test image to start with")).to_be_visible()
    draw(watched_page, ONE)
    expect(watched_page.get_by_text("what the model sees")).to_be_visible()
    watched_page.wait_for_function(f"{part('sketch')}.sketch.q")
    settle(watched_page)
    image = grey(watched_page, "sketch", "seen")
    ink = np.argwhere(image > 127)
    assert np.ptp(ink[:, 0]) in (18, 19)  # 20 pixels high, as MNIST's digits are
    mass = image.astype(float)
    where = [(mass.sum(axis) * (np.arange(28) + 0.5)).sum() / mass.sum() for axis in (1, 0)]
    assert np.allclose(where, 14, atol=0.15)
    # the same image by torch; the noise of the pixels differs, so what it moves is the tolerance
    model = vae.load("mnist-2d")
    codes = [vae.encode(model, torch.from_numpy(image.copy())[None], seed=seed) for seed in range(8)]
    means = np.stack([each.mean[0] for each in codes])
    q = ask(watched_page, "sketch", "[[...it.q.mean], [...it.q.deviation]]")
    assert np.abs(q[0] - means.mean(0)).max() < 4 * means.std(0).max() + 1e-3
    x = model.pixels(torch.from_numpy(image.copy())[None], vae.generator(0))
    wanted = vae.elbo(model, x, 1000, vae.generator(0))
    single = float(wanted.standard_error[0]) * 1000**0.5
    assert ask(watched_page, "sketch", "it.elbo") == pytest.approx(float(wanted.value[0]), abs=5 * single / 8**0.5 + 3)
    elbos = np.array(ask(watched_page, "sketch", "[...it.data.elbos.getChildAt(0).toArray()]"))
    assert len(elbos) == 1000
    assert (np.diff(elbos) >= 0).all()
    lower = 100 * (elbos < ask(watched_page, "sketch", "it.elbo")).mean()
    expect(watched_page.locator(".score")).to_contain_text(f"{lower:.0f}% of 1,000 test images have a lower ELBO")
    # the same sums, to float32's precision, where the noise is the browser's own
    found = ask(
        watched_page,
        "sketch",
        "(() => { const x = Float32Array.from(it.ink.pixels(true), (u, i) => (u + it.judge.grain[i]) / 256);"
        " const q = it.model.encode(x), noise = it.judge.noise.map((e) => [...e]);"
        " return { x: [...x], mean: [...q.mean], deviation: [...q.deviation], noise, elbo: it.elbo } })()",
    )
    with torch.no_grad():
        q_torch = model.encoder(torch.tensor([found["x"]])).base_dist
        assert np.allclose(found["mean"], q_torch.loc[0], atol=1e-4)
        assert np.allclose(found["deviation"], q_torch.scale[0], rtol=1e-4)
        z = q_torch.loc + q_torch.scale * torch.tensor(found["noise"])
        kl = torch.distributions.kl_divergence(model.encoder(torch.tensor([found["x"]])), model.prior)
        elbo = float((model.decoder(z).log_prob(torch.tensor(found["x"])) - kl).mean())
    assert found["elbo"] == pytest.approx(elbo, abs=0.05)


def test_undo_clear_and_the_way_to_the_likelihood(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/draw", "sketch")
    take = watched_page.get_by_role("button", name="Open it on the Likelihood page")
    expect(take).to_be_disabled()
    draw(watched_page, SEVEN)
    draw(watched_page, [(10, 15), (20, 15)])
    expect(take).to_be_enabled()
    two = grey(watched_page, "sketch", "seen")
    watched_page.get_by_role("button", name="Undo").click()
    watched_page.wait_for_timeout(100)
    one = grey(watched_page, "sketch", "seen")
    assert (one != two).any()
    assert ask(watched_page, "sketch", "it.ink.strokes.length") == 1
    watched_page.get_by_role("button", name="Clear").click()
    expect(watched_page.locator(".score")).to_have_text("Nothing has been drawn yet.")
    expect(take).to_be_disabled()
    watched_page.get_by_role("button", name="Undo").click()  # of a slip of the hand
    expect(take).to_be_enabled()
    assert (grey(watched_page, "sketch", "seen") == one).all()
    watched_page.get_by_role("button", name="Undo").click()
    expect(watched_page.get_by_role("button", name="Undo")).to_be_disabled()
    expect(take).to_be_disabled()
    settle(watched_page)


def test_undo_in_the_middle_of_a_stroke(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/draw", "sketch")
    draw(watched_page, SEVEN)
    before = ask(watched_page, "sketch", "it.ink.strokes")
    box = watched_page.locator(".pad").bounding_box()
    assert box
    watched_page.mouse.move(box["x"] + 30, box["y"] + 30)
    watched_page.mouse.down()
    watched_page.mouse.move(box["x"] + 60, box["y"] + 60)
    watched_page.locator(".pad").press("Control+z")
    watched_page.mouse.move(box["x"] + 90, box["y"] + 90)
    watched_page.mouse.up()
    assert ask(watched_page, "sketch", "it.ink.strokes") == before
    settle(watched_page)


def test_the_last_stroke_is_taken_along_however_quick_the_visitor_is(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/draw", "sketch")
    draw(watched_page, SEVEN)
    settle(watched_page)
    draw(watched_page, [(10, 15), (20, 15)])
    drawn = grey(watched_page, "sketch", "seen")
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Samples").click()
    expect(watched_page.get_by_role("heading", name="Samples", level=1)).to_be_visible()
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Draw").click()
    watched_page.wait_for_function(f"{part('sketch')}?.sketch?.q")
    assert (grey(watched_page, "sketch", "seen") == drawn).all()
    assert ask(watched_page, "sketch", "it.ink.strokes.length") == 2  # as strokes, so that centring and undo go on
    watched_page.get_by_text("Centre as MNIST does").click()
    wait_for(lambda: (grey(watched_page, "sketch", "seen") != drawn).any())


def test_a_drawing_stays_when_pages_change_and_is_taken_along(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/draw", "sketch")
    draw(watched_page, SEVEN)
    settle(watched_page)
    watched_page.wait_for_timeout(300)
    settle(watched_page)
    drawn = grey(watched_page, "sketch", "seen")
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Samples").click()
    expect(watched_page.get_by_role("heading", name="Samples", level=1)).to_be_visible()
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Draw").click()
    watched_page.wait_for_function(f"{part('sketch')}?.sketch?.q")
    assert (grey(watched_page, "sketch", "seen") == drawn).all()
    watched_page.get_by_role("button", name="Open it on the Likelihood page").click()
    expect(watched_page.get_by_role("heading", name="Likelihood", level=1)).to_be_visible()
    expect(watched_page.get_by_text("your drawing").first).to_be_visible()


def test_a_pen_that_is_moved_by_keys(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/draw", "sketch")
    pad = watched_page.locator(".pad")
    pad.focus()
    for key in ("Space", *("ArrowDown",) * 8, *("ArrowRight",) * 4, "Space"):
        pad.press(key)
    (stroke,) = ask(watched_page, "sketch", "it.ink.strokes")
    assert stroke["points"][0] == [14, 14]
    assert stroke["points"][-1] == [18, 22]
    pad.press("Backspace")
    assert ask(watched_page, "sketch", "it.ink.strokes.length") == 0
    settle(watched_page)


def test_a_finger_draws(server: str, browser: object) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_page(page, f"{server}/draw", "sketch")
    page.locator(".pad").scroll_into_view_if_needed()
    box = page.locator(".pad").bounding_box()
    session = context.new_cdp_session(page)
    for kind, places in (
        ("touchStart", [(80, 60)]),
        ("touchMove", [(90, 150)]),
        ("touchMove", [(95, 260)]),
        ("touchEnd", []),
    ):
        points = [{"x": box["x"] + x, "y": box["y"] + y} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function(f"{part('sketch')}.sketch.ink.strokes.length === 1")
    assert len(ask(page, "sketch", "it.ink.strokes[0].points")) >= 3
    context.close()


@pytest.mark.parametrize("name", ["mnist-bernoulli-2d", "mnist-20d", "mnist-autoencoder-2d"])
def test_drawing_for_other_kinds_of_models(server: str, watched_page: Page, name: str) -> None:
    open_page(watched_page, f"{server}/draw?model={name}", "sketch")
    before = watched_page.locator(".score").inner_text()
    draw(watched_page, SEVEN)
    watched_page.wait_for_timeout(100)
    model, autoencoder = vae.load(name), "autoencoder" in name
    binary = model.config.likelihood == "bernoulli"
    pixels = "+(it.judge.grain[i] * 255 < u)" if binary else "(u + it.judge.grain[i]) / 256"
    found = ask(
        watched_page,
        "sketch",
        f"({{ x: [...Float32Array.from(it.ink.pixels(true), (u, i) => {pixels})], elbo: it.elbo,"
        " mean: [...it.q.mean], noise: it.judge.noise.map((e) => [...e]) })",
    )
    with torch.no_grad():
        x = torch.tensor([found["x"]], dtype=torch.float32)
        q = model.encoder(x).base_dist
        assert np.allclose(found["mean"], q.loc[0], atol=1e-4)
        z = q.loc + q.scale * torch.tensor(found["noise"])
        kl = torch.distributions.kl_divergence(model.encoder(x), model.prior)
        elbo = float((model.decoder(z).log_prob(x) - kl).mean())
    if autoencoder:
        assert found["elbo"] is None
        expect(watched_page.locator(".score")).to_have_text("A plain autoencoder has no ELBO.")
    else:
        assert found["elbo"] == pytest.approx(elbo, abs=0.05)
        assert watched_page.locator(".score").inner_text() != before
    settle(watched_page)


def test_what_is_reported_is_what_is_seen(server: str, watched_page: Page) -> None:
    open_page(watched_page, f"{server}/draw", "sketch")
    ask(
        watched_page,
        "sketch",
        "(it.report = ((tell) => (what, value) => { it.said = value; tell(what, value) })(it.report), 0)",
    )
    draw(watched_page, SEVEN)
    watched_page.wait_for_function(f"{part('sketch')}.sketch.said")
    pixels = np.frombuffer(base64.b64decode(ask(watched_page, "sketch", "it.said.pixels")), np.uint8)
    assert (pixels.reshape(28, 28) == grey(watched_page, "sketch", "seen")).all()


def test_recording(server: str, watched_page: Page, recording: Recording) -> None:
    """Records a drawing, for the README."""
    watched_page.set_viewport_size({"width": 1180, "height": 760})
    open_page(watched_page, f"{server}/draw", "sketch")
    box = watched_page.locator(".pad").bounding_box()
    assert box
    two = [(8, 9), (10, 6), (14, 5), (18, 7), (19, 11), (16, 16), (11, 20), (8, 23), (14, 23), (21, 23)]
    path = [np.array(a) + (np.array(b) - a) * t for a, b in pairwise(two) for t in (0, 1 / 3, 2 / 3)]
    for i, (x, y) in enumerate(path):
        watched_page.mouse.move(box["x"] + x / 28 * box["width"], box["y"] + y / 28 * box["height"])
        if not i:
            watched_page.mouse.down()
        watched_page.wait_for_timeout(40)
        recording.take(watched_page, watched_page.locator(".body"))
    watched_page.mouse.up()
    assert recording.finish("draw.gif") == len(path)


def test_a_photograph_becomes_a_drawing(server: str, watched_page: Page) -> None:
    """A test image on paper: dark on a ground that darkens to one side, larger, and not in the middle."""
    name = "mnist" if vae.data.datasets.available("mnist") else "mnist-sample"
    image = vae.load_dataset(name).test.images[1].numpy()
    ink = Image.fromarray(image).resize((280, 280), Image.Resampling.BICUBIC)
    paper = np.tile(np.linspace(230, 170, 500), (400, 1))
    paper[70:350, 150:430] *= 1 - 0.8 * np.asarray(ink) / 255
    file = io.BytesIO()
    Image.fromarray(paper.astype(np.uint8)).save(file, format="JPEG")
    open_page(watched_page, f"{server}/draw", "sketch")
    watched_page.get_by_text("Upload a photograph or a scan of a digit").click()
    upload = watched_page.locator("input[type=file]")
    upload.set_input_files({"name": "two.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})
    expect(watched_page.get_by_text("centred by centre of mass")).to_be_visible()
    expect(watched_page.get_by_text("what the model sees")).to_be_visible()
    settle(watched_page)
    found = grey(watched_page, "sketch", "seen").astype(float)
    # moved by half a pixel both ways, as centring may, the image itself correlates to 0.88, by a whole one to 0.58
    assert np.corrcoef(found.ravel(), image.ravel())[0, 1] > 0.85
    # drawn over, it stays as it was drawn
    draw(watched_page, [(4, 4), (8, 4)])
    settle(watched_page)
    watched_page.wait_for_timeout(300)
    settle(watched_page)
    assert ask(watched_page, "sketch", "it.ink.strokes.length") == 1
    watched_page.get_by_role("button", name="Clear").click()
    settle(watched_page)
    upload.set_input_files({"name": "again.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})
    watched_page.wait_for_function(f"{part('sketch')}.sketch.ink.ground")  # the same file again is a new upload
    draw(watched_page, [(4, 4), (8, 4)])
    settle(watched_page)
    upload.set_input_files({"name": "bad.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(watched_page.get_by_test_id("stAlert")).to_be_visible()
    assert ask(watched_page, "sketch", "it.ink.strokes.length") == 1  # nothing is lost
