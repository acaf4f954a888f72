"""States on disk: whole in, whole out, and one clear sentence for everything else."""

import errno
import os

import pytest
import torch

from tests.toys import small_model, toy_dataset
from vae.errors import CheckpointError
from vae.jobs.states import load_state, save_state
from vae.settings.config import TrainConfig
from vae.training.trainer import Trainer

TOY = toy_dataset()
CONFIG = TrainConfig(epochs=3, batch_size=100, learning_rate=0.01)
OF = {"model": {"latent": 2}, "data": "ab"}


def trainer(steps: int = 0, **model) -> Trainer:
    made = Trainer(small_model(**model), TOY, CONFIG)
    for _ in range(steps):
        made.advance()
    return made


def test_a_state_comes_back(tmp_path):
    first, second = trainer(4), trainer()
    save_state(tmp_path / "state", first, OF)
    load_state(tmp_path / "state", second, OF)
    for each in (first, second):
        each.advance()
    assert second.step == 5
    for key, weight in first.model.state_dict().items():
        assert torch.equal(weight, second.model.state_dict()[key])


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.99])
def test_a_truncated_state_is_refused(tmp_path, share):
    save_state(tmp_path / "state", trainer(1), OF)
    content = (tmp_path / "state").read_bytes()
    (tmp_path / "state").write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match="not a complete state"):
        load_state(tmp_path / "state", trainer(), OF)


def test_another_file_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "state")
    with pytest.raises(CheckpointError, match="not the state of a training"):
        load_state(tmp_path / "state", trainer(), OF)
    save_file({"a": torch.zeros(1)}, tmp_path / "state", {"vae-state": "[]"})
    with pytest.raises(CheckpointError, match="not the state of a training"):
        load_state(tmp_path / "state", trainer(), OF)


def test_the_state_of_another_training_is_refused(tmp_path):
    save_state(tmp_path / "state", trainer(1), OF)
    with pytest.raises(CheckpointError, match="has others"):
        load_state(tmp_path / "state", trainer(), OF | {"data": "cd"})
    with pytest.raises(CheckpointError, match="must match its model"):
        load_state(tmp_path / "state", trainer(latent=3), OF)


def test_a_full_disk_leaves_the_state_before(tmp_path, monkeypatch):
    save_state(tmp_path / "state", trainer(1), OF)
    before = (tmp_path / "state").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(CheckpointError, match="No space left"):
        save_state(tmp_path / "state", trainer(2), OF)
    assert (tmp_path / "state").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
