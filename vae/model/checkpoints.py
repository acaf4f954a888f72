"""Models on disk: `<folder>/<name>/model.safetensors`, weights with a JSON record in the header. Never pickle.

A model is written aside and renamed, so a reader never sees half a file. What a file says of itself
is checked against its tensors before any memory is taken for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save as to_bytes

from vae import paths
from vae.errors import CheckpointError
from vae.model.config import ModelConfig, TrainConfig
from vae.model.vae import VAE, Decoder, Encoder

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

FORMAT = 1
MODEL_FILE = "model.safetensors"
_RENAMED = {"bits_per_pixel": "bits_per_dimension"}  # figures that older files know by another name
_CHANGE = ("step", "learning_rate", "beta")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a checkpoint says of its model.

    Attributes:
        name: of the folder, or the file's stem for a file elsewhere.
        model: what it is.
        training: how it was trained.
        data_checksum: sha256 of the images it learned from.
        epochs_done: passes over the training images; fewer than `training.epochs` when it was stopped.
        seconds: what training took.
        held_out: figures on held-out images: `elbo`, `reconstruction`, `kl` in nats, `elbo_standard_error`,
            `bits_per_dimension`, and `images`, how many.
        changes: learning rates and betas that were changed by hand on the way, with the step after which.
    """

    name: str
    model: ModelConfig
    training: TrainConfig
    data_checksum: str = ""
    epochs_done: float = 0.0
    seconds: float = 0.0
    held_out: dict[str, float] = field(default_factory=dict)
    changes: list[dict[str, float]] = field(default_factory=list)


def folders() -> list[Path]:
    """Returns where models live, the one that is written to first: the user's own, and those that ship."""
    return list(dict.fromkeys([paths.own("checkpoints"), paths.SHIPPED / "checkpoints"]))


def check_name(name: str) -> str:
    """Returns the name of a model if it may be one.

    Raises:
        CheckpointError: it is not lower-case letters, digits, dots, dashes and underscores, 64 at most.
    """
    if not _NAME.fullmatch(name):
        raise CheckpointError(
            f"A model's name is 1 to 64 lower-case letters, digits, '.', '-' or '_', the first a letter or digit; "
            f"{name!r} is not."
        )
    return name


def taken(name: str) -> bool:
    """Tells whether there is a model of a name in `folders()`, whatever is in its file."""
    return any(path.exists() for folder in folders() for path in _places(folder, name))


def locate(name_or_path: str | Path) -> Path:
    """Returns the file of a model, by its name or its path (the file, or the folder that holds it).

    Raises:
        CheckpointError: there is none; the message lists the names that there are.
    """
    given = paths.given(name_or_path)
    places = [given, given / MODEL_FILE]
    if isinstance(name_or_path, str) and _NAME.fullmatch(name_or_path):
        places = [path for folder in folders() for path in _places(folder, name_or_path)] + places
    for path in places:
        if os.path.isfile(path):  # unlike Path.is_file, it says no to a name too long for the disk
            return path
    names = ", ".join(record.name for record in catalogue()[0]) or "none yet"
    raise CheckpointError(
        f"A model is given by its name or its file; there is none at {str(name_or_path)!r}. Names: {names}."
    )


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
    path, *others = _places(paths.given(folder) if folder else folders()[0], check_name(record.name))
    if not overwrite and any(each.exists() for each in (path, *others)):
        raise CheckpointError(f"A model's name must be new; {record.name!r} is taken. Choose another, or overwrite it.")
    weights = {key: value.detach().contiguous() for key, value in model.state_dict().items()}
    if half:
        weights = {key: value.half() for key, value in weights.items()}
    for key, value in weights.items():
        if not bool(value.isfinite().all()):
            raise CheckpointError(
                f"Weights must be finite numbers{' in half precision' * half}; those of {key} are not."
            )
    says = {
        "format": FORMAT,
        "model": model.config.to_dict(),
        "training": record.training.to_dict(),
        "data_checksum": record.data_checksum,
        "epochs_done": record.epochs_done,
        "seconds": record.seconds,
        "held_out": record.held_out,
        "changes": record.changes,
    }
    paths.write_aside(path, to_bytes(weights, {"vae": json.dumps(says)}))
    return path


