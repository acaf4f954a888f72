"""ONNX operators that move or reduce numbers, or compute sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vae.errors import CheckpointError
from vae.interchange.calls import Call, padded

__all__ = ["TABLE"]

_FAR = 2**31 - 1  # programs write "to the end" as the largest integer


def _for_rows(call: Call, sizes: list[Any]) -> list[Any]:
    """Replaces the number of images that the file was written for by the actual number."""
    if call.rows is not None and sizes and isinstance(sizes[0], int) and sizes[0] == call.rows[0]:
        return [call.rows[1], *sizes[1:]]
    return sizes


def _reshape(call: Call) -> Any:
    x, sizes = call.inputs[0], call.sizes(1)
    if not isinstance(x, Tensor):  # sizes as a list, as the rows of a table, or a single one as a number
        values = [each for row in call.sizes(0) for each in (row if isinstance(row, list) else [row])]
        if len(sizes) != 2:
            return values if sizes else values[0]
        width = sizes[1] if sizes[1] > 0 else len(values) // sizes[0]
        return [values[at : at + width] for at in range(0, len(values), width)]
    if not call.get("allowzero", 0):
        sizes = [x.shape[at] if isinstance(size, int) and size == 0 else size for at, size in enumerate(sizes)]
    return x.reshape(_for_rows(call, sizes))


def _flatten(call: Call) -> Tensor:
    x, axis = call.tensor(0), call.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    if axis == 0:
        raise CheckpointError("it mixes the images")
    x = x.unsqueeze(-1) if axis == x.ndim else x.flatten(axis)
    return x.flatten(0, axis - 1)


def _squeeze(call: Call) -> Any:
    axes, x = call.axes(1), call.inputs[0]
    if not isinstance(x, Tensor):
        return call.number(0)
    if axes is None:
        axes = [at for at, size in enumerate(x.shape) if at and size == 1]
    return x.squeeze(tuple(axes)) if axes else x


def _unsqueeze(call: Call) -> Any:
    axes, x = call.axes(1), call.inputs[0]
    if not isinstance(x, Tensor):
        return call.sizes(0)
    ndim = x.ndim + len(axes or [])
    for axis in sorted(axis % ndim for axis in axes or []):
        x = x.unsqueeze(axis)
    return x


def _concat(call: Call) -> Any:
    if not any(isinstance(each, Tensor) for each in call.inputs):
        return [size for at in range(len(call.inputs)) for size in call.sizes(at)]
    return torch.cat([call.tensor(at) for at in range(len(call.inputs))], dim=call.get("axis", 0))


def _split(call: Call) -> tuple[Tensor, ...]:
    x, axis = call.tensor(0), call.get("axis", 0)
    sizes = call.get("split") or (call.sizes(1) if call.has(1) else None)
    if sizes is None:
        part = -(-x.shape[axis] // call.get("num_outputs", call.outputs))
        return torch.split(x, part, dim=axis)
    return torch.split(x, list(sizes), dim=axis)


def _slice(call: Call) -> Any:
    x, starts, ends = call.inputs[0], call.sizes(1), call.sizes(2)
    axes = call.sizes(3) if call.has(3) else list(range(len(starts)))
    steps = call.sizes(4) if call.has(4) else [1] * len(starts)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if isinstance(end, int):
            end = max(-_FAR, min(end, _FAR))
        if not isinstance(x, Tensor):
            x = (x if isinstance(x, list) else [x])[start : None if step < 0 and end == -_FAR else end : step]
        elif step < 0:
            if step != -1 or start not in (-1, x.shape[axis] - 1) or end > -x.shape[axis] - 1:
                raise CheckpointError("it steps backwards over a part of a dimension")
            x = x.flip(axis)
        else:
            axis %= x.ndim
            x = x[(slice(None),) * axis + (slice(start, None if end == _FAR else end, step),)]
    return x


def _gather(call: Call) -> Any:
    x, axis, places = call.inputs[0], call.get("axis", 0), call.values(1)
    if not isinstance(x, Tensor):
        values = call.sizes(0)
        return [values[place] for place in places] if isinstance(places, list) else values[places]
    if not isinstance(places, list):
        return x.select(axis, places)
    return torch.stack([x.select(axis, place) for place in places], dim=axis)


def _expand(call: Call) -> Tensor:
    x, sizes = call.tensor(0), _for_rows(call, call.sizes(1))
    own = [1] * (len(sizes) - x.ndim) + list(x.shape)
    sizes = [1] * (len(own) - len(sizes)) + sizes
    return x.expand(
        [mine if isinstance(size, int) and size == 1 else size for mine, size in zip(own, sizes, strict=True)]
    )


def _constant_of_shape(call: Call) -> Any:
    number, sizes = call.get("value", 0.0), call.sizes(0)
    if isinstance(number, int) and len(sizes) == 1 and isinstance(sizes[0], int) and 0 <= sizes[0] <= 64:
        return [number] * sizes[0]
    return torch.full(sizes, float(number), device=None)


def _pad(call: Call) -> Tensor:
    x, mode = call.tensor(0), call.get("mode", "constant")
    pads = call.sizes(1) if call.has(1) else list(call.get("pads", []))
    begin, end = pads[: len(pads) // 2], pads[len(pads) // 2 :]
    if call.has(3):
        axes = [axis % x.ndim for axis in call.sizes(3)]
        begin, end = ([dict(zip(axes, side, strict=True)).get(at, 0) for at in range(x.ndim)] for side in (begin, end))
    if mode == "constant":
        return F.pad(x, padded(x, begin, end), value=call.number(2, 0.0))
    if mode not in ("reflect", "edge"):
        raise CheckpointError(f"the mode {mode!r:.20} is not supported here")
    for axis, (before, after) in enumerate(zip(begin, end, strict=True)):
        if before or after:
            x = torch.cat([_beyond(x, axis, before, mode, False), x, _beyond(x, axis, after, mode, True)], dim=axis)
    return x


def _beyond(x: Tensor, axis: int, count: int, mode: str, after: bool) -> Tensor:
    """Returns the padding before or after x: its edge repeated, or x reflected at the edge."""
    size = x.shape[axis]
    if mode == "edge":
        edge = x.narrow(axis, size - 1 if after else 0, 1)
        return edge.expand([count if at == axis else side for at, side in enumerate(x.shape)])
    return x.narrow(axis, size - 1 - count if after else 1, count).flip(axis)


def _tile(call: Call) -> Tensor:
    return call.tensor(0).repeat(call.sizes(1))


def _shape(call: Call) -> list[Any]:
    x = call.inputs[0]
    sizes = [len(x)] if isinstance(x, list) else list(call.tensor(0).shape)  # the number of sizes, or the sizes
    return sizes[call.get("start", 0) : call.get("end", len(sizes))]


def _transpose(call: Call) -> Any:
    x = call.inputs[0]
    if isinstance(x, list) and all(isinstance(row, list) for row in x):
        return [list(column) for column in zip(*x, strict=True)]
    x = call.tensor(0)
    return x.permute(call.get("perm") or list(reversed(range(x.ndim))))


def _reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Callable[[Call], Any]:
    def call_it(call: Call) -> Any:
        axes, x = call.axes(1), call.tensor(0)
        if not axes:
            if call.get("noop_with_empty_axes", 0):
                return x
            axes = list(range(x.ndim))
        return function(x, axes, bool(call.get("keepdims", 1)))

    return call_it


def _product(call: Call) -> Any:
    sizes = math.prod(call.sizes(0))
    return [sizes] if call.get("keepdims", 1) else sizes


def _range(call: Call) -> list[int]:
    start, end, step = (call.number(at) for at in range(3))
    found = range(start, end, step)
    if len(found) > 64:
        raise CheckpointError("it counts beyond 64")
    return list(found)


TABLE: dict[str, Callable[[Call], Any]] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "Expand": _expand,
    "ConstantOfShape": _constant_of_shape,
    "Pad": _pad,
    "Tile": _tile,
    "Shape": _shape,
    "Size": lambda call: math.prod(call.tensor(0).shape),
    "Range": _range,
    "Transpose": _transpose,
    "ReduceMean": _reduced(lambda x, axes, keep: x.mean(axes, keep)),
    "ReduceSum": _reduced(lambda x, axes, keep: x.sum(axes, keep)),
    "ReduceMax": _reduced(lambda x, axes, keep: x.amax(axes, keep)),
    "ReduceMin": _reduced(lambda x, axes, keep: x.amin(axes, keep)),
    "ReduceSumSquare": _reduced(lambda x, axes, keep: (x * x).sum(axes, keep)),
    "ReduceL2": _reduced(lambda x, axes, keep: (x * x).sum(axes, keep).sqrt()),
    "ReduceProd": _product,
}
