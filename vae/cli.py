"""The library from a shell: `python -m vae data | train | evaluate | compare | project | features | sample | ...`."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import signal
import sys
import typing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vae import data, distributed, jobs, runs
from vae.annealing import simulate
from vae.cards import likelihood_words
from vae.checkpoints import Record, catalogue, check_name, folders, load, read_record, write_aside
from vae.cli_uses import add_uses, loaded
from vae.comparison import Comparison, checksum, compare, comparison_file, load_comparison, save_comparison, table
from vae.config import ModelConfig, TrainConfig
from vae.distributions import generator
from vae.errors import CheckpointError, ConfigError, VAEError
from vae.evaluation import METHODS, SAMPLES, STEPS, evaluate, figures, sandwich
from vae.evidence import Estimate
from vae.flags import add_fields, config_of
from vae.keeper import read_plan
from vae.latent import decode
from vae.models import VAE
from vae.presets import PRESETS, Preset
from vae.projections import IMAGES, make_projection, projection_file
from vae.projections import METHODS as PROJECTIONS
from vae.terminal import clear_bar, draw_bar

__all__ = ["main"]


def main(words: list[str] | None = None) -> int:
    """Runs one command; returns 0, or 2 after a one-line message when the user can mend what went wrong."""
    chosen = _parser().parse_args(words)
    try:
        chosen.run(chosen)
    except VAEError as error:
        print(f"vae {chosen.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def _data(chosen: argparse.Namespace) -> None:
    print(loaded(chosen.name, always=True).describe())


def _train(chosen: argparse.Namespace) -> None:
    with distributed.group():
        return distributed.follow() if distributed.rank() else _lead(chosen)


def _lead(chosen: argparse.Namespace) -> None:
    check_name(chosen.name)  # before anything is fetched for it
    preset = PRESETS[chosen.preset] if chosen.preset else Preset(ModelConfig(), TrainConfig())
    model, config = config_of(ModelConfig, chosen, preset.model), config_of(TrainConfig, chosen, preset.training)
    if chosen.resume:
        if model != ModelConfig() or config != TrainConfig() or chosen.half or chosen.overwrite:
            raise ConfigError("A training is resumed as it was begun; give --resume without other settings.")
        config = read_plan(folders()[0] / chosen.name).training
    if config.data in data.NAMES:
        loaded(config.data)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both ask for the same: save and end

    def waits(others: int) -> None:
        print(f"waiting for {others} other training{'s' * (others > 1)} to end", file=sys.stderr, flush=True)

    if chosen.resume:
        training = runs.resume(chosen.name, waits)
    else:
        training = runs.run(chosen.name, model, config, half=chosen.half, overwrite=chosen.overwrite, waits=waits)
    with contextlib.closing(training) as reports:
        for report in reports:
            line = f"epoch {report.epoch:6.2f}/{config.epochs}  "
            line += f"reconstruction {report.reconstruction:9.2f}  kl {report.kl:6.2f}"
            if report.held_out_kl is None or report.held_out_reconstruction is None:
                draw_bar(report.step / report.steps, line)
            else:
                held_out = report.held_out_reconstruction - report.held_out_kl
                start = "\r" if sys.stderr.isatty() else ""
                with contextlib.suppress(OSError):  # a log that cannot be written is no reason to end
                    print(f"{start}{line}  held out {held_out:9.2f}  {report.seconds:6.1f} s", flush=True)
    job = jobs.status(chosen.name)
    if job and job.state == "stopped" and job.message:
        print(job.message, file=sys.stderr)
    else:
        print(json.dumps(read_record(chosen.name).held_out))


def _opened(chosen: argparse.Namespace) -> tuple[VAE, Record, data.Dataset, torch.Tensor]:
    """Returns a model that has an evidence, its record, its data set, and as many test images as were asked for."""
    model, record = load(chosen.name), read_record(chosen.name)
    if record.training.objective == "autoencoder":
        raise ConfigError(f"Only a VAE has an evidence; {record.name} is a plain autoencoder. Choose another.")
    dataset = loaded(chosen.data or record.training.data)
    if chosen.images < 1:
        raise ConfigError(f"images must be at least 1; it is {chosen.images}.")
    return model, record, dataset, dataset.test.images[: chosen.images]


def _evaluate(chosen: argparse.Namespace) -> None:
    model, record, dataset, images = _opened(chosen)
    noise, tell = generator(chosen.seed), partial(draw_bar, words=chosen.method)
    simulated = chosen.sandwich and model.config.latent > 2
    draws, x = simulate(model, len(images), noise) if simulated else (None, model.pixels(images, noise))
    options = {"steps": chosen.steps, "generator": noise, "progress": tell}
    high: list[Estimate] = []
    if chosen.sandwich:
        if chosen.method != "ais" or chosen.replicates > 1:
            raise ConfigError("The sandwich is ais from both sides, once. Say --method=ais, and no replicates.")
        low, *high = sandwich(model, x, None if draws is None else draws[None], chains=chosen.samples, **options)
        estimates = [low]
    else:
        options |= {"replicates": chosen.replicates, "jackknife": chosen.jackknife}
        estimates = evaluate(model, x, chosen.method, samples=chosen.samples, **options)
    clear_bar()
    upper = figures(high) if high else {}
    says = {
        "model": record.name,
        "dataset": dataset.name,
        "split": "simulated" if simulated else "test",
        "images": len(x),
        "method": chosen.method,
        "samples": estimates[0].samples or None,
        "replicates": chosen.replicates,
        "log_variance_floor": record.model.log_variance_floor if record.model.likelihood != "bernoulli" else None,
        **({"steps": STEPS if chosen.steps is None else chosen.steps} if chosen.method == "ais" else {}),
        **({"jackknife": True} if chosen.jackknife else {}),
        **figures(estimates),
        **{f"upper_{key}": upper[key] for key in ("mean_nats", "monte_carlo_error_nats", "seconds") if upper},
    }
    if chosen.json:
        print(json.dumps(says))
        return
    mean, error = says["mean_nats"], says["standard_error_nats"]
    spread = "" if error is None else f" ± {error:.3f}"
    words = "no number" if mean is None else f"{mean:.3f}{spread} nats an image"
    words += f", and at most {upper['mean_nats']:.3f}" if upper else ""
    notes = [chosen.method, f"{len(x)} {'simulated ' * simulated}images", likelihood_words(record.model)]
    if says.get("k_hat_above_0.7"):
        notes.append(f"not to be trusted (k-hat above 0.7) on {says['k_hat_above_0.7']:.0%}")
    if says.get("not_converged"):
        notes.append(f"{says['not_converged']} not converged and left out")
    print(f"{words}, {', '.join(notes)}")


def _compare(chosen: argparse.Namespace) -> None:
    model, record, dataset, images = _opened(chosen)
    noise, path = generator(chosen.seed), comparison_file(chosen.name, dataset.name)
    about = {"model": checksum(chosen.name), "data": dataset.name, "images": len(images), "seed": chosen.seed}
    part = path.with_suffix(".part.npz")  # so that a stop leaves what was there before as it is
    kept: dict[Path, Comparison] = {}
    for file in (path, part):
        with contextlib.suppress(CheckpointError):  # none yet, or a damaged one: it is made anew
            found = load_comparison(file)
            kept |= {file: found} if about.items() <= found.settings.items() else {}
    comparison = compare(
        model, model.pixels(images, noise), generator=noise, about=about, known=kept.get(part) or kept.get(path),
        keep=lambda so_far: save_comparison(part, so_far), progress=lambda method, share: draw_bar(share, method),
    )  # fmt: skip
    before = kept.get(path)
    if before is None or (before.settings, [*before.estimates]) != (comparison.settings, [*comparison.estimates]):
        save_comparison(path, comparison)
    part.unlink(missing_ok=True)
    clear_bar()
    print(f"{record.name}, {likelihood_words(record.model)}\n\n{table(comparison)}")


def _project(chosen: argparse.Namespace) -> None:
    record = read_record(chosen.name)
    dataset = loaded(chosen.data or record.training.data)
    make_projection(chosen.name, dataset, chosen.method, images=chosen.images, seed=chosen.seed)
    print(projection_file(chosen.name, dataset.name, chosen.method))


def _sample(chosen: argparse.Namespace) -> None:
    model = load(chosen.name)
    if not 1 <= chosen.count <= 10_000:
        raise ConfigError(f"count must be from 1 to 10,000; it is {chosen.count}.")
    z = torch.randn(chosen.count, model.config.latent, generator=generator(chosen.seed))
    decoded = decode(model, z.numpy(), seed=chosen.seed)
    images = decoded.sample if chosen.draws else decoded.mean
    columns = int(np.ceil(chosen.count**0.5))
    height, width = images.shape[1:]
    rows = -(-chosen.count // columns)
    sheet = np.zeros((rows * columns, height, width), np.float32)
    sheet[: chosen.count] = images
    sheet = sheet.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    picture = io.BytesIO()
    Image.fromarray((sheet.clip(0, 1) * 255).round().astype(np.uint8)).save(picture, format="PNG")
    write_aside(chosen.out, picture.getvalue())
    print(chosen.out)


def _models(chosen: argparse.Namespace) -> None:
    records, troubles = catalogue()
    if chosen.json:
        print(json.dumps([asdict(record) for record in records]))
    else:
        for record in records:
            elbo = record.held_out.get("elbo")
            figure = "" if elbo is None else f"{elbo:10.2f} nats  KL {record.held_out.get('kl', math.nan):6.2f}"
            print(f"{record.name:<26} J = {record.model.latent:<3} {likelihood_words(record.model):<32}{figure}")
    for trouble in troubles:
        print(trouble, file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> typing.NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m vae", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("data", help="fetch and verify a data set")
    command.add_argument("name", choices=data.NAMES)
    command.set_defaults(run=_data)

    command = commands.add_parser("train", help="train a model and save it")
    command.add_argument("name", help="of the model")
    command.add_argument("--half", action="store_true", help="store weights as float16")
    command.add_argument("--overwrite", action="store_true", help="replace a model of that name")
    command.add_argument("--preset", choices=PRESETS, help="settings that are known to work, changed by those given")
    command.add_argument("--resume", action="store_true", help="go on with a training that was stopped or killed")
    for config in (ModelConfig, TrainConfig):
        add_fields(command, config)
    command.set_defaults(run=_train)

    command = commands.add_parser("evaluate", help="estimate log p(x) or its bound on test images")
    command.add_argument("--method", choices=METHODS, default="elbo", help="how (%(default)s)")
    counts = ", ".join(f"{method} {count}" for method, count in SAMPLES.items())
    command.add_argument("--samples", type=int, help=f"draws for each image; for ais, chains ({counts})")
    command.add_argument("--steps", type=int, help=f"temperatures of ais ({STEPS})")
    command.add_argument("--replicates", type=int, default=1, help="repeat with other draws (%(default)s)")
    command.add_argument("--jackknife", action="store_true", help="correct the bias of importance")
    command.add_argument(
        "--sandwich", action="store_true",
        help="ais from above too: exact posterior draws from a grid for J <= 2, else images that the model simulates",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print one JSON object")
    _add_images(command)
    command.set_defaults(run=_evaluate)

    command = commands.add_parser(
        "compare", help="run every method on the same test images; what is done is kept beside the model"
    )
    _add_images(command)
    command.set_defaults(run=_compare)

    command = commands.add_parser(
        "project", help="lay the codes of test images out on a plane; the result is kept beside the model"
    )
    command.add_argument("--method", choices=PROJECTIONS, default="tsne", help="how (%(default)s)")
    _add_images(command, IMAGES)
    command.set_defaults(run=_project)

    add_uses(commands)

    command = commands.add_parser("sample", help="decode draws from the prior into a picture")
    command.add_argument("name", help="of the model, or its file")
    command.add_argument("--count", type=int, default=64, help="how many draws (%(default)s)")
    command.add_argument("--draws", action="store_true", help="draw x from p(x|z) instead of showing its mean")
    command.add_argument("--seed", type=int, default=0, help="of the draws (%(default)s)")
    command.add_argument("--out", "--output", type=Path, default=Path("samples.png"), help="PNG file (%(default)s)")
    command.set_defaults(run=_sample)

    command = commands.add_parser("models", help="list the models that there are")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_models)
    return parser


def _add_images(command: argparse.ArgumentParser, images: int = 1000) -> None:
    command.add_argument("name", help="of the model, or its file")
    command.add_argument("--images", type=int, default=images, help="how many test images (%(default)s)")
    command.add_argument("--data", "--dataset", help="data set; that of the model's training if not given")
    command.add_argument("--seed", type=int, default=0, help="of the draws (%(default)s)")
