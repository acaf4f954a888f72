"""Elementwise ONNX operators, on tensors and on sizes, and matrix products."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vae.errors import CheckpointError
from vae.interchange.calls import Call

__all__ = ["TABLE"]

_FLOATS = (1, 10, 11, 16)  # ONNX's codes for float, float16, double and bfloat16


def _on_one(function: Callable[[Tensor], Tensor]) -> Callable[[Call], Tensor]:
    return lambda call: function(call.tensor(0))


def _on_two(on_tensors: Callable[[Any, Any], Tensor], on_sizes: Callable[[Any, Any], Any]) -> Callable[[Call], Any]:
    """An operator on two tensors, or on sizes, where a single size is combined with each of several."""

    def call_it(call: Call) -> Any:
        a, b = (call.inputs[at] if call.has(at) else None for at in (0, 1))
        if a is None or b is None:
            raise CheckpointError("an input is missing")
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            if isinstance(a, list) or isinstance(b, list):
                raise CheckpointError("it combines sizes with numbers")
            return on_tensors(a, b)
        if not isinstance(a, list) and not isinstance(b, list):
            return on_sizes(a, b)
        return [on_sizes(one, other) for one, other in zip(*_as_long(a, b), strict=True)]

    return call_it


def _as_long(*all_sizes: Any) -> list[list[Any]]:
    """Makes lists of sizes of equal length by repeating single ones."""
    lists = [each if isinstance(each, list) else [each] for each in all_sizes]
    longest = max(map(len, lists))
    return [each * longest if len(each) == 1 else each for each in lists]


def _divided(a: Any, b: Any) -> Any:
    return a / b if isinstance(a, float) or isinstance(b, float) else a // b


def _compare(
    on_tensor: Callable[[Tensor, float], Tensor],
    turned: Callable[[Tensor, float], Tensor],
    on_sizes: Callable[[Any, Any], bool],
) -> Callable[[Call], Any]:
    """A comparison with a constant, which may be on either side."""

    def call_it(call: Call) -> Any:
        if isinstance(call.inputs[0], Tensor) and call.known[0] is None:
            return on_tensor(call.tensor(0), call.number(1))
        if isinstance(call.inputs[1], Tensor):
            return turned(call.tensor(1), call.number(0))
        return _on_two(lambda a, b: a, on_sizes)(call)

    return call_it


def _folded(function: Callable[[Any, Any], Any]) -> Callable[[Call], Any]:
    """An operator on any number of inputs, from one on two."""

    def call_it(call: Call) -> Any:
        value = call.inputs[0]
        for at in range(1, len(call.inputs)):
            value = _on_two(function, function)(Call([value, call.inputs[at]], [], {}, call.opset))
        return value

    return call_it


def _larger(a: Any, b: Any) -> Any:
    return torch.maximum(*_tensors(a, b)) if isinstance(a, Tensor) or isinstance(b, Tensor) else max(a, b)


def _smaller(a: Any, b: Any) -> Any:
    return torch.minimum(*_tensors(a, b)) if isinstance(a, Tensor) or isinstance(b, Tensor) else min(a, b)


def _tensors(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        raise CheckpointError("it combines sizes with numbers")
    return a, b


def _power(call: Call) -> Any:
    if not isinstance(call.inputs[0], Tensor):
        return _on_two(lambda a, b: a, operator.pow)(call)
    if call.known[1] is not None:
        values = call.values(1)
        if not isinstance(values, list) or len(values) == 1:
            return call.tensor(0).pow(call.number(1))
    return call.tensor(0).pow(call.tensor(1))


def _cast(call: Call) -> Any:
    to, value = call.get("to", 1), call.inputs[0]
    if isinstance(value, Tensor):
        if value.dtype == torch.bool:
            return torch.where(value, 1.0, 0.0)
        if to not in _FLOATS:
            raise CheckpointError("it converts values that depend on the images to integers")
        return value
    kind: Callable[[Any], Any] = float if to in _FLOATS else bool if to == 9 else int
    turned = [each if isinstance(each, torch.SymInt) else kind(each) for each in call.sizes(0)]
    return turned if isinstance(value, list) else turned[0]


def _clip(call: Call) -> Any:
    low, high = (call.number(1), call.number(2)) if call.opset >= 11 else (call.get("min"), call.get("max"))
    return call.tensor(0) if low is None and high is None else torch.clamp(call.tensor(0), low, high)


def _where(call: Call) -> Any:
    condition = call.inputs[0]
    if isinstance(condition, Tensor):
        return torch.where(condition, call.tensor(1), call.tensor(2))
    if not any(isinstance(call.inputs[at], list) for at in range(3)):
        return call.values(1) if call.values(0) else call.values(2)
    columns = _as_long(*(call.values(at) for at in range(3)))
    return [one if yes else other for yes, one, other in zip(*columns, strict=True)]


def _prelu(call: Call) -> Tensor:
    x = call.tensor(0)
    return torch.where(x >= 0, x, x * call.tensor(1))


def _elu(call: Call) -> Tensor:
    return F.elu(call.tensor(0), call.get("alpha", 1.0))


def _selu(call: Call) -> Tensor:
    return F.elu(call.tensor(0), call.get("alpha", 1.67326319217681884765625)) * call.get(
        "gamma", 1.05070102214813232421875
    )


def _hard_sigmoid(call: Call) -> Tensor:
    return torch.clamp(call.tensor(0) * call.get("alpha", 0.2) + call.get("beta", 0.5), 0.0, 1.0)


def _softmax(function: Callable[..., Tensor]) -> Callable[[Call], Tensor]:
    def call_it(call: Call) -> Tensor:
        x = call.tensor(0)
        if call.opset >= 13:
            return function(x, dim=call.get("axis", -1))
        axis = call.get("axis", 1) % x.ndim  # older versions treat all dimensions from the axis on as one
        return function(x.flatten(axis), dim=-1).reshape(x.shape)

    return call_it


def _gemm(call: Call) -> Tensor:
    a, b = call.tensor(0), call.tensor(1)
    a, b = a.t() if call.get("transA", 0) else a, b.t() if call.get("transB", 0) else b
    alpha, beta = call.get("alpha", 1.0), call.get("beta", 1.0)
    product = a @ b if alpha == 1 else (a @ b) * alpha
    if not call.has(2):
        return product
    return product + (call.tensor(2) if beta == 1 else call.tensor(2) * beta)


def _no_tensors(a: Any, b: Any) -> Tensor:
    raise CheckpointError("its control flow depends on the images")


def _rounded(function: Callable[[float], int]) -> Callable[[Call], Any]:
    def call_it(call: Call) -> Any:
        if isinstance(call.inputs[0], Tensor):
            call.values(0)  # raises the error
        whole = [each if isinstance(each, torch.SymInt) else float(function(each)) for each in call.sizes(0)]
        return whole if isinstance(call.inputs[0], list) else whole[0]

    return call_it


TABLE: dict[str, Callable[[Call], Any]] = {
    "Add": _on_two(torch.add, operator.add),
    "Sub": _on_two(lambda a, b: a - b, operator.sub),
    "Mul": _on_two(torch.mul, operator.mul),
    "Div": _on_two(lambda a, b: a / b, _divided),
    "Mod": _on_two(_no_tensors, operator.mod),
    "Pow": _power,
    "Sum": _folded(operator.add),
    "Max": _folded(_larger),
    "Min": _folded(_smaller),
    "Greater": _compare(torch.gt, torch.lt, operator.gt),
    "GreaterOrEqual": _compare(torch.ge, torch.le, operator.ge),
    "Less": _compare(torch.lt, torch.gt, operator.lt),
    "LessOrEqual": _compare(torch.le, torch.ge, operator.le),
    "Equal": _on_two(_no_tensors, operator.eq),
    "And": _on_two(_no_tensors, operator.and_),
    "Or": _on_two(_no_tensors, operator.or_),
    "Where": _where,
    "Cast": _cast,
    "CastLike": lambda call: call.inputs[0],
    "Identity": lambda call: call.inputs[0],
    "Dropout": lambda call: call.tensor(0),  # the identity after training
    "Sqrt": _on_one(torch.sqrt),
    "Exp": _on_one(torch.exp),
    "Log": _on_one(torch.log),
    "Neg": lambda call: (
        -call.tensor(0)
        if isinstance(call.inputs[0], Tensor)
        else _on_two(torch.mul, operator.mul)(Call([call.inputs[0], -1], [], {}, call.opset))
    ),
    "Abs": _on_one(torch.abs),
    "Reciprocal": _on_one(torch.reciprocal),
    "Erf": _on_one(torch.erf),
    "Sin": _on_one(torch.sin),
    "Cos": _on_one(torch.cos),
    "Floor": _rounded(math.floor),
    "Ceil": _rounded(math.ceil),
    "Relu": _on_one(torch.relu),
    "LeakyRelu": lambda call: F.leaky_relu(call.tensor(0), call.get("alpha", 0.01)),
    "PRelu": _prelu,
    "Elu": _elu,
    "Selu": _selu,
    "Celu": lambda call: F.celu(call.tensor(0), call.get("alpha", 1.0)),
    "Gelu": lambda call: F.gelu(call.tensor(0), approximate=call.get("approximate", "none")),
    "Sigmoid": _on_one(torch.sigmoid),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _on_one(F.hardswish),
    "Tanh": _on_one(torch.tanh),
    "Softplus": _on_one(F.softplus),
    "Softsign": lambda call: call.tensor(0) / (call.tensor(0).abs() + 1.0),
    "Mish": _on_one(F.mish),
    "Swish": lambda call: call.tensor(0) * torch.sigmoid(call.tensor(0) * call.get("alpha", 1.0)),
    "Softmax": _softmax(torch.softmax),
    "LogSoftmax": _softmax(torch.log_softmax),
    "Clip": _clip,
    "Gemm": _gemm,
    "MatMul": lambda call: call.tensor(0) @ call.tensor(1),
    "Einsum": lambda call: torch.einsum(call.get("equation", ""), *(call.tensor(i) for i in range(len(call.inputs)))),
}
