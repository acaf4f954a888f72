"""The files that the menu gives away: what each page offers, and what is in them."""

import csv
import io
import threading
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

import vae
from pages import cache
from pages.explore.panels import interpolation
from pages.takeaway import files
from pages.takeaway.offers import Offer
from pages.takeaway.templates import PAGES as NOTEBOOKS
from pages.ui import state
from tests.app.test_colour import trained
from tests.app.test_pages import PAGES, opened, own_folder
from tests.app.test_probe_page import sent, visited
from tests.app.test_takeaway_notebooks import view
from tests.notebook_format import checked
from tests.waiting import HANG
from vae.uses import probe

pytestmark = pytest.mark.slow

__all__ = ["own_folder", "trained"]  # fixtures


def session() -> None:
    """A script that asks for the offers of a page."""
    import streamlit as st

    from pages import cache
    from pages.takeaway import files
    from pages.ui import state

    st.session_state["offers"] = files.offers(st.session_state["path"], cache.model_id(state.model()))


def offered(path: str, model: str = "mnist-2d", **in_use: Any) -> dict[str, Offer]:
    """What a page offers, by the endings of the files' names."""
    return {name.rpartition(".")[2]: offer for name, offer in offered_files(path, model, **in_use).items()}


def offered_files(path: str, model: str = "mnist-2d", **in_use: Any) -> dict[str, Offer]:
    """What a page offers, by the names of the files."""
    app = AppTest.from_function(session, default_timeout=HANG)
    for key, value in {"path": path, "model": model, **in_use}.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception
    found = app.session_state["offers"]
    return {offer.file: offer for offer in found}


def elsewhere(make: Callable[[], bytes]) -> bytes:
    """Makes a file as a download does: in a thread that knows no session."""
    made: list[bytes] = []
    thread = threading.Thread(target=lambda: made.append(make()))
    thread.start()
    thread.join()
    return made[0]


def read(content: bytes) -> dict[str, list[str]]:
    """Reads a table by columns."""
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    return {name: [row[column] for row in rows] for column, name in enumerate(header)}


@pytest.mark.slow
def test_every_page_has_a_notebook_and_the_files_of_the_model_in_use() -> None:
    paths = [path.removeprefix("pages/").removesuffix(".py") for path in PAGES]
    assert set(paths) == NOTEBOOKS.keys()
    for path in paths:
        found = offered(path)
        assert found.keys() == {"csv", "gif", "html", "zip", "ipynb"}, path
        assert all(offer.label and offer.mime and offer.icon.startswith(":material/") for offer in found.values())
        checked(elsewhere(found["ipynb"].make))
    assert "ipynb" not in offered("measure/likelihood", "mnist-autoencoder-2d")


def test_files_are_named_after_the_model_and_the_page() -> None:
    assert [offer.file.removeprefix("mnist-5d-") for offer in offered("explore/latent_map", "mnist-5d").values()] == [
        "codes.csv", "walk.gif", "map.html", "onnx.zip", "latent-map.ipynb",
    ]  # fmt: skip
    assert offered("learn/lesson", chapter="7")["ipynb"].file == "mnist-2d-lesson-7.ipynb"
    assert [offered("train/train", "mnist-5d")[kind].file for kind in ("ipynb", "csv")] == [
        "train.ipynb", "mnist-5d-codes.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "model", "file", "why"),
    [
        ("measure/variance", "mnist-bernoulli-2d", "mnist-2d-variance.ipynb", "has a Bernoulli decoder"),
        ("measure/variance", "mnist-autoencoder-2d", "mnist-2d-variance.ipynb", "is a plain autoencoder"),
        ("measure/variance", "mnist-free-variance-2d", "mnist-free-variance-2d-variance.ipynb", None),
        ("learn/lesson", "mnist-20d", "mnist-2d-lesson-2.ipynb", "has J = 20, and this chapter needs J = 2"),
        ("learn/lesson", "mnist-autoencoder-2d", "mnist-2d-lesson-2.ipynb", "is a plain autoencoder"),
        ("learn/lesson", "mnist-bernoulli-2d", "mnist-bernoulli-2d-lesson-2.ipynb", None),
    ],
)
def test_a_notebook_is_named_after_the_model_in_it_and_says_why_that_is_another(
    path: str, model: str, file: str, why: str | None
) -> None:
    offer = offered(path, model, chapter="2")["ipynb"]
    assert offer.file == file
    head, _imports, load = ("".join(cell["source"]) for cell in checked(elsewhere(offer.make))["cells"][:3])
    if why is None:
        assert f'vae.load("{model}")' in load and "instead" not in head
    else:
        assert 'vae.load("mnist-2d")' in load
        assert f"The current model, `{model}`, {why}" in head and "uses `mnist-2d` instead." in head


