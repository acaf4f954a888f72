"""Caches of the histories of training runs; files are read again only when they have changed."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

import vae
from pages.cache import models
from pages.cache.latent import CLUSTERS
from vae import figures, latent
from vae.errors import VAEError
from vae.jobs import read_plan, replay
from vae.model import ModelConfig, TrainConfig, check_name, folders, portable
from vae.training import Report, SlowStep, load_slow_step, reports

FRAMES = 80  # frames of a replay that are sent
Stamp = tuple[float, int]


def _stamp(path: Path) -> Stamp | None:
    """Returns a value that changes with a file; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime, found.st_size


def history(name: str) -> list[Report]:
    """Returns the reports of a run so far; do not modify them."""
    for folder in folders():
        path = folder / check_name(name) / "history.jsonl"
        if stamp := _stamp(path):
            return _history(str(path), stamp)
    return []


@st.cache_resource(max_entries=64, show_spinner=False)
def _history(path: str, stamp: Stamp) -> list[Report]:
    return reports.read(Path(path))


def last_step(name: str) -> SlowStep | None:
    """Returns the last single step of a paused run, or None if there was none."""
    path = folders()[0] / check_name(name) / "step.npz"
    stamp = _stamp(path)
    return _last_step(str(path), stamp) if stamp else None


@st.cache_resource(max_entries=16, show_spinner=False)
def _last_step(path: str, stamp: Stamp) -> SlowStep | None:
    return load_slow_step(Path(path))


def formed(name: str, data_name: str, *, live: bool) -> dict[str, Any] | None:
    """Returns the formation of a latent space in the format of the browser: a selection of frames, or the last one."""
    folder = folders()[0] / check_name(name)
    stamp = _stamp(folder / replay.REPLAY_FILE)
    return _formed(str(folder), stamp, _stamp(folder / "history.jsonl"), data_name, live) if stamp else None


@st.cache_resource(max_entries=8, show_spinner=False)
def _formed(
    folder: str, stamp: Stamp, history_stamp: Stamp | None, data_name: str, live: bool
) -> dict[str, Any] | None:
    found = replay.replay(folder, 1 if live else None)
    if found is None or not len(found.steps):
        return None
    chosen = np.unique(np.linspace(0, len(found.steps) - 1, FRAMES).round().astype(int))
    axes = found.axes[-1]  # the two most informative coordinates at the end; fixed, so that only points move
    points = found.codes[chosen][..., axes].copy()
    if axes[0] == axes[1]:
        points[..., 1] = 0  # a line, for J = 1
    book, sheets = portable.pack_codes(points.reshape(-1, 2)), found.manifolds[chosen].swapaxes(2, 3)
    data = models.dataset(data_name)
    kl = reports.kl_at(reports.read(Path(folder) / "history.jsonl"), found.steps[chosen])
    return {
        "run": folder, "epochs": found.epochs[chosen].tolist(), "steps": found.steps[chosen].tolist(),
        "codes": book.levels.ravel(), "scale": {"low": book.low.tolist(), "step": book.step.tolist()},
        **_painted(data, found, live),
        "axes": axes.tolist(), "planes": found.axes[chosen].tolist(),
        "latent": found.codes.shape[2], "kl": kl, "side": sheets.shape[1], "height": sheets.shape[2],
        "width": sheets.shape[4],
        "sheets": np.frombuffer(zlib.compress(np.ascontiguousarray(sheets).tobytes(), 1), np.uint8),
    }  # fmt: skip


def _painted(data: vae.Dataset, found: replay.Replay, live: bool) -> dict[str, Any]:
    """Returns labels and colours of the points: by class, else by cluster of the final codes, else one colour."""
    if data.labelled:
        labels, count = data.test.labels.numpy()[found.rows], len(data.classes)
    elif live or not np.isfinite(found.codes[-1]).all():
        labels, count = np.zeros(len(found.rows), np.int64), 1
    else:
        clusters = latent.k_means(found.codes[-1], CLUSTERS)
        labels, count = clusters.labels, len(clusters.centres)
    return {"labels": labels.astype(np.min_scalar_type(count)), "colours": figures.group_colours(count)}


def plan(name: str) -> tuple[ModelConfig, TrainConfig] | None:
    """Returns the configs of a saved model or of a run in progress; None if there is neither."""
    try:
        found = read_plan(folders()[0] / name)
        return found.model, found.training
    except VAEError:
        pass
    try:
        record = models.record(name)
        if isinstance(record.model, ModelConfig) and record.training is not None:
            return record.model, record.training
        return None
    except VAEError:
        return None


def trained() -> list[str]:
    """Returns the names of all runs with a saved history, newest first."""
    found: dict[str, float] = {}
    for folder in folders():
        for path in folder.glob("*/history.jsonl"):
            if stamp := _stamp(path):
                found.setdefault(path.parent.name, stamp[0])
    return sorted(found, key=lambda name: (-found[name], name))
