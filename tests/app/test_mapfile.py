"""The map as one file: what is in it, that it asks nobody for anything, and that names in it may be of any text."""

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

import vae
from pages import cache
from pages.takeaway import mapfile
from pages.ui import language
from tests.app.test_pages import own_folder
from tests.toys import toy_split
from tests.waiting import HANG
from vae import data
from vae.errors import ConfigError

__all__ = ["own_folder"]  # a fixture

URI = re.compile(r"data:([\w/]+)(?:;charset=utf-8)?;base64,([\w+/=]+)")
ODD = '</script><script>alert(1)</script> & "two" <!-- 字 \ud800'


class Parsed(HTMLParser):
    """The elements of a file, and the text in each script by its type."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.scripts: dict[str, str] = {}
        self.said = ""
        self.open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open = dict(attrs).get("type") or "" if tag == "script" else tag
        self.links += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, text: str) -> None:
        if self.tags and self.tags[-1] == "script" and self.open != "script":
            self.scripts[self.open] = self.scripts.get(self.open, "") + text
        elif self.open != "style":
            self.said += text

    def handle_endtag(self, tag: str) -> None:
        self.open = "script" if tag == "script" else ""

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.scripts["application/json"])

    @property
    def modules(self) -> dict[str, str]:
        """The modules' text by name."""
        imports = json.loads(self.scripts["importmap"])["imports"]
        return {name: base64.b64decode(URI.fullmatch(uri)[2]).decode() for name, uri in imports.items()}


def written(name: str, begin: mapfile.InUse = mapfile.BEGIN) -> Parsed:
    return Parsed(mapfile.page(cache.model_id(name), begin).decode())


def array(stored: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(stored["base64"]), stored["kind"])


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, own_folder: Path) -> Iterator[Callable[..., vae.Dataset]]:
    """Makes a model and the 250 test images that it is about, of three classes by default."""
    kept = (st.cache_resource, st.cache_data)

    def make(classes: tuple[str, ...] = ("a", "b", "c"), title: str = "blobs", **changes: object) -> vae.Dataset:
        train, test = (toy_split(count, (12, 10), seed) for seed, count in enumerate((50, 250)))
        labels = [torch.arange(len(each)) % len(classes) if classes else None for each in (train, test)]
        train, test = vae.Split(train.images, labels[0]), vae.Split(test.images, labels[1])
        mine = vae.Dataset("fashion-mnist", train, test, classes, "1", title)
        load, available = vae.load_dataset, data.available
        monkeypatch.setattr(data, "available", lambda name: name == mine.name or available(name))
        monkeypatch.setattr(vae, "load_dataset", lambda name, **how: mine if name == mine.name else load(name, **how))
        for each in kept:
            each.clear()
        config = vae.ModelConfig(
            **{"image_shape": (12, 10), "encoder_layers": (8,), "decoder_layers": (8,), **changes}  # type: ignore[arg-type]
        )
        training = vae.TrainConfig(data=mine.name)
        vae.save(vae.build(config), vae.Record(name="of-mine", model=config, training=training))
        return mine

    yield make
    for each in kept:
        each.clear()


def test_the_file_asks_nobody_for_anything() -> None:
    html = mapfile.page(cache.model_id("mnist-2d")).decode()
    found = Parsed(html)
    assert html.startswith("<!doctype html>") and not found.links
    assert found.tags.count("script") == 3 and not {"link", "img", "iframe", "base"} & set(found.tags)
    for text in (URI.sub("", html), *found.modules.values()):
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import url", text)


def test_the_modules_are_those_of_the_app_and_import_only_one_another() -> None:
    modules = written("mnist-2d").modules
    folder = Path(mapfile.__file__).parents[1] / "ui" / "browser" / "modules"
    assert {"alone.js", "map.js", "keep.js", "net.js"} <= modules.keys()
    for name, text in modules.items():
        imported = set(re.findall(r'^(?:import|}) .*from "(.*)";$', text, re.MULTILINE))
        assert imported <= modules.keys() and len(re.findall(r"^import\b", text, re.MULTILINE)) == len(imported)
        original = (folder / name).read_text(encoding="utf-8")
        assert re.sub(r'from "(?!\./)', 'from "./', text) == original.replace("import.meta.url", '"file:///"')


