"""A GPU that is not there: tensors that say they are on one, and refuse to meet tensors that are not.

It computes on the CPU, so what runs on it gives what the CPU gives; and a tensor that was made on the wrong device, or
a result that was not brought back, is found on a machine without a GPU. Its generators are those of the CPU.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

import vae

GPU = torch.device("meta")  # the one device that PyTorch knows everywhere, and that wants nothing of the machine
_CPU = torch.device("cpu")


class OnGPU(Tensor):
    """A tensor that says it is on the GPU, around one on the CPU."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> OnGPU:
        self = Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype, device=GPU
        )
        self.held = held
        return self

    def __repr__(self) -> str:  # type: ignore[override]
        return f"OnGPU({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(function, args, kwargs or {})


class _Everywhere(TorchDispatchMode):
    """Sees to tensors that are made on the GPU, of none that is there already."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(function, args, kwargs or {})


def _call(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = function.overloadpacket.__name__
    every = tree_flatten((args, kwargs))[0]
    tensors = [each for each in every if isinstance(each, Tensor)]
    there = any(isinstance(each, OnGPU) for each in tensors)
    if name in ("_to_copy", "to", "copy_"):  # from one device to another
        whither = [each for each in every[1:] if isinstance(each, torch.device)] or [
            each.device for each in tensors[1:]
        ]
        there = (args[0].device if name == "copy_" or not whither else whither[0]) == GPU
    elif there:
        strangers = [each for each in tensors if not isinstance(each, OnGPU) and each.ndim]  # but for single numbers
        if strangers and not (name.startswith("index") and isinstance(args[0], OnGPU)):  # indices may be on the CPU
            raise RuntimeError(f"{name}: a tensor on the CPU meets one on the GPU")
    elif "device" in kwargs and kwargs["device"] is not None:
        there = torch.device(kwargs["device"]) == GPU
    if torch.Tag.inplace_view in function.tags and isinstance(args[0], OnGPU):  # another shape for the same tensor
        with torch._C._DisableTorchDispatch():
            function(*args, **kwargs)
    args, kwargs = tree_map(_on_cpu, (args, kwargs))
    found = function(*args, **kwargs | ({"pin_memory": False} if "pin_memory" in kwargs else {}))
    if function._schema.is_mutable and every and isinstance(every[0], Tensor):
        return every[0]
    return tree_map(lambda each: OnGPU(each) if there and isinstance(each, Tensor) else each, found)


def _on_cpu(each: Any) -> Any:
    if isinstance(each, OnGPU):
        return each.held
    return _CPU if isinstance(each, torch.device) else each


class _Generator(torch.Generator):
    """A generator that is on the CPU, wherever it is wanted."""

    def __new__(cls, device: Any = None) -> _Generator:
        return super().__new__(cls, "cpu")


@contextmanager
def gpu() -> Iterator[None]:
    """Has the GPU be there."""
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # as devices want it that hide their memory
    try:
        with mock.patch.object(torch, "Generator", _Generator), _Everywhere():
            yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)


def moved(model: vae.VAE) -> vae.VAE:
    """Returns a copy of a model on the GPU."""
    twin = copy.deepcopy(model)
    for module in twin.modules():
        for name, weight in module._parameters.items():
            if weight is not None:
                module._parameters[name] = nn.Parameter(OnGPU(weight.detach()), weight.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = OnGPU(buffer)
    return twin
