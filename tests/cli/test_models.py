"""`vae model`: models of other programs become models here, and go back."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import vae
from tests.onnx_files import network
from tests.toys import LAYERS
from vae.cli import main

DATA = Path(__file__).parents[1] / "interchange" / "data"


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def files(own: Path) -> tuple[str, str]:
    """A state dict of PyTorch's example, and the description of its layers."""
    torch.manual_seed(0)
    sizes = {"fc1": (784, 8), "fc21": (8, 3), "fc22": (8, 3), "fc3": (3, 8), "fc4": (8, 784)}
    state = {
        f"{name}.{key}": value for name, size in sizes.items() for key, value in nn.Linear(*size).state_dict().items()
    }
    save_file(state, own / "net.safetensors")
    (own / "net.toml").write_text(LAYERS)
    return str(own / "net.safetensors"), str(own / "net.toml")


def imported(*words: str) -> int:
    return main(["model", "import", *words, "--name", "mine", "--data", "mnist-sample"])


@pytest.mark.slow
def test_a_state_dict_becomes_a_model_and_goes_out_as_onnx(files: tuple[str, str], own: Path, capsys) -> None:
    assert imported(files[0], "--layers", files[1]) == 0
    says = capsys.readouterr().out
    assert "J = 3, images of 28 x 28 pixels; the decoder gives probabilities" in says and "vae app --model mine" in says
    assert main(["evaluate", "mine", "--data", "mnist-sample", "--images", "20", "--samples", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mean_nats"] < 0
    assert (
        imported(files[0], "--layers", files[1]) == 2
        and "is taken. Choose another, or replace that model (--overwrite)." in capsys.readouterr().err
    )
    assert imported(files[0], "--layers", files[1], "--overwrite") == 0
    pytest.importorskip("onnxruntime", reason="onnx and onnxruntime (requirements-extra.txt)")
    assert main(["model", "export", "mine", "--onnx", str(own / "out")]) == 0
    before = vae.load("mine")
    assert (
        main(["model", "import", str(own / "out"), "--name", "back", "--data", "mnist-sample", "--gives", "logits"])
        == 0
    )
    z, x = torch.randn(5, 3), torch.rand(5, 784).round()
    with torch.inference_mode():
        torch.testing.assert_close(
            vae.load("back").decoder(z).log_prob(x), before.decoder(z).log_prob(x), rtol=1e-5, atol=1e-3
        )
        torch.testing.assert_close(vae.load("back").encoder(x).mean, before.encoder(x).mean, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["no-such-place"], "is none of these"),
        (["{weights}"], "give --layers"),
        (["{weights}", "--layers", "no-such-file"], "no-such-file"),
        (["{weights}", "--layers", "{layers}", "--gives", "logits"], "--gives applies only to ONNX"),
        (["{weights}", "--layers", "{layers}", "--sigma", "0.1"], "returns only the mean"),
    ],
)
@pytest.mark.slow
def test_what_is_no_model_is_said(files: tuple[str, str], words: list[str], says: str, capsys) -> None:
    assert imported(*(word.format(weights=files[0], layers=files[1]) for word in words)) == 2
    assert says in capsys.readouterr().err
    assert not [record for record in vae.catalogue()[0] if record.name == "mine"]


def test_the_description_may_name_the_data_set(files: tuple[str, str], own: Path, capsys) -> None:
    words = ["model", "import", files[0], "--layers", files[1], "--name", "mine"]
    assert main(words) == 2 and "choose one of the data sets in vae data" in capsys.readouterr().err
    Path(files[1]).write_text('data = "mnist-sample"' + LAYERS)
    assert main(words) == 0 and vae.read_record("mine").data == "mnist-sample"


def test_a_swapped_pair_is_said(own: Path, capfd) -> None:
    (own / "encoder.onnx").write_bytes(network(2, 784))
    (own / "decoder.onnx").write_bytes(network(784, 4))
    assert imported(str(own), "--gives", "mean") == 2
    says = capfd.readouterr().err
    assert "encoder.onnx takes inputs of size 2" in says and "seem to be swapped" in says
    assert "Traceback" not in says


def test_ones_own_models_are_put_in_order(capsys) -> None:
    assert main(["model", "copy", "mnist-2d", "a"]) == 0
    assert main(["model", "rename", "a", "b"]) == 0
    assert main(["model", "remove", "b"]) == 0
    assert "vae model restore b" in capsys.readouterr().out
    assert "b" not in [record.name for record in vae.catalogue()[0]]
    assert main(["model", "restore", "b"]) == 0
    assert "b" in [record.name for record in vae.catalogue()[0]]
    assert main(["model", "restore", "b"]) == 2 and "no 'b' among them" in capsys.readouterr().err
    assert main(["model", "remove", "mnist-2d"]) == 2 and "cannot be changed" in capsys.readouterr().err
