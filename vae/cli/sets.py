"""The command `data`: lists data sets, fetches them, imports images of your own, and removes imported sets."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from vae import data
from vae.cli.terminal import clear_bar, draw_bar
from vae.cli.uses import loaded
from vae.data import imports, stored
from vae.errors import DataError

__all__ = ["add_data"]


def add_data(commands: Any) -> None:
    """Adds the command to a parser."""
    command = commands.add_parser("data", help="list the data sets, fetch one, import your own images, or remove them")
    command.add_argument("--json", action="store_true", help="list them as JSON")
    command.set_defaults(run=_list)
    actions = command.add_subparsers(dest="action", metavar="NAME | import PATH | remove NAME")
    for name in data.names():
        actions.add_parser(name).set_defaults(run=_fetch, name=name)
    _add_import(actions)
    action = actions.add_parser("remove", help="delete an imported set")
    action.add_argument("name", help="name of the set")
    action.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    action.set_defaults(run=_remove)


def _add_import(actions: Any) -> None:
    action = actions.add_parser(
        "import",
        help="import your own images as a data set",
        description="Reads a folder of images (one folder per class, or flat), a zip archive of one, .npy, .npz, IDX "
        "or Parquet, and stores it as a data set of 8-bit images.",
    )
    action.add_argument("path", help="path of the images")
    action.add_argument("--name", required=True, help="name of the set: lower-case letters, digits, '.', '-' and '_'")
    action.add_argument("--title", default="", help="title to display; by default the name")
    held_out = action.add_mutually_exclusive_group()
    held_out.add_argument("--test", metavar="PATH", help="other images, to be held out")
    held_out.add_argument(
        "--held-out",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="fraction of the images that is held out (default: %(default)s)",
    )
    action.add_argument("--size", type=int, nargs=2, metavar=("H", "W"), help="resize the images to this many pixels")
    action.add_argument(
        "--labels", metavar="FILE",
        help="labels: .npy, IDX, one per line, or CSV with a file name and its label on each line",
    )  # fmt: skip
    action.add_argument("--test-labels", metavar="FILE", help="the same for --test")
    action.add_argument("--invert", action="store_true", help="swap light and dark")
    action.add_argument("--grey", action="store_true", help="convert colour to grey")
    action.add_argument(
        "--skip-bad", action="store_true", help="skip image files that cannot be read, at most half of all"
    )
    action.set_defaults(run=_import)


def _fetch(chosen: argparse.Namespace) -> None:
    print(loaded(chosen.name, always=True).describe())


def _list(chosen: argparse.Namespace) -> None:
    cards, troubles = stored.cards()
    more = {card.name: asdict(card) for card in cards}
    listed = []
    for name in data.names():
        says: dict[str, Any] = {"name": name, "available": data.available(name)}
        try:
            if says["available"]:
                says |= _known(data.facts(name)) | more.get(name, {})
        except DataError as error:
            troubles.append(str(error))
        listed.append(says)
    if chosen.json:
        print(json.dumps(listed))
    else:
        for says in listed:
            print(f"{says['name']:<26} {_said(says) if 'train' in says else _absent(says)}")
    for trouble in troubles:
        print(trouble, file=sys.stderr)


def _absent(says: dict[str, Any]) -> str:
    return "damaged" if says["available"] else f"to be fetched: vae data {says['name']}"


def _known(facts: data.Facts) -> dict[str, Any]:
    return facts._asdict() | {"bytes": facts.bytes}


def _said(says: dict[str, Any]) -> str:
    count = len(says["classes"])
    classes = f"{count:,} classes" if count > 1 else "one class" if count else "no labels"
    counts = f"{says['train']:,} + {says['test']:,} images of {data.said_size(says['image_shape'])}, {classes}"
    return f"{counts}, {says['bytes'] / 1e6:,.1f} MB: {says['title']}"


def _import(chosen: argparse.Namespace) -> None:
    stored.check_new(chosen.name, data.NAMES, f"vae data remove {chosen.name}")  # before anything is read
    recipe = imports.Recipe(tuple(chosen.size) if chosen.size else None, chosen.grey, chosen.invert)
    try:
        draft = imports.open_source(
            chosen.path, test=chosen.test, labels=chosen.labels, test_labels=chosen.test_labels,
            held_out=chosen.held_out, recipe=recipe, skip_bad=chosen.skip_bad,
        )  # fmt: skip
        print(f"{draft.count:,} images in {draft.source}: {draft.train.kind}", file=sys.stderr)
        if draft.trouble is None:
            for step in draft.steps:
                print(step, file=sys.stderr)
        card = imports.keep(draft, chosen.name, chosen.title, _draw)
    except imports.BadImage as error:
        raise DataError(f"{error} With --skip-bad, all images that cannot be read are skipped.") from error
    clear_bar()
    for warning in card.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    print(_said(_known(data.facts(card.name))))


def _draw(done: int, whole: int) -> None:
    draw_bar(done / whole, f"{done:,} of {whole:,} images")


def _remove(chosen: argparse.Namespace) -> None:
    name = stored.check_kept(chosen.name)
    if not chosen.yes:
        if not sys.stdin.isatty():
            raise DataError(f"Removing {name!r} needs confirmation; give --yes to remove it without being asked.")
        if input(f"Remove the data set {name}? [y/N] ").strip().casefold() not in ("y", "yes"):
            print("kept", file=sys.stderr)
            return
    stored.remove(name)
    print(f"removed {name}")
