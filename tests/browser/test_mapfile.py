"""The map as one file, opened from disk by a browser without a network: what it shows is what PyTorch decodes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from playwright.sync_api import Locator, Page, expect
from scipy.spatial import cKDTree

import vae
from pages import cache
from pages.takeaway import mapfile
from tests.browser.axe import violations
from tests.toys import toy_dataset
from tests.waiting import wait_for

BLOBS = "fashion-mnist"  # the name by which the library asks for the images of the model in colour
MADE: dict[str, tuple[str, dict[str, Any]]] = {
    "in-colour": (BLOBS, {"image_shape": (20, 28, 3), "latent": 2}),
    "no-labels": ("gone", {"image_shape": (12, 10), "latent": 1}),  # so that draws of its own stand in for its images
}
KINDS = ("mnist-2d", "mnist-20d", "mnist-autoencoder-2d", *MADE)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for files, in a process that knows the models of the tests and keeps nothing of them."""
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    blobs, load = toy_dataset(300, 150, (20, 28, 3), BLOBS), vae.load_dataset
    monkeypatch.setattr(vae, "load_dataset", lambda name, **how: blobs if name == BLOBS else load(name, **how))
    yield tmp_path
    for cached in (st.cache_resource, st.cache_data):
        cached.clear()


@pytest.fixture
def offline(watched_page: Page) -> Iterator[Page]:
    """A page without a network, which fails the test when it asks for anything but the file itself."""
    asked: list[str] = []
    watched_page.on("request", lambda request: asked.append(request.url))
    watched_page.context.set_offline(True)
    yield watched_page
    watched_page.context.set_offline(False)
    others = [url for url in asked if not url.startswith("data:")]
    assert others and all(url.startswith("file://") and url.endswith("/map.html") for url in others)


def opened(page: Page, files: Path, name: str) -> Locator:
    """Writes the map of a model, opens it, and returns its plane once that is drawn."""
    if name in MADE:
        data, changes = MADE[name]
        layers = {"encoder_layers": (16,), "decoder_layers": (16,), "activation": "silu"}
        model, training = vae.build(vae.ModelConfig(**changes, **layers)), vae.TrainConfig(data=data, epochs=10)
        list(vae.fit(model, toy_dataset(300, 50, changes["image_shape"]), training))
        vae.save(model, vae.Record(name=name, model=model.config, training=training))
    (files / "map.html").write_bytes(mapfile.page(cache.model_id(name)))
    page.goto((files / "map.html").as_uri())
    until(page, "map?.plane.view && map.mean")
    return page.locator(".stage")


def ask(page: Page, expression: str) -> Any:
    return page.evaluate(f"(() => {{ const map = document.querySelector('.map').latentMap; return {expression} }})()")


def until(page: Page, expression: str) -> None:
    """Waits for an expression of `map`; the file forbids the way in which Playwright waits by itself."""
    wait_for(lambda: ask(page, expression))


def alone(page: Page) -> tuple[int, list[float]]:
    """The test image whose point is farthest from all others, away from the rim and its buttons, and where it lies."""
    points = np.array(ask(page, "[...map.plane.across].map((a, n) => map.plane.screen(a, map.plane.up[n]))"))
    size = np.array(ask(page, "[map.plane.width, map.plane.height]"))
    distance = cKDTree(points).query(points, 2)[0][:, 1]
    distance[((points < 60) | (points > size - 60)).any(1)] = 0
    assert distance.max() > 2  # pixels: the pointer is at the point, to half a pixel
    row = int(distance.argmax())
    return row, points[row].tolist()


def shown(page: Page, picture: str, shape: tuple[int, ...]) -> np.ndarray:
    """The levels of a picture, (H, W, 3)."""
    data = ask(page, f"[...map.{picture}.context.getImageData(0, 0, {shape[1]}, {shape[0]}).data]")
    return np.array(data, float).reshape(*shape[:2], 4)[..., :3]


