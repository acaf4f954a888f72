"""Commands for the evidence: `vae evaluate | compare`."""

from __future__ import annotations

import argparse
import contextlib
import json
import typing
from functools import partial
from pathlib import Path
from typing import Any

import vae
from vae import data
from vae.cli.flags import add_device, device_of
from vae.cli.terminal import Bar, clear_bar, plain, say_device
from vae.cli.uses import images_of
from vae.errors import CheckpointError, ConfigError
from vae.settings import Record, likelihood_words, methods, read_record

if typing.TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["add_evidence", "add_images"]


def add_evidence(commands: Any) -> None:
    """Adds the two commands to a parser."""
    command = commands.add_parser("evaluate", help="estimate log p(x) or its bound on test images")
    command.add_argument("--method", choices=methods.EVIDENCE, default="elbo", help="estimator (default: %(default)s)")
    counts = ", ".join(f"{method} {count}" for method, count in methods.SAMPLES.items())
    command.add_argument("--samples", type=int, help=f"samples per image, or chains for ais (default: {counts})")
    command.add_argument("--steps", type=int, help=f"number of temperatures of ais (default: {methods.STEPS})")
    command.add_argument(
        "--replicates", type=int, default=1, help="number of runs, each with new samples (default: %(default)s)"
    )
    command.add_argument("--jackknife", action="store_true", help="correct the bias of importance sampling")
    command.add_argument(
        "--sandwich", action="store_true",
        help="also run ais in reverse, for an upper bound: from exact posterior samples, of a grid for J <= 2, else of "
        "simulated images",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print one JSON object")
    add_images(command)
    add_device(command)
    command.set_defaults(run=_evaluate)

    command = commands.add_parser(
        "compare", help="run every method on the same test images; results are stored with the model"
    )
    add_images(command)
    add_device(command)
    command.set_defaults(run=_compare)


def add_images(command: argparse.ArgumentParser, images: int = 1000) -> None:
    """Adds the arguments for a model, its test images and a seed to a command."""
    command.add_argument("name", help="name of the model, or path of its file")
    command.add_argument("--images", type=int, default=images, help="number of test images (default: %(default)s)")
    command.add_argument("--data", "--dataset", help="data set; by default the one that the model was trained on")
    command.add_argument("--seed", type=int, default=0, help="seed of the random numbers (default: %(default)s)")


def _check(chosen: argparse.Namespace) -> None:
    """Rejects a model without evidence, and an invalid number of images."""
    if (record := read_record(chosen.name)).autoencoder:
        raise ConfigError(f"Only a VAE has an evidence; {record.name} is a plain autoencoder. Choose another model.")
    if chosen.images < 1:
        raise ConfigError(f"images must be at least 1; it is {chosen.images}.")


def _opened(chosen: argparse.Namespace) -> tuple[vae.VAE, Record, data.Dataset, Tensor]:
    """Returns a model, its record, its data set, and the requested number of test images."""
    import torch  # imported here, because it takes seconds

    model, record = vae.load(chosen.name, device_of(chosen)), read_record(chosen.name)
    say_device(model.device)
    if vae.distributed.rank():
        vae.distributed.total(torch.zeros(1))  # waits until rank 0 has fetched missing data
    dataset = images_of(record, chosen.data)
    if not vae.distributed.rank():
        vae.distributed.total(torch.zeros(1))
    return model, record, dataset, dataset.test.images[: chosen.images]


def _there(noise: torch.Generator, model: vae.VAE, seed: int) -> torch.Generator:
    """Returns a generator on the device of the model: the given one if that is the CPU."""
    return noise if model.device.type == "cpu" else vae.generator(seed, model.device)


def _evaluate(chosen: argparse.Namespace) -> None:
    _check(chosen)
    if not chosen.sandwich:
        methods.check_evidence(chosen.method, chosen.samples, chosen.steps, chosen.replicates, chosen.jackknife)
    elif chosen.method != "ais" or chosen.replicates > 1:
        raise ConfigError("--sandwich runs ais once from both sides. Give --method=ais, and no replicates.")
    with vae.distributed.group():
        _share(chosen)


def _share(chosen: argparse.Namespace) -> None:
    model, record, dataset, images = _opened(chosen)
    noise, bar = vae.generator(chosen.seed), Bar()
    tell = None if vae.distributed.rank() else partial(bar.draw, f"{chosen.method}, {_counted(len(images))}")
    simulated = chosen.sandwich and model.config.latent > 2
    draws: Tensor | None = None
    if simulated:
        draws, x = vae.evidence.annealing.simulate(model, len(images), noise)
    else:
        x = model.pixels(images, noise)  # the same on any device
    noise = _there(noise, model, chosen.seed)
    options = {"steps": chosen.steps, "generator": noise, "progress": tell}
    high: list[vae.Estimate] = []
    if chosen.sandwich:
        vae.distributed.refuse_alone("ais")
        low, *high = vae.evidence.evaluation.sandwich(
            model, x, None if draws is None else draws[None], chains=chosen.samples, **options
        )
        estimates = [low]
    else:
        options |= {"replicates": chosen.replicates, "jackknife": chosen.jackknife}
        at_work = vae.distributed.evaluate_share if vae.distributed.ranks() > 1 else vae.evidence.evaluation.evaluate
        estimates = at_work(model, x, chosen.method, samples=chosen.samples, **options)
    if vae.distributed.rank():
        return  # rank 0 prints the result
    clear_bar()
    upper = vae.evidence.evaluation.figures(high) if high else {}
    says = {
        "model": record.name,
        "dataset": dataset.name,
        "split": "simulated" if simulated else "test",
        "images": len(x),
        "method": chosen.method,
        "samples": estimates[0].samples or None,
        "replicates": chosen.replicates,
        "log_variance_floor": record.model.log_variance_floor if record.model.likelihood != "bernoulli" else None,
        **({"steps": methods.STEPS if chosen.steps is None else chosen.steps} if chosen.method == "ais" else {}),
        **({"jackknife": True} if chosen.jackknife else {}),
        **vae.evidence.evaluation.figures(estimates),
        **{f"upper_{key}": upper[key] for key in ("mean_nats", "monte_carlo_error_nats", "seconds") if upper},
    }
    if chosen.json:
        print(json.dumps(says))
        return
    mean, error = says["mean_nats"], says["standard_error_nats"]
    spread = "" if error is None else f" ± {error:.3f}"
    words = "no finite value" if mean is None else f"{mean:.3f}{spread} nats per image"
    words += f", and at most {upper['mean_nats']:.3f}" if upper else ""
    notes = [chosen.method, f"{len(x)} {'simulated ' * simulated}images", likelihood_words(record.model)]
    if says.get("k_hat_above_0.7"):
        notes.append(f"unreliable (k-hat above 0.7) for {says['k_hat_above_0.7']:.0%}")
    if says.get("k_hat_unknown"):
        notes.append(f"k-hat unknown for {says['k_hat_unknown']} images")
    if says.get("not_converged"):
        notes.append(f"{says['not_converged']} not converged and left out")
    print(plain(f"{words}, {', '.join(notes)}"))


def _compare(chosen: argparse.Namespace) -> None:
    _check(chosen)
    model, record, dataset, images = _opened(chosen)
    noise, path = vae.generator(chosen.seed), vae.comparison_file(chosen.name, dataset.name)
    about = {"model": vae.checksum(chosen.name), "data": dataset.name, "images": len(images), "seed": chosen.seed}
    before = _known(path, about)
    whole = before is not None and before.estimates.keys() >= set(vae.Budget().methods)  # then nothing will be written
    place = path if whole else vae.model.place_for(chosen.name, path.name)
    part = place.with_suffix(".part.npz")  # so that an interrupt leaves the previous file unchanged
    bar = Bar()
    comparison = vae.compare(
        model, model.pixels(images, noise), generator=_there(noise, model, chosen.seed), about=about,
        known=_known(part, about) or before,
        keep=lambda so_far: vae.evidence.save_comparison(part, so_far),
        progress=lambda method, share: bar.draw(f"{method}, {_counted(len(images))}", share),
    )  # fmt: skip
    if before is None or (before.settings, [*before.estimates]) != (comparison.settings, [*comparison.estimates]):
        vae.evidence.save_comparison(place, comparison)
    if not whole:
        part.unlink(missing_ok=True)
    clear_bar()
    print(plain(f"{record.name}, {likelihood_words(record.model)}\n\n{vae.evidence.table(comparison)}"))


def _counted(images: int) -> str:
    return f"{images:,} image{'s' * (images != 1)}"


def _known(path: Path, about: dict[str, Any]) -> vae.Comparison | None:
    """Returns the comparison in a file if it is for the same model, images and seed; a damaged one is replaced."""
    with contextlib.suppress(CheckpointError):
        found = vae.load_comparison(path)
        if about.items() <= found.settings.items():
            return found
    return None
