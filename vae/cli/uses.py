"""Commands that take codes out, `codes`, and measure what they are good for; how a command loads a data set."""

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


def loaded(name: str, always: bool = False) -> data.Dataset:
    """Loads a data set, fetched with a bar where it is not on disk yet."""
    if always or not data.available(name):
        data.fetch(
            name, lambda what, done, total: draw_bar(done / total if total else 0, f"{what}, {done / 1e6:.1f} MB")
        )
        print(end="\n" * sys.stderr.isatty(), file=sys.stderr)
    return data.load_dataset(name)


def images_of(record: Record, name: str | None) -> data.Dataset:
    """Loads the data set of a name or, without one, that of a model's training.

    Where that is none that is known here it takes the sample that ships, and says so.

    Raises:
        DataError: the name is unknown, or the images have another size than those that the model was made for.
    """
    own = record.data
    if name is None and own not in data.names():
        if record.model.image_shape != (28, 28):
            raise DataError(
                f"{record.name} belongs to the data set {own!r}, which is not here any more: import it again, or name "
                "another with --data."
            )
        print(f"{record.name} learned from {own}, which is not known here: taking mnist-sample.", file=sys.stderr)
        name = "mnist-sample"
    dataset = loaded(name or own)
    if dataset.image_shape != record.model.image_shape:
        came, wanted = map(data.said_size, (dataset.image_shape, record.model.image_shape))
        raise DataError(
            f"Images must have the size of the model's; those of {dataset.name} are {came}, and {record.name} was made "
            f"for {wanted}."
        )
    return dataset


def add_uses(commands: Any) -> None:
    """Adds the commands to those of a parser."""
    command = commands.add_parser("codes", help="write q(z|x) of the test images, with labels and KL, as CSV")
    command.add_argument("name", help="of the model, or its file")
    command.add_argument("--data", "--dataset", help="data set; that of the model's training if not given")
    command.add_argument("--output", type=Path, metavar="FILE", help="NAME-codes.csv if not given")
    command.set_defaults(run=_codes)

    command = commands.add_parser(
        "features", help="accuracy of simple classifiers on a model's codes, kept beside the model"
    )
    command.add_argument("name", help="of the model, or its file")
    command.add_argument("--data", "--dataset", help="data set; that of the model's training if not given")
    add_device(command, "cpu")
    command.set_defaults(run=_features)

    command = commands.add_parser("classifier", help="train the classifier that judges draws, kept beside the models")
    command.add_argument("name", choices=data.names(), help="of the data set")
    command.add_argument("--seed", type=int, default=0, help="of its weights (%(default)s)")
    command.set_defaults(run=_classifier)


def _codes(chosen: argparse.Namespace) -> None:
    record = read_record(chosen.name)
    dataset = images_of(record, chosen.data)
    test = dataset.test
    labels = [dataset.classes[label] for label in test.labels.tolist()] if test.labelled else None
    content = vae.latent.codes_csv(vae.encode(vae.load(chosen.name), test.images), labels, plain=record.autoencoder)
    output = chosen.output or Path(f"{record.name}-codes.csv")
    paths.write_aside(output, content)
    print(output, file=sys.stdout if paths.given(output).is_file() else sys.stderr)  # which may be the pipe itself


def _features(chosen: argparse.Namespace) -> None:
    locate(chosen.name)
    device = device_of(chosen, "cpu")
    dataset = images_of(read_record(chosen.name), chosen.data)
    found = vae.uses.features.make_features(chosen.name, dataset, device=device, progress=partial(draw_bar))
    clear_bar()
    print(_table(found))


def _table(found: vae.uses.features.Features) -> str:
    """Writes accuracies as a Markdown table, in percent."""
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
            f"A classifier is kept with the models; {path.parent} may not be written to. "
            f"Set VAE_CHECKPOINTS to a folder of your own."
        )
    net = vae.uses.classifier.train_classifier(loaded(chosen.name), seed=chosen.seed)
    vae.uses.classifier.save_classifier(path, net, chosen.name)
    assert net.skill is not None
    images, accuracy, confidence, sure, accuracy_sure = net.skill
    print(
        f"{path}: right on {accuracy:.2%} of {images:,} test images (mean confidence {confidence:.2%}); "
        f"above {vae.uses.classifier.SURE:.0%} on {sure:.2%}, and right on {accuracy_sure:.2%} of these"
    )
