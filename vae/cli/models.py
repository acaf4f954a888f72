"""Commands on models as files of other programs: `model export`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vae.interchange import write_onnx
from vae.model import load

__all__ = ["add_model"]


def add_model(commands: Any) -> None:
    """Adds the command to those of a parser."""
    command = commands.add_parser("model", help="write a model for other programs")
    inner = command.add_subparsers(dest="what", required=True)
    command = inner.add_parser("export", help="write encoder.onnx and decoder.onnx, each held against the model")
    command.add_argument("name", help="of the model, or its file")
    command.add_argument("--onnx", type=Path, required=True, metavar="FOLDER", help="where; made if need be")
    command.set_defaults(run=_export)


def _export(chosen: argparse.Namespace) -> None:
    for path in write_onnx(load(chosen.name), chosen.onnx):
        print(path)
