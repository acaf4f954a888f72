"""How a latent space formed: test images encoded and a plane decoded every few steps, in one file that grows.

The file begins with a line of JSON (the images and sizes); each frame after it is

    step, bytes of codes, bytes of manifold, CRC-32 of both    4 little-endian uint32
    codes                                                      the plane, 2 uint16; then (N, J) float16, zlib
    manifold                                                   (side, side, *image_shape) uint8, zlib

The plane is that of the two coordinates that carry most information at the time. Which ones will do so is not known at
the start, and two that are about to collapse would show the same picture everywhere.

A frame that was cut short, by a kill or a full disk, is ignored, and removed before the next one.
"""

from __future__ import annotations

import contextlib
import json
import math
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.data import Split
from vae.errors import DAMAGE, CheckpointError
from vae.jobs.files import append
from vae.latent import encode, normal_quantiles
from vae.model import VAE
from vae.paths import write_aside

__all__ = ["REPLAY_FILE", "Recorder", "Replay", "balanced_rows", "replay"]

REPLAY_FILE = "replay.bin"
EVERY = 50  # steps between frames; before the first 50 steps, frames are spaced by factors of 1.5
MOST_FRAMES = 240  # if there are more, every other one is dropped
MOST_BYTES = 9_000_000  # the same for a larger file; both versions exist for a moment
IMAGES, SIDE = 1000, 12
MOST_VALUES = 450_000  # of a decoded plane; with larger images there are fewer along a side
MOST_CODES = 200_000  # numbers in a frame; with more dimensions there are fewer images
STAY = 1.5  # a coordinate of the plane is replaced only by one that carries this many times as much
_HEAD, _AXES = struct.Struct("<4I"), struct.Struct("<2H")
_EARLY = tuple(sorted({round(1.5**i) for i in range(30)}))
Array = NDArray[Any]


class Replay(NamedTuple):
    """The frames of a training: T frames, N images.

    Attributes:
        steps: (T,), optimiser steps taken before each frame.
        epochs: (T,), passes over the training images.
        codes: (T, N, J) float32, posterior means.
        manifolds: (T, side, side, *image_shape) uint8, decoded means on a grid of two coordinates, all others 0; row 0
            is the top, where the second coordinate is largest.
        rows: (N,), indices of the test images.
        axes: (T, 2), the two coordinates of each grid, from 0, increasing; the same one twice for J = 1.
        ticks: (side,), coordinates of the grid points along both axes, increasing.
    """

    steps: Array
    epochs: Array
    codes: Array
    manifolds: Array
    rows: Array
    axes: Array
    ticks: Array


