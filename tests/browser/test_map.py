"""The latent map under the hand: hover, click, pan, zoom, touch and keys, at the speed of the screen, and no word to
the server while the hand moves."""

import json
import math
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, WebSocket, expect

import vae
from tests.browser.conftest import settle
from tests.browser.recording import Recording

KINDS = ("mnist-2d", "mnist-20d", "mnist-bernoulli-2d", "mnist-shared-variance-2d", "mnist-autoencoder-2d")


def open_map(page: Page, url: str) -> Locator:
    """Opens the map and waits until it is drawn."""
    page.goto(url)
    page.wait_for_function("document.querySelector('[data-testid=stMain]') && window.vaeExplorer?.models.size")
    stage = page.locator(".stage")
    stage.wait_for()
    settle(page)
    page.wait_for_function(f"{MAP}?.latentMap?.plane.view && {MAP}.latentMap.mean")
    return stage


# the map's element is in the shadow tree of its component
MAP = "[...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.map')).find(Boolean)"


# a cell of the decoded plane, and what its middle decodes to
CELL = """(() => { const { sheet } = map.plane, step = sheet.wide / (sheet.canvas.width / 28), i = 7, j = 5
    const z = map.plane.lift(sheet.a + (i + 0.5) * step, sheet.b - (j + 0.5) * step, map.z)
    const data = sheet.canvas.getContext('2d').getImageData(28 * i, 28 * j, 28, 28).data
    return [[...data].filter((_, k) => k % 4 === 0), [...map.model.decode(z).mean]] })()"""


def ask(page: Page, expression: str) -> object:
    """Evaluates an expression of `map`, the map of the page."""
    return page.evaluate(f"(() => {{ const map = {MAP}.latentMap; return {expression} }})()")


def screen(page: Page, row: int) -> tuple[float, float]:
    """Where a test image's point is, in pixels of the page."""
    box = page.locator(".stage").bounding_box()
    assert box
    x, y = ask(page, f"map.plane.screen(map.plane.across[{row}], map.plane.up[{row}])")
    return box["x"] + x, box["y"] + y


def alone(page: Page) -> int:
    """A row whose point has no other within reach, somewhere in the middle of the view."""
    return ask(
        page,
        """[...map.plane.across.keys()].find((n) => {
            const [x, y] = map.plane.screen(map.plane.across[n], map.plane.up[n])
            const near = [...map.plane.across.keys()].filter((m) => {
                const [u, v] = map.plane.screen(map.plane.across[m], map.plane.up[m])
                return Math.hypot(u - x, v - y) < 12 })
            return near.length === 1 && x > 80 && y > 80 && x < map.plane.width - 80 && y < map.plane.height - 80 })""",
    )


def shown(page: Page, name: str) -> np.ndarray:
    """The grey levels of a picture, (H, W)."""
    data = ask(page, f"[...map.{name}.context.getImageData(0, 0, 28, 28).data]")
    return np.array(data, np.uint8).reshape(28, 28, 4)[..., 0]


def traffic(page: Page) -> dict[str, int]:
    counts = {"sent": 0, "received": 0, "bytes": 0}

    def opened(socket: WebSocket) -> None:
        def came(frame: str | bytes) -> None:
            counts["received"] += 1
            counts["bytes"] += len(frame)

        socket.on("framesent", lambda _frame: counts.update(sent=counts["sent"] + 1))
        socket.on("framereceived", came)

    page.on("websocket", opened)
    return counts


@pytest.mark.parametrize("name", KINDS)
def test_the_browser_decodes_as_torch_does(server: str, watched_page: Page, name: str) -> None:
    open_map(watched_page, f"{server}/?model={name}")
    model = vae.load(name)
    z = 2 * torch.randn(40, model.config.latent, generator=vae.generator(0))
    found = ask(
        watched_page,
        f"{json.dumps(z.tolist())}.map((z) => {{ const p = map.model.decode(Float32Array.from(z), true);"
        " return [[...p.mean], [...p.deviation]] })",
    )
    with torch.no_grad():
        p = model.decoder(z)
    ours = np.array(found)
    assert np.abs(ours[:, 0] - p.mean.numpy()).max() < 1e-4
    assert np.abs(ours[:, 1] - p.stddev.numpy()).max() < 1e-4


