"""ONNX operators over windows of an image, and for normalisation: convolutions, pooling, resizing."""

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

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d}
_LINEAR = ("half_pixel", "pytorch_half_pixel", "align_corners")
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d}


def _window(call: Call, sides: list[int], x: Tensor) -> tuple[list[int], list[int], list[int], list[int]]:
    """Returns strides, dilations, and the paddings before and after each side."""
    count = len(sides)
    strides, dilations = (list(call.get(name) or [1] * count) for name in ("strides", "dilations"))
    automatic = call.get("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        total = [
            max(0, (-(-size // stride) - 1) * stride + (side - 1) * dilation + 1 - size)
            for size, side, stride, dilation in zip(x.shape[2:], sides, strides, dilations, strict=True)
        ]
        less, more = [each // 2 for each in total], [each - each // 2 for each in total]
        return strides, dilations, *((less, more) if automatic == "SAME_UPPER" else (more, less))
    pads = list(call.get("pads") or [0] * 2 * count) if automatic == "NOTSET" else [0] * 2 * count
    return strides, dilations, pads[:count], pads[count:]


def _dimensions(x: Tensor, known: dict[int, Any]) -> Any:
    if x.ndim - 2 not in known:
        raise CheckpointError("it is supported only for images and rows of numbers")
    return known[x.ndim - 2]


def _conv(call: Call) -> Tensor:
    x, weight = call.tensor(0), call.tensor(1)
    function = _dimensions(x, _CONVOLUTIONS)
    strides, dilations, begin, end = _window(call, list(weight.shape[2:]), x)
    if begin != end:
        x, begin = F.pad(x, padded(x, begin, end)), [0] * len(begin)
    return function(x, weight, _bias(call), strides, begin, dilations, call.get("group", 1))


def _bias(call: Call) -> Tensor | None:
    return call.tensor(2) if call.has(2) else None


def _conv_transpose(call: Call) -> Tensor:
    x, weight = call.tensor(0), call.tensor(1)
    function, count = _dimensions(x, _TRANSPOSED), x.ndim - 2
    strides, dilations = (list(call.get(name) or [1] * count) for name in ("strides", "dilations"))
    extra = list(call.get("output_padding") or [0] * count)
    automatic, wanted = call.get("auto_pad", "NOTSET"), call.get("output_shape")
    whole = [
        (size - 1) * stride + (side - 1) * dilation + 1 + more
        for size, side, stride, dilation, more in zip(
            x.shape[2:], weight.shape[2:], strides, dilations, extra, strict=True
        )
    ]
    if wanted is None and automatic in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [size * stride for size, stride in zip(x.shape[2:], strides, strict=True)]
    if wanted is not None:
        total = [have - want for have, want in zip(whole, list(wanted)[-count:], strict=True)]
        less, more = [each // 2 for each in total], [each - each // 2 for each in total]
        begin, end = (less, more) if automatic == "SAME_UPPER" else (more, less)
    else:
        pads = list(call.get("pads") or [0] * 2 * count) if automatic == "NOTSET" else [0] * 2 * count
        begin, end = pads[:count], pads[count:]
    group, bias = call.get("group", 1), _bias(call)
    if begin == end and min(begin) >= 0:
        return function(x, weight, bias, strides, begin, extra, group, dilations)
    x = function(x, weight, bias, strides, 0, extra, group, dilations)
    return F.pad(x, padded(x, [-each for each in begin], [-each for each in end]))


def _max_pool(call: Call) -> Tensor:
    x, sides = _image(call), list(call.get("kernel_shape", []))
    strides, dilations, begin, end = _window(call, sides, x)
    if begin != end or any(2 * pad > side for pad, side in zip(begin, sides, strict=True)):
        x, begin = F.pad(x, padded(x, begin, end), value=-math.inf), [0, 0]
    return F.max_pool2d(x, sides, strides, begin, dilations, bool(call.get("ceil_mode", 0)))


def _average_pool(call: Call) -> Tensor:
    x, sides = _image(call), list(call.get("kernel_shape", []))
    strides, dilations, begin, end = _window(call, sides, x)
    if any(each != 1 for each in dilations):
        raise CheckpointError("dilated windows are not supported")
    up = bool(call.get("ceil_mode", 0))
    counted = bool(call.get("count_include_pad", 0))
    if begin == end:
        return F.avg_pool2d(x, sides, strides, begin, up, counted)
    means = F.avg_pool2d(F.pad(x, padded(x, begin, end)), sides, strides, 0, up)
    if counted:
        return means
    ones = torch.ones(1, 1, *x.shape[2:], device=x.device)
    return means / F.avg_pool2d(F.pad(ones, padded(ones, begin, end)), sides, strides, 0, up)


def _image(call: Call) -> Tensor:
    x = call.tensor(0)
    if x.ndim != 4 or len(call.get("kernel_shape", [0, 0])) != 2:
        raise CheckpointError("it is supported only for images")
    return x


def _batch_norm(call: Call) -> Tensor:
    if call.get("training_mode", 0):
        raise CheckpointError("the network was exported in training mode; call model.eval() before the export")
    scale, bias, mean, variance = (call.tensor(at) for at in range(1, 5))
    return F.batch_norm(call.tensor(0), mean, variance, scale, bias, False, 0.0, call.get("epsilon", 1e-5))


def _layer_norm(call: Call) -> Tensor:
    x, scale = call.tensor(0), call.tensor(1)
    shape = x.shape[call.get("axis", -1) :]
    bias = call.tensor(2).expand(shape) if call.has(2) else None
    return F.layer_norm(x, shape, scale.expand(shape), bias, call.get("epsilon", 1e-5))


def _by_channel(x: Tensor, weights: Tensor) -> Tensor:
    return weights.reshape(-1, *[1] * (x.ndim - 2))


def _group_norm(call: Call) -> Tensor:
    x, scale, bias = (call.tensor(at) for at in range(3))
    groups = call.get("num_groups", 1)
    if call.opset < 21:  # a scale for each group; in newer versions for each channel
        each = x.shape[1] // groups
        scale, bias = (part.unsqueeze(1).repeat(1, each).flatten() for part in (scale, bias))
    return F.group_norm(x, groups, scale, bias, call.get("epsilon", 1e-5))


def _instance_norm(call: Call) -> Tensor:
    x, scale, bias = (call.tensor(at) for at in range(3))
    axes = list(range(2, x.ndim))
    centred = x - x.mean(axes, keepdim=True)
    variance = (centred * centred).mean(axes, keepdim=True)
    normal = centred * torch.rsqrt(variance + call.get("epsilon", 1e-5))
    return normal * _by_channel(x, scale) + _by_channel(x, bias)


def _global(function: Callable[[Tensor, list[int]], Tensor]) -> Callable[[Call], Tensor]:
    return lambda call: function(call.tensor(0), list(range(2, call.tensor(0).ndim)))


def _resize(call: Call) -> Tensor:
    x, axes = call.tensor(0), call.get("axes") or [0, 1, 2, 3]
    if x.ndim != 4 or axes[-2:] != [2, 3]:
        raise CheckpointError("it resizes more than height and width")
    if call.has(3) and (call.known[3] or call.inputs[3]) != []:
        sizes = [int(each) for each in call.sizes(3)[-2:]]
        factors = [size / side for size, side in zip(sizes, x.shape[2:], strict=True)]
    else:
        scales = call.sizes(2)
        factors = scales[-2:]
        sizes = [round(factor * side) for factor, side in zip(factors, x.shape[2:], strict=True)]
        if any(each != 1 for each in scales[:-2]):
            raise CheckpointError("it resizes more than height and width")
        if any(
            abs(factor * side - size) > 1e-4 for factor, side, size in zip(factors, x.shape[2:], sizes, strict=True)
        ):
            raise CheckpointError("it resizes to a size that is not whole")
    mode, places = call.get("mode", "nearest"), call.get("coordinate_transformation_mode", "half_pixel")
    if mode == "nearest":
        rounding = call.get("nearest_mode", "round_prefer_floor")
        whole = all(abs(factor - round(factor)) < 1e-6 and factor >= 1 for factor in factors)
        if (places == "asymmetric" and rounding == "floor") or (
            whole and places in ("half_pixel", "pytorch_half_pixel") and rounding.startswith("round_prefer")
        ):
            return F.interpolate(x, sizes, mode="nearest")
    elif mode == "linear" and not call.get("antialias", 0) and places in _LINEAR:
        return F.interpolate(x, sizes, mode="bilinear", align_corners=places == "align_corners")
    raise CheckpointError(f"the modes {mode!r:.20} and {places!r:.40} together are not supported here")


def _depth_to_space(call: Call) -> Tensor:
    x, side = call.tensor(0), call.get("blocksize", 1)
    if call.get("mode", "DCR") == "DCR":
        channels = x.shape[1] // side**2
        x = x.reshape(-1, side**2, channels, *x.shape[2:]).transpose(1, 2).flatten(1, 2)
    return F.pixel_shuffle(x, side)


TABLE: dict[str, Callable[[Call], Any]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global(lambda x, axes: x.mean(axes, keepdim=True)),
    "GlobalMaxPool": _global(lambda x, axes: x.amax(axes, keepdim=True)),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "InstanceNormalization": _instance_norm,
    "Resize": _resize,
    "DepthToSpace": _depth_to_space,
}
