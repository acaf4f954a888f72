"""The sheets of test images: their addresses, and what the server keeps of them."""

import io

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

import vae
from pages import cache
from pages.ui import images
from tests.toys import toy_dataset
from vae.errors import DataError

NAME = "fashion-mnist"


def use(monkeypatch: pytest.MonkeyPatch, mine: vae.Dataset) -> None:
    """Makes a data set the one that the server finds by the name, as after it was kept there."""

    def load(name: str, **_how: object) -> vae.Dataset:
        if name != NAME:
            raise DataError(f"There is no data set {name}.")
        return mine

    monkeypatch.setattr(vae, "load_dataset", load)
    cache.forget_datasets()


def dataset(checksum: str, invert: bool = False) -> vae.Dataset:
    toy = toy_dataset(8, 130, (6, 5), NAME)
    test = vae.Split(255 - toy.test.images) if invert else toy.test
    return vae.Dataset(NAME, toy.train, test, (), checksum, NAME)


@pytest.fixture(autouse=True)
def _forgotten():
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def asked(version: str, number: int, name: str = NAME) -> Response:
    found = {"version": version, "data": name, "number": number}
    return images.answer(Request({"type": "http", "path_params": found}))


def test_a_data_set_that_is_replaced_has_other_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, dataset("one"))
    before = cache.browser.version(NAME)
    assert asked(before, 0).status_code == 200
    use(monkeypatch, dataset("two", invert=True))
    now = cache.browser.version(NAME)
    assert asked(before, 0).status_code == 404
    picture = np.array(Image.open(io.BytesIO(asked(now, 0).body)))
    np.testing.assert_array_equal(picture[:6, 5:10], dataset("two", invert=True).test.images[1].numpy())
    assert asked(now, 0, "nobody's").status_code == 404


def test_the_browser_is_told_the_address_with_the_version() -> None:
    model = cache.model_id("mnist-2d")
    name = cache.images(model).name
    packed = cache.browser.packed(model, name)
    assert packed["images"] == f"images/{cache.browser.version(name)}/{name}"
    assert cache.browser.version(name) in packed["key"]  # by which the browser keeps the codes too
    assert asked(*packed["images"].split("/")[1:2], 0, name).status_code == 200


def test_numbers_past_the_end_take_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, dataset("one"))
    version, made = cache.browser.version(NAME), []
    png = cache.browser.figures.png
    monkeypatch.setattr(cache.browser.figures, "png", lambda image: made.append(1) or png(image))
    assert [asked(version, number).status_code for number in (0, 1)] == [200, 200]  # of 130 images
    assert {asked(version, number).status_code for number in (*range(2, 400), 10**30)} == {404}
    assert [asked(version, number).status_code for number in (0, 1)] == [200, 200]
    assert len(made) == 2
