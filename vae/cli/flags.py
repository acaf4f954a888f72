"""Configs as command-line flags: one flag for each field; only those given are in the parsed result."""

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
    """Adds a flag for each field of a config to a parser."""
    hints = typing.get_type_hints(config)
    for f in fields(config):
        hint, words = hints[f.name], f.metadata["help"]
        flags = [f"--{f.name.replace('_', '-')}", *_ALSO.get(f.name, ())]
        shown = ",".join(map(str, f.default)) or "empty" if isinstance(f.default, tuple) else f.default
        usual = "" if "by default" in words else f" (default: {shown})"
        how: dict[str, typing.Any] = {"default": argparse.SUPPRESS, "help": words + usual}
        if typing.get_origin(hint) is typing.Literal:
            how["choices"] = typing.get_args(hint)
        else:
            tuples = typing.get_origin(hint) is tuple
            how["type"] = {int: int, float: float, str: str}.get(hint) or (_widths if tuples else _floor)
        parser.add_argument(*flags, **how)


def add_device(parser: argparse.ArgumentParser, usual: str = "auto") -> None:
    """Adds the flag `--device` to a parser."""
    says = "a GPU if there is one" if usual == "auto" else "on which encoding is fast"
    parser.add_argument("--device", help=f"device: auto, cpu, cuda, cuda:1 or mps (default: {usual}, {says})")


def device_of(chosen: argparse.Namespace, usual: str = "auto") -> str:
    """Returns the chosen device, or that of `$VAE_DEVICE`, or the usual one, and sets it for this process.

    Raises:
        ConfigError: it is not the name of a device.
    """
    name = methods.check_device(chosen.device or os.environ.get("VAE_DEVICE") or usual)
    os.environ["VAE_DEVICE"] = name
    return name


def config_of(kind: type[C], chosen: argparse.Namespace, base: C | None = None) -> C:
    """Returns a config with the given settings, and all others as in a base (the defaults if None).

    Raises:
        ConfigError: a value is outside its range.
    """
    base = kind() if base is None else base
    return kind(**{f.name: getattr(chosen, f.name, getattr(base, f.name)) for f in fields(kind)})


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be whole numbers separated by commas, such as 256,512; it is {text!r}"
        ) from None


def _floor(text: str) -> float | None:
    try:
        return None if text == "none" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number or none; it is {text!r}") from None