def test_moving_decodes_every_frame_without_a_word_to_the_server(server: str, watched_page: Page) -> None:
    counts = traffic(watched_page)
    started = time.perf_counter()
    watched_page.goto(server)
    watched_page.locator(".stage").wait_for()
    watched_page.wait_for_function(f"{MAP}?.latentMap?.mean")
    first = time.perf_counter() - started
    settle(watched_page)
    assert ask(watched_page, "map.model.count") in (2000, 10_000)
    assert counts["bytes"] < 2_000_000
    box = watched_page.locator(".stage").bounding_box()
    assert box
    before = dict(counts)
    watched_page.evaluate(
        """() => { window.gaps = []; let last = performance.now(); const tick = (now) => { gaps.push(now - last);
           last = now; window.ticking = requestAnimationFrame(tick) }; requestAnimationFrame(tick) }"""
    )
    pictures, moves, until = set(), 0, time.perf_counter() + 3
    while time.perf_counter() < until:
        moves += 1
        x, y = 0.5 + 0.4 * math.sin(moves / 15), 0.5 + 0.4 * math.cos(moves / 23)
        watched_page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if moves % 40 == 0:
            pictures.add(shown(watched_page, "mean").tobytes())
    gaps = np.sort(watched_page.evaluate("(cancelAnimationFrame(window.ticking), window.gaps.slice(2))"))
    middle, most = np.quantile(gaps, [0.5, 0.95])
    print(
        f"\nfirst map after {first:.2f} s, {before['bytes'] / 1e6:.3f} MB received; {moves} moves in {len(gaps)} "
        f"frames, gap p50 {middle:.1f} ms, p95 {most:.1f} ms, largest {gaps[-1]:.1f} ms"
    )
    assert counts == before
    assert len(pictures) > 1


def test_hovering_shows_the_image_and_leaving_restores_what_was_chosen(server: str, watched_page: Page) -> None:
    stage = open_map(watched_page, server)
    name = "mnist" if vae.data.datasets.available("mnist") else "mnist-sample"
    images = vae.load_dataset(name).test.images.numpy()
    status, chosen = watched_page.locator(".status"), shown(watched_page, "mean")
    row = alone(watched_page)
    watched_page.mouse.move(*screen(watched_page, row))
    expect(status).to_contain_text(f"Test image {row}:")
    watched_page.wait_for_function(
        f"{MAP}.latentMap.image.context.getImageData(0, 0, 28, 28).data.some((v, i) => i % 4 < 3 && v)"
    )
    assert (shown(watched_page, "image") == images[row]).all()
    model = vae.load("mnist-2d")
    mean = vae.encode(model, torch.from_numpy(images)).mean[[row]]
    wanted = vae.decode(model, mean).mean[0] * 255
    assert np.abs(shown(watched_page, "mean") - wanted).max() < 1
    (mark,) = [each for each in ask(watched_page, "map.plane.marks") if each["covariance"] and each["a"] != 0][-1:]
    deviation = vae.encode(model, torch.from_numpy(images)).deviation[row]
    assert np.allclose([mark["covariance"][0], mark["covariance"][2]], deviation**2, rtol=0.02)
    box = stage.bounding_box()
    assert box
    watched_page.mouse.move(box["x"] + box["width"] + 60, box["y"] + 300)
    expect(status).to_contain_text("Test image 0:")
    assert (shown(watched_page, "mean") == chosen).all()


def test_a_click_chooses_for_all_pages_and_is_in_the_link(server: str, watched_page: Page) -> None:
    stage = open_map(watched_page, server)
    row = alone(watched_page)
    watched_page.mouse.click(*screen(watched_page, row))
    expect(watched_page).to_have_url(re.compile(f"image={row}"))
    settle(watched_page)
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Decode", exact=True).click()
    expect(watched_page.get_by_role("spinbutton", name="Test image")).to_have_value(str(row))
    expect(watched_page).to_have_url(re.compile(f"decode.*image={row}"))
    watched_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Latent map").click()
    stage.wait_for()
    box = stage.bounding_box()
    assert box
    watched_page.mouse.click(box["x"] + 30, box["y"] + 30)  # where no image is
    expect(watched_page).to_have_url(re.compile("z=-?[0-9.]+%2C-?[0-9.]+"))
    settle(watched_page)
    expect(watched_page.locator(".status")).to_contain_text("z = (")
    before = ask(watched_page, "[...map.z]")
    open_map(watched_page, watched_page.url)  # as another visitor does with the link
    assert np.allclose(ask(watched_page, "[...map.z]"), before, atol=2e-3)


