"""The page Views, step by step: projections shown or computed, dimensions counted, holes marked."""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import vae
from pages.cache import latent as cache_latent
from tests.app.test_latent_panels import images, save_odd
from tests.app.test_pages import own_folder, said, through_frame  # noqa: F401 - a fixture that applies by itself
from vae import data, latent
from vae.latent import aggregate, projections

pytestmark = pytest.mark.slow

PATH = "pages/explore/views.py"
SAMPLE = vae.load_dataset("mnist-sample")
NAME = "mnist" if data.available("mnist") else "mnist-sample"


def charts(app: AppTest) -> list[dict]:
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


@pytest.mark.parametrize("model", ["mnist-2d", "mnist-20d", "mnist-bernoulli-2d", "mnist-autoencoder-2d"])
def test_every_shipped_model(model: str) -> None:
    three = model in ("mnist-5d", "mnist-10d", "mnist-20d")
    for step, count in {"codes": 3 if three else 1, "prior": "autoencoder" not in model, "dimensions": 1}.items():
        app = through_frame(PATH, model, views__step=step)
        assert not app.exception and not app.error
        assert not app.main.button  # whatever there is to compute has been
        assert len(charts(app)) == count
        assert ("Wattenberg" in said(app)) == (three and step == "codes")


def test_codes_on_a_line_have_no_projection() -> None:
    save_odd({"latent": 1, "likelihood": "bernoulli"}, {})
    app = through_frame(PATH, "mnist-2d")
    assert app.segmented_control(key="views.step").value == "codes"
    app.sidebar.selectbox(key="model").select("odd").run()
    assert not app.exception and app.segmented_control(key="views.step").value == "prior"
    assert app.segmented_control(key="views.step").options == ["Aggregate posterior", "Dimensions"]


def test_projections_that_ship_are_shown_at_once() -> None:
    app = through_frame(PATH, "mnist-5d")
    for chart, method in zip(charts(app)[1:3], projections.METHODS, strict=True):
        points = projections.load_projection(projections.projection_file("mnist-5d", NAME, method)).points
        trace = chart["data"][3]
        rows = np.frombuffer(_bytes(trace["customdata"]), trace["customdata"]["dtype"])
        across = np.frombuffer(_bytes(trace["x"]), trace["x"]["dtype"])
        np.testing.assert_array_equal(across, points[rows, 0])


def _bytes(array: dict) -> bytes:
    return base64.b64decode(array["bdata"])


def test_a_projection_is_computed_when_asked_for_and_kept(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    save_odd({"latent": 3}, {})
    monkeypatch.setattr(projections, "project", lambda means, method, *, seed: means[:, :2])
    app = through_frame(PATH, "odd")
    assert len(charts(app)) == 1 and "not been computed" in said(app)
    app.button(key="views.tsne.run").click().run()
    assert not app.exception and not app.error
    assert len(charts(app)) == 2
    assert (own_folder / "odd" / "projection-mnist-sample-tsne.npz").is_file()
    app.run()
    assert len(charts(app)) == 2 and [button.key for button in app.main.button] == ["views.umap.run"]


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    save_odd({"latent": 3}, {})
    monkeypatch.setitem(sys.modules, "umap", None)
    app = through_frame(PATH, "odd")
    app.button(key="views.umap.run").click().run()
    assert not app.exception
    assert "python -m pip install umap-learn" in app.error[0].value
    assert len(charts(app)) == 1  # the rest stands


def test_units_are_counted_and_stand_in_the_order_of_what_they_carry() -> None:
    app = through_frame(PATH, "mnist-20d", views__step="dimensions")
    images = vae.load_dataset(NAME, fetch=False).test.images
    codes = vae.encode(vae.load("mnist-20d"), images)
    assert f"**{(codes.mean.var(0) > 0.01).sum()} of 20 units are active**" in said(app)
    bars = charts(app)[0]["data"][0]
    kl = np.frombuffer(_bytes(bars["y"]), bars["y"]["dtype"])
    np.testing.assert_allclose(kl, np.sort(codes.kl.mean(0))[::-1], rtol=1e-4)


@pytest.mark.parametrize("latents", [1, 2])
def test_the_share_in_holes_is_the_librarys(latents: int) -> None:
    save_odd({"latent": latents, "likelihood": "bernoulli"}, {})
    app = through_frame(PATH, "odd", views__step="prior")
    model = vae.load("odd")
    axes = latent.coordinate_axes(latent.encode(model, SAMPLE.test.images).mean, 0, latents - 1)
    found = aggregate.holes(latent.encode(model, SAMPLE.train.images), axes, cache_latent.SIDE)
    assert f"**{found.share:.1%} of the prior's mass**" in said(app)
    assert bool(len(found.places)) == (not any("No hole" in each.value for each in app.caption))


def test_what_lies_in_a_hole_is_decoded() -> None:
    app = through_frame(PATH, "mnist-2d", views__step="prior")
    alt, sheet = images(app)[-1]
    assert alt.startswith("Above: decoded points")
    assert sheet.size[0] % 56 == 0 and sheet.size[1] > 112
