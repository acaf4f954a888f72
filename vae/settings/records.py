"""The record of a model, kept as JSON in the header of its file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vae.errors import CheckpointError
from vae.settings.config import ImportedConfig, ModelConfig, TrainConfig

__all__ = ["FORMAT", "IMPORTED", "Record", "read"]

FORMAT, IMPORTED = 1, 2  # for models built here, and for models from elsewhere
_RENAMED = {"bits_per_pixel": "bits_per_dimension"}  # figures that have another name in older files
_CHANGE = ("step", "learning_rate", "beta")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a checkpoint records about its model.

    Attributes:
        name: of the folder, or the stem of a file elsewhere.
        model: its architecture and likelihood.
        training: how it was trained; None for a model from elsewhere.
        images: name of the data set that a model from elsewhere is shown with.
        data_checksum: SHA-256 of the images it was trained on.
        epochs_done: passes over the training images; fewer than `training.epochs` if it was stopped.
        seconds: duration of the training.
        held_out: figures on held-out images: `elbo`, `reconstruction`, `kl` in nats, `elbo_standard_error`,
            `bits_per_dimension`, and the number of `images`.
        changes: learning rates and betas that were changed during the training, with the step after which.
    """

    name: str
    model: ModelConfig | ImportedConfig
    training: TrainConfig | None = None
    images: str = ""
    data_checksum: str = ""
    epochs_done: float = 0.0
    seconds: float = 0.0
    held_out: dict[str, float] = field(default_factory=dict)
    changes: list[dict[str, float]] = field(default_factory=list)

    @property
    def data(self) -> str:
        """Name of the data set that the model was trained on, as far as that is known."""
        return self.training.data if self.training else self.images

    @property
    def autoencoder(self) -> bool:
        """Whether this is a plain autoencoder, which has no prior and no p(x)."""
        return self.training is not None and self.training.objective == "autoencoder"


def read(text: str, name: str, path: Path) -> Record:
    """Parses the record in the file of a model.

    Arguments:
        text: the JSON in the file's header.
        name: of the model.
        path: of the file, for the error message.

    Raises:
        CheckpointError: the text is damaged, or of a format that this version does not read.
    """
    try:
        says: dict[str, Any] = json.loads(text)
        if says["format"] not in (FORMAT, IMPORTED):
            raise CheckpointError(
                f"{path} has format {says['format']}; this version reads formats {FORMAT} and {IMPORTED}. Update the "
                "program."
            )
        imported = says["format"] == IMPORTED
        return Record(
            name=name,
            model=(ImportedConfig if imported else ModelConfig).from_dict(says["model"]),
            training=None if imported else TrainConfig.from_dict(says["training"]),
            images=str(says["images"]) if imported else "",
            data_checksum=str(says["data_checksum"]),
            epochs_done=float(says["epochs_done"]),
            seconds=float(says["seconds"]),
            held_out={_RENAMED.get(key, str(key)): _figure(key, value) for key, value in says["held_out"].items()},
            changes=[{key: change[key] for key in _CHANGE} for change in says.get("changes", [])],
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path} has a damaged record ({error}). Train or fetch the model again.") from error


def _figure(name: str, value: Any) -> float:
    """Reads a figure: a count as a whole number, any other as a float."""
    return int(value) if name == "images" else float(value)