def test_pan_zoom_and_reset(server: str, watched_page: Page) -> None:
    stage = open_map(watched_page, server)
    box = stage.bounding_box()
    assert box
    first = ask(watched_page, "map.plane.view")
    x, y = box["x"] + 150, box["y"] + 200
    place, pixel = ask(watched_page, "map.plane.place(150, 200)"), 1 / first["scale"]
    watched_page.mouse.move(x, y)
    watched_page.mouse.wheel(0, -400)
    watched_page.wait_for_function(f"{MAP}.latentMap.plane.view.scale > {first['scale']}")
    # what is under the pointer stays there
    assert np.allclose(ask(watched_page, "map.plane.place(150, 200)"), place, atol=pixel)
    watched_page.mouse.down()
    watched_page.mouse.move(x + 60, y - 40, steps=5)
    watched_page.mouse.up()
    assert np.allclose(ask(watched_page, "map.plane.place(210, 160)"), place, atol=pixel)
    assert "z=" not in watched_page.url  # a drag is no click
    for press, bigger in ((("+",), True), (("-", "-"), False)):
        scale = ask(watched_page, "map.plane.view.scale")
        for key in press:
            stage.press(key)
        assert (ask(watched_page, "map.plane.view.scale") > scale) == bigger
    stage.press("0")
    assert ask(watched_page, "map.plane.view") == first
    watched_page.get_by_role("button", name="Zoom in").click()
    assert ask(watched_page, "map.plane.view.scale") == pytest.approx(1.5 * first["scale"])
    watched_page.get_by_role("button", name="Show all").click()
    assert ask(watched_page, "map.plane.view") == first


def test_arrow_keys_move_z(server: str, watched_page: Page) -> None:
    stage = open_map(watched_page, server)
    before = ask(watched_page, "[...map.z]")
    picture = shown(watched_page, "mean")
    stage.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        stage.press(key)
    step = 12 / ask(watched_page, "map.plane.view.scale")
    assert np.allclose(ask(watched_page, "[...map.z]"), np.add(before, [2 * step, step]), atol=1e-4)
    stage.press("Shift+ArrowDown")
    assert ask(watched_page, "map.z[1]") == pytest.approx(before[1] + step * (1 - 2 / 12), abs=1e-4)
    assert (shown(watched_page, "mean") != picture).any()
    expect(watched_page).to_have_url(re.compile("z="))
    settle(watched_page)


def test_what_lies_under_the_points(server: str, watched_page: Page) -> None:
    open_map(watched_page, server)
    watched_page.get_by_role("button", name="Decoded plane").click()
    watched_page.wait_for_function(f"{MAP}.latentMap.plane.sheet && !{MAP}.latentMap.plane.making")
    # each cell is what its middle decodes to
    cell, wanted = ask(watched_page, CELL)
    assert np.abs(np.array(cell) - 255 * np.array(wanted)).max() <= 1
    watched_page.get_by_role("button", name="Aggregate posterior").click()
    watched_page.wait_for_function(f"{MAP}.latentMap.plane.sheet?.smooth && !{MAP}.latentMap.plane.making")
    # against the mixture itself, in numpy: opacity is (density / largest) ** 0.35
    sheet = ask(
        watched_page,
        """(() => { const { sheet } = map.plane, { width, height } = sheet.canvas
           const data = sheet.canvas.getContext('2d').getImageData(0, 0, width, height).data
           return { ...sheet, width, height, alpha: [...data].filter((_, k) => k % 4 === 3) } })()""",
    )
    name = "mnist" if vae.data.datasets.available("mnist") else "mnist-sample"
    codes = vae.encode(vae.load("mnist-2d"), vae.load_dataset(name).test.images)
    step = sheet["wide"] / sheet["width"]
    alpha = np.array(sheet["alpha"]).reshape(sheet["height"], sheet["width"])
    variance = codes.deviation.astype(float) ** 2 + (step / 2) ** 2
    density = []
    chosen = [(j, i) for j in range(0, sheet["height"], 12) for i in range(0, sheet["width"], 12)]
    chosen.append(np.unravel_index(alpha.argmax(), alpha.shape))
    for j, i in chosen:
        off = np.array([sheet["a"] + (i + 0.5) * step, sheet["b"] - (j + 0.5) * step]) - codes.mean
        density.append((np.exp(-0.5 * (off**2 / variance).sum(1)) / np.sqrt(variance.prod(1))).sum())
    wanted = 0.85 * 255 * (np.array(density) / density[-1]) ** 0.35
    found = np.array([alpha[place] for place in chosen])
    assert np.abs(found - wanted).max() < 6  # each Gaussian is cut off at 3.5 deviations, which is 0.2 % of its height


