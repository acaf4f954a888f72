"""The page Models: one's own models put in order, and models of other programs taken in."""

import io
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest
from torch import nn

import vae
from tests.app.test_pages import through_frame
from tests.onnx_files import network, weights
from tests.toys import LAYERS
from vae.data import imports
from vae.report import reports

pytestmark = pytest.mark.slow

PATH = "pages/train/models.py"
CONFIG = vae.ModelConfig(encoder_layers=(4,), decoder_layers=(4,))


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    st.cache_resource.clear()
    vae.save(vae.build(CONFIG), vae.Record(name="mine", model=CONFIG, training=vae.TrainConfig(data="mnist-sample")))
    return tmp_path / "models"


def names() -> list[str]:
    return [record.name for record in vae.catalogue()[0]]


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def test_the_table_says_what_there_is() -> None:
    app = through_frame(PATH, "mnist-2d")
    assert not app.exception and not app.error
    table = app.table[0].value
    assert table["Model"].tolist() == ["mine", *(name for name in names() if name != "mine")]  # one's own first
    assert table["Origin"].tolist() == ["trained here" if name == "mine" else "built in" for name in table["Model"]]
    assert app.button(key="models.rename").disabled and app.button(key="models.delete").disabled  # mnist-2d ships


def test_a_model_of_ones_own_is_renamed_copied_deleted_and_brought_back() -> None:
    app = through_frame(PATH, "mine")
    app.text_input(key="models.new").set_value("other").run()
    press(app, "models.rename")
    assert not app.exception and not app.error and "other" in names() and "mine" not in names()
    assert app.sidebar.selectbox(key="model").value == "other"
    app.text_input(key="models.new").set_value("more").run()
    press(app, "models.copy")
    assert "more" in names() and "other" in names()
    press(app, "models.delete")
    assert not app.exception and "other" not in names() and app.sidebar.selectbox(key="model").value == "mnist-2d"
    press(app, "models.back")
    assert not app.exception and "other" in names()


