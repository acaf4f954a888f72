"""Results go to the first folder of models that may be written to, and are found wherever they are."""

from pathlib import Path

import pytest

from tests.toys import small_model
from vae import paths
from vae.errors import CheckpointError
from vae.model import Record, TrainConfig, place_for, result_file, results, save

FILE = "projection-mnist-tsne.npz"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a model that ships, which nobody may write to; the user's own folder is tmp_path / "own"."""
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    model = small_model()
    record = Record(name="ours", model=model.config, training=TrainConfig())
    path = save(model, record, folder=tmp_path / "shipped" / "checkpoints")
    monkeypatch.setattr(paths, "writable", lambda folder: not folder.is_relative_to(tmp_path / "shipped"))
    return path.parent


def test_what_ships_is_left_alone(shipped: Path, tmp_path: Path) -> None:
    own = tmp_path / "own" / "ours" / FILE
    assert results("ours", FILE) == [own, shipped / FILE]
    assert place_for("ours", FILE) == own == result_file("ours", FILE)
    (shipped / FILE).touch()
    assert result_file("ours", FILE) == shipped / FILE and place_for("ours", FILE) == own
    own.parent.mkdir(parents=True)
    own.touch()
    assert result_file("ours", FILE) == own


def test_a_model_given_by_its_file_has_results_beside_it(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert results(shipped / "model.safetensors", FILE) == [shipped / FILE] == results(str(shipped), FILE)
    with pytest.raises(CheckpointError, match="Set VAE_CHECKPOINTS to a folder that you can write to"):
        place_for(shipped, FILE)


def test_without_a_folder_to_write_to_it_is_said_before_anything_is_computed(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAE_CHECKPOINTS")
    assert results("ours", FILE) == [shipped / FILE]
    with pytest.raises(CheckpointError, match=rf"of {shipped}, none can"):
        place_for("ours", FILE)


def test_a_folder_that_is_yet_to_be_made_may_be_written_to_if_the_one_above_may(tmp_path: Path) -> None:
    assert paths.writable(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    assert not paths.writable(tmp_path / "file" / "b")
