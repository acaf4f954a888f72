"""The fields of a config as flags of a command, and back."""

from __future__ import annotations

import argparse
import typing
from dataclasses import fields

from vae.config import ModelConfig, TrainConfig

__all__ = ["add_fields", "config_from"]

C = typing.TypeVar("C", ModelConfig, TrainConfig)
_ALSO = {"latent": ("--latent-dim",), "data": ("--dataset",)}


def add_fields(parser: argparse.ArgumentParser, config: type) -> None:
    """Adds a flag for each field of a config, with its help and default."""
    hints = typing.get_type_hints(config)
    for f in fields(config):
        hint, words = hints[f.name], f.metadata["help"]
        flags = [f"--{f.name.replace('_', '-')}", *_ALSO.get(f.name, ())]
        if typing.get_origin(hint) is typing.Literal:
            parser.add_argument(*flags, choices=typing.get_args(hint), default=f.default, help=f"{words} (%(default)s)")
        else:
            kind = {int: int, float: float, str: str}.get(hint) or (
                _widths if typing.get_origin(hint) is tuple else _floor
            )
            shown = ",".join(map(str, f.default)) if isinstance(f.default, tuple) else f.default
            parser.add_argument(*flags, type=kind, default=f.default, help=f"{words} ({shown})")


def config_from(kind: type[C], chosen: argparse.Namespace) -> C:
    """Returns the config that the flags say.

    Raises:
        ConfigError: a value is not allowed.
    """
    return kind(**{f.name: getattr(chosen, f.name) for f in fields(kind)})


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise argparse.ArgumentTypeError(f"whole numbers with commas between, such as 256,512; not {text!r}") from None


def _floor(text: str) -> float | None:
    try:
        return None if text == "none" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number or none; not {text!r}") from None