def test_codes_of_draws_are_not_called_those_of_test_images(own_folder: Any) -> None:
    config = vae.ModelConfig(image_shape=(12, 10), encoder_layers=(8,), decoder_layers=(8,), latent=3)
    vae.save(vae.build(config), vae.Record(name="mine", model=config, training=vae.TrainConfig(data="gone")))
    labels = [offered("explore/samples", model)["csv"].label for model in ("mine", "mnist-5d")]
    assert labels == ["Codes of samples from the model (CSV)", "Codes of the test images (CSV)"]


def test_the_notebook_has_what_is_in_use() -> None:
    used = {"image": 12, "z": (0.5, 0.25), "seed": 3}
    made = elsewhere(offered("explore/latent_map", **used)["ipynb"].make).decode()
    assert "np.array([[0.5, 0.25]], np.float32)" in made and "seed=3" in made
    made = elsewhere(offered("explore/latent_map", "mnist-5d", **used)["ipynb"].make).decode()
    assert "np.array(" not in made and "row = 12 " in made  # it is a latent of another model
    plane = {"map.plane": "two", "map.first": 4, "map.second": 1}
    made = elsewhere(offered("explore/latent_map", "mnist-5d", **plane)["ipynb"].make).decode()
    assert "coordinate_axes(codes.mean, 4, 1)" in made


def test_the_notebook_of_the_page_train_has_its_settings() -> None:
    app = opened("pages/train/train.py").run()
    app.number_input(key="train.latent").set_value(7).run()
    kept = app.session_state._state.filtered_state
    settings = {key: value for key, value in kept.items() if key.startswith("train.")}
    made = elsewhere(offered("train/train", **settings)["ipynb"].make).decode()
    assert "ModelConfig(latent=7)" in made and "vae train my-model --latent=7" in made
    refused = offered("train/train", **{**settings, "train.latent": 0})
    assert refused.keys() == {"csv", "gif", "html", "zip"}  # there is no training to repeat, but a model in use


def test_codes_are_those_of_the_map_with_their_labels() -> None:
    codes, dataset = cache.codes(cache.model_id("mnist-5d")), cache.images(cache.model_id("mnist-5d"))
    table = read(elsewhere(offered("explore/views", "mnist-5d")["csv"].make))
    assert table["index"] == [str(index) for index in range(len(dataset.test))]
    assert table["label"] == [dataset.classes[label] for label in dataset.test.labels]
    for name, values in (("mean", codes.mean), ("standard_deviation", codes.deviation), ("kl", codes.kl)):
        columns = np.stack([np.array(table[f"{name}_{j}"], np.float32) for j in range(1, 6)], 1)
        assert np.array_equal(columns, values)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "shape"), [(1, (12, 10)), (64, (12, 10, 3))])
def test_codes_of_images_without_labels(trained: Callable[..., vae.Dataset], size: int, shape: tuple[int, ...]) -> None:
    mine = trained(shape, latent=size)
    mine.train.labelled = mine.test.labelled = False
    table = read(files.codes(view("of-mine")))
    assert "label" not in table and len(table) == 2 + 3 * size
    assert np.array_equal(np.array(table["mean_1"], np.float32), cache.codes(cache.model_id("of-mine")).mean[:, 0])


def test_codes_of_a_plain_autoencoder_are_means() -> None:
    assert list(read(files.codes(view("mnist-autoencoder-2d")))) == ["index", "label", "mean_1", "mean_2"]


@pytest.mark.parametrize(
    ("model", "part"),
    [("mnist-2d", "doubt"), ("mnist-5d", "map"), ("mnist-5d", "flip"), ("mnist-autoencoder-2d", "map")],
)
def test_the_plane_of_a_classifier_is_the_one_of_the_page(model: str, part: str) -> None:
    told = sent(visited(model, image="5", probe__part=part))
    found = offered_files("explore/probe", model, image=5, **{"probe.part": part})[f"{model}-probe.csv"]
    table, grid, size = read(elsewhere(found.make)), told["grid"], cache.record(model).model.latent
    z = np.stack([np.array(table[f"z_{j}"], float) for j in range(1, size + 1)], 1)
    low, step, directions = np.array(grid["low"]), grid["step"], np.array(told["basis"]["directions"]).reshape(2, -1)
    place = low + step * np.array([4, 2])  # the fifth of the third row
    np.testing.assert_allclose(z[2 * grid["width"] + 4], told["basis"]["mean"] + place @ directions, atol=1e-4)
    assert len(z) == grid["width"] * grid["height"]
    judge = cache.probe.shipped(cache.model_id(model))
    assert judge is not None
    some = np.arange(0, len(z), 97)
    wanted = np.exp(probe.decoded_log_probabilities(vae.load(model), judge.judge, z[some]))
    shares = np.stack([np.array(table[f"p_{k}"], float) for k in range(10)], 1)[some]
    np.testing.assert_allclose(shares, wanted, atol=1e-3)
    assert [table["class"][i] for i in some] == [str(k) for k in shares.argmax(1)]
    assert ("log_q" in table) == ("log_prior" in table) == ("autoencoder" not in model)
    if "log_prior" in table:
        density = -0.5 * ((z**2).sum(1) + size * np.log(2 * np.pi))
        np.testing.assert_allclose(np.array(table["log_prior"], float), density, atol=1e-3)


