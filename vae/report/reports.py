"""All parts of a report on a model, stored with it, so that the report is computed only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from vae import paths
from vae.data import Dataset, said_size
from vae.errors import CheckpointError, ConfigError, DataError
from vae.evidence import checksum, elbo, part_of
from vae.latent import encode
from vae.model import ModelConfig, generator, load, locate, place_for, read_record, result_file
from vae.report import evidence, images, latent
from vae.report.parts import ELBO_SAMPLES, Part, Subject, signed

__all__ = ["IMAGES", "Report", "is_report_on", "kept_report", "make_report", "report_file", "write_report"]

IMAGES = 1000  # held-out images that most parts use
FORMAT = 4
_FIRST = "The model"
# the title of each part, the function that makes it, and its share of the time
MAKERS: tuple[tuple[str, Callable[[Subject], Part | None], int], ...] = (
    ("Evidence", evidence.scores, 60),
    ("What each dimension carries", latent.dimensions, 1),
    ("The codes as a whole against the prior", latent.aggregate, 4),
    ("Reconstructions", images.reconstructions, 1),
    ("Traversals", images.walks, 1),
    ("Draws from the prior", images.draws, 1),
    ("Nearest training images of samples", images.memory, 2),
    ("Calibration of the standard deviation", evidence.calibration, 1),
    ("What the bound leaves out", evidence.gap, 45),
    ("Classes in the codes", latent.probes, 2),
    ("Odd images", evidence.odd_images, 3),
)
Told = Callable[[str, float], None]  # gets the title of the current part and the completed fraction


@dataclass(frozen=True)
class Report:
    """A report on one model.

    Attributes:
        name: of the model.
        data: title of the data set.
        parts: in order.
    """

    name: str
    data: str
    parts: list[Part]

    def numbers(self) -> dict[str, Any]:
        """Returns the numbers of all parts, by the titles of the parts, as JSON types."""
        return {"model": self.name, "data": self.data} | {
            part.title: part.numbers for part in self.parts if part.numbers
        }


def report_file(name_or_path: str | Path, data_name: str) -> Path:
    """Returns the path of the stored report of a model.

    Raises:
        CheckpointError: there is no such model.
    """
    return result_file(name_or_path, _file(data_name))


def make_report(name_or_path: str | Path, dataset: Dataset, told: Told | None = None) -> Report:
    """Makes the report on a trained model, or reads it if it has been stored.

    Arguments:
        name_or_path: of the model.
        dataset: its images; the report uses the first `IMAGES` held-out ones.
        told: called before each part, and during parts that take long.

    Raises:
        as for `write_report`.
    """
    for title, share in write_report(name_or_path, dataset, told):
        if told:
            told(title, share)
    found = kept_report(name_or_path, dataset)
    if found is None:
        raise CheckpointError(f"The report on {name_or_path} has just been removed, or its model replaced. Try again.")
    return found


def write_report(name_or_path: str | Path, dataset: Dataset, told: Told | None = None) -> Iterator[tuple[str, float]]:
    """Makes a report part by part and stores it with the model, unless there is already one of this model and images.

    Arguments:
        name_or_path, dataset: as for `make_report`.
        told: called during parts that take long.

    Yields:
        The title of the next (or last) part, and the completed fraction of the report.

    Raises:
        CheckpointError: there is no such model, or its results cannot be stored.
        ConfigError: it is a plain autoencoder, which has no p(x).
        DataError: the images are not of the model's size.
    """
    path = locate(name_or_path)
    record = read_record(path)
    if record.autoencoder:
        raise ConfigError(f"A report needs a model of p(x); {record.name} is a plain autoencoder, which has none.")
    if dataset.image_shape != record.model.image_shape:
        want, came = map(said_size, (record.model.image_shape, dataset.image_shape))
        raise DataError(f"The images must be {want}, the size of {record.name}; those of {dataset.name} are {came}.")
    if kept_report(name_or_path, dataset):
        return
    place, key = place_for(name_or_path, _file(dataset.name)), _key(path, dataset)
    yield _FIRST, 0.0
    model = load(path)
    held = dataset.test.images[:IMAGES]
    x = model.pixels(held, generator(0))
    bound = elbo(model, x, ELBO_SAMPLES, generator(1)).value.numpy()
    of = Subject(model, record, dataset, x, encode(model, held), bound)
    parts = [_about(of)]
    done, whole = 4, 4 + sum(cost for *_, cost in MAKERS)
    for title, maker, cost in MAKERS:
        yield title, done / whole
        tell = part_of(told and partial(told, title), done / whole, cost / whole)
        part = maker(replace(of, tell=tell))
        if part is not None:
            parts.append(part)
        done += cost
    yield parts[-1].title, 1.0
    says = {
        "format": FORMAT, "key": key, "name": record.name, "data": dataset.title,
        "parts": [part.to_dict() for part in parts],
    }  # fmt: skip
    paths.write_aside(place, json.dumps(says).encode())


def kept_report(name_or_path: str | Path, dataset: Dataset) -> Report | None:
    """Returns the stored report of this version of the model and these images, or None.

    Raises:
        CheckpointError: there is no such model.
    """
    try:
        says = json.loads(report_file(name_or_path, dataset.name).read_text(encoding="utf-8"))
        if says["format"] != FORMAT or says["key"] != _key(locate(name_or_path), dataset):
            return None
        return Report(str(says["name"]), str(says["data"]), [Part.from_dict(each) for each in says["parts"]])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_report_on(path: Path, name_or_path: str | Path) -> bool:
    """Tells whether a file contains a report on the current weights of a model, for any images.

    Raises:
        CheckpointError: there is no such model.
    """
    try:
        says = json.loads(path.read_text(encoding="utf-8"))
        return bool(says["format"] == FORMAT and says["key"].startswith(checksum(name_or_path)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _key(path: Path, dataset: Dataset) -> str:
    return checksum(path) + dataset.checksum


def _about(of: Subject) -> Part:
    config, record = of.model.config, of.record
    kinds = {"gaussian": "Gaussian, a variance for each pixel", "gaussian-shared": "Gaussian, one variance",
             "bernoulli": "Bernoulli, binary pixels"}  # fmt: skip
    weights = sum(each.numel() for each in of.model.parameters())
    images = f"{said_size(config.image_shape)}, of {of.dataset.title}"
    rows = [["", record.name], ["p(x|z)", kinds[config.likelihood]], ["latent dimensions J", str(config.latent)],
            ["images", images], ["weights", f"{weights:,}"]]  # fmt: skip
    numbers: dict[str, Any] = {"likelihood": config.likelihood, "latent": config.latent, "weights": weights}
    if of.gaussian:
        numbers["log_variance_floor"] = config.log_variance_floor
    if isinstance(config, ModelConfig) and record.training is not None:
        training = record.training
        rows.append(
            ["encoder, decoder", f"{_layers(config.encoder_layers, config)}; {_layers(config.decoder_layers, config)}"]
        )
        rows.append(
            [
                "trained on",
                f"{training.data}, {record.epochs_done:g} epochs, {training.objective}, beta {training.beta:g}",
            ]
        )
    else:
        rows.append(["trained", f"elsewhere ({getattr(config, 'origin', '')})"])
    if "elbo" in record.held_out:
        rows.append(["ELBO on all held-out images", f"{signed(record.held_out['elbo'])} nats"])
    return Part(title=_FIRST, table=rows, numbers=numbers)


def _layers(widths: tuple[int, ...], config: ModelConfig) -> str:
    channels = f"convolutions of {', '.join(map(str, config.channels))} channels, " if config.channels else ""
    return channels + (f"layers of {', '.join(map(str, widths))}" if widths else "linear")


def _file(data_name: str) -> str:
    return f"report-{data_name}.json"
