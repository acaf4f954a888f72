"""Models on disk: `<folder>/<name>/model.safetensors`, weights with a JSON record in the header. Never pickle.

A model is written aside and renamed, so a reader never sees half a file. What a file says of itself
is checked against its tensors before any memory is taken for it.
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
        model: the VAE; its config is taken, whatever the record says.
        record: all else that the file says.
        overwrite: whether a model of that name may be replaced.
        half: store weights as float16, half the size; they are read as float32 again.
        folder: of models; the first of `folders()` if not given.

    Returns:
        The file.

    Raises:
        CheckpointError: the name is not one or is taken, the weights are not finite, or the disk refuses.
    """
    path, *others = places(paths.given(folder) if folder else folders()[0], check_name(record.name))
    if not overwrite and any(each.exists() for each in (path, *others)):
        raise name_taken(record.name, "overwrite=True")
    weights = {key: value.detach().contiguous() for key, value in model.state_dict().items()}
    if half:
        weights = {key: value.half() for key, value in weights.items()}
    for key, value in weights.items():
        if not bool(value.isfinite().all()):
            raise CheckpointError(
                f"Weights must be finite numbers{' in half precision' * half}; those of {key} are not."
            )
    paths.write_aside(path, to_bytes(weights, {"vae": _written(model, record)}))
    return path


def load(name_or_path: str | Path, device: str = "cpu") -> VAE:
    """Reads a model, in evaluation mode and without gradients.

    Arguments:
        name_or_path: the name of a model in `folders()`, or the path of a file.
        device: where it is to compute, a name as `best_device` takes it: auto, cpu, cuda, cuda:1 or mps. Estimators
            bring images there, and results back.

    Returns:
        The model; `encoder(x)` and `decoder(z)` return `torch.distributions` objects.

    Raises:
        CheckpointError: there is none, or the file is truncated, foreign, or does not fit what it says of itself.
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
            raise CheckpointError(f"Weights must fit the config in the file; in {path} {', '.join(odd[:3])} do not.")
        weights = {key: file.get_tensor(key).float() for key in want}
    _check_finite(path, weights)
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(False)


def _load_imported(path: Path, config: ImportedConfig) -> VAE:
    with opened(path, "pt") as file:
        keys = list(file.keys())
        count = sum(math.prod(file.get_slice(key).get_shape()) for key in keys)
        if count > MOST_WEIGHTS:
            raise CheckpointError(f"A model has at most {MOST_WEIGHTS:,} weights; that in {path} has {count:,}.")
        weights = {key: file.get_tensor(key).float() for key in keys}
        graphs = json.loads(file.metadata()["vae"]).get("networks")
    _check_finite(path, weights)
    try:
        return rebuild(config, graphs, weights)
    except CheckpointError as error:
        raise CheckpointError(f"{error} The file {path} is damaged; import the model again.") from error


def _check_finite(path: Path, weights: dict[str, Tensor]) -> None:
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise CheckpointError(
            f"Weights must be finite numbers; some in {path} are not. The model diverged in training."
        )


def _written(model: VAE, record: Record) -> str:
    """Returns a record as the text that stands in the file of its model; of a model from elsewhere its networks too.

    Raises:
        CheckpointError: a model that was built here does not say how it was trained.
    """
    says: dict[str, Any] = {"format": FORMAT, "model": model.config.to_dict()}
    if isinstance(model.config, ImportedConfig):
        says |= {"format": IMPORTED, "networks": graphs_of(model), "images": record.images}
    elif record.training is None:
        raise CheckpointError(f"A model that was built here says how it was trained; {record.name!r} does not.")
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
