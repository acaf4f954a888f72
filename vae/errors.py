"""Errors that a user can act on. All derive from `VAEError`, so one `except` clause catches them.

    VAEError
    ├── ConfigError        a setting or an argument is outside what the model allows (also a ValueError)
    ├── DataError          images are missing, damaged, or of the wrong kind
    ├── CheckpointError    a model file is missing, damaged, not one of ours, or already exists
    ├── JobError           a training cannot be started, or its process has ended
    └── DivergenceError    the loss is no longer finite

Each message states the rule, the value that was given, and what to do about it.
"""

import difflib
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable

__all__ = ["DAMAGE", "CheckpointError", "ConfigError", "DataError", "DivergenceError", "JobError", "VAEError", "meant"]

# What the readers of arrays, archives and JSON raise on damaged files: nearly every kind of exception.
DAMAGE = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError, TypeError,
    ValueError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def meant(given: str, names: Iterable[str]) -> str:
    """Returns " Did you mean 'name'?" for the end of a message, or "" if no name resembles the one given."""
    return "".join(f" Did you mean {name!r}?" for name in difflib.get_close_matches(given, list(names), 1))


class VAEError(Exception):
    """Base of every error that this library raises on purpose."""


class ConfigError(VAEError, ValueError):
    """A setting or an argument is outside what the model allows."""


class DataError(VAEError):
    """Images are missing, damaged, or of the wrong kind."""


class CheckpointError(VAEError):
    """A model file is missing, damaged, not one of ours, or already exists."""


class JobError(VAEError):
    """A training cannot be started, or its process has ended."""


class DivergenceError(VAEError):
    """Training produced a loss or a gradient that is not finite.

    Attributes:
        step: the optimiser step, counted from 1, at which it happened. The model keeps its last finite weights.
    """

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message)
        self.step = step
