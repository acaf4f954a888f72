"""Configs as flags of a command line: each field is one, and only those that are given are in what was parsed."""

from __future__ import annotations

import argparse
import os
import typing
from dataclasses import fields

from vae.settings import ModelConfig, TrainConfig, methods

__all__ = ["add_device", "add_fields", "config_of", "device_of"]

C = typing.TypeVar("C", ModelConfig, TrainConfig)
_ALSO = {"latent": ("--latent-dim",), "data": ("--dataset",)}


def add_fields(parser: argparse.ArgumentParser, config: type[ModelConfig] | type[TrainConfig]) -> None:
    """Gives a parser a flag for each field of a config."""
    hints = typing.get_type_hints(config)
    for f in fields(config):
        hint, words = hints[f.name], f.metadata["help"]
        flags = [f"--{f.name.replace('_', '-')}", *_ALSO.get(f.name, ())]
        shown = ",".join(map(str, f.default)) if isinstance(f.default, tuple) else f.default
        how: dict[str, typing.Any] = {"default": argparse.SUPPRESS, "help": f"{words} ({shown})"}
        if typing.get_origin(hint) is typing.Literal:
            how["choices"] = typing.get_args(hint)
        else:
            tuples = typing.get_origin(hint) is tuple
            how["type"] = {int: int, float: float, str: str}.get(hint) or (_widths if tuples else _floor)
        parser.add_argument(*flags, **how)


def add_device(parser: argparse.ArgumentParser, usual: str = "auto") -> None:
    """Gives a parser the flag `--device`."""
    says = "a GPU where there is one" if usual == "auto" else "encoding is quick there"
    parser.add_argument("--device", help=f"where to compute: auto, cpu, cuda, cuda:1 or mps ({usual}: {says})")


def device_of(chosen: argparse.Namespace, usual: str = "auto") -> str:
    """Returns the device that was chosen or, without one, `$VAE_DEVICE` or the usual one; for this process from now on.

    Raises:
        ConfigError: it is none.
    """
    name = methods.check_device(chosen.device or os.environ.get("VAE_DEVICE") or usual)
    os.environ["VAE_DEVICE"] = name
    return name


def config_of(kind: type[C], chosen: argparse.Namespace, base: C | None = None) -> C:
    """Returns a config with what was chosen, and all else as in a base (the defaults if None).

    Raises:
        ConfigError: a value is outside its range.
    """
    base = kind() if base is None else base
    return kind(**{f.name: getattr(chosen, f.name, getattr(base, f.name)) for f in fields(kind)})


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
