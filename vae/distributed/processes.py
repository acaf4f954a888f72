"""Training on several processes, of one host or more: `torchrun --nproc-per-node=N -m vae train ...`.

Rank 0 is a training like any other: it alone writes, pauses and is asked things. Before each thing that all take part
in, it says what; the other ranks have no folder and only listen. Each rank takes every N-th image of each batch, with
the noise that one process would have drawn for it, and `DistributedDataParallel` sums the gradients: so the losses are
those of one process but for the order of sums. Gloo carries them on CPUs, NCCL on GPUs.
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

_PATIENCE = timedelta(days=7)  # a training may be paused; a rank that died is found out at once


class _Word(IntEnum):
    """What rank 0 says; each comes with two numbers."""

    BEGIN = 0  # bytes of the state that follows
    STEP = 1  # learning rate, beta
    REPORT = 2
    SCORE = 3  # images
    END = 4


class SharedTrainer(Trainer):
    """A trainer that has a share of each batch; see `Trainer`.

    Raises:
        ConfigError: a batch has fewer images than there are ranks, or what is asked needs the whole batch.
    """

    def __init__(self, model: VAE, dataset: Dataset, config: TrainConfig) -> None:
        super().__init__(model, dataset, config)
        ranks = dist.get_world_size()
        smallest = min(config.batch_size, len(self.images) % config.batch_size or config.batch_size)
        if smallest < ranks:
            raise ConfigError(
                f"Each rank needs an image of each batch; the smallest has {smallest}, for {ranks} ranks. Change "
                f"batch_size or the number of ranks."
            )
        if config.free_bits:
            raise ConfigError("free_bits are counted over a whole batch, and ranks have a share each. Leave them at 0.")
        plain, self.noise = self.noise, _share(self.model.device)
        self.noise.set_state(plain.get_state())
        self._parts: nn.Module | None = None  # made when all ranks have the same state

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
            ):  # the others may be gone; what they knew of the last steps goes with them
                _say(_Word.REPORT)
                self.gather()
        return super().state()

    def gather(self) -> None:
        """Sums on rank 0 what the steps since the last report came to."""
        with _all_there():
            dist.reduce(self._totals, 0)
        if rank() > 0:
            self._totals.zero_()

    def share(self) -> None:
        """Makes the ranks one training; all have the same state."""
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
    """An objective as a module's forward pass, which is where `DistributedDataParallel` begins to listen."""

    def __init__(self, model: VAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, objective: Objective, x: Tensor, noise: torch.Generator) -> Terms:
        return objective(self.model, x, noise)


def trainer(model: VAE, dataset: Dataset, config: TrainConfig) -> Trainer:
    """Returns a trainer, which shares its work where there are other ranks."""
    return (SharedTrainer if dist.is_initialized() else Trainer)(model, dataset, config)


def rank() -> int:
    """Returns which of the processes this is, 0 where it is the only one."""
    return dist.get_rank() if dist.is_initialized() else 0


@contextlib.contextmanager
def group() -> Iterator[None]:
    """Joins the other processes, if `torchrun` has started any, and leaves them in the end.

    Where this one ends by an error, `torchrun` ends the others.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    # convolutions give gradients in another order in memory than their weights have; that costs a copy, and is no error
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    shared = ":" in os.environ.get("VAE_DEVICE", "")  # one GPU by its number, for all of them: NCCL wants one each
    dist.init_process_group("nccl" if best_device().type == "cuda" and not shared else "gloo", timeout=_PATIENCE)
    yield
    gc.collect()  # the wrapper of the model is in a cycle, and its threads must end before the group does
    dist.destroy_process_group()


def dismiss() -> None:
    """Lets the ranks go that follow this one."""
    if dist.is_initialized():
        _say(_Word.END)


def ranks() -> int:
    """Returns how many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def total(value: Tensor, *, greatest: bool = False) -> Tensor:
    """Returns the sum over all ranks of a tensor that each has, or the greatest; nobody gets it before all are there.

    Raises:
        JobError: another rank is gone.
    """
    if not dist.is_initialized():
        return value
    shared = value.to(best_device(), copy=True)
    with _all_there():
        dist.all_reduce(shared, dist.ReduceOp.MAX if greatest else dist.ReduceOp.SUM)
    return shared.to(value.device)


def follow() -> None:
    """Takes part in the training of rank 0 until that ends.

    Raises:
        VAEError: the data are missing, the loss diverges, or another rank is gone.
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
    """Takes up the state that rank 0 sends."""
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
    """Says plainly that a rank is gone, which those that wait for it find out by a broken connection."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise JobError(
            f"A training needs all its ranks, and one is gone ({str(error).splitlines()[0][:200]}). What was saved is "
            f"kept: start it again with --resume."
        ) from error