def test_it_has_the_codes_the_labels_and_the_pictures_of_the_test_images(
    trained: Callable[..., vae.Dataset],
) -> None:
    mine = trained()
    found = written("of-mine")
    model = found.data["model"]
    codes = vae.encode(vae.load("of-mine"), mine.test.images)
    for values, scale, truth in (
        ("means", "mean_scale", codes.mean),
        ("deviations", "deviation_scale", codes.deviation),
    ):
        low, step = (np.array(model[scale][part]) for part in ("low", "step"))
        numbers = low + step * array(model[values]).reshape(-1, 2)
        assert (np.abs(numbers - truth) <= 0.51 * step + 1e-6).all()
    assert (array(model["labels"]) == mine.test.labels.numpy()).all() and model["count"] == 250
    sheets = [np.array(Image.open(io.BytesIO(base64.b64decode(URI.fullmatch(uri)[2])))) for uri in model["sheets"]]
    assert len(sheets) == 3
    for row in (0, 99, 100, 249):
        down, across = divmod(row % 100, 10)
        picture = sheets[row // 100][12 * down : 12 * down + 12, 10 * across : 10 * across + 10]
        assert (picture == mine.test.images[row].numpy()).all()
    assert "blobs: 250 test images" in found.said and "Latent map of of-mine" in found.said


def test_names_may_be_any_text(trained: Callable[..., vae.Dataset]) -> None:
    trained((ODD, "b"), title=ODD.rstrip("\ud800"))
    found = written("of-mine")
    assert found.tags.count("script") == 3
    assert found.data["map"]["classes"] == [ODD, "b"]
    assert ODD.rstrip("\ud800") in found.said


def test_of_many_images_the_first_are_shown_and_the_file_says_so(
    trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(latent=3)
    whole = written("of-mine").data["model"]
    monkeypatch.setattr(mapfile, "MOST_IMAGES", 200)
    found = written("of-mine")
    assert "blobs: the first 200 of 250 test images" in found.said
    model = found.data["model"]
    assert model["count"] == len(array(model["labels"])) == 200 and len(model["sheets"]) == 2
    for name in ("means", "deviations"):
        assert (array(model[name]) == array(whole[name])[:600]).all() and len(array(model[name])) == 600
    last = written("of-mine", mapfile.InUse(row=230)).data["map"]  # its code stays in use
    assert last["row"] is None and np.allclose(last["z"], cache.codes(cache.model_id("of-mine")).mean[230], atol=1e-5)
    monkeypatch.setattr(mapfile, "MOST_BYTES", 1)  # a hundred are there in any case
    assert written("of-mine").data["model"]["count"] == 100


def test_it_begins_with_the_latent_and_the_clusters_that_are_in_use(trained: Callable[..., vae.Dataset]) -> None:
    trained(())
    model = cache.model_id("of-mine")
    found = written("of-mine", mapfile.InUse(z=(0.5, -1.25), clusters=4))
    told = found.data["map"]
    assert told["row"] is None and told["z"] == [0.5, -1.25]
    assert told["classes"] == [f"cluster {number}" for number in (1, 2, 3, 4)]
    assert np.allclose(np.reshape(told["centres"], (4, 2)), cache.latent.clusters(model, 4).centres)
    assert "k-means clusters of the codes" in found.said
    assert "the density of the codes" in written("of-mine").said


@pytest.mark.parametrize("changes", [{"channels": (4,)}, {"decoder_layers": (128,)}], ids=str)
def test_a_decoder_that_does_not_run_in_a_browser_is_refused(
    trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr("vae.model.portable.MOST_PORTABLE", 2000)
    trained(**changes)
    with pytest.raises(ConfigError, match=r"decoder of of-mine cannot run in a browser.*multilayer perceptron"):
        written("of-mine")


def test_an_encoder_that_stays_on_the_server_is_not_missed(
    trained: Callable[..., vae.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae.model.portable.MOST_PORTABLE", 3000)
    trained(encoder_layers=(64,))
    assert not cache.browser.nets_travel(cache.model_id("of-mine"))
    assert "decoder" in written("of-mine").data["model"]


def in_a_session() -> None:
    import streamlit as st

    from pages import cache
    from pages.takeaway import mapfile

    model = cache.model_id("mnist-5d")
    st.session_state["file"] = mapfile.page(model, mapfile.in_use(model))


def test_it_is_in_the_language_and_of_the_plane_and_the_image_of_the_session() -> None:
    app = AppTest.from_function(in_a_session, default_timeout=HANG)
    app.session_state["lang"], app.session_state["image"] = "zh", 7
    app.session_state["map.plane"], app.session_state["map.first"], app.session_state["map.second"] = "two", 3, 1
    html = app.run().session_state["file"].decode()
    assert not app.exception
    told = Parsed(html).data["map"]
    assert '<html lang="zh">' in html
    assert told["words"]["manifold"] == language.CATALOGUES["zh"].gettext("Decoded plane") != "Decoded plane"
    assert told["titles"] == ["z₄", "z₂"] and told["row"] == 7
    assert np.flatnonzero(told["basis"]["directions"]).tolist() == [3, 5 + 1]
    codes = vae.encode(vae.load("mnist-5d"), cache.images(cache.model_id("mnist-5d")).test.images)
    assert np.allclose(told["z"], codes.mean[7], atol=1e-4)


def test_a_plane_of_another_model_gives_way_to_the_principal_directions() -> None:
    app = AppTest.from_function(in_a_session, default_timeout=HANG)
    app.session_state["map.plane"], app.session_state["map.first"], app.session_state["map.second"] = "two", 12, 1
    told = Parsed(app.run().session_state["file"].decode()).data["map"]
    axes = cache.axes(cache.model_id("mnist-5d"), None)
    assert np.allclose(told["basis"]["directions"], axes.directions.ravel())
