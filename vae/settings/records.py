"""What a model's file says of it: a `Record`, as JSON in the file's header."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vae.errors import CheckpointError
from vae.settings.config import ImportedConfig, ModelConfig, TrainConfig

__all__ = ["FORMAT", "IMPORTED", "Record", "read"]

FORMAT, IMPORTED = 1, 2  # of models that were built here, and of models from elsewhere
_RENAMED = {"bits_per_pixel": "bits_per_dimension"}  # figures that older files know by another name
_CHANGE = ("step", "learning_rate", "beta")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a checkpoint says of its model.

    Attributes:
        name: of the folder, or the file's stem for a file elsewhere.
        model: what it is.
        training: how it was trained; None of a model from elsewhere.
        images: name of the data set that a model from elsewhere is shown with.
        data_checksum: sha256 of the images it learned from.
        epochs_done: passes over the training images; fewer than `training.epochs` when it was stopped.
        seconds: what training took.
        held_out: figures on held-out images: `elbo`, `reconstruction`, `kl` in nats, `elbo_standard_error`,
            `bits_per_dimension`, and `images`, how many.
        changes: learning rates and betas that were changed by hand on the way, with the step after which.
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
        """Name of the data set that the model learned from, as far as that is known."""
        return self.training.data if self.training else self.images

    @property
    def autoencoder(self) -> bool:
        """Whether this is a plain autoencoder, which has no prior and no p(x)."""
        return self.training is not None and self.training.objective == "autoencoder"


def read(text: str, name: str, path: Path) -> Record:
    """Makes a record of the text that stands in the file of a model.

    Arguments:
        text: what the file says.
        name: of the model.
        path: of the file, for the sentence that says what is wrong.

    Raises:
        CheckpointError: the text is damaged, or of a format that this version does not read.
    """
    try:
        says: dict[str, Any] = json.loads(text)
        if says["format"] not in (FORMAT, IMPORTED):
            raise CheckpointError(
                f"{path} has format {says['format']}; this version reads {FORMAT} and {IMPORTED}. Update the program."
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
    """Reads a figure: a count as a whole number, all others as they are measured."""
    return int(value) if name == "images" else float(value)