def test_no_plane_is_offered_without_a_classifier(own_folder: Any) -> None:
    config = vae.ModelConfig(image_shape=(12, 10), encoder_layers=(8,), decoder_layers=(8,))
    vae.save(vae.build(config), vae.Record(name="mine", model=config, training=vae.TrainConfig(data="gone")))
    assert "mine-probe.csv" not in offered_files("explore/probe", "mine")
    assert "mnist-2d-probe.csv" not in offered_files("explore/views")


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """The ends of all walks that were made."""
    ends, animation = [], interpolation.animation

    def told(model: cache.Model, begin: np.ndarray, end: np.ndarray) -> bytes:
        ends.append((begin, end))
        return animation(model, begin, end)

    monkeypatch.setattr(interpolation, "animation", told)
    return ends


DRAWN = state.Drawing(np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8), "1", [], None)


@pytest.mark.parametrize(
    "in_use",
    [
        {"image": 7},
        {"image": 7, "decode.walk.to": 30},
        {"z": (0.5, -2.0), "decode.walk.to": 30},
        {"image": 7, "drawing": DRAWN, "decode.walk.from.start": "drawing"},
        {"image": 7, "drawing": DRAWN, "decode.walk.to": 30, "decode.walk.to.start": "drawing"},
    ],
    ids=["nothing chosen", "an image chosen", "a latent in use", "from the drawing", "to the drawing"],
)
def test_the_walk_is_the_one_of_the_page_decode(walked: list[Any], in_use: dict[str, Any]) -> None:
    made = elsewhere(offered("explore/samples", **in_use)["gif"].make)
    page = opened("pages/explore/decode.py")
    for key, value in {"decode.panel": "interpolation", **in_use}.items():
        page.session_state[key] = value
    assert not page.run().exception
    mine, its = walked
    assert np.array_equal(mine[0], its[0]) and np.array_equal(mine[1], its[1])
    with Image.open(io.BytesIO(made)) as picture:
        assert (picture.format, picture.n_frames, picture.size) == ("GIF", 48, (336, 168))
        whole = np.asarray(picture.convert("L")) / 255
    first = vae.decode(cache.load(cache.model_id("mnist-2d")), mine[0][None]).mean[0]
    assert np.abs(whole[::6, :168:6] - first).max() <= 0.51 / 255


@pytest.mark.parametrize(("size", "shape"), [(1, (12, 10)), (64, (12, 10, 3))])
def test_a_walk_of_other_models(trained: Callable[..., vae.Dataset], size: int, shape: tuple[int, ...]) -> None:
    trained(shape, latent=size)
    with Image.open(io.BytesIO(files.walk(view("of-mine")))) as picture:
        assert (picture.n_frames, picture.size) == (48, (2 * 6 * 10, 6 * 12))


@pytest.mark.slow
def test_networks_in_colour_agree_with_the_model_on_a_hundred_images(trained: Callable[..., vae.Dataset]) -> None:
    pytest.importorskip("onnxscript", reason="onnxscript (requirements-extra.txt)")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime (requirements-extra.txt)")
    mine = trained((12, 10, 3), latent=64)
    model = cache.load(cache.model_id("of-mine"))
    x = model.pixels(mine.train.images[:100], vae.generator(0))
    q = model.encoder(x).base_dist
    p = model.decoder(q.loc).base_dist
    with zipfile.ZipFile(io.BytesIO(offered("explore/decode", "of-mine")["zip"].make())) as archive:
        came = []
        for name, given in (("encoder", {"pixels": x}), ("decoder", {"z": q.loc})):
            session = runtime.InferenceSession(archive.read(f"{name}.onnx"), providers=["CPUExecutionProvider"])
            came += session.run(None, {key: value.numpy() for key, value in given.items()})
    for ours, theirs in zip((q.loc, q.log_variance, p.loc, p.log_variance), came, strict=True):
        assert torch.isfinite(ours).all() and np.abs(ours.numpy() - theirs).max() <= 1e-5 * np.abs(theirs).max()
