"""Training on several processes, of one host or more: `torchrun --nproc-per-node=N -m vae train ...`.

Rank 0 runs a training like any other: it alone writes files, pauses and receives requests. Before each operation in
which all ranks take part, it announces which; the other ranks have no folder and only listen. Each rank takes every
N-th image of each batch, with the noise that a single process would have drawn for it, and `DistributedDataParallel`
averages the gradients, so the losses are those of a single process up to the order of summation. CPUs use Gloo, and
GPUs use NCCL.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from enum import IntEnum
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vae.data import Dataset, load_dataset
from vae.errors import ConfigError, JobError
from vae.model import VAE, ModelConfig, Objective, Share, Terms, TrainConfig, autocast, best_device, build, objective_of
from vae.training import Report, Trainer, sums

__all__ = ["SharedTrainer", "dismiss", "follow", "group", "rank", "ranks", "total", "trainer"]

_PATIENCE = timedelta(days=7)  # a training may be paused; a rank that fails is noticed at once


class _Word(IntEnum):
    """What rank 0 announces; each word comes with two numbers."""

    BEGIN = 0  # number of bytes of the state that follows
    STEP = 1  # learning rate, beta
    REPORT = 2
    SCORE = 3  # images
    END = 4


class SharedTrainer(Trainer):
    """A trainer that processes a share of each batch; see `Trainer`.

    Raises:
        ConfigError: a batch has fewer images than there are ranks, or a setting needs the whole batch.
    """

    def __init__(self, model: VAE, dataset: Dataset, config: TrainConfig) -> None:
        super().__init__(model, dataset, config)
        ranks = dist.get_world_size()
        smallest = min(config.batch_size, len(self.images) % config.batch_size or config.batch_size)
        if smallest < ranks:
            raise ConfigError(
                f"Each rank needs an image of each batch; the smallest batch has {smallest}, for {ranks} ranks. Change "
                f"batch_size or the number of ranks."
            )
        if config.free_bits:
            raise ConfigError("free_bits must be 0 with several ranks: they apply to the mean over a whole batch.")
        plain, self.noise = self.noise, _share(self.model.device)
        self.noise.set_state(plain.get_state())
        self._parts: nn.Module | None = None  # created once all ranks have the same state

    def advance(self) -> Terms:
        if rank() == 0:
            if self._parts is None:
                self._begin()
            _say(_Word.STEP, self.config.learning_rate, self.config.beta)
        with _all_there():
            return super().advance()

    def report(self, held_out_images: int = 2000) -> Report:
        if rank() == 0:
            _say(_Word.REPORT)
        self.gather()
        return super().report(held_out_images)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        if rank() == 0 and self._parts is not None:
            with contextlib.suppress(
                JobError
            ):  # the other ranks may have failed, and their part of the last steps is lost
                _say(_Word.REPORT)
                self.gather()
        return super().state()

    def gather(self) -> None:
        """Sums on rank 0 the results of the steps since the last report."""
        with _all_there():
            dist.reduce(self._totals, 0)
        if rank() > 0:
            self._totals.zero_()

    def share(self) -> None:
        """Joins the ranks into one training; all have the same state."""
        with _all_there():
            self._parts = DistributedDataParallel(_Scored(self.model))

    def _terms(self, rows: Tensor, beta: float) -> tuple[Terms, float]:
        noise, parts = self.noise, self._parts
        assert isinstance(noise, Share) and parts is not None
        noise.images = len(rows)
        mine = rows[noise.place :: noise.of]
        with autocast(self.config, self.model.device):
            x = self.model.pixels(self.images[mine].to(self.model.device), noise)
            terms = parts(objective_of(self.config, beta), x, noise)
        return terms, noise.of * len(mine) / len(rows)  # the mean over ranks is then the mean over the batch

    def _score(self, images: Tensor, objective: Objective) -> tuple[float, float]:
        if rank() == 0:
            if self._parts is None:
                self._begin()
            _say(_Word.SCORE, len(images))
        totals = sums(self.model, images, objective, _share(self.model.device).manual_seed(0))
        with _all_there():
            dist.all_reduce(totals)
        reconstruction, kl = (totals / len(images)).tolist()
        return reconstruction, kl

    def _begin(self) -> None:
        tensors, facts = self.state()
        says = json.dumps({"model": self.model.config.to_dict(), "facts": facts}).encode()
        whole = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        content = to_bytes(whole | {"says": torch.frombuffer(bytearray(says), dtype=torch.uint8)})
        _say(_Word.BEGIN, len(content))
        with _all_there():
            dist.broadcast(torch.frombuffer(bytearray(content), dtype=torch.uint8).to(self.model.device), 0)
        self.share()


class _Scored(nn.Module):
    """An objective as the forward pass of a module, as `DistributedDataParallel` requires."""

    def __init__(self, model: VAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, objective: Objective, x: Tensor, noise: torch.Generator) -> Terms:
        return objective(self.model, x, noise)


def trainer(model: VAE, dataset: Dataset, config: TrainConfig) -> Trainer:
    """Returns a trainer, which shares its work if there are other ranks."""
    return (SharedTrainer if dist.is_initialized() else Trainer)(model, dataset, config)


def rank() -> int:
    """Returns the index of this process, 0 if it is the only one."""
    return dist.get_rank() if dist.is_initialized() else 0


@contextlib.contextmanager
def group() -> Iterator[None]:
    """Joins the other processes, if `torchrun` has started any, and leaves them at the end.

    If this process ends with an error, `torchrun` ends the others.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    # gradients of convolutions have another memory layout than their weights; that costs a copy, but is not an error
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    shared = ":" in os.environ.get("VAE_DEVICE", "")  # one numbered GPU for all of them, but NCCL needs one per process
    dist.init_process_group("nccl" if best_device().type == "cuda" and not shared else "gloo", timeout=_PATIENCE)
    yield
    gc.collect()  # the wrapped model is in a reference cycle, and its threads must end before the group
    dist.destroy_process_group()


