"""The state of a training on disk: one safetensors file with further facts in its header. Never pickle.

A state is written under a temporary name, flushed and renamed, so the previous one remains until the new one is
complete.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors
from safetensors.torch import save as to_bytes

from vae.errors import CheckpointError
from vae.paths import write_aside
from vae.training import Trainer

__all__ = ["load_state", "save_state"]

_FORMAT = 1


def save_state(path: Path, trainer: Trainer, of: dict[str, Any]) -> None:
    """Writes a trainer's state.

    Arguments:
        path: of the file.
        trainer: whose state to write.
        of: JSON types that identify the training, which `load_state` compares with its own.

    Raises:
        CheckpointError: the file cannot be written; the previous state is kept.
    """
    tensors, facts = trainer.state()
    says = {"format": _FORMAT, "of": of, "facts": facts}
    whole = {key: value.detach().contiguous() for key, value in tensors.items()}
    write_aside(path, to_bytes(whole, {"vae-state": json.dumps(says)}))


def load_state(path: Path, trainer: Trainer, of: dict[str, Any]) -> None:
    """Restores a trainer to the state in a file.

    Raises:
        CheckpointError: the file is damaged, or of another training; the trainer must not be used any more.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            says = json.loads((file.metadata() or {}).get("vae-state", "{}"))
            if not (isinstance(says, dict) and says.get("format") == _FORMAT):
                raise CheckpointError(f"{path} is not the state of a training of this version. Train the model again.")
            if says.get("of") != of:
                raise CheckpointError(
                    f"A training must be resumed with the model, settings and images that it began with; {path} has "
                    f"others. Train the model again."
                )
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a complete state ({error}). Train the model again.") from error
    trainer.restore(tensors, says.get("facts", {}))