def report_on(name: str, model: str) -> Path:
    """Writes the file of a report on a model, without parts."""
    path = vae.report.report_file(model, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    key = vae.checksum(model) + "0"
    path.write_text(json.dumps({"format": reports.FORMAT, "key": key, "name": model, "data": name, "parts": []}))
    return path


def test_the_card_lists_reports_and_comparisons_and_opens_them(own: Path) -> None:
    written = time.strftime("%Y-%m-%d %H:%M", time.localtime(report_on("mnist-sample", "mine").stat().st_mtime))
    report_on("mnist", "mine")
    app = through_frame(PATH, "mine")
    lines = [each.value for each in app.markdown]
    assert "**Reports and comparisons**" in lines and f"Report on mnist-sample, {written}" in lines
    assert any(line.startswith("Report on mnist, ") for line in lines)
    buttons = [key for key in keys(app) if key and key.startswith("models.beside")]
    assert buttons == ["models.beside.report.mnist-sample"]  # the page only shows reports on the model's own images
    press(app, buttons[0])
    assert not app.exception and app.sidebar.selectbox(key="model").value == "mine"
    assert "A report on **mine**" in " ".join(each.value for each in app.markdown)
    app = through_frame(PATH, "mnist-2d")
    assert "Comparison of the estimators on mnist" in [each.value for each in app.markdown]


def test_the_card_ignores_results_of_other_weights(own: Path) -> None:
    report_on("mnist-sample", "mine")
    (own / "mine" / "evidence-mnist-sample.npz").write_bytes(b"nothing")
    vae.save(vae.build(CONFIG, 3), vae.read_record("mine"), overwrite=True)
    app = through_frame(PATH, "mine")
    assert not app.exception and "**Reports and comparisons**" not in [each.value for each in app.markdown]


def test_a_model_whose_name_is_taken_meanwhile_is_brought_back_later(own: Path) -> None:
    app = through_frame(PATH, "mine")
    press(app, "models.delete")
    vae.save(vae.build(CONFIG), vae.Record(name="mine", model=CONFIG, training=vae.TrainConfig(data="mnist-sample")))
    press(app, "models.back")
    assert not app.exception and "'mine' is taken" in app.error[0].value
    (own / "mine").rename(own / "other")
    press(app, "models.back")
    assert not app.exception and not app.error and {"mine", "other"} <= set(names())
    assert not [button for button in app.button if button.key == "models.back"]


def test_a_model_that_is_gone_cannot_be_brought_back(own: Path) -> None:
    app = through_frame(PATH, "mine")
    press(app, "models.delete")
    shutil.rmtree(own / ".discarded")
    press(app, "models.back")
    assert not app.exception and "this one no longer exists" in app.error[0].value
    assert not [button for button in app.button if button.key == "models.back"]


def test_what_cannot_be_is_said() -> None:
    app = through_frame(PATH, "mine")
    app.text_input(key="models.new").set_value("mnist-2d").run()
    press(app, "models.rename")
    assert "is taken" in app.error[0].value and "mine" in names()


def uploaded(*files: tuple[str, bytes], model: str = "mnist-2d") -> AppTest:
    app = through_frame(PATH, model)
    return upload(app, *files)


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    (uploader,) = app.file_uploader
    uploader.set_value([(*each, "application/octet-stream") for each in files]).run()
    assert not app.exception
    return app


def keep(app: AppTest, name: str) -> AppTest:
    app.text_input(key="models.name").set_value(name).run()
    press(app, "models.keep")
    assert not app.exception
    return app


def keys(app: AppTest) -> set[str]:
    """The keys of what the page has to be filled in and pressed."""
    return {each.key for kind in (app.selectbox, app.text_input, app.number_input, app.button) for each in kind}


def said(app: AppTest) -> str:
    return " ".join(each.value for kind in (app.markdown, app.caption, app.success, app.warning) for each in kind)


def pair(encoder: bytes | None = None, decoder: bytes | None = None) -> list[tuple[str, bytes]]:
    return [
        ("my-encoder.onnx", encoder or network(784, 4)),
        ("my-decoder.onnx", decoder or network(2, 784, sigmoid=True)),
    ]


def colours(name: str = "colours") -> None:
    """A data set of 6 x 5 pixels in colour."""
    folder = Path(os.environ["VAE_DATA"])
    folder.mkdir(exist_ok=True)
    np.save(folder / "images.npy", np.random.default_rng(0).integers(0, 255, (30, 6, 5, 3), np.uint8))
    imports.keep(imports.open_source(folder / "images.npy"), name)


def test_the_card_of_a_model_says_what_it_is() -> None:
    app = through_frame(PATH, "mnist-bernoulli-2d")
    record = vae.read_record("mnist-bernoulli-2d")
    told = said(app)
    for words in (
        "**Likelihood**: Bernoulli, binary pixels", "**Latent dimensions**: 2", "**Images**: 28 × 28",
        "**Data set**: mnist",
        "**Origin**: built in", f"seed {record.training.seed}", f"{record.held_out['elbo']:,.1f}".replace("-", "−"),
    ):  # fmt: skip
        assert words in told
    assert app.code[0].value.startswith("vae train mnist-bernoulli-2d")
    app.selectbox(key="models.one").set_value("mine").run()
    assert "**Origin**: trained here" in said(app) and "train mine" in app.code[0].value
    assert "**Encoder**: hidden layers 4, ReLU" in said(app)


def test_a_model_whose_weights_are_damaged_has_a_card_too(own: Path) -> None:
    content = (own / "mine" / "model.safetensors").read_bytes()
    (own / "mine" / "model.safetensors").write_bytes(content[:-4] + np.float32(np.nan).tobytes())
    app = through_frame(PATH, "mnist-2d")
    app.selectbox(key="models.one").set_value("mine").run()
    assert not app.exception and not app.error and "**Weights**: Weights must be finite" in said(app)


@pytest.mark.parametrize(("key", "title"), [("explore/latent_map", "Latent map"), ("measure/report", "Report")])
def test_a_card_leads_to_the_pages_that_look_into_the_model(key: str, title: str) -> None:
    app = through_frame(PATH, "mnist-2d")
    app.selectbox(key="models.one").set_value("mnist-bernoulli-2d").run()
    press(app, f"models.card.{key}")
    assert not app.exception and app.title[0].value == title
    assert app.sidebar.selectbox(key="model").value == "mnist-bernoulli-2d"


@pytest.mark.slow
def test_what_was_kept_stands_first_and_the_form_is_empty() -> None:
    app = uploaded(*pair(), model="mine")
    assert not app.error and "An encoder and a decoder in ONNX, J = 2, images of 784 values." in said(app)
    app = keep(app, "theirs")
    assert not app.error and app.table[0].value["Model"].tolist()[:2] == ["theirs", "mine"]
    assert app.selectbox(key="models.one").value == "theirs" and "**theirs** was saved" in app.success[0].value
    assert "**Origin**: ONNX" in said(app) and "The held-out ELBO is" in app.success[0].value
    assert {"models.kept.explore/latent_map", "models.kept.measure/likelihood"} < keys(app)
    assert not {"models.name", "models.keep", "models.mean"} & keys(app)
    app = keep(upload(app, *pair()), "a-third")
    assert app.table[0].value["Model"].tolist()[:3] == ["a-third", "theirs", "mine"]
    press(app, "models.kept.measure/report")
    assert not app.exception and app.title[0].value == "Report"
    assert app.sidebar.selectbox(key="model").value == "a-third"


@pytest.mark.slow
def test_a_pair_of_onnx_files_becomes_a_model() -> None:
    app = uploaded(*pair())
    app.selectbox(key="models.data").set_value("mnist-sample")
    app = keep(app, "theirs")
    assert not app.error and "theirs" in names()
    z = torch.randn(3, 2)
    with torch.inference_mode():
        expected = (z @ torch.from_numpy(weights(2, 784))).sigmoid()
        torch.testing.assert_close(vae.load("theirs").decoder(z).mean, expected, rtol=1e-5, atol=1e-6)
    record = vae.read_record("theirs")
    told = app.success[0].value
    assert record.model.dequantised and f"The held-out ELBO is {record.held_out['elbo']:,.1f} nats per image." in told
    assert "nats per image over 2 dimensions" in told


def test_weights_beside_onnx_files_are_taken() -> None:
    decoder = network(2, 784, sigmoid=True, beside="my-decoder.onnx.data")
    app = uploaded(*pair(decoder=decoder))
    assert "weights are in my-decoder.onnx.data, which was not uploaded" in app.error[0].value
    app = upload(app, *pair(decoder=decoder), ("my-decoder.onnx.data", weights(2, 784).tobytes()))
    assert not app.error
    app = keep(app, "theirs")
    z = torch.randn(3, 2)
    with torch.inference_mode():
        expected = (z @ torch.from_numpy(weights(2, 784))).sigmoid()
        torch.testing.assert_close(vae.load("theirs").decoder(z).mean, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_what_a_decoder_gives_is_asked_where_its_file_does_not_say() -> None:
    app = uploaded(*pair(decoder=network(2, 784)))
    app.text_input(key="models.name").set_value("theirs").run()
    assert app.selectbox(key="models.gives").value is None and app.button(key="models.keep").disabled
    app.selectbox(key="models.gives").set_value("logits").run()
    assert not app.button(key="models.keep").disabled
    app = upload(app, *pair())
    assert app.selectbox(key="models.gives").value == "probabilities"
    app = upload(app, *pair(decoder=network(2, 784)))
    assert app.selectbox(key="models.gives").value is None  # not what was chosen for other files


NET = {"fc1": (784, 8), "fc21": (8, 3), "fc22": (8, 3), "fc3": (3, 8), "fc4": (8, 784)}


def state(sizes: dict[str, tuple[int, int]] = NET) -> nn.ModuleDict:
    torch.manual_seed(0)
    return nn.ModuleDict({name: nn.Linear(*size) for name, size in sizes.items()})


@pytest.mark.slow
def test_what_is_wrong_is_said_as_the_files_come_and_by_their_names(own: Path) -> None:
    tensors, pickled = save(state().state_dict()), io.BytesIO()
    torch.save(state().state_dict(), pickled)
    described, mailed = ("net.toml", LAYERS.encode()), (own / "mine" / "model.safetensors").read_bytes()
    for files, says in (
        ([("net.pt", pickled.getvalue()), described], "`vae model import net.pt --layers net.toml"),
        ([("net.safetensors", pickled.getvalue()), described], "this file was written by torch.save"),
        ([("net.safetensors", tensors)], "net.safetensors holds tensors but is not a model of this library"),
        ([("net.safetensors", tensors), ("two.safetensors", tensors)], "A model needs two files"),
        ([("net.safetensors", tensors), described, ("more.json", b"{}")], "A model needs two files"),
        ([("net.safetensors", tensors), ("net.toml", b"latent = ")], "net.toml cannot be imported: The description is"),
        ([("net.safetensors", tensors[:-9]), described], "net.safetensors cannot be imported: This is neither"),
        ([("bob.safetensors", mailed[:-9])], "bob.safetensors is not a complete safetensors file"),
        ([("photo.png", b"")], "A model needs two files"),
        (pair()[:1], "A model needs two files"),
        ([pair()[0], pair()[0]], "my-encoder.onnx was uploaded twice"),
        (pair(network(2, 784), network(784, 4)), "my-encoder.onnx takes inputs of size 2 and returns outputs of"),
    ):  # fmt: skip
        app = uploaded(*files)
        assert len(app.error) == 1 and says in app.error[0].value and "vae-upload" not in app.error[0].value
        assert "models.keep" not in keys(app)


@pytest.mark.slow
def test_only_data_sets_whose_images_fit_are_offered() -> None:
    app = uploaded(*pair(network(90, 4, shape=(3, 6, 5)), network(2, 90, sigmoid=True)))
    assert "no data set here has images of 6 × 5 in colour" in app.warning[0].value and "models.keep" not in keys(app)
    colours()
    app = uploaded(*pair(network(90, 4, shape=(3, 6, 5)), network(2, 90, sigmoid=True)))
    assert not app.warning and app.selectbox(key="models.data").options == ["colours, 6 × 5 in colour"]
    app = keep(app, "theirs")
    assert not app.error and vae.read_record("theirs").data == "colours"
    assert app.table[0].value["Images"].tolist()[:2] == ["6 × 5 in colour", "28 × 28"]
    app = upload(app, *pair())
    assert "colours, 6 × 5 in colour" not in app.selectbox(key="models.data").options
    app = press(uploaded(*pair(network(42, 4), network(2, 42))), "models.to_data")
    assert not app.exception and app.title[0].value == "Data"


@pytest.mark.slow
def test_the_data_set_that_a_description_names_comes_first() -> None:
    tensors = ("net.safetensors", save(state().state_dict()))
    app = uploaded(tensors, ("net.toml", b'data = "mnist-sample"' + LAYERS.encode()))
    assert app.selectbox(key="models.data").value == "mnist-sample"
    app = uploaded(tensors, ("net.toml", b'data = "no-such-set"' + LAYERS.encode()))
    assert "no-such-set, which is not available here" in said(app).replace("\\", "") and not app.error


def test_there_are_templates_of_a_description() -> None:
    labels = [(each.label, each.key) for each in through_frame(PATH, "mnist-2d").download_button]
    for name in ("perceptron", "convolutional"):
        for ending in ("toml", "json"):
            assert (ending.upper(), f"models.template.{name}.{ending}") in labels


@pytest.mark.slow
def test_a_state_dict_with_its_layers_becomes_a_model() -> None:
    layers = state()
    app = uploaded(("net.toml", LAYERS.encode()), ("net.safetensors", save(layers.state_dict())))
    app.selectbox(key="models.data").set_value("mnist-sample")
    app = keep(app, "theirs")
    assert not app.error and "theirs" in names()
    z = torch.randn(4, 3)
    with torch.inference_mode():
        expected = layers["fc4"](layers["fc3"](z).relu()).sigmoid()
        torch.testing.assert_close(vae.load("theirs").decoder(z).mean, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_what_is_said_of_pixels_and_sigma_reaches_the_model() -> None:
    """A decoder of means in pixels of (x - 0.5) / 0.25, as an ordinary network of PyTorch says them."""
    layers = state({"fc1": (784, 8), "fc21": (8, 3), "fc22": (8, 3), "fc3": (3, 784)})
    described = LAYERS.replace("bernoulli", "gaussian").replace('["fc3", "relu", "fc4", "sigmoid"]', '["fc3"]')
    files = [("net.safetensors", save(layers.state_dict())), ("net.toml", described.encode())]

    def kept(name: str, sigma: float | None) -> tuple[vae.VAE, str]:
        app = uploaded(*files)
        app.selectbox(key="models.data").set_value("mnist-sample")
        app.number_input(key="models.mean").set_value(0.5)
        app.number_input(key="models.deviation").set_value(0.25)
        app.selectbox(key="models.dequantised").set_value(False)
        app.number_input(key="models.sigma").set_value(sigma)
        app = keep(app, name)
        assert not app.error
        return vae.load(name), app.success[0].value

    (model, told), x, z = kept("theirs", 0.3), torch.rand(4, 784), torch.randn(4, 3)
    assert not model.config.dequantised and "sigma of p(x|z) is 0.3000." in told
    with torch.inference_mode():
        hidden = layers["fc1"]((x - 0.5) / 0.25).relu()
        torch.testing.assert_close(model.encoder(x).mean, layers["fc21"](hidden), rtol=1e-5, atol=1e-5)
        mean = layers["fc3"](z) * 0.25 + 0.5
        truth = torch.distributions.Normal(mean, 0.3).log_prob(x).sum(1)
        torch.testing.assert_close(model.decoder(z).log_prob(x), truth, rtol=1e-5, atol=1e-2)
    model, told = kept("fitted", None)
    assert f"sigma of p(x|z) is {model.decoder(z).stddev[0, 0].item():.4f}, the best for the images." in told


def test_a_mailed_file_is_taken_in(own: Path) -> None:
    content = (own / "mine" / "model.safetensors").read_bytes()
    app = uploaded(("bob.safetensors", content))
    assert not app.number_input and "models.data" not in keys(app)  # such a file says all of itself
    app = keep(app, "bob")
    assert not app.error and vae.read_record("bob").training == vae.read_record("mine").training
    app = keep(upload(app, ("bob.safetensors", content)), "bob")
    assert app.error[0].value.endswith("'bob' is taken. Choose another.")
