"""The progress of a training: one `Report` at a time, one line of JSON each."""

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
    """Progress of a training. Means since the previous report, nats per image; held-out parts only after an epoch.

    Attributes:
        step, steps: optimiser steps taken, and in total.
        epoch: passes over the training images, including a fraction.
        reconstruction, kl: parts of the ELBO on training images, whatever the objective.
        held_out_reconstruction, held_out_kl: the same on held-out images.
        seconds: training time since the start, without the time that the caller spent between steps.
        images_per_second: over the steps since the previous report.
        kl_by_dimension: (J,), whose sum is `kl`; empty for an autoencoder and in old reports that do not have it.
        seconds_left: at the average speed so far.
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
    """Returns a report as a line of JSON, with each KL by dimension rounded to 1e-4 nats."""
    says = report._asdict() | {"kl_by_dimension": [round(kl, 4) for kl in report.kl_by_dimension]}
    return json.dumps(says).encode() + b"\n"


def read(path: Path) -> list[Report]:
    """Reads the complete lines of a file of reports; returns an empty list if there is no file."""
    reports: list[Report] = []
    for text in path.read_text(errors="replace").splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError, TypeError):  # damaged, or still being written
            report = Report(**json.loads(text))
            kl = tuple(map(float, report.kl_by_dimension))
            numbers = [value for value in report[2:9] if value is not None]
            known = {len(each.kl_by_dimension) for each in reports} - {0}
            whole = type(report.step) is int and all(isinstance(value, int | float) for value in numbers)
            if whole and (not kl or known <= {len(kl)}):
                reports.append(report._replace(kl_by_dimension=kl))
    return reports


def kl_at(reports: Sequence[Report], steps: NDArray[Any]) -> NDArray[Any]:
    """Returns the KL of each dimension (T, J) float32 at steps (T,), in nats; J = 0 if no report has it.

    A report holds means over the steps since the previous one, so a step gets the values of the first report at or
    after it, or of the last report if there is none yet.
    """
    known = [report for report in reports if report.kl_by_dimension]
    if not known:
        return np.empty((len(steps), 0), np.float32)
    places = np.searchsorted([report.step for report in known], steps).clip(max=len(known) - 1)
    return np.array([report.kl_by_dimension for report in known], np.float32)[places]


def keep(path: Path, step: int) -> None:
    """Truncates a file after its last complete line up to a given step, in place and without needing space."""
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