def dismiss() -> None:
    """Releases the ranks that follow this one."""
    if dist.is_initialized():
        _say(_Word.END)


def ranks() -> int:
    """Returns the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def total(value: Tensor, *, greatest: bool = False) -> Tensor:
    """Returns the sum, or the maximum, over all ranks of a tensor that each has; it waits until all have arrived.

    Raises:
        JobError: another rank has failed.
    """
    if not dist.is_initialized():
        return value
    shared = value.to(best_device(), copy=True)
    with _all_there():
        dist.all_reduce(shared, dist.ReduceOp.MAX if greatest else dist.ReduceOp.SUM)
    return shared.to(value.device)


def follow() -> None:
    """Takes part in the training of rank 0 until it ends.

    Raises:
        VAEError: the data are missing, the loss diverges, or another rank has failed.
    """
    shared: SharedTrainer | None = None
    while True:
        word, first, second = _hear()
        if word == _Word.END:
            return
        if word == _Word.BEGIN:
            shared = _joined(int(first))
            continue
        assert shared is not None
        if word == _Word.STEP:
            shared.config = replace(shared.config, learning_rate=first, beta=second)
            shared.advance()
        elif word == _Word.SCORE:
            shared.score(int(first))
        else:
            shared.gather()


def _joined(size: int) -> SharedTrainer:
    """Builds a trainer with the state that rank 0 sends."""
    device = best_device()
    content = torch.empty(size, dtype=torch.uint8, device=device)
    with _all_there():
        dist.broadcast(content, 0)
    tensors = from_bytes(content.cpu().numpy().tobytes())
    says = json.loads(tensors.pop("says").numpy().tobytes())
    config = TrainConfig.from_dict(says["facts"]["config"])
    model = build(ModelConfig.from_dict(says["model"])).to(device)
    shared = SharedTrainer(model, load_dataset(config.data), config)
    tensors["totals"].zero_()  # rank 0 has them
    shared.restore(tensors, says["facts"])
    shared.share()
    return shared


def _say(word: _Word, first: float = 0, second: float = 0) -> None:
    with _all_there():
        dist.broadcast(torch.tensor([word, first, second], dtype=torch.float64, device=best_device()), 0)


def _hear() -> tuple[_Word, float, float]:
    said = torch.empty(3, dtype=torch.float64, device=best_device())
    with _all_there():
        dist.broadcast(said, 0)
    word, first, second = said.tolist()
    return _Word(int(word)), first, second


def _share(device: torch.device) -> Share:
    share = Share(device)
    share.place, share.of = rank(), dist.get_world_size()
    return share


@contextlib.contextmanager
def _all_there() -> Iterator[None]:
    """Reports clearly that a rank has failed, which the others notice as a broken connection."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise JobError(
            f"A training needs all its ranks, and one has failed ({str(error).splitlines()[0][:200]}). The last saved "
            f"state is kept: start the training again with --resume."
        ) from error
