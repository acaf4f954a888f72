"""Folders of pythae against what pythae itself gave; make_pythae.py says how that was made."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.interchange.make_pythae import codes, images, spread, weights
from vae.errors import CheckpointError
from vae.evidence import elbo
from vae.interchange import Pixels, bring, read_pythae
from vae.model import unchecked

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
SAID = json.loads((DATA / "pythae.json").read_text())


EVERY = pytest.mark.parametrize(
    "place",
    [
        pytest.param(
            place,
            id=f"{said['config']['name']} {said['config']['reconstruction_loss']} {said['config']['input_dim']}",
            marks=[pytest.mark.slow] if said["config"]["input_dim"][1] > 4 else [],
        )
        for place, said in enumerate(SAID["models"])
    ],
)


def folder(path: Path, config: dict[str, Any], shapes: dict[str, Any]) -> Path:
    """A folder as pythae saves it, with weights by the formula."""
    (path / "model_config.json").write_text(json.dumps(config))
    torch.save({"model_state_dict": weights({k: tuple(v) for k, v in shapes.items()})}, path / "model.pt")
    (path / "encoder.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")  # which nobody opens
    return path


@EVERY
def test_a_folder_gives_what_pythae_gave(place: int, tmp_path: Path) -> None:
    said = SAID["models"][place]
    channels, *sides = shape = tuple(said["config"]["input_dim"])
    found = read_pythae(folder(tmp_path, said["config"], said["shapes"]))
    bce = said["config"]["reconstruction_loss"] == "bce"
    assert (found.latent, found.gives) == (2, "probabilities" if bce else "mean")
    assert found.image_shape == (*sides, *([3] if channels == 3 else []))
    x = images(2, shape).permute(0, 2, 3, 1).flatten(1)
    mean, log_variance = found.encoder(x)
    torch.testing.assert_close(mean, torch.tensor(said["mean"]), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(log_variance, torch.tensor(said["log_variance"]), rtol=1e-5, atol=1e-5)
    (p,) = found.decoder(codes(2, 2))
    planes = p.reshape(2, *sides, channels).permute(0, 3, 1, 2)
    torch.testing.assert_close(spread(planes), torch.tensor(said["reconstruction"]), rtol=1e-5, atol=1e-5)
    loss = F.binary_cross_entropy(p, x, reduction="sum") if bce else 0.5 * ((p - x) ** 2).sum()
    assert loss.item() / 2 == pytest.approx(said["reconstruction_loss"], rel=1e-5)
    kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1).mean()
    assert kl.item() == pytest.approx(said["kl"], rel=1e-5)


@EVERY
def test_the_elbo_is_the_one_that_pythae_gave(place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pixels and the same z: pythae's loss is -ELBO for bce, and for mse -ELBO - D/2 log 2 pi, with sigma = 1.

    pythae's cross entropy is one of grey pixels, to which log p(x|z) of binary ones, affine in x, is continued.
    """
    said = SAID["models"][place]
    found = read_pythae(folder(tmp_path, said["config"], said["shapes"]))
    x = images(2, tuple(said["config"]["input_dim"])).permute(0, 2, 3, 1).flatten(1)
    bce = found.likelihood == "bernoulli"
    any_images = torch.zeros(2, *found.image_shape, dtype=torch.uint8)
    model = bring(found, any_images, Pixels(dequantised=False), None if bce else 1.0)
    monkeypatch.setattr("vae.evidence.estimates.draw", lambda q, generator, count: codes(2, 2)[None])
    monkeypatch.setattr("vae.evidence.estimates.check_pixels", lambda model, x: None)
    with torch.inference_mode(), unchecked():
        ours = elbo(model, x, 1).value.mean().item()
    constant = 0 if bce else x.shape[1] / 2 * math.log(2 * math.pi)
    assert -ours - constant == pytest.approx(said["reconstruction_loss"] + said["kl"], abs=1e-3)


def test_a_folder_that_pythae_saved_is_read() -> None:
    found, said = read_pythae(DATA / "pythae"), json.loads((DATA / "pythae_trained.json").read_text())
    mean, log_variance = found.encoder(images(3, (1, 2, 3)).flatten(1))
    torch.testing.assert_close(mean, torch.tensor(said["mean"]), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(log_variance, torch.tensor(said["log_variance"]), rtol=1e-5, atol=1e-5)
    reconstruction = torch.tensor(said["reconstruction"]).flatten(1)
    torch.testing.assert_close(found.decoder(codes(3, 2))[0], reconstruction, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (SAID["vamp"]["config"], "of 'VAMPConfig'"),
        ({"name": None}, "of None"),
        ({"input_dim": None}, "1 or 3 channels"),
        ({"input_dim": [4, 4, 4]}, "1 or 3 channels"),
        ({"latent_dim": "2"}, "latent_dim must be a whole number"),
        ({"latent_dim": 3}, "encoder in this folder is neither"),
        ({"reconstruction_loss": "l1"}, "must be bce or mse"),
    ],
)
def test_other_models_are_refused(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    said = SAID["models"][0]
    with pytest.raises(CheckpointError, match=says):
        read_pythae(folder(tmp_path, said["config"] | change, said["shapes"]))


def test_other_networks_are_refused(tmp_path: Path) -> None:
    said = SAID["models"][0]
    more = said["shapes"] | {"decoder.layers.2.0.weight": [4, 4]}
    with pytest.raises(CheckpointError, match=r"decoder in this folder is neither .* vae\.inspect"):
        read_pythae(folder(tmp_path, said["config"], more))


def test_a_folder_that_is_damaged_is_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model_config\.json is not a file"):
        read_pythae(tmp_path)
    place = shutil.copytree(DATA / "pythae", tmp_path / "m")
    (place / "model_config.json").write_text("[")
    with pytest.raises(CheckpointError, match="not JSON"):
        read_pythae(place)
