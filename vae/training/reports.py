"""What a training says of itself as it goes: one `Report` at a time, one JSON line each."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Report", "keep", "kl_at", "line", "read"]


class Report(NamedTuple):
    """How training stands. Nats an image, means since the report before; held-out parts at the end of an epoch only.

    Attributes:
        step, steps: optimiser steps taken, and in all.
        epoch: passes over the training images, with its fraction.
        reconstruction, kl: parts of the ELBO on training images, whatever the objective makes of them.
        held_out_reconstruction, held_out_kl: the same on held-out images.
        seconds: of training since the start, without what the caller did between steps.
        images_per_second: over the steps since the report before.
        kl_by_dimension: (J,), whose sum is `kl`; none in reports from before it was kept, nor of an autoencoder.
        seconds_left: at the pace so far.
        learning_rate, beta: of the last step.
    """

    step: int
    steps: int
    epoch: float
    reconstruction: float
    kl: float
    held_out_reconstruction: float | None
    held_out_kl: float | None
    seconds: float
    images_per_second: float
    kl_by_dimension: tuple[float, ...] = ()
    seconds_left: float | None = None
    learning_rate: float | None = None
    beta: float | None = None


def line(report: Report) -> bytes:
    """Returns a report as a line of JSON, each KL by dimension to 1e-4 nats."""
    says = report._asdict() | {"kl_by_dimension": [round(kl, 4) for kl in report.kl_by_dimension]}
    return json.dumps(says).encode() + b"\n"


def read(path: Path) -> list[Report]:
    """Reads the reports in a file, whole lines only; none where there is no file."""
    reports: list[Report] = []
    for text in path.read_text(errors="replace").splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError, TypeError):  # damaged, or half written as yet
            report = Report(**json.loads(text))
            kl = tuple(map(float, report.kl_by_dimension))
            numbers = [value for value in report[2:9] if value is not None]
            known = {len(each.kl_by_dimension) for each in reports} - {0}
            whole = type(report.step) is int and all(isinstance(value, int | float) for value in numbers)
            if whole and (not kl or known <= {len(kl)}):
                reports.append(report._replace(kl_by_dimension=kl))
    return reports


def kl_at(reports: Sequence[Report], steps: NDArray[Any]) -> NDArray[Any]:
    """Returns the KL of each dimension (T, J) float32 at steps (T,), nats; J = 0 where no report has it.

    A report's means are over the steps since the one before, so a step's are those of the first report at or after it;
    those of the last report where none has come yet.
    """
    known = [report for report in reports if report.kl_by_dimension]
    if not known:
        return np.empty((len(steps), 0), np.float32)
    places = np.searchsorted([report.step for report in known], steps).clip(max=len(known) - 1)
    return np.array([report.kl_by_dimension for report in known], np.float32)[places]


def keep(path: Path, step: int) -> None:
    """Cuts a file after the last whole line of a step or an earlier one, in place and without need of space."""
    if not path.exists():
        return
    size = 0
    for text in path.read_bytes().splitlines(keepends=True):
        try:
            if not text.endswith(b"\n") or json.loads(text)["step"] > step:
                break
        except (ValueError, TypeError, KeyError):
            break
        size += len(text)
    os.truncate(path, size)
