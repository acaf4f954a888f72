"""The page Decoder variance: its numbers, its choices, and what it does when models or images are missing."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.elements.plotly_chart import PlotlyState
from streamlit.testing.v1 import AppTest

import vae
from pages.cache import models as cache
from pages.measure.exhibits import scene
from tests.app.test_pages import STEPS, said, through_frame
from tests.waiting import HANG
from vae import catalogue, data

pytestmark = pytest.mark.slow

PATH = "pages/measure/variance.py"
MNIST = "mnist" if data.available("mnist") else "mnist-sample"
EXHIBITS = ("mnist-2d", "mnist-free-variance-2d", "mnist-shared-variance-2d")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))


def opened(step: str = "score", **query: str) -> AppTest:
    """A step of the page by a link of its own, as a fresh visitor opens it."""
    app = AppTest.from_file(str(Path(__file__).parents[2] / "pages/ui/frame.py"), default_timeout=HANG)
    app.switch_page(str(Path(__file__).parents[2] / PATH))
    for name, value in {"variance__step": step, **query}.items():
        app.query_params[name.replace("__", ".")] = value
    return app.run()


def nats_under_the_floor(app: AppTest) -> list[float]:
    return [
        float(match[1].replace(",", ""))
        for element in app.markdown
        if (match := re.match(r"\*\*(-?[\d,]+) nats\*\*", element.value))
    ]


def pictures(app: AppTest) -> list[tuple[str, str]]:
    """Caption and address of each picture that has a caption."""
    images = [(image.caption, image.url) for element in app.get("image") for image in element.proto.imgs]
    return [image for image in images if image[0]]  # three a model under its map, two under its curve


@pytest.mark.parametrize("step", STEPS[PATH][1:])
def test_three_exhibits_stand_side_by_side(step: str) -> None:
    app = opened(step)
    assert not app.exception
    assert not app.error
    titles = [element.value for element in app.markdown if element.value.startswith("**")]
    known = ["**Floor at -6**", "**No floor**", "**One variance**"]
    assert [title for title in titles if title in known] == known


def test_the_score_is_the_held_out_elbo() -> None:
    app = opened()
    (table,) = (element.value for element in app.markdown if element.value.startswith("|"))
    for name in EXHIBITS:
        elbo = vae.read_record(name).held_out["elbo"]
        assert f"| {elbo:,.1f} | {elbo / (784 * math.log(256)):.0%} |" in table
        assert f"{vae.read_record(name).held_out['bits_per_dimension']:.2f} |" in table
    assert "4,347.4 | 100% | 0.00 |" in table


def test_nats_of_the_border_and_the_rest_make_the_whole() -> None:
    app = opened("nats", variance__nats="image", image="3")
    sums = [
        tuple(float(number.replace(",", "").replace("−", "-")) for number in re.findall(r"-?[\d,]+", element.value)[:3])
        for element in app.markdown
        if element.value.startswith("Border")
    ]
    assert len(sums) == 3
    test = vae.load_dataset(MNIST).test
    for name, (border, rest, whole) in zip(EXHIBITS, sums, strict=True):
        assert abs(border + rest - whole) <= 1  # each is rounded
        model = vae.load(name)
        with torch.inference_mode():
            z = torch.from_numpy(vae.encode(model, test.images).mean[3])
            x = cache.pixels(cache.model_id(name), MNIST, (3,))
            want = model.decoder(z).log_prob(x).item()
        np.testing.assert_allclose(whole, want, atol=0.6)


@pytest.mark.parametrize("model", ["mnist-20d", "mnist-bernoulli-2d", "mnist-autoencoder-2d", "mnist-free-variance-2d"])
def test_models_of_every_kind(model: str) -> None:
    app = through_frame(PATH, model, variance__step="map")
    assert not app.exception
    assert not app.error
    kind = vae.read_record(model)
    left_out = kind.model.likelihood == "bernoulli" or kind.training.objective == "autoencoder"
    assert ("left out" in said(app)) == left_out
    assert (f"**{model}: " in said(app)) == (model not in EXHIBITS and not left_out)


def test_floor_moves_the_nats_and_not_the_picture() -> None:
    app = opened("floor")
    before, seen = nats_under_the_floor(app), pictures(app)[-6:]
    app.slider(key="variance.floor").set_value(-2.0).run()
    after, shown = nats_under_the_floor(app), pictures(app)[-6:]
    assert not app.exception
    assert (len(before), len(after), len(seen), len(shown)) == (3, 3, 6, 6)
    assert all(low < high for low, high in zip(after[:2], before[:2], strict=True))  # the shared sigma may be above it
    assert after[0] < before[0] - 100
    for (caption, old), (_caption, new) in zip(seen, shown, strict=True):
        assert (old == new) == caption.startswith("mean")


def test_click_on_a_map_decodes_there() -> None:
    app = opened("map")
    before = pictures(app)[:9]
    model = cache.model_id("mnist-2d")
    selection = {"points": [{"customdata": 40}], "point_indices": [40], "box": [], "lasso": []}
    app.session_state[f"variance.map.{model}.0"] = PlotlyState({"selection": selection})
    app.run()
    assert not app.exception
    after = pictures(app)[:9]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False] * 3 + [True] * 6


def test_image_comes_from_the_link_or_from_another_page() -> None:
    app = opened("map", image="7")
    assert app.number_input(key="variance.row").value == 7
    assert app.session_state["image"] == 7
    app.button(key="variance.image.4").click().run()
    labels = vae.load_dataset(MNIST).test.labels.numpy()
    assert app.number_input(key="variance.row").value == int(np.flatnonzero(labels == 4)[0])
    app.session_state["image"] = 11  # as a click on the map does
    app.run()
    assert app.number_input(key="variance.row").value == 11
    assert not app.exception


@pytest.mark.parametrize("query", [{"variance__floor": "-7.3"}, {"variance__floor": "x", "image": "1e9"}])
def test_odd_links_are_taken_as_well_as_can_be(query: dict[str, str]) -> None:
    app = opened("floor", **query)
    assert not app.exception
    assert len(nats_under_the_floor(app)) == 3


def test_missing_exhibit_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    records, troubles = catalogue()
    monkeypatch.setattr(scene, "catalogue", lambda: ([r for r in records if "free" not in r.name], troubles))
    app = opened("floor")
    assert not app.exception
    assert "**No floor**" not in said(app)
    assert len(nats_under_the_floor(app)) == 2


def test_only_models_without_a_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    records, troubles = catalogue()
    monkeypatch.setattr(scene, "catalogue", lambda: ([r for r in records if "bernoulli" in r.name], troubles))
    app = opened(model="mnist-bernoulli-2d")
    assert not app.exception
    assert "Choose a model with a Gaussian likelihood" in said(app)


def test_the_sample_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path))
    st.cache_resource.clear()  # of what other tests read elsewhere
    app = opened("floor")
    st.cache_resource.clear()
    assert not app.exception
    assert not app.error
    assert app.number_input(key="variance.row").max == 1999
    assert len(nats_under_the_floor(app)) == 3
