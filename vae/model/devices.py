"""The device on which a model computes, and the precision of its arithmetic.

Matrix products may be computed in bfloat16. The weights, the densities and the optimiser always stay in float32, and
everything measured on held-out images is computed in float32 throughout.
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

_products: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]  # created when torch is imported
_FLAGS = ("avx512_bf16", "amx_bf16")  # of CPUs that multiply bfloat16 natively; others emulate it slowly


def best_device(asked: str | None = None) -> torch.device:
    """Returns the device of that name, or the one that `$VAE_DEVICE` names.

    Arguments:
        asked: auto, cpu, cuda, cuda:n or mps. auto, the default, is an NVIDIA GPU if PyTorch can use one, and the CPU
            otherwise. If there are several GPUs, `torchrun` gives each process its own, unless a number is given,
            in which case all processes share that one.

    Raises:
        ConfigError: the name is invalid, or the device is not available.
    """
    name = methods.check_device(asked or os.environ.get("VAE_DEVICE") or "auto")
    if name == "mps" and not torch.backends.mps.is_available():
        raise ConfigError(
            "The device mps is not available: it needs a Mac with an Apple processor. Choose auto or cpu."
        )
    if name in ("cpu", "mps") or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu" if name == "auto" else name)
    there = torch.cuda.device_count()
    number = int(name[5:]) if name.startswith("cuda:") else int(os.environ.get("LOCAL_RANK", "0"))
    if number >= there:
        way = (
            "Start fewer processes, or name one GPU for all of them: --device cuda:0."
            if there
            else "Choose auto or cpu."
        )
        raise ConfigError(
            f"GPUs are numbered from 0, and PyTorch finds {there} here; cuda:{number} was requested. {way}"
        )
    return torch.device("cuda", number)


def double_device(device: torch.device) -> torch.device:
    """Returns where float64 is computed for a device: on it or, if it does not support float64 (Apple's MPS), the "
    "CPU."""
    return torch.device("cpu") if device.type == "mps" else device


def in_double(value: Tensor) -> Tensor:
    """Returns a tensor in float64, on the device that `double_device` gives."""
    return value.to(double_device(value.device)).double()


def room(device: torch.device, usual: int, size: int) -> int:
    """Returns how many pieces of work to do at once.

    Arguments:
        device: a GPU takes as many as fit into an eighth of its free memory, any other device the usual number.
        usual: the number that stays in a CPU's cache.
        size: bytes per piece.
    """
    if device.type != "cuda":
        return usual
    free, _ = torch.cuda.mem_get_info(device)
    return max(usual, free // 8 // size)


def shrinking(work: Callable[[int], T], count: int) -> tuple[T, int]:
    """Does some pieces of work at once, halving their number for as long as the memory of the GPU is too small.

    Arguments:
        work: does as many pieces as it is told.
        count: the number to try first.

    Returns:
        What the work returned, and the number of pieces it was called with.

    Raises:
        torch.OutOfMemoryError: not even one piece fits.
    """
    while True:
        try:
            return work(count), count
        except torch.OutOfMemoryError:
            if count == 1:
                raise
            count //= 2


def multiplies_bfloat16(device: torch.device) -> bool:
    """Tells whether a device has instructions for bfloat16 products, so that they are faster than float32 products."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    has = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(has.get(flag) for flag in _FLAGS)


def settled(config: TrainConfig, model: VAE) -> TrainConfig:
    """Resolves the precision `auto` for a model on its current device: bfloat16 where it is faster at no loss.

    It loses nothing under a Bernoulli likelihood. Under a Gaussian, the error of a mean, 0.2%, is not small compared
    with a standard deviation that may be as small as its floor.
    """
    if config.precision != "auto":
        return config
    quick = multiplies_bfloat16(model.device) and model.config.likelihood == "bernoulli"
    return replace(config, precision="bfloat16" if quick else "float32")


def autocast(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Returns the context in which the forward pass of a settled config runs."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bfloat16")


def quick_products() -> contextlib.AbstractContextManager[None]:
    """Lets oneDNN multiply float32 matrices where it is as exact as MKL; with AMD's AVX-512 it is twice as fast.

    PyTorch uses oneDNN only if bfloat16 is allowed, but on a CPU without AMX oneDNN then computes in float32 anyway.
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
    """Tells whether products that oneDNN may round to bfloat16 have float32 precision on this machine."""
    has = torch.cpu.get_capabilities()
    if has.get("amx_bf16") or not has.get("avx512_bf16"):
        return False
    source = torch.Generator().manual_seed(0)
    a, b = torch.randn(128, 784, generator=source), torch.randn(784, 400, generator=source)
    with _onednn():
        error = (a @ b - a.double() @ b.double()).abs().max()
    return bool(error < 1e-3)  # 1e-4 in float32, 0.3 in bfloat16
