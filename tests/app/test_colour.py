"""Every page on models of images in colour and of other sizes, whose data set the app has."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

import vae
from pages import cache
from tests.app.test_labels import texts
from tests.app.test_pages import PAGES, ROOT, said
from tests.toys import toy_dataset
from tests.waiting import HANG

pytestmark = pytest.mark.slow
NAME = "fashion-mnist"  # by which the app asks for the images of the test
DRAW = "pages/explore/draw.py"


def opened(page: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG)
    app.query_params["model"] = "of-mine"
    return app.run().switch_page(str(ROOT / page)).run()


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., vae.Dataset]:
    """Trains a model for an epoch on blobs of a shape, which the app then finds as a data set of its own."""
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    load = vae.load_dataset

    def train(shape: tuple[int, ...], **changes: object) -> vae.Dataset:
        for cached in (st.cache_resource, st.cache_data):
            cached.clear()
        mine = toy_dataset(100, 40, shape, NAME)
        monkeypatch.setattr(vae, "load_dataset", lambda name, **how: mine if name == NAME else load(name, **how))
        settings = {"encoder_layers": (8,), "decoder_layers": (8,), **changes}
        config, training = vae.ModelConfig(image_shape=shape, **settings), vae.TrainConfig(data=NAME, epochs=1)
        model = vae.build(config)
        list(vae.fit(model, mine, training))
        vae.save(model, vae.Record(name="of-mine", model=config, training=training, held_out={"bits_per_dimension": 1}))
        return mine

    yield train
    for cached in (st.cache_resource, st.cache_data):
        cached.clear()


@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        ((28, 28, 3), {"latent": 1}),
        ((28, 28, 3), {"latent": 64}),
        ((28, 28, 3), {"likelihood": "bernoulli", "latent": 64, "channels": (4, 8)}),
        ((20, 30), {"latent": 1}),
        ((20, 30), {"latent": 64}),
        ((100, 128), {"latent": 64, "channels": (4, 8, 8)}),
    ],
    ids=str,
)
def test_every_page(trained: Callable[..., vae.Dataset], shape: tuple[int, ...], changes: dict) -> None:
    trained(shape, **changes)
    for page in PAGES:
        app = opened(page)
        assert not app.exception and not app.error, (page, [error.value for error in app.error])
        assert len(said(app)) > 100, page


@pytest.mark.parametrize("chapter", [*map(str, range(1, 15)), "slips"])
def test_every_chapter(trained: Callable[..., vae.Dataset], chapter: str) -> None:
    trained((12, 10, 3), decoder_layers=(8,))
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG)
    app.query_params.update({"model": "of-mine", "chapter": chapter, "hide": "questions"})  # answers at once
    app = app.run().switch_page(str(ROOT / "pages/learn/lesson.py")).run()
    assert not app.exception and not app.error


@pytest.mark.parametrize("panel", ["traversals", "interpolation", "arithmetic", "neighbours"])
def test_every_way_to_look(trained: Callable[..., vae.Dataset], panel: str) -> None:
    trained((12, 10, 3))
    app = opened("pages/explore/decode.py")
    app.session_state["decode.panel"] = panel
    app.run()
    assert not app.exception and not app.error


@pytest.mark.parametrize("shape", [(12, 10, 3), (12, 66)])
def test_there_is_no_pad_for_colour_or_large_images(
    trained: Callable[..., vae.Dataset], shape: tuple[int, ...]
) -> None:
    trained(shape)
    app = opened(DRAW)
    assert not app.exception and not app.error
    told = " ".join(info.value for info in app.info)
    assert "Drawing is available for greyscale images of up to 64 × 64 pixels" in told
    assert ("12 × 10 in colour" if len(shape) == 3 else "12 × 66") in told


def test_pixels_are_made_by_the_piece(trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    mine = trained((5, 4, 3))
    monkeypatch.setattr("pages.cache.models._VALUES", 7 * 60)  # seven images
    model, rows = cache.model_id("of-mine"), (39, 0, 7, 6, 0)
    pieces = [cache.load(model).pixels(part, vae.generator(i)) for i, part in enumerate(mine.test.images.split(7))]
    assert torch.equal(cache.pixels(model, NAME, rows), torch.cat(pieces)[list(rows)])


def replaced(trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains a model, and then lets images of another size have the name of its data set."""
    trained((5, 4, 3))
    other = toy_dataset(20, 20, (6, 6), NAME)
    monkeypatch.setattr(vae, "load_dataset", lambda *_, **__: other)
    st.cache_resource.clear()


def test_a_set_whose_images_have_another_size_by_now_is_not_the_models(
    trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced(trained, monkeypatch)
    found = cache.images(cache.model_id("of-mine"))
    assert found.name.startswith("draws-of-") and found.test.images.shape[1:] == (5, 4, 3)


def test_sheets_of_test_images_are_in_colour(trained: Callable[..., vae.Dataset]) -> None:
    import io

    from PIL import Image

    mine = trained((5, 4, 3))
    sheet = np.array(Image.open(io.BytesIO(cache.browser.sheet(NAME, 0) or b"")))
    assert sheet.shape == (50, 40, 3)
    np.testing.assert_array_equal(sheet[5:10, 8:12], mine.test.images[12].numpy())


def test_the_map_says_that_its_points_are_draws(
    trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced(trained, monkeypatch)
    app = opened("pages/explore/latent_map.py")
    assert not app.exception and not app.error
    sent = texts(app)
    assert "is a sample from the model" in said(app) and "over samples from the model" in said(app)
    assert "a sample x from the model" in sent and "q(z|x) of sample 0" in sent
    assert "est image" not in sent.replace("in place of test images", "")
    low, high = re.search(r"from (\S+) nats \(dark\) to (\S+) nats \(bright\)", said(app)).groups()
    assert float(low.replace("−", "-")) < float(high.replace("−", "-"))  # however near they are


def test_codes_that_are_all_alike_have_no_range_of_densities(
    trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained((5, 4, 3))
    model = vae.load("of-mine")
    with torch.no_grad():
        model.decoder.location.weight.zero_()  # which draws one image alone
    vae.save(model, vae.read_record("of-mine"), overwrite=True)
    other = toy_dataset(20, 20, (6, 6), NAME)
    monkeypatch.setattr(vae, "load_dataset", lambda *_, **__: other)
    st.cache_resource.clear()
    app = opened("pages/explore/latent_map.py")
    assert not app.exception and not app.error
    assert "The density is the same at all codes" in said(app) and "(dark)" not in said(app)


def test_the_sidebar_says_that_the_models_images_are_not_here(
    trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained((5, 4, 3))
    assert not opened("pages/explore/samples.py").sidebar.info
    other = toy_dataset(20, 20, (6, 6), NAME)
    monkeypatch.setattr(vae, "load_dataset", lambda *_, **__: other)
    st.cache_resource.clear()
    info = opened("pages/explore/samples.py").sidebar.info[0].value
    assert f"was trained on {NAME}, which is not available" in info and "samples from the model" in info