def load(name_or_path: str | Path) -> VAE:
    """Reads a model, in evaluation mode and without gradients.

    Arguments:
        name_or_path: the name of a model in `folders()`, or the path of a file.

    Returns:
        The model; `encoder(x)` and `decoder(z)` return `torch.distributions` objects.

    Raises:
        CheckpointError: there is none, or the file is truncated, foreign, or does not fit what it says of itself.
    """
    path = locate(name_or_path)
    config = read_record(path).model
    with torch.device("meta"):
        model = VAE(Encoder(config), Decoder(config), config)
    want = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    with _opened(path) as file:
        have = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 - not a dict
        if have != want:
            odd = sorted(key for key in want.keys() | have.keys() if want.get(key) != have.get(key))
            raise CheckpointError(f"Weights must fit the config in the file; in {path} {', '.join(odd[:3])} do not.")
        weights = {key: file.get_tensor(key).float() for key in want}
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise CheckpointError(
            f"Weights must be finite numbers; some in {path} are not. The model diverged in training."
        )
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(False)


def read_record(name_or_path: str | Path) -> Record:
    """Reads what a checkpoint says of its model, without its weights.

    Raises:
        CheckpointError: as for `load`.
    """
    return _read_record(locate(name_or_path))


def _read_record(path: Path) -> Record:
    if not os.path.isfile(path):  # `glob` gives folders too
        raise CheckpointError(f"A model is a file; {path} is not. Move it out of the folder of models.")
    with _opened(path) as file:
        text = (file.metadata() or {}).get("vae")
    if text is None:
        raise CheckpointError(f"{path} holds tensors but is not a model of this library: its header has no record.")
    try:
        says: dict[str, Any] = json.loads(text)
        if says["format"] != FORMAT:
            raise CheckpointError(
                f"{path} has format {says['format']}; this version reads {FORMAT}. Update the program."
            )
        return Record(
            name=path.absolute().parent.name if path.name == MODEL_FILE else path.stem,
            model=ModelConfig.from_dict(says["model"]),
            training=TrainConfig.from_dict(says["training"]),
            data_checksum=str(says["data_checksum"]),
            epochs_done=float(says["epochs_done"]),
            seconds=float(says["seconds"]),
            held_out={_RENAMED.get(key, str(key)): float(value) for key, value in says["held_out"].items()},
            changes=[{key: change[key] for key in _CHANGE} for change in says.get("changes", [])],
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path} has a damaged record ({error}). Train or fetch the model again.") from error


def catalogue() -> tuple[list[Record], list[CheckpointError]]:
    """Returns the records of all models in `folders()`, by name, and what is wrong with the files that have none.

    A model has a folder of its name or, as it was mailed, is a file of its name: `bob/model.safetensors` or
    `bob.safetensors`.
    """
    records: dict[str, Record] = {}
    troubles = []
    for folder in folders():
        for path in _entries(folder):
            try:
                if path == folder / MODEL_FILE:
                    raise CheckpointError(
                        f"A model's file has its name, or lies in a folder of its name; {path} does neither. Rename it."
                    )
                name = check_name(path.parent.name if path.name == MODEL_FILE else path.stem)
                records.setdefault(name, _read_record(path))
            except CheckpointError as error:
                troubles.append(error)
    return [records[name] for name in sorted(records)], troubles


def _places(folder: Path, name: str) -> list[Path]:
    """Where a model may lie in a folder of models."""
    return [folder / name / MODEL_FILE, folder / f"{name}.safetensors"]


def _entries(folder: Path) -> list[Path]:
    """What stands where models lie, dangling links too, which `glob` leaves out."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # there is no such folder yet
        return []
    inner = [entry / MODEL_FILE for entry in entries if os.path.lexists(entry / MODEL_FILE)]
    outer = [entry for entry in entries if entry.suffix == ".safetensors" and not entry.name.startswith("classifier-")]
    return sorted([*inner, *outer])


@contextlib.contextmanager
def _opened(path: Path) -> Any:
    try:
        with _settled(path) as file:
            yield file
    except (safetensors.SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error}). It may be cut short; copy or train it again."
        ) from error


def _settled(path: Path) -> Any:
    """Opens a file that a training may be replacing: safetensors opens it twice, and must find the same one."""
    while True:
        before = _stamp(path)
        try:
            file = safetensors.safe_open(path, framework="pt")
        except (safetensors.SafetensorError, RuntimeError):
            if _stamp(path) == before:
                raise
        else:
            if _stamp(path) == before:
                return file


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
