"""Every model that ships on every page, for blank, saturated and ordinary images; and models of unknown images."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import streamlit as st
import torch

import vae
from tests.app.test_pages import PAGES, SHIPPED, links, said, through_frame

pytestmark = pytest.mark.slow

LIKELIHOOD = "pages/measure/likelihood.py"  # which takes seconds: the numbers that ship are of other images
ROWS = (*range(9), 477, 1185, 1789)  # of the last three, importance weights of `mnist-beta-0-2d` have a tail of equals
COUNT = 2 + len(ROWS)  # 0 is blank, 1 saturated


@pytest.fixture
def odd_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the place of the sample's test images a blank one, a saturated one, and a dozen of them."""
    sample = vae.load_dataset("mnist-sample")
    blank = torch.zeros(1, 28, 28, dtype=torch.uint8)
    images = torch.cat([blank, blank + 255, sample.test.images[list(ROWS)]])
    labels = torch.cat([torch.tensor([0, 1]), sample.test.labels[list(ROWS)]])
    odd = vae.Dataset("mnist-sample", sample.train, vae.Split(images, labels), sample.classes, "odd")
    monkeypatch.setattr(vae, "load_dataset", lambda *_, **__: odd)
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()
    yield
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()


PLACES = [(path, link) for path in PAGES if path != LIKELIHOOD for link in links(path)]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: "-".join([Path(place[0]).stem, *place[1].values()]))
def test_every_model_that_ships_on_every_page(
    odd_images: None, place: tuple[str, dict[str, str]], thorough: bool
) -> None:
    """Each model with one of the images, others on each page and step; with --thorough each with all."""
    path, link = place
    for at, model in enumerate(SHIPPED):
        for row in range(COUNT) if thorough else [(2 * PLACES.index(place) + at) % COUNT]:
            app = through_frame(path, model, image=str(row), **link)
            assert not app.exception and not app.error, (model, row)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Which images the page Likelihood meets under which model: half a minute each where exact evidence is hard."""
    if "odd" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        metafunc.parametrize("odd", list(product(SHIPPED, range(COUNT))) if thorough else [("mnist-bernoulli-2d", 0)])


def test_the_likelihood_of_odd_images(odd_images: None, odd: tuple[str, int]) -> None:
    """Each step on a blank image; with --thorough on every image under every model."""
    model, row = odd
    for link in links(LIKELIHOOD):
        app = through_frame(LIKELIHOOD, model, image=str(row), **link)
        assert not app.exception
        # which may be so, and is said
        assert all("too sharp or too wide for a grid" in error.value for error in app.error), link


@pytest.mark.parametrize("shape", [(28, 28), (8, 12)])
def test_a_model_of_images_that_nobody_here_has(
    shape: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    config = vae.ModelConfig(encoder_layers=(8,), decoder_layers=(8,), image_shape=shape)
    images = torch.randint(0, 256, (40, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mine = vae.Dataset("mine", vae.Split(images), vae.Split(images[:10]), ("image",), "mine")
    model, training = vae.build(config), vae.TrainConfig(data="mine", epochs=1)
    list(vae.fit(model, mine, training))
    vae.save(model, vae.Record(name="of-mine", model=config, training=training))
    for page, link in ((path, link) for path in PAGES for link in links(path)):
        app = through_frame(page, "of-mine", **link)
        assert not app.exception and not app.error, (page, link)
        told = " ".join(info.value for info in app.sidebar.info)
        assert "of-mine was trained on mine, which is not available" in told
        assert ("A sample of MNIST" if shape == (28, 28) else "samples from the model") in told
        assert said(app)