def test_legend_hides_a_class_and_shows_one_alone(server: str, watched_page: Page) -> None:
    open_map(watched_page, server)
    legend = watched_page.get_by_role("group", name="Classes")
    three = legend.get_by_role("button", name="3", exact=True)
    three.click()
    expect(three).to_have_attribute("aria-pressed", "false")
    assert ask(watched_page, "[...map.plane.hidden]") == [3]
    three.click()
    assert ask(watched_page, "[...map.plane.hidden]") == []
    three.click()
    for name, hidden in (("5", [0, 1, 2, 3, 4, 6, 7, 8, 9]), ("6", [0, 1, 2, 3, 4, 5, 7, 8, 9]), ("6", [])):
        legend.get_by_role("button", name=name, exact=True).dblclick()
        assert sorted(ask(watched_page, "[...map.plane.hidden]")) == hidden
        watched_page.wait_for_timeout(600)  # or the next click would count as a third


def test_one_class_is_shown_alone_by_a_key_and_by_a_long_press(server: str, watched_page: Page) -> None:
    open_map(watched_page, server)
    five = watched_page.get_by_role("group", name="Classes").get_by_role("button", name="5", exact=True)
    alone_, hidden = [0, 1, 2, 3, 4, 6, 7, 8, 9], "[...map.plane.hidden].sort()"
    for key, expected in (("Shift+Enter", alone_), ("Shift+Enter", []), ("Enter", [5]), ("Shift+Enter", alone_)):
        five.press(key)
        assert ask(watched_page, hidden) == expected
    five.press("Shift+Enter")
    for expected in (alone_, []):
        five.dispatch_event("pointerdown", {"pointerType": "touch"})
        watched_page.wait_for_function(f"{MAP}.latentMap.plane.hidden.size === {len(expected)}")
        five.dispatch_event("pointerup", {"pointerType": "touch"})
        five.dispatch_event("click")  # as follows when a finger is lifted
        assert ask(watched_page, hidden) == expected
    five.dispatch_event("pointerdown", {"pointerType": "touch"})
    five.dispatch_event("pointerup", {"pointerType": "touch"})
    five.dispatch_event("click")
    watched_page.wait_for_timeout(700)  # longer than a long press
    assert ask(watched_page, hidden) == [5]
    assert "Shift+Enter" in five.get_attribute("title")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_map_without_labels_is_coloured_by_density_or_clusters(
    server: str, models: Path, watched_page: Page, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(models))
    config = vae.ModelConfig(encoder_layers=(16,), decoder_layers=(16,), image_shape=(12, 12))
    training = vae.TrainConfig(data="gone")  # so that draws of its own, without labels, stand in for its images
    vae.save(vae.build(config), vae.Record(name=f"plain-{scheme}", model=config, training=training))
    watched_page.emulate_media(color_scheme=scheme)
    open_map(watched_page, f"{server}/?model=plain-{scheme}")
    assert "log q(z) at the codes" in watched_page.locator(".scale").inner_text()
    assert watched_page.get_by_role("group", name="Classes").count() == 0
    assert ask(watched_page, "map.model.classes") == []
    assert len(set(ask(watched_page, "[...map.model.labels]"))) > 10
    expect(watched_page.locator(".status")).to_contain_text(re.compile(r"^Sample 0, at \("))
    watched_page.get_by_role("radio", name="Clusters").click()
    settle(watched_page)
    legend = watched_page.get_by_role("group", name="Clusters")
    expect(legend.get_by_role("button")).to_have_count(10)
    data = ask(
        watched_page,
        "[[...map.model.means], [...map.model.labels], [...map.data.centres], map.model.colours, map.model.J]",
    )
    means, labels, centres, colours, size = data
    codes, middles = (np.array(each).reshape(-1, size) for each in (means, centres))
    assert labels == ((codes[:, None] - middles) ** 2).sum(2).argmin(1).tolist() and len(set(colours)) == 10
    legend.get_by_role("button", name="cluster 3", exact=True).click()
    assert ask(watched_page, "[...map.plane.hidden]") == [2]


