"""Weights in files: what torch.save and safetensors write comes back, and nothing else is read."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from vae.errors import CheckpointError
from vae.interchange import read_file, read_weights

STATE = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).state_dict()


def saved(value: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        saved(STATE),
        saved(dict(STATE)),
        saved({"epoch": 3, "state_dict": STATE}),
        saved({"model_state_dict": STATE, "optimiser": {"lr": 0.1}}),
        saved({name: nn.Parameter(value.float()) for name, value in STATE.items()}),
        safetensors.torch.save(STATE),
    ],
)
def test_weights_come_back(content: bytes) -> None:
    weights = read_weights(content)
    assert weights.keys() == STATE.keys()
    for name, value in STATE.items():
        assert torch.equal(weights[name].float(), value.float())


def test_all_floating_point_becomes_float32() -> None:
    weights = read_weights(saved({"a": torch.ones(2, dtype=torch.float16), "b": torch.ones(2, dtype=torch.float64)}))
    assert {value.dtype for value in weights.values()} == {torch.float32}


def repacked(content: bytes) -> bytes:
    """The same archive with its parts compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "neither an intact .safetensors file"),
        (saved(STATE, _use_new_zipfile_serialization=False), "nor a file of torch.save since"),
        (saved(nn.Linear(2, 2)), "contains torch.nn.modules.linear Linear"),
        (saved({"a": bytearray(9)}), "it contains"),
        (saved({"a": torch.ones(1).expand(10**6, 10**6)}), "larger than itself"),
        (repacked(saved(STATE)), "compressed"),
        (saved(STATE)[:-30], "not an intact file"),
        (saved([1, 2]), "does not contain a state dict"),
        (saved({"lr": 0.1}), "no tensors by name"),
        (saved({"a": torch.tensor([float("nan")])}), "those of 'a' are not"),
    ],
)
def test_what_is_no_state_dict_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        read_weights(content)


def test_files_that_are_missing_or_too_large_are_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a file"):
        read_file(tmp_path)
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(CheckpointError, match="at most 0 MB can be read"):
        read_file(tmp_path / "large", 4)
    assert read_file(tmp_path / "large") == b"12345"
