"""A model of images in colour in a real browser: what its map and its sliders show is what PyTorch decodes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

import vae
from tests.browser.conftest import settle
from tests.browser.test_map import MAP, ask, open_map
from tests.toys import toy_dataset

SHAPE = (20, 28, 3)
NAME = "in-colour"


def made(models: Path, name: str, latent: int) -> vae.VAE:
    """A perceptron that has seen some blobs, in the folder of the server; draws of its own stand in for its images."""
    shape: dict = {"encoder_layers": (32,), "decoder_layers": (32,), "activation": "silu", "image_shape": SHAPE}
    model, training = vae.build(vae.ModelConfig(latent=latent, **shape)), vae.TrainConfig(data="blobs", epochs=40)
    list(vae.fit(model, toy_dataset(500, 50, SHAPE), training))
    vae.save(model, vae.Record(name=name, model=model.config, training=training), folder=models)
    return vae.load(models / name)


@pytest.fixture(scope="module")
def model(models: Path) -> vae.VAE:
    """One with a plane, and beside it one of five dimensions, whose exact evidence nobody waits for."""
    made(models, f"{NAME}-5d", 5)
    return made(models, NAME, 2)


def test_the_map_decodes_in_colour(watched_page: Page, server: str, model: vae.VAE) -> None:
    page = watched_page
    open_map(page, f"{server}/?model={NAME}")
    page.get_by_text("Show σ").click()
    box = page.locator(".stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    page.wait_for_timeout(300)
    z = torch.tensor([ask(page, "[...map.shown.z]")])
    with torch.inference_mode():
        p = model.decoder(z)
        mean, deviation = (part.reshape(SHAPE).numpy() for part in (p.mean, p.stddev))
    shown = np.array(ask(page, "[...map.mean.image.data]"), np.float64).reshape(*SHAPE[:2], 4)[..., :3]
    np.testing.assert_allclose(shown, 255 * mean, atol=1)
    assert np.ptp(shown, axis=2).max() > 5  # it is not grey
    over = deviation.mean(2)
    expect(page.get_by_text("averaged over the colour channels")).to_have_text(
        f"σ of p(x|z), averaged over the colour channels, {over.min():.2f} to {over.max():.2f}"
    )
    page.get_by_text("Decoded plane").click()
    page.wait_for_timeout(1500)
    sheet = ask(
        page,
        """(() => { const { sheet } = map.plane, columns = Math.round(sheet.canvas.width / 28)
            const step = sheet.wide / columns, i = Math.floor(columns / 2), j = 3
            const z = map.plane.lift(sheet.a + (i + 0.5) * step, sheet.b - (j + 0.5) * step, map.z)
            const data = sheet.canvas.getContext('2d').getImageData(28 * i, 20 * j, 28, 20).data
            return [[...data].filter((_, k) => k % 4 !== 3), [...map.model.decode(z).mean]] })()""",
    )
    np.testing.assert_allclose(sheet[0], 255 * np.clip(sheet[1], 0, 1), atol=1)


def test_a_test_image_comes_in_colour(watched_page: Page, server: str, model: vae.VAE) -> None:
    page = watched_page
    open_map(page, f"{server}/?model={NAME}&image=12")
    page.wait_for_function(f"() => {MAP}.latentMap.image.row === 12")
    page.wait_for_timeout(500)
    shown = ask(page, "[...map.image.context.getImageData(0, 0, 28, 20).data]")
    z = np.random.default_rng(0).standard_normal((500, 2), np.float32)  # the draws that stand in for test images
    want = (vae.decode(model, z).mean[12] * 255).round()
    np.testing.assert_allclose(np.array(shown).reshape(20, 28, 4)[..., :3], want, atol=1)


@pytest.mark.parametrize("page_name", ["decode", "likelihood", "draw", "lesson"])
def test_pages_show_it_without_an_error(watched_page: Page, server: str, model: vae.VAE, page_name: str) -> None:
    watched_page.goto(f"{server}/{page_name}?model={NAME}-5d")
    watched_page.wait_for_selector("[data-testid=stMain]")
    settle(watched_page)
    expect(watched_page.get_by_test_id("stAlertContentError")).to_have_count(0)
