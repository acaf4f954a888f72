"""An encoder and a decoder that Keras has exported as ONNX return what they return in Keras; see `make_keras`."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import vae
from vae.cli import commands as cli
from vae.data import imports
from vae.interchange import read_onnx, read_onnx_file

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent / "data" / "keras"
SAYS = {name: torch.tensor(value) for name, value in json.loads((HERE / "says.json").read_text()).items()}


def test_a_pair_exported_by_keras_returns_what_it_does_in_keras() -> None:
    found = read_onnx(read_onnx_file(HERE / "encoder.onnx"), read_onnx_file(HERE / "decoder.onnx"))
    assert (found.latent, found.image_shape, found.gives) == (2, (8, 12), "probabilities")
    mean, log_variance = found.encoder(SAYS["images"].flatten(1))
    torch.testing.assert_close(mean, SAYS["mean"], atol=1e-5, rtol=0)
    torch.testing.assert_close(log_variance, SAYS["log_variance"], atol=1e-5, rtol=0)
    (decoded,) = found.decoder(SAYS["codes"])
    torch.testing.assert_close(decoded, SAYS["reconstruction"].flatten(1), atol=1e-5, rtol=0)
    assert mean.std() > 1e-3 and decoded.std() > 1e-3  # so constant outputs would not pass


def test_a_folder_of_them_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    images = (torch.rand(40, 8, 12, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8)
    np.save(tmp_path / "images.npy", images.numpy())
    imports.keep(imports.open_source(tmp_path / "images.npy"), "waves")
    assert cli.main(["model", "import", str(HERE), "--name=from-keras", "--data=waves"]) == 0
    model = vae.load("from-keras")
    decoded = model.decoder(SAYS["codes"]).mean
    torch.testing.assert_close(decoded, SAYS["reconstruction"].flatten(1), atol=1e-5, rtol=0)
    assert vae.elbo(model, model.pixels(images[:5], vae.generator(0)), 10, vae.generator(1)).value.isfinite().all()
