"""Commands that export codes (`codes`) and measure how useful they are; how a command loads a data set."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

import vae
from vae import data, paths
from vae.cli.flags import add_device, device_of
from vae.cli.terminal import clear_bar, draw_bar
from vae.errors import CheckpointError, DataError
from vae.settings import Record, folders, locate, read_record

__all__ = ["add_uses", "images_of", "loaded"]


def loaded(name: str, always: bool = False, optional: bool = False) -> data.Dataset:
    """Loads a data set, fetching it with a progress bar if it is not on disk.

    Arguments:
        name: of the data set.
        always: whether to fetch it again if it is on disk, which only verifies intact files.
        optional: whether the command has an option `--data`, so that the sample can replace it.
    """
    missing = not data.available(name)
    if missing and name in data.DOWNLOADS:
        other = "; to use the sample of MNIST that ships instead, give --data mnist-sample" if optional else ""
        print(f"Fetching {name}, up to {data.DOWNLOADS[name]} MB{other}.", file=sys.stderr)
    if always or missing:
        data.fetch(
            name, lambda what, done, total: draw_bar(done / total if total else 0, f"{what}, {done / 1e6:.1f} MB")
        )
        print(end="\n" * sys.stderr.isatty(), file=sys.stderr)
    return data.load_dataset(name)


def images_of(record: Record, name: str | None) -> data.Dataset:
    """Loads the data set of that name or, without a name, the one that a model was trained on.

    If the latter is not known here, it loads the sample that ships, and says so.

    Raises:
        DataError: the name is unknown, or the images differ in size from those that the model was built for.
    """
    own = record.data
    if name is None and own not in data.names():
        if record.model.image_shape != (28, 28):
            raise DataError(
                f"{record.name} belongs to the data set {own!r}, which is no longer available: import it "
                "again, or choose another with --data."
            )
        says = f"{record.name} was trained on {own}, which is not available: using mnist-sample instead."
        print(says, file=sys.stderr)
        name = "mnist-sample"
    dataset = loaded(name or own, optional=True)
    if dataset.image_shape != record.model.image_shape:
        came, wanted = map(data.said_size, (dataset.image_shape, record.model.image_shape))
        raise DataError(
            f"Images must have the size of the model; those of {dataset.name} are {came}, and {record.name} was built "
            f"for {wanted}."
        )
    return dataset


def add_uses(commands: Any) -> None:
    """Adds the commands to a parser."""
    command = commands.add_parser("codes", help="write q(z|x) of the test images, with labels and KL, as CSV")
    command.add_argument("name", help="name of the model, or path of its file")
    command.add_argument("--data", "--dataset", help="data set; by default the one that the model was trained on")
    command.add_argument("--output", type=Path, metavar="FILE", help="CSV file; by default NAME-codes.csv")
    command.set_defaults(run=_codes)

    command = commands.add_parser(
        "features", help="measure the accuracy of simple classifiers on a model's codes; stored with the model"
    )
    command.add_argument("name", help="name of the model, or path of its file")
    command.add_argument("--data", "--dataset", help="data set; by default the one that the model was trained on")
    add_device(command, "cpu")
    command.set_defaults(run=_features)

    command = commands.add_parser(
        "classifier", help="train a classifier on the labels of a data set; stored with the models"
    )
    command.add_argument("name", choices=data.names(), help="name of the data set")
    command.add_argument("--seed", type=int, default=0, help="seed of its weights (default: %(default)s)")
    command.set_defaults(run=_classifier)


def _codes(chosen: argparse.Namespace) -> None:
    record = read_record(chosen.name)
    dataset = images_of(record, chosen.data)
    test = dataset.test
    labels = [dataset.classes[label] for label in test.labels.tolist()] if test.labelled else None
    content = vae.latent.codes_csv(vae.encode(vae.load(chosen.name), test.images), labels, plain=record.autoencoder)
    output = chosen.output or Path(f"{record.name}-codes.csv")
    paths.write_aside(output, content)
    print(output, file=sys.stdout if paths.given(output).is_file() else sys.stderr)  # stdout may be the pipe itself


def _features(chosen: argparse.Namespace) -> None:
    locate(chosen.name)
    device = device_of(chosen, "cpu")
    dataset = images_of(read_record(chosen.name), chosen.data)
    found = vae.uses.features.make_features(chosen.name, dataset, device=device, progress=partial(draw_bar))
    clear_bar()
    print(_table(found))


def _table(found: vae.uses.features.Features) -> str:
    """Formats accuracies as a Markdown table, in percent."""
    lines = [f"| features | classifier | {' | '.join(f'{count:,} labels' for count in found.labels)} |"]
    lines.append("|---|---|" + "---:|" * len(found.labels))
    for kind, probe in dict.fromkeys((each.kind, each.probe) for each in found.accuracies):
        shares = (found.share(kind, probe, count) for count in found.labels)
        lines.append(f"| {kind} | {probe} | {' | '.join(f'{share:.2%}' for share in shares)} |")
    return "\n".join(lines)


def _classifier(chosen: argparse.Namespace) -> None:
    path = folders()[0] / f"classifier-{chosen.name}.safetensors"
    if not paths.writable(path.parent):
        raise CheckpointError(
            f"A classifier is stored with the models, but {path.parent} cannot be written to. "
            f"Set VAE_CHECKPOINTS to a folder that you can write to."
        )
    net = vae.uses.classifier.train_classifier(loaded(chosen.name), seed=chosen.seed)
    vae.uses.classifier.save_classifier(path, net, chosen.name)
    assert net.skill is not None
    images, accuracy, confidence, sure, accuracy_sure = net.skill
    print(
        f"{path}: correct on {accuracy:.2%} of {images:,} test images (mean confidence {confidence:.2%}); "
        f"confident (above {vae.uses.classifier.SURE:.0%}) on {sure:.2%}, and correct on {accuracy_sure:.2%} of these"
    )
