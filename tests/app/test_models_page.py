"""The page Models: one's own models put in order, and models of other programs taken in."""

import io
import shutil
from pathlib import Path

import pytest
import streamlit as st
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest
from torch import nn

import vae
from tests.app.test_pages import through_frame
from tests.toys import LAYERS

PATH = "pages/train/models.py"
CONFIG = vae.ModelConfig(encoder_layers=(4,), decoder_layers=(4,))


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
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
    assert table["Model"].tolist() == names()
    assert table["Origin"].tolist() == ["trained here" if name == "mine" else "ships" for name in names()]
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
    assert not app.exception and "this one is gone" in app.error[0].value
    assert not [button for button in app.button if button.key == "models.back"]


def test_what_cannot_be_is_said() -> None:
    app = through_frame(PATH, "mine")
    app.text_input(key="models.new").set_value("mnist-2d").run()
    press(app, "models.rename")
    assert "is taken" in app.error[0].value and "mine" in names()


def exported(network: nn.Module, example: torch.Tensor) -> bytes:
    content = io.BytesIO()
    torch.onnx.export(network, (example,), content, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
    return content.getvalue()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_pair_of_onnx_files_becomes_a_model() -> None:
    pytest.importorskip("onnx", reason="onnx (requirements-extra.txt)")

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(784, 4)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.net(x)[:, :2], self.net(x)[:, 2:] - 2

    decoder = nn.Sequential(nn.Linear(2, 784), nn.Sigmoid())
    files = [
        ("my-encoder.onnx", exported(Encoder(), torch.rand(2, 784)), "application/octet-stream"),
        ("my-decoder.onnx", exported(decoder, torch.rand(2, 2)), "application/octet-stream"),
    ]
    app = through_frame(PATH, "mnist-2d")
    app.file_uploader(key="models.files").set_value(files).run()
    app.selectbox(key="models.data").set_value("mnist-sample")
    app.text_input(key="models.name").set_value("theirs").run()
    press(app, "models.keep")
    assert not app.exception and not app.error and "theirs" in names()
    z = torch.randn(3, 2)
    with torch.inference_mode():
        torch.testing.assert_close(vae.load("theirs").decoder(z).mean, decoder(z), rtol=1e-5, atol=1e-6)
    record = vae.read_record("theirs")
    captions = [each.value for each in app.caption]
    assert record.model.dequantised
    assert f"The held-out ELBO is {record.held_out['elbo']:.1f} nats per image." in captions
    assert any("nats per image over 2 dimensions" in each for each in captions)
    app.file_uploader(key="models.files").set_value(files[:1]).run()
    app.text_input(key="models.name").set_value("half").run()
    press(app, "models.keep")
    assert "Two files make a model" in app.error[0].value and "half" not in names()


@pytest.mark.slow
def test_a_state_dict_with_its_layers_becomes_a_model() -> None:
    torch.manual_seed(0)
    sizes = {"fc1": (784, 8), "fc21": (8, 3), "fc22": (8, 3), "fc3": (3, 8), "fc4": (8, 784)}
    layers = nn.ModuleDict({name: nn.Linear(*size) for name, size in sizes.items()})
    weights, pickled = save(layers.state_dict()), io.BytesIO()
    torch.save(layers.state_dict(), pickled)

    def tried(app: AppTest, name: str, *files: tuple[str, bytes]) -> AppTest:
        app.file_uploader(key="models.files").set_value([(*each, "application/octet-stream") for each in files]).run()
        app.text_input(key="models.name").set_value(name)
        if any(each.key == "models.data" for each in app.selectbox):
            app.selectbox(key="models.data").set_value("mnist-sample")
        app.run()
        app = press(app, "models.keep")
        assert not app.exception
        return app

    app = through_frame(PATH, "mnist-2d")
    described = ("net.toml", LAYERS.encode())
    for files, says in (
        ([("net.safetensors", pickled.getvalue()), described], "this file is one of torch.save"),  # under a false name
        ([("net.safetensors", weights)], "give a description of its layers with it"),
        ([("net.safetensors", weights), ("two.safetensors", weights)], "Two files make a model"),
        ([("net.safetensors", weights), described, ("more.json", b"{}")], "Two files make a model"),
        ([("net.safetensors", weights), ("net.toml", b"latent = ")], "neither TOML nor JSON"),
        ([("net.safetensors", weights[:-9]), described], "safetensors"),
    ):
        assert says in tried(app, "wrong", *files).error[0].value and "wrong" not in names()
    app = tried(app, "theirs", described, ("net.safetensors", weights))
    assert not app.error and "theirs" in names()
    z = torch.randn(4, 3)
    with torch.inference_mode():
        expected = layers["fc4"](layers["fc3"](z).relu()).sigmoid()
        torch.testing.assert_close(vae.load("theirs").decoder(z).mean, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_what_is_said_of_pixels_and_sigma_reaches_the_model() -> None:
    """A decoder of means in pixels of (x - 0.5) / 0.25, as an ordinary network of PyTorch says them."""
    torch.manual_seed(0)
    sizes = {"fc1": (784, 8), "fc21": (8, 3), "fc22": (8, 3), "fc3": (3, 784)}
    layers = nn.ModuleDict({name: nn.Linear(*size) for name, size in sizes.items()})
    described = LAYERS.replace("bernoulli", "gaussian").replace('["fc3", "relu", "fc4", "sigmoid"]', '["fc3"]')
    files = [("net.safetensors", save(layers.state_dict())), ("net.toml", described.encode())]
    app = through_frame(PATH, "mnist-2d")
    app.file_uploader(key="models.files").set_value([(*each, "application/octet-stream") for each in files]).run()
    app.selectbox(key="models.data").set_value("mnist-sample")
    app.number_input(key="models.mean").set_value(0.5)
    app.number_input(key="models.deviation").set_value(0.25)
    app.selectbox(key="models.dequantised").set_value(False)

    def kept(name: str, sigma: float | None) -> vae.VAE:
        app.text_input(key="models.name").set_value(name)
        app.number_input(key="models.sigma").set_value(sigma).run()
        press(app, "models.keep")
        assert not app.exception and not app.error
        return vae.load(name)

    model, x, z = kept("theirs", 0.3), torch.rand(4, 784), torch.randn(4, 3)
    assert not model.config.dequantised and "sigma of p(x|z) is 0.3000." in [each.value for each in app.caption]
    with torch.inference_mode():
        hidden = layers["fc1"]((x - 0.5) / 0.25).relu()
        torch.testing.assert_close(model.encoder(x).mean, layers["fc21"](hidden), rtol=1e-5, atol=1e-5)
        mean = layers["fc3"](z) * 0.25 + 0.5
        truth = torch.distributions.Normal(mean, 0.3).log_prob(x).sum(1)
        torch.testing.assert_close(model.decoder(z).log_prob(x), truth, rtol=1e-5, atol=1e-2)
    sigma = kept("fitted", None).decoder(z).stddev[0, 0].item()
    assert f"sigma of p(x|z) is {sigma:.4f}, the best for the images." in [each.value for each in app.caption]


def test_a_mailed_file_is_taken_in_and_a_damaged_one_is_not(own: Path) -> None:
    content = (own / "mine" / "model.safetensors").read_bytes()
    app = through_frame(PATH, "mnist-2d")
    app.file_uploader(key="models.files").set_value([("bob.safetensors", content, "application/octet-stream")]).run()
    app.text_input(key="models.name").set_value("bob").run()
    assert not app.number_input  # such a file says all of itself
    press(app, "models.keep")
    assert not app.exception and not app.error and "bob" in names()
    broken = [("bob.safetensors", content[:-9], "application/octet-stream")]
    app.file_uploader(key="models.files").set_value(broken).run()
    app.text_input(key="models.name").set_value("broken").run()
    press(app, "models.keep")
    assert "not a whole safetensors file" in app.error[0].value and "broken" not in names()