class Recorder:
    """Writes the frames of one training.

    Arguments:
        folder: of the training.
        model: in training; it is only read, and the training's generator is not used.
        test: images of which a balanced set is encoded.
        steps_an_epoch: optimiser steps per pass over the training images.
        step: current step of the training; later frames are removed, to be recorded again.
        by_variance: measures coordinates by the variance of the codes rather than the mean KL, for an autoencoder.

    Raises:
        CheckpointError, JobError: the file cannot be written; the earlier frames are kept.
    """

    def __init__(
        self, folder: Path, model: VAE, test: Split, steps_an_epoch: int, step: int = 0, by_variance: bool = False
    ) -> None:
        self.path, self.model, self.by_variance = folder / REPLAY_FILE, model, by_variance
        latent = model.config.latent
        rows = balanced_rows(test.labels, min(IMAGES, max(1, MOST_CODES // latent)))
        self.images = test.images[rows]
        self.axes = (0, min(1, latent - 1))
        self.side = min(SIDE, math.isqrt(MOST_VALUES // model.config.pixels))
        self.says: dict[str, Any] = {
            "format": 2, "every": EVERY, "rows": rows.tolist(), "side": self.side, "latent": latent,
            "shape": model.config.image_shape, "steps_an_epoch": steps_an_epoch,
        }  # fmt: skip
        header: dict[str, Any] | None = None
        frames: list[tuple[int, bytes, bytes]] = []
        with contextlib.suppress(CheckpointError):  # a damaged replay must not prevent resuming the training
            header, frames = _read(self.path) if step else (None, [])
        if header:
            self.says["every"] = header["every"]
        self._keep(frames := [frame for frame in frames if frame[0] <= step])
        if frames:
            self.axes = _AXES.unpack_from(frames[-1][1])

    def due(self, step: int) -> bool:
        """Whether a frame is due after that many steps."""
        return step % self.says["every"] == 0 or (step < EVERY and step in _EARLY)

    @torch.inference_mode()
    def record(self, step: int) -> None:
        """Adds a frame, unless there is already one of that step or a later one."""
        if self.steps and self.steps[-1] >= step:
            return
        try:
            codes = encode(self.model, self.images)
            self.axes = self._plane(codes.mean.var(0) if self.by_variance else codes.kl.mean(0))
            means = self.model.decoder(self._grid().to(self.model.device)).mean.clamp(0, 1)
        except ValueError:  # weights that are not finite, which the next step will report
            return
        manifold = (255 * means).round().to(torch.uint8).cpu().numpy()
        packed = _AXES.pack(*self.axes) + zlib.compress(codes.mean.astype(np.float16).tobytes(), 6)
        frame = _frame(step, packed, zlib.compress(manifold.tobytes(), 6))
        if len(self.steps) >= MOST_FRAMES or self.size + len(frame) > MOST_BYTES:
            self._thin()
        append(self.path, frame)
        self.size += len(frame)
        self.steps.append(step)

    def _plane(self, carried: Array) -> tuple[int, int]:
        """Returns the two coordinates that carry most; those of the previous frame are kept until they carry far "
        "less."""
        chosen = list(self.axes)
        for _ in range(2 if len(carried) > 2 else 0):
            others = np.where(np.isin(np.arange(len(carried)), chosen), -np.inf, carried)
            best, worst = int(others.argmax()), min(chosen, key=carried.__getitem__)
            if carried[best] > STAY * carried[worst]:
                chosen[chosen.index(worst)] = best
        return min(chosen), max(chosen)

    def _grid(self) -> Tensor:
        """Returns the latents (side^2, J) of the plane, top row first."""
        ticks = normal_quantiles(self.side)
        grid = torch.zeros(self.side**2, self.model.config.latent)
        for axis, values in zip(self.axes, np.meshgrid(ticks, ticks[::-1]), strict=True):
            grid[:, axis] = torch.from_numpy(values.ravel())
        return grid

    def _thin(self) -> None:
        """Drops every other one of the evenly spaced frames, and halves the rate from now on."""
        self.says["every"] *= 2
        frames = _read(self.path)[1]
        kept = [frame for frame in frames if self.due(frame[0])]
        self._keep(kept if len(kept) < len(frames) else frames[::2])

    def _keep(self, frames: list[tuple[int, bytes, bytes]]) -> None:
        content = _line(self.says) + b"".join(_frame(*frame) for frame in frames)
        write_aside(self.path, content)
        self.steps, self.size = [frame[0] for frame in frames], len(content)


def replay(folder: Path | str, last: int | None = None) -> Replay | None:
    """Reads the frames of a training so far, also while it is running.

    Arguments:
        folder: of the training.
        last: only this many of the last frames, for a picture of the current state.

    Returns:
        The frames, or None if there are none.

    Raises:
        CheckpointError: the file is not a replay of this version.
    """
    path = Path(folder) / REPLAY_FILE
    says, frames = _read(path)
    if says is None:
        return None
    frames = frames if last is None else frames[-last:] if last else []
    count, side, latent = len(frames), says["side"], says["latent"]
    try:
        rows = np.array(says["rows"], np.int64)
        axes, codes = np.empty((count, 2), np.int64), np.empty((count, len(rows), latent), np.float32)
        manifolds = np.empty((count, side, side, *says["shape"]), np.uint8)
        for i, (_, packed, drawn) in enumerate(frames):
            axes[i] = _AXES.unpack_from(packed)
            codes[i] = np.frombuffer(zlib.decompress(packed[_AXES.size :]), np.float16).reshape(codes.shape[1:])
            manifolds[i] = np.frombuffer(zlib.decompress(drawn), np.uint8).reshape(manifolds.shape[1:])
        ranks = normal_quantiles(side)
    except DAMAGE as error:
        raise CheckpointError(f"{path} is damaged ({error!s:.200}). Train the model again to see it form.") from error
    steps = np.array([frame[0] for frame in frames], np.int64)
    epochs = steps / says["steps_an_epoch"]
    return Replay(steps, epochs, codes, manifolds, rows, axes, ranks)


def balanced_rows(labels: Tensor, count: int) -> Tensor:
    """Returns the rows of up to `count` images, equally many of each class if possible, in the order of the set."""
    classes = labels.unique()
    places = torch.zeros(len(labels), dtype=torch.int64)  # of each image within its class
    for label in classes:
        own = labels == label
        places[own] = torch.arange(int(own.sum()))
    return places.argsort(stable=True)[:count].sort().values


def _line(says: dict[str, Any]) -> bytes:
    return json.dumps(says).encode() + b"\n"


def _frame(step: int, codes: bytes, manifold: bytes) -> bytes:
    check = zlib.crc32(manifold, zlib.crc32(codes))
    return _HEAD.pack(step, len(codes), len(manifold), check) + codes + manifold


def _read(path: Path) -> tuple[dict[str, Any] | None, list[tuple[int, bytes, bytes]]]:
    """Returns the header of a file and its complete frames, without unpacking them."""
    try:
        with path.open("rb") as file:
            content = file.read()
    except FileNotFoundError:
        return None, []
    line, _, rest = content.partition(b"\n")
    try:
        says = json.loads(line)
        if says["format"] != 2:
            raise ValueError(f"format {says['format']}")
        for key in ("every", "side", "latent", "steps_an_epoch"):
            if not (isinstance(says[key], int) and says[key] > 0):
                raise ValueError(f"{key} is {says[key]!r}")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path} is not a replay of this version ({error}). Train the model again.") from error
    frames, at = [], 0
    while at + _HEAD.size <= len(rest):
        step, codes, manifold, check = _HEAD.unpack_from(rest, at)
        at += _HEAD.size
        middle, end = at + codes, at + codes + manifold
        if end > len(rest) or zlib.crc32(rest[at:end]) != check:
            break
        frames.append((step, rest[at:middle], rest[middle:end]))
        at = end
    return says, frames
