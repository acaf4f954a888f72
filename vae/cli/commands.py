"""The commands of the library: `vae app | classroom | data | train | evaluate | sample | models | model | ...`."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import signal
import sys
import typing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from PIL import Image

import vae
from vae import data, paths
from vae.cli.app import add_app
from vae.cli.classroom import add_classroom
from vae.cli.evidence import add_evidence, add_images
from vae.cli.flags import add_device, add_fields, config_of, device_of
from vae.cli.models import add_model
from vae.cli.report import add_report
from vae.cli.sets import add_data
from vae.cli.terminal import clear_bar, draw_bar, say_device
from vae.cli.uses import add_uses, images_of, loaded
from vae.errors import ConfigError, VAEError, meant
from vae.paths import write_aside
from vae.settings import (
    PRESETS,
    ModelConfig,
    Preset,
    TrainConfig,
    catalogue,
    check_name,
    fitted_to,
    folders,
    likelihood_words,
    locate,
    methods,
    read_record,
    refuse_taken,
)

__all__ = ["main"]


def main(words: list[str] | None = None) -> int:
    """Runs one command; returns 0, or 2 after a one-line message if the user can correct the mistake."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console without a character shows "?" instead of raising
            stream.reconfigure(errors="replace")
    parser = _parser()
    if not (sys.argv[1:] if words is None else words):
        parser.print_help()
        return 2
    chosen, unknown = parser.parse_known_args(words)
    if unknown:
        hint = " Options for Streamlit must come after --." if chosen.command == "app" else ""
        says = f"unrecognized arguments: {' '.join(unknown)}; see vae {chosen.command} --help."
        parser.exit(2, f"vae {chosen.command}: {says}{hint}\n")
    try:
        chosen.run(chosen)
        sys.stdout.flush()
    except VAEError as error:
        clear_bar()
        print(f"vae {chosen.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        clear_bar()
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python prints nothing at exit either
        return 141
    return 0


def _train(chosen: argparse.Namespace) -> None:
    model, config = _asked(chosen)
    with vae.distributed.group():
        if vae.distributed.rank():
            return vae.distributed.follow()
        _lead(chosen, model, config)
        vae.distributed.dismiss()


def _asked(chosen: argparse.Namespace) -> tuple[ModelConfig, TrainConfig]:
    """Returns what to train and how, rejecting bad settings before PyTorch is imported or data are fetched."""
    check_name(chosen.name)
    device_of(chosen)
    preset = PRESETS[chosen.preset] if chosen.preset else Preset(ModelConfig(), TrainConfig())
    model, config = config_of(ModelConfig, chosen, preset.model), config_of(TrainConfig, chosen, preset.training)
    if chosen.resume:
        if model != ModelConfig() or config != TrainConfig() or chosen.half or chosen.overwrite or chosen.estimate:
            raise ConfigError("A training is resumed with its original settings; give --resume without other settings.")
    else:
        if not (chosen.overwrite or chosen.estimate):
            refuse_taken(chosen.name, "--overwrite")
        data.available(config.data)  # raises an error that lists the sets
    if chosen.at_most is not None and not chosen.at_most > 0:
        raise ConfigError(f"at-most must be a positive number of seconds; it is {chosen.at_most:g}.")
    return model, config


def _lead(chosen: argparse.Namespace, model: ModelConfig, config: TrainConfig) -> None:
    if chosen.resume:
        config = vae.jobs.read_plan(folders()[0] / chosen.name).training
    if config.data in data.names():
        model, config = _fitted(chosen, model, config, loaded(config.data, optional=True).image_shape)
    if chosen.estimate:
        print(json.dumps({"estimated_seconds": vae.estimate(model, config, data.load_dataset(config.data))}))
        return
    say_device(vae.model.best_device())
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both signals mean: save and end

    def waits(others: int) -> None:
        print(f"waiting for {others} other training{'s' * (others > 1)} to end", file=sys.stderr, flush=True)

    if chosen.resume:
        training = vae.jobs.runs.resume(chosen.name, waits, chosen.at_most)
    else:
        training = vae.jobs.runs.run(
            chosen.name, model, config, half=chosen.half, overwrite=chosen.overwrite, waits=waits,
            seconds=chosen.at_most,
        )  # fmt: skip
    with contextlib.closing(training) as reports:
        for report in reports:
            line = f"epoch {report.epoch:6.2f}/{config.epochs}  "
            line += f"reconstruction {report.reconstruction:9.2f}  kl {report.kl:6.2f}"
            if report.held_out_kl is None or report.held_out_reconstruction is None:
                draw_bar(report.step / report.steps, line)
            else:
                held_out = report.held_out_reconstruction - report.held_out_kl
                start = "\r" if sys.stderr.isatty() else ""
                with contextlib.suppress(OSError):  # training must not end because a log cannot be written
                    print(f"{start}{line}  held out {held_out:9.2f}  {report.seconds:6.1f} s", flush=True)
    job = vae.jobs.status(chosen.name)
    if job and job.state == "stopped" and job.message:
        print(job.message, file=sys.stderr)
    else:
        print(json.dumps(read_record(chosen.name).held_out))


def _fitted(
    chosen: argparse.Namespace, model: ModelConfig, config: TrainConfig, image_shape: tuple[int, ...]
) -> tuple[ModelConfig, TrainConfig]:
    """Adapts a model to the images of a set if no shape was given, with convolutions if they are large."""
    if chosen.resume or "image_shape" in chosen or model.image_shape == image_shape:
        return model, config
    model = fitted_to(model, image_shape, keep_channels="channels" in chosen)
    if model.channels and "initial" not in chosen:  # the mean image of a preset applies only to perceptrons
        config = replace(config, initial="random")
    return model, config


def _project(chosen: argparse.Namespace) -> None:
    record, device = read_record(chosen.name), device_of(chosen, "cpu")
    dataset = images_of(record, chosen.data)
    vae.make_projection(chosen.name, dataset, chosen.method, images=chosen.images, seed=chosen.seed, device=device)
    print(vae.latent.projections.projection_file(chosen.name, dataset.name, chosen.method))


def _sample(chosen: argparse.Namespace) -> None:
    locate(chosen.name)
    if not 1 <= chosen.count <= 10_000:
        raise ConfigError(f"count must be from 1 to 10,000; it is {chosen.count}.")
    import torch  # imported here, because it takes seconds

    model = vae.load(chosen.name)
    z = torch.randn(chosen.count, model.config.latent, generator=vae.generator(chosen.seed))
    decoded = vae.decode(model, z.numpy(), seed=chosen.seed)
    images = decoded.sample if chosen.draws else decoded.mean
    columns = int(np.ceil(chosen.count**0.5))
    height, width, *colours = images.shape[1:]
    rows = -(-chosen.count // columns)
    sheet = np.zeros((rows * columns, height, width, *colours), np.float32)
    sheet[: chosen.count] = images
    sheet = sheet.reshape(rows, columns, height, width, *colours).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, columns * width, *colours)
    picture = io.BytesIO()
    Image.fromarray((sheet.clip(0, 1) * 255).round().astype(np.uint8)).save(picture, format="PNG")
    place = paths.given(chosen.out)
    missing = [folder for folder in place.parents if not folder.exists()]
    write_aside(place, picture.getvalue())
    print(place, file=sys.stdout if place.is_file() else sys.stderr)  # stdout may be the pipe that receives the picture
    if missing:
        print(f"The folder {place.parent} was created for it.", file=sys.stderr)


def _models(chosen: argparse.Namespace) -> None:
    records, troubles = catalogue()
    if chosen.json:
        print(json.dumps([asdict(record) for record in records]))
    else:
        if records:
            print(
                f"{'model':<26} {'J':>4}  {'images':<26}{'likelihood':<32}{'held-out ELBO, nats':>20}{'KL, nats':>10}"
            )
        for record in records:
            elbo = record.held_out.get("elbo")
            figures = "" if elbo is None else f"{elbo:20.2f}{record.held_out.get('kl', math.nan):10.2f}"
            size, likelihood = data.said_size(record.model.image_shape), likelihood_words(record.model)
            print(f"{record.name:<26} {record.model.latent:>4}  {size:<26}{likelihood:<32}{figures}".rstrip())
    for trouble in troubles:
        print(trouble, file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> typing.NoReturn:
        way_out = f" See {self.prog} --help." if message.endswith("?") else f"; see {self.prog} --help"
        self.exit(2, f"{self.prog}: {message}{way_out}\n")

    def _check_value(self, action: argparse.Action, value: typing.Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            if hint := meant(str(value), map(str, action.choices or ())):
                error.message += f".{hint}"
            raise


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="vae", description="Train, evaluate and explore variational autoencoders.")
    parser.add_argument("--version", action="version", version=f"vae-explorer {paths.version()}")
    commands = parser.add_subparsers(dest="command", required=True)

    add_data(commands)

    command = commands.add_parser("train", help="train a model and save it")
    command.add_argument("name", help="name of the model")
    command.add_argument("--half", action="store_true", help="store weights as float16")
    command.add_argument("--overwrite", action="store_true", help="replace an existing model of that name")
    command.add_argument(
        "--estimate", action="store_true", help="only estimate how long the training would take on this machine"
    )
    command.add_argument("--preset", choices=PRESETS, help="settings that are known to work; other flags override them")
    command.add_argument("--resume", action="store_true", help="resume a training that was stopped or killed")
    command.add_argument(
        "--at-most", type=float, metavar="SECONDS", help="stop after this time, and keep the model as it is then"
    )
    add_device(command)
    for config in (ModelConfig, TrainConfig):
        add_fields(command, config)
    command.set_defaults(run=_train)

    add_app(commands)
    add_classroom(commands)
    add_evidence(commands)

    command = commands.add_parser(
        "project", help="project the codes of test images onto a plane; the result is stored with the model"
    )
    command.add_argument(
        "--method", choices=methods.PROJECTIONS, default="tsne", help="method of projection (default: %(default)s)"
    )
    add_images(command, methods.PROJECTED)
    add_device(command, "cpu")
    command.set_defaults(run=_project)

    add_uses(commands)
    add_model(commands)
    add_report(commands)

    command = commands.add_parser("sample", help="decode samples from the prior into a picture")
    command.add_argument("name", help="name of the model, or path of its file")
    command.add_argument("--count", type=int, default=64, help="number of samples (default: %(default)s)")
    command.add_argument("--draws", action="store_true", help="sample x from p(x|z) instead of showing its mean")
    command.add_argument("--seed", type=int, default=0, help="seed of the samples (default: %(default)s)")
    command.add_argument(
        "--out", "--output", type=Path, default=Path("samples.png"), help="PNG file (default: %(default)s)"
    )
    command.set_defaults(run=_sample)

    command = commands.add_parser("models", help="list all models")
    command.add_argument("--json", action="store_true", help="print JSON, with everything recorded in their files")
    command.set_defaults(run=_models)
    return parser
