"""Every page on models from elsewhere, whose networks are graphs: they work, or say in a line why they cannot."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

import vae
from pages import cache
from tests.app.test_pages import PAGES, ROOT, said
from tests.toys import toy_dataset
from tests.waiting import HANG

pytestmark = pytest.mark.slow


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    for cached in (st.cache_resource, st.cache_data):
        cached.clear()
    yield
    for cached in (st.cache_resource, st.cache_data):
        cached.clear()


def brought(latent: int, likelihood: str, convolutions: bool = False, **more: object) -> None:
    """A model of 12 x 10 pixels, untrained but for its scale."""
    torch.manual_seed(0)
    images = toy_dataset(300, 10, (12, 10)).train.images
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(120, 16), nn.ReLU(), nn.Linear(16, 2 * latent))
    decoder = nn.Sequential(nn.Linear(latent, 16), nn.ReLU(), nn.Linear(16, 120), nn.Sigmoid())
    if convolutions:
        encoder = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.SiLU(), nn.Flatten(), nn.Linear(120, 2 * latent))
        decoder = nn.Sequential(
            nn.Linear(latent, 120),
            nn.Unflatten(1, (4, 6, 5)),
            nn.SiLU(),
            nn.ConvTranspose2d(4, 1, 4, 2, 1),
            nn.Sigmoid(),
        )
    with torch.no_grad():
        encoder[-1].weight.mul_(3)
        encoder[-1].bias[latent:].sub_(2)
    vae.inspect(lambda x: encoder(x).chunk(2, 1), decoder, images, likelihood=likelihood, name="brought", **more)


def opened(page: str, **link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG)
    app.query_params.update({"model": "brought", **link})
    return app.run().switch_page(str(ROOT / page)).run()


@pytest.mark.parametrize(
    ("latent", "likelihood", "convolutions"),
    [(2, "bernoulli", False), (2, "gaussian", True), (1, "gaussian", False), (20, "bernoulli", True)],
)
def test_every_page(own: None, latent: int, likelihood: str, convolutions: bool) -> None:
    brought(latent, likelihood, convolutions)
    for page in PAGES:
        app = opened(page)
        assert not app.exception and not app.error, (page, [error.value for error in app.error])
        assert len(said(app)) > 100, page


def test_the_pixels_are_those_that_the_model_takes(own: None) -> None:
    brought(1, "gaussian", pixels=vae.Pixels(dequantised=False))
    model, kept = cache.model_id("brought"), vae.load("brought")
    images = cache.images(model)
    assert torch.equal(cache.pixels(model, images.name, (3, 1)), images.test.images[[3, 1]].flatten(1) / 255)
    assert torch.equal(cache.pixels(model, images.name, (3,)), kept.pixels(images.test.images[[3]]))


def test_every_chapter(own: None) -> None:
    brought(2, "bernoulli")
    for chapter in [*map(str, range(1, 15)), "slips"]:
        app = opened("pages/learn/lesson.py", chapter=chapter, hide="questions")  # answers at once
        assert not app.exception and not app.error, (chapter, [error.value for error in app.error])