def test_a_finger_explores_taps_and_pinches(server: str, browser: object) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    stage = open_map(page, server)
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    session = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": box["x"] + x, "y": box["y"] + y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    status = page.locator(".status")
    touch("touchStart", (60, 60))
    touch("touchMove", (40, 300))
    expect(status).to_contain_text("z = (")
    under = status.inner_text()
    touch("touchEnd")
    expect(status).to_contain_text("Test image 0")  # a finger that has moved chooses nothing
    scale = ask(page, "map.plane.view.scale")
    touch("touchStart", (100, 150), (200, 150))
    touch("touchMove", (60, 150), (240, 150))
    touch("touchEnd")
    assert ask(page, "map.plane.view.scale") == pytest.approx(1.8 * scale, rel=0.05)
    stage.press("0")
    touch("touchStart", (40, 300))
    touch("touchEnd")
    expect(status).to_have_text(under)
    expect(page).to_have_url(re.compile("z="))
    context.close()


def test_a_plane_through_many_dimensions(server: str, watched_page: Page) -> None:
    stage = open_map(watched_page, f"{server}/?model=mnist-20d&image=3")
    z = np.array(ask(watched_page, "[...map.z]"))
    box = stage.bounding_box()
    assert box
    watched_page.mouse.click(box["x"] + 40, box["y"] + 40)
    expect(watched_page).to_have_url(re.compile("z="))
    settle(watched_page)
    moved = np.array(ask(watched_page, "[...map.z]")) - z
    directions = np.array(ask(watched_page, "[...map.plane.basis.directions]")).reshape(2, 20)
    assert np.linalg.norm(moved) > 1
    assert np.allclose(moved, directions.T @ (directions @ moved), atol=1e-3)  # the other directions stay
    watched_page.get_by_text("Two coordinates").click()
    settle(watched_page)
    assert np.allclose(ask(watched_page, "[...map.z]"), z + moved, atol=1e-3)
    assert sorted(np.unique(ask(watched_page, "[...map.plane.basis.directions]"))) == [0, 1]


def test_the_decoded_plane_goes_through_the_image_that_is_chosen(server: str, watched_page: Page) -> None:
    watched_page.set_viewport_size({"width": 1280, "height": 1100})  # the whole map in sight
    open_map(watched_page, f"{server}/?model=mnist-20d")
    watched_page.get_by_role("button", name="Decoded plane").click()
    watched_page.wait_for_function(f"{MAP}.latentMap.plane.sheet && !{MAP}.latentMap.plane.making")
    row = alone(watched_page)
    watched_page.mouse.click(*screen(watched_page, row))
    expect(watched_page).to_have_url(re.compile(f"image={row}"))
    watched_page.wait_for_function(f"!{MAP}.latentMap.plane.making")
    cell, wanted = ask(watched_page, CELL)
    assert np.abs(np.array(cell) - 255 * np.array(wanted)).max() <= 1


def test_the_ellipse_is_drawn_to_scale(server: str, watched_page: Page) -> None:
    """On a slanted plane, against the eigenvectors of the projected covariance: where its ink lies farthest out."""
    open_map(watched_page, f"{server}/?model=mnist-5d&image=8")
    for _ in range(6):
        watched_page.get_by_role("button", name="Zoom in").click()
    row = 8
    watched_page.wait_for_function(f"{MAP}.latentMap.row === {row}")
    ask(watched_page, f"(map.plane.show(map.plane.across[{row}], map.plane.up[{row}]), map.plane.redraw('over'), 0)")
    watched_page.wait_for_timeout(200)
    name = "mnist" if vae.data.datasets.available("mnist") else "mnist-sample"
    codes = vae.encode(vae.load("mnist-5d"), vae.load_dataset(name).test.images)
    directions = np.array(ask(watched_page, "map.plane.basis.directions")).reshape(2, 5)
    covariance = directions @ np.diag(codes.deviation[row].astype(float) ** 2) @ directions.T
    scale = ask(watched_page, "map.plane.view.scale")
    x, y = ask(watched_page, f"map.plane.screen(map.plane.across[{row}], map.plane.up[{row}])")
    pixels = ask(
        watched_page,
        """(() => { const { layers: { over }, ratio } = map.plane, found = []
            const data = over.getImageData(0, 0, over.canvas.width, over.canvas.height)
            for (let i = 0; i < data.width * data.height; i++) {
                const [r, g, b, a] = data.data.subarray(4 * i, 4 * i + 4)
                const green = a > 200 && g > r + 60 && g > b
                if (green) found.push([(i % data.width) / ratio, Math.floor(i / data.width) / ratio])
            }
            return found })()""",
    )
    ink = (np.array(pixels) + 0.5 - [x, y]) * [1, -1] / scale
    values, vectors = np.linalg.eigh(covariance)
    along = np.abs(ink @ vectors).max(0)  # half the length of each axis, of the ellipse of two deviations
    assert np.allclose(along, 2 * np.sqrt(values), atol=2.5 / scale)


