"""Models on disk: `<folder>/<name>/model.safetensors`, weights with a JSON record in the header. Never pickle.

A model is written aside and renamed, so a reader never sees half a file. What a file claims about itself
is checked against its tensors before any memory is allocated for it.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

from vae import paths
from vae.errors import CheckpointError
from vae.model.devices import best_device
from vae.model.imported import graphs_of, rebuild
from vae.model.vae import MOST_WEIGHTS, VAE, Decoder, Encoder
from vae.settings import (
    FORMAT,
    IMPORTED,
    ImportedConfig,
    Record,
    catalogue,
    check_name,
    folders,
    locate,
    name_taken,
    opened,
    places,
    read_record,
    taken,
)

__all__ = [
    "FORMAT",
    "Record",
    "catalogue",
    "check_name",
    "folders",
    "load",
    "locate",
    "read_record",
    "save",
    "taken",
]


def save(
    model: VAE, record: Record, *, overwrite: bool = False, half: bool = False, folder: Path | None = None
) -> Path:
    """Writes a model to the first of `folders()`.

    Arguments:
        model: the VAE; its config takes precedence over that of the record.
        record: everything else that the file records.
        overwrite: whether an existing model of that name may be replaced.
        half: store weights as float16, half the size; they are converted back to float32 when read.
        folder: of models; by default the first of `folders()`.

    Returns:
        The file.

    Raises:
        CheckpointError: the name is invalid or taken, the weights are not finite, or the file cannot be written.
    """
    path, *others = places(paths.given(folder) if folder else folders()[0], check_name(record.name))
    if not overwrite and any(each.exists() for each in (path, *others)):
        raise name_taken(record.name, "overwrite=True")
    weights = {key: value.detach().contiguous() for key, value in model.state_dict().items()}
    if half:
        weights = {key: value.half() for key, value in weights.items()}
    for key, value in weights.items():
        if not bool(value.isfinite().all()):
            raise CheckpointError(f"Weights must be finite{' in half precision' * half}; those of {key} are not.")
    paths.write_aside(path, to_bytes(weights, {"vae": _written(model, record)}))
    return path


def load(name_or_path: str | Path, device: str = "cpu") -> VAE:
    """Loads a model, in evaluation mode and without gradients.

    Arguments:
        name_or_path: the name of a model in `folders()`, or the path of a file.
        device: where the model computes, a name that `best_device` accepts: auto, cpu, cuda, cuda:1 or mps. Estimators
            move images to that device and return results on the CPU.

    Returns:
        The model; `encoder(x)` and `decoder(z)` return `torch.distributions` objects.

    Raises:
        CheckpointError: there is no such model, or its file is truncated, not one of ours, or inconsistent.
        ConfigError: there is no such device.
    """
    at = best_device(device)
    return _load(locate(name_or_path)).to(at)


def _load(path: Path) -> VAE:
    config = read_record(path).model
    if isinstance(config, ImportedConfig):
        return _load_imported(path, config)
    with torch.device("meta"):
        model = VAE(Encoder(config), Decoder(config), config)
    want = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    with opened(path, "pt") as file:
        have = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 - not a dict
        if have != want:
            odd = sorted(key for key in want.keys() | have.keys() if want.get(key) != have.get(key))
            raise CheckpointError(f"Weights must match the config in the file; in {path}, {', '.join(odd[:3])} do not.")
        weights = {key: file.get_tensor(key).float() for key in want}
    _check_finite(path, weights)
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(False)


def _load_imported(path: Path, config: ImportedConfig) -> VAE:
    with opened(path, "pt") as file:
        keys = list(file.keys())
        count = sum(math.prod(file.get_slice(key).get_shape()) for key in keys)
        if count > MOST_WEIGHTS:
            raise CheckpointError(
                f"A model may have at most {MOST_WEIGHTS:,} weights; the one in {path} has {count:,}."
            )
        weights = {key: file.get_tensor(key).float() for key in keys}
        graphs = json.loads(file.metadata()["vae"]).get("networks")
    _check_finite(path, weights)
    try:
        return rebuild(config, graphs, weights)
    except CheckpointError as error:
        raise CheckpointError(f"{error} The file {path} is damaged; import the model again.") from error


def _check_finite(path: Path, weights: dict[str, Tensor]) -> None:
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise CheckpointError(f"Weights must be finite; some in {path} are not. The model diverged during training.")


def _written(model: VAE, record: Record) -> str:
    """Returns the text for the header of a model's file: its record and, for a model from elsewhere, its networks.

    Raises:
        CheckpointError: the model was built here, but the record does not have its training settings.
    """
    says: dict[str, Any] = {"format": FORMAT, "model": model.config.to_dict()}
    if isinstance(model.config, ImportedConfig):
        says |= {"format": IMPORTED, "networks": graphs_of(model), "images": record.images}
    elif record.training is None:
        raise CheckpointError(
            f"The record of a model that was built here must have its training settings; that of {record.name!r} has "
            "none."
        )
    else:
        says["training"] = record.training.to_dict()
    says |= {
        "data_checksum": record.data_checksum,
        "epochs_done": record.epochs_done,
        "seconds": record.seconds,
        "held_out": record.held_out,
        "changes": record.changes,
    }
    return json.dumps(says)
