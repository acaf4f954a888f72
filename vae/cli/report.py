"""The command `report`: a report on a model, as one HTML file."""

from __future__ import annotations

import argparse
import datetime
import json
from functools import partial
from pathlib import Path
from typing import Any

import vae
from vae import paths
from vae.cli.terminal import Bar, clear_bar
from vae.cli.uses import images_of
from vae.settings import read_record

__all__ = ["add_report"]


def add_report(commands: Any) -> None:
    """Adds the command to a parser."""
    command = commands.add_parser("report", help="write a report on a model as one HTML file")
    command.add_argument("name", help="name of the model, or path of its file")
    command.add_argument(
        "--against", nargs="+", default=[], metavar="NAME", help="other models, to be shown next to it"
    )
    command.add_argument("--data", help="data set; by default the one that each model was trained on")
    command.add_argument("--output", type=Path, metavar="FILE", help="HTML file; by default NAME-report.html")
    command.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    command.set_defaults(run=_report)


def _report(chosen: argparse.Namespace) -> None:
    reports, bar = [], Bar()
    asked = [(name, read_record(name)) for name in (chosen.name, *chosen.against)]  # checked before any work is done
    for name, record in asked:
        about = f"{record.name}: " if len(asked) > 1 else ""
        told = partial(_draw, bar, about)
        reports.append(vae.report.make_report(name, images_of(record, chosen.data), told))
        clear_bar()
    output = chosen.output or Path(f"{reports[0].name}-report.html")
    day = datetime.date.today().isoformat()
    paths.write_aside(paths.given(output), vae.report.page(reports, f"Made by vae report on {day}.").encode())
    print(output)
    if chosen.json:
        numbers = [report.numbers() for report in reports]
        paths.write_aside(paths.given(chosen.json), json.dumps(numbers, indent=1).encode())
        print(chosen.json)


def _draw(bar: Bar, about: str, title: str, share: float) -> None:
    bar.draw(about + title, share)