def test_other_buttons_of_the_mouse_choose_nothing(server: str, watched_page: Page) -> None:
    stage = open_map(watched_page, server)
    box = stage.bounding_box()
    assert box
    for button in ("right", "middle"):
        watched_page.mouse.click(box["x"] + 30, box["y"] + 30, button=button)
    settle(watched_page)
    assert "z=" not in watched_page.url


def test_a_place_beyond_the_points_is_in_sight(server: str, watched_page: Page) -> None:
    open_map(watched_page, f"{server}/?z=30,20")
    x, y = ask(watched_page, "map.plane.screen(...map.plane.project(map.z))")
    wide, high = ask(watched_page, "[map.plane.width, map.plane.height]")
    assert 0 < x < wide
    assert 0 < y < high


def test_the_server_decodes_what_a_browser_cannot(
    server: str, watched_page: Page, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(models))
    config = vae.ModelConfig(encoder_layers=(8,), decoder_layers=(64, 10_000, 1600, 8))
    model = vae.build(config)
    vae.save(model, vae.Record(name="wide", model=config, training=vae.TrainConfig(data="mnist-sample")))
    stage = open_map(watched_page, f"{server}/?model=wide")
    expect(watched_page.get_by_text("The server decodes where the pointer rests")).to_be_visible()
    box = stage.bounding_box()
    assert box
    watched_page.mouse.move(box["x"] + 50, box["y"] + 60)
    watched_page.wait_for_function(
        f"{MAP}.latentMap.answer && !{MAP}.latentMap.mean.figure.classList.contains('stale')"
    )
    z = np.array(ask(watched_page, "map.answer.z"))
    wanted = vae.decode(vae.load("wide"), z[None]).mean[0] * 255
    assert np.abs(shown(watched_page, "mean") - wanted).max() <= 1
    stage.focus()
    times = []
    for _ in range(15):
        before = ask(watched_page, "map.answer.z")
        times.append(
            watched_page.evaluate(
                f"""(before) => new Promise((done) => {{ const map = {MAP}.latentMap, start = performance.now()
                    map.stage.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'ArrowRight' }}))
                    const look = () => (map.answer.z[0] !== before[0] && !map.mean.figure.classList.contains('stale')
                        ? done(performance.now() - start) : requestAnimationFrame(look))
                    look() }})""",
                before,
            )
        )
        settle(watched_page)
    print(
        f"\nkey press to new picture through the server: median {np.median(times):.0f} ms, largest {max(times):.0f} ms"
    )
    watched_page.get_by_role("button", name="Decoded plane").click()
    watched_page.wait_for_function(f"{MAP}.latentMap.plane.sheet")


def test_recording(server: str, watched_page: Page, recording: Recording) -> None:
    """Records the pointer over the plane, for the README."""
    watched_page.set_viewport_size({"width": 1180, "height": 820})
    stage = open_map(watched_page, server)
    watched_page.get_by_role("button", name="Decoded plane").click()
    watched_page.wait_for_function(f"{MAP}.latentMap.plane.sheet && !{MAP}.latentMap.plane.making")
    box = stage.bounding_box()
    assert box
    for i in range(36):
        turn = 2 * math.pi * i / 36
        x, y = 0.5 + 0.3 * math.cos(turn) * (1 + 0.25 * math.sin(3 * turn)), 0.5 + 0.32 * math.sin(turn)
        watched_page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        watched_page.wait_for_timeout(40)
        recording.take(watched_page, watched_page.locator(".body"))
    assert recording.finish("hover.gif") == 36