def in_colours(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(255 * values.reshape(*shape[:2], -1), (*shape[:2], 3)).clip(0, 255)


def move(page: Page, stage: Locator, x: float, y: float) -> None:
    """Moves to a place of the plane, in its pixels, and waits until that is decoded."""
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("name", KINDS)
def test_it_decodes_as_torch_does(offline: Page, files: Path, name: str) -> None:
    offline.set_viewport_size({"width": 1280, "height": 1100})
    stage = opened(offline, files, name)
    model, identity = vae.load(name), cache.model_id(name)
    shape, images = model.config.image_shape, cache.images(identity).test.images
    offline.get_by_text("Show σ").click()
    codes = cache.codes(identity).mean
    row, place = alone(offline)
    move(offline, stage, *place)
    expect(offline.locator(".status")).to_contain_text(f"{'Sample' if name == 'no-labels' else 'Test image'} {row}")
    until(offline, f"map.image.row === {row}")
    offline.evaluate("Promise.all([...window.vaeExplorer.sheets.values()].map((sheet) => sheet.decode()))")
    assert np.abs(shown(offline, "image", shape) - in_colours(images[row].numpy() / 255, shape)).max() == 0
    assert np.abs(shown(offline, "mean", shape) - in_colours(vae.decode(model, codes[[row]]).mean[0], shape)).max() <= 1
    # a place where no image is
    move(offline, stage, 30, 40)
    z = torch.tensor([ask(offline, "[...map.shown.z]")])
    with torch.inference_mode():
        p = model.decoder(z)
    assert np.abs(shown(offline, "mean", shape) - in_colours(p.mean.numpy(), shape)).max() <= 1
    said = offline.locator("figcaption", has_text="σ").inner_text()
    low_and_high = p.stddev.reshape(*shape[:2], -1).mean(2).aminmax()
    assert np.allclose([float(each) for each in re.findall(r"\d+\.\d+", said)], low_and_high, atol=0.0051), said


def test_a_click_keeps_the_place_and_keys_move_it(offline: Page, files: Path) -> None:
    stage = opened(offline, files, "mnist-20d")
    status = offline.locator(".status")
    before = np.array(ask(offline, "[...map.z]"))
    expect(status).to_contain_text("Test image 0: ")
    move(offline, stage, 40, 60)
    offline.mouse.down()
    offline.mouse.up()
    kept, picture = np.array(ask(offline, "[...map.z]")), shown(offline, "mean", (28, 28))
    where = status.inner_text()
    move(offline, stage, 300, 300)
    assert (shown(offline, "mean", (28, 28)) != picture).any()
    move(offline, stage, -15, -15)
    expect(status).to_have_text(where)
    assert (shown(offline, "mean", (28, 28)) == picture).all() and np.linalg.norm(kept - before) > 0.5
    directions = np.array(ask(offline, "map.plane.basis.directions")).reshape(2, 20)
    assert np.allclose(kept - before, directions.T @ (directions @ (kept - before)), atol=1e-3)
    stage.press("ArrowRight")
    step = 12 / ask(offline, "map.plane.view.scale")
    assert np.allclose(np.array(ask(offline, "[...map.z]")) - kept, step * directions[0], atol=1e-4)


def test_the_legend_and_what_lies_under_the_points(offline: Page, files: Path) -> None:
    opened(offline, files, "mnist-2d")
    ink = "map.plane.layers.points.getImageData(0, 0, 2000, 2000).data.filter((v, i) => i % 4 === 3 && v).length"
    whole = ask(offline, ink)
    legend = offline.get_by_role("group", name="Classes")
    for name in ("6", "1"):
        legend.get_by_role("button", name=name, exact=True).click()
    expect(legend.get_by_role("button", name="6", exact=True)).to_have_attribute("aria-pressed", "false")
    until(offline, f"{ink} < {0.9 * whole}")
    offline.get_by_role("button", name="Decoded plane").click()
    until(offline, "map.plane.sheet && !map.plane.making")
    cell = ask(
        offline,
        """(() => { const { sheet } = map.plane, step = sheet.wide / (sheet.canvas.width / 28), i = 7, j = 5
            const data = sheet.canvas.getContext('2d').getImageData(28 * i, 28 * j, 28, 28).data
            const middle = [sheet.a + (i + 0.5) * step, sheet.b - (j + 0.5) * step]
            return [middle, [...data].filter((_, k) => k % 4 === 0)] })()""",
    )
    model = vae.load("mnist-2d")
    axes = cache.axes(cache.model_id("mnist-2d"), (0, 1))
    wanted = vae.decode(model, axes.lift(np.array([cell[0]], np.float32))).mean[0]
    assert np.abs(np.array(cell[1]) - 255 * wanted.ravel()).max() <= 1
    offline.get_by_role("button", name="Aggregate posterior").click()
    until(offline, "map.plane.sheet?.smooth && !map.plane.making")


def test_an_autoencoder_has_no_aggregate_posterior_and_other_models_say_what_colours_mean(
    offline: Page, files: Path
) -> None:
    opened(offline, files, "mnist-autoencoder-2d")
    expect(offline.get_by_role("button", name="Aggregate posterior")).to_have_count(0)
    opened(offline, files, "no-labels")
    expect(offline.locator("header")).to_contain_text("500 samples from the model in place of test images")
    expect(offline.locator("header")).to_contain_text("log q(z) at each code")
    expect(offline.locator(".scale")).to_contain_text("log q(z) at the codes")


def test_it_turns_dark_with_the_browser_and_fits_a_phone(offline: Page, files: Path) -> None:
    offline.set_viewport_size({"width": 390, "height": 844})
    offline.emulate_media(color_scheme="light")
    stage = opened(offline, files, "mnist-2d")
    for scheme, ink, ground in (("light", "#1c2530", "255, 255, 255"), ("dark", "#e4eaf1", "14, 19, 24")):
        offline.emulate_media(color_scheme=scheme)
        until(offline, f"map.plane.ink === '{ink}'")
        expect(offline.locator("body")).to_have_css("background-color", f"rgb({ground})")
        assert violations(offline) == []
    assert offline.evaluate("document.documentElement.scrollWidth") == 390
    box = stage.bounding_box()
    assert box and box["width"] > 300
