"""Where a model is trained, and in which arithmetic.

Products of matrices may be computed in bfloat16: the weights, the densities and the optimiser stay in float32, whatever
is chosen, and what is measured on held-out images is in float32 throughout.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor

from vae.errors import ConfigError
from vae.model.vae import VAE
from vae.settings import TrainConfig, methods

__all__ = [
    "autocast",
    "best_device",
    "double_device",
    "in_double",
    "multiplies_bfloat16",
    "quick_products",
    "room",
    "settled",
    "shrinking",
]

T = TypeVar("T")

_products: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]  # made when torch is imported
_FLAGS = ("avx512_bf16", "amx_bf16")  # of a CPU that multiplies bfloat16 itself; others only pretend, slowly


def best_device(asked: str | None = None) -> torch.device:
    """Returns the device of a name, or of `$VAE_DEVICE` if none is given.

    Arguments:
        asked: auto, cpu, cuda, cuda:n or mps. auto, which holds where nothing is said, is a GPU of NVIDIA's where
            PyTorch can use one, and else the CPU. Of several GPUs `torchrun` gives each process its own, unless a
            number is asked for, which all of them share then.

    Raises:
        ConfigError: this is no such name, or the device is not there.
    """
    name = methods.check_device(asked or os.environ.get("VAE_DEVICE") or "auto")
    if name == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("The device mps is not there: it takes a Mac with a processor of Apple's. Take auto or cpu.")
    if name in ("cpu", "mps") or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu" if name == "auto" else name)
    there = torch.cuda.device_count()
    number = int(name[5:]) if name.startswith("cuda:") else int(os.environ.get("LOCAL_RANK", "0"))
    if number >= there:
        way = "Start fewer processes, or name a GPU for all of them: --device cuda:0." if there else "Take auto or cpu."
        raise ConfigError(f"GPUs are numbered from 0, and PyTorch finds {there} here; cuda:{number} was wanted. {way}")
    return torch.device("cuda", number)


def double_device(device: torch.device) -> torch.device:
    """Returns where float64 is computed beside a device: there or, where it knows none as Apple's MPS, on the CPU."""
    return torch.device("cpu") if device.type == "mps" else device


def in_double(value: Tensor) -> Tensor:
    """Returns a tensor in float64, where `double_device` says."""
    return value.to(double_device(value.device)).double()


def room(device: torch.device, usual: int, size: int) -> int:
    """Returns how many pieces of work are done at once.

    Arguments:
        device: a GPU takes as many as an eighth of its free memory holds, any other device the usual number.
        usual: as many as stay in a CPU's cache.
        size: bytes of a piece.
    """
    if device.type != "cuda":
        return usual
    free, _ = torch.cuda.mem_get_info(device)
    return max(usual, free // 8 // size)


def shrinking(work: Callable[[int], T], count: int) -> tuple[T, int]:
    """Does a number of pieces of work at once, or half as many as long as the memory of a GPU is too short for them.

    Arguments:
        work: does as many pieces as it is told.
        count: how many at first.

    Returns:
        What the work returned, and how many pieces it was of.

    Raises:
        torch.OutOfMemoryError: not even one fits.
    """
    while True:
        try:
            return work(count), count
        except torch.OutOfMemoryError:
            if count == 1:
                raise
            count //= 2


def multiplies_bfloat16(device: torch.device) -> bool:
    """Tells whether a device has instructions for products in bfloat16, so that they are quicker than float32's."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    has = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(has.get(flag) for flag in _FLAGS)


def settled(config: TrainConfig, model: VAE) -> TrainConfig:
    """Decides what the precision `auto` is, for a model where it is now: bfloat16 where quicker and without cost.

    It costs nothing under a Bernoulli likelihood. Under a Gaussian the error of a mean, 0.2 %, is not small against a
    deviation that may be as small as the floor lets it be.
    """
    if config.precision != "auto":
        return config
    quick = multiplies_bfloat16(model.device) and model.config.likelihood == "bernoulli"
    return replace(config, precision="bfloat16" if quick else "float32")


def autocast(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Returns the context in which a settled config's forward pass runs."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bfloat16")


def quick_products() -> contextlib.AbstractContextManager[None]:
    """Lets oneDNN multiply matrices in float32 where it is as exact as MKL: on AMD's AVX-512 it is twice as quick.

    PyTorch asks oneDNN only where bfloat16 would do, and oneDNN then takes float32 all the same on a CPU without AMX.
    """
    return _onednn() if _onednn_is_exact() else contextlib.nullcontext()


@contextlib.contextmanager
def _onednn() -> Iterator[None]:
    before = _products.fp32_precision
    _products.fp32_precision = "bf16"
    try:
        yield
    finally:
        _products.fp32_precision = before


@cache
def _onednn_is_exact() -> bool:
    """Tells whether products that oneDNN might round to bfloat16 are those of float32 here."""
    has = torch.cpu.get_capabilities()
    if has.get("amx_bf16") or not has.get("avx512_bf16"):
        return False
    source = torch.Generator().manual_seed(0)
    a, b = torch.randn(128, 784, generator=source), torch.randn(784, 400, generator=source)
    with _onednn():
        error = (a @ b - a.double() @ b.double()).abs().max()
    return bool(error < 1e-3)  # 1e-4 in float32, 0.3 in bfloat16
