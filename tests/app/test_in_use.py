"""What is in use on all pages, an image, a latent or a drawing: reported by a component, kept, and in the link."""

import base64
from collections.abc import Iterator

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import vae
from tests.app.test_pages import ROOT, opened, own_folder, said, through_frame

pytestmark = pytest.mark.slow
__all__ = ["own_folder"]  # a fixture

MAP, DECODE, DRAW = (f"pages/explore/{name}.py" for name in ("latent_map", "decode", "draw"))


def report(app: AppTest, key: str, what: str, **fields: object) -> AppTest:
    """What the browser would say, and the answer."""
    app.session_state[key] = {what: fields}
    return app.run()


def link(app: AppTest) -> dict[str, str]:
    """The image and the latent in the link; a parameter comes as a text, or as the only one of a list."""
    found = {name: app.query_params.get(name) for name in ("image", "z")}
    return {name: value if isinstance(value, str) else value[0] for name, value in found.items() if value}


def test_an_image_that_is_clicked_is_in_use_and_in_the_link() -> None:
    app = through_frame(MAP)
    report(app, "map.mnist-2d", "chosen", n=1, row=77, z=None)
    assert not app.exception
    assert (app.session_state["image"], app.session_state["z"]) == (77, None)
    assert link(app) == {"image": "77"}
    app.switch_page(str(ROOT / DECODE)).run()
    assert app.number_input(key="decode.row").value == 77
    assert link(app) == {"image": "77"}


def test_a_place_that_is_clicked_is_in_use_until_an_image_is() -> None:
    app = through_frame(MAP)
    report(app, "map.mnist-2d", "chosen", n=1, row=None, z=[0.5, -1.25])
    assert link(app) == {"z": "0.5,-1.25"}
    assert "q(z|x) of test image" not in " ".join(each.label for each in app.expander)
    app.switch_page(str(ROOT / DECODE)).run()
    assert app.session_state["z"] == (0.5, -1.25)
    app.number_input(key="decode.row").set_value(3).run()
    assert link(app) == {"image": "3"}


def test_a_report_counts_once() -> None:
    app = through_frame(MAP)
    report(app, "map.mnist-2d", "chosen", n=1, row=5, z=None)
    app.session_state["image"] = 9  # as another control does
    app.run()
    assert app.session_state["image"] == 9
    report(app, "map.mnist-2d", "chosen", n=2, row=5, z=None)
    assert app.session_state["image"] == 5


def test_a_link_is_taken_up() -> None:
    app = opened()
    app.query_params.update({"model": "mnist-2d", "image": "12", "z": "1,-2"})
    app.run()
    assert (app.session_state["image"], app.session_state["z"]) == (12, (1.0, -2.0))
    assert link(app) == {"image": "12", "z": "1,-2"}


@pytest.mark.parametrize("z", ["nan,1", "inf,0", "a,b", "1e9,0", ",", "1;2"])
def test_a_link_with_nonsense_is_passed_over(z: str) -> None:
    app = opened()
    app.query_params.update({"image": "many", "z": z})
    app.run()
    assert not app.exception
    assert not app.error
    assert link(app) == {}


@pytest.mark.parametrize("page", [MAP, DECODE, DRAW])
def test_a_latent_of_another_size_or_an_image_too_many_do_no_harm(page: str) -> None:
    app = opened()
    app.query_params.update({"model": "mnist-5d", "image": "123456", "z": "1,2"})
    app.run().switch_page(str(ROOT / page)).run()
    assert not app.exception
    assert not app.error


def test_a_drawing_is_kept_and_can_be_taken_back() -> None:
    app = through_frame(DRAW)
    take = app.button(key="draw.take")
    assert take.disabled
    pixels = np.arange(784, dtype=np.uint16).astype(np.uint8)
    strokes = [{"brush": 2, "points": [[1, 2], [3, 4]]}]
    drawn = {"pixels": base64.b64encode(pixels.tobytes()).decode(), "strokes": strokes, "ground": None}
    report(app, "draw.pad", "drawn", n=1, **drawn)
    kept = app.session_state["drawing"]
    assert (kept.image.ravel() == pixels).all()
    assert (kept.id, kept.strokes, kept.ground) == ("1", strokes, None)
    assert not app.button(key="draw.take").disabled
    report(app, "draw.pad", "drawn", n=2, pixels=None, strokes=[], ground=None)
    assert app.session_state["drawing"] is None


def test_what_was_said_last_counts_on_the_next_page_too() -> None:
    app = through_frame(MAP)
    app.session_state["map.mnist-2d"] = {"chosen": {"n": 5, "row": None, "z": [1.5, 0.5]}}
    app.switch_page(str(ROOT / "pages/explore/samples.py")).run()
    assert app.session_state["z"] == (1.5, 0.5)
    assert link(app) == {"z": "1.5,0.5"}


@pytest.fixture
def nothing_travels(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if each net were too large for a browser."""
    monkeypatch.setattr("vae.model.portable.MOST_PORTABLE", 1)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_the_server_decodes_where_the_browser_cannot(nothing_travels: None) -> None:
    app = through_frame(DECODE, "mnist-5d")
    assert "The server decodes" in said(app)
    images = vae.load_dataset("mnist" if vae.data.datasets.available("mnist") else "mnist-sample").test.images
    codes = vae.encode(vae.load("mnist-5d"), images)
    assert [slider.label[:2] for slider in app.slider] == [f"z{'₁₂₃₄₅'[j]}" for j in codes.kl.mean(0).argsort()[::-1]]
    slider = app.slider[0]
    slider.set_value(1.25).run()
    first = int(codes.kl.mean(0).argmax())
    assert app.session_state["z"][first] == 1.25
    others = [j for j in range(5) if j != first]
    assert np.allclose(np.array(app.session_state["z"])[others], codes.mean[0, others], atol=0.006)
    report(through_frame(MAP, "mnist-5d"), "map.mnist-5d", "asked", z=[0.0] * 5, manifold=True)
    app = through_frame(DRAW, "mnist-5d")
    report(app, "draw.pad", "drawn", n=1, pixels=base64.b64encode(bytes(784)).decode(), strokes=[], ground=None)
    assert not app.exception
