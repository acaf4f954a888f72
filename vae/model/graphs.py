"""Networks from elsewhere, stored as a list of PyTorch operations and their weights: data, never code.

A `Graph` calls the operations that `vae.model.capture` has recorded, on any device and with gradients. Only the
operations in `OPERATIONS` are ever called, and the sizes of all their results are worked out before any memory is
allocated, so that it is safe to open a file from a stranger.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vae.errors import CheckpointError

__all__ = ["MOST_NODES", "MOST_VALUES", "NAMES", "OPERATIONS", "Graph"]

MOST_NODES = 4096
MOST_VALUES = 2**22  # in the output of one operation for one image, 16 MB as float32
_MOST_WHOLE = 2**31  # bound on sizes and indices

_ATEN = """
    relu leaky_relu elu gelu silu mish celu sigmoid hardsigmoid hardswish hardtanh tanh softplus log_sigmoid_forward
    _prelu_kernel exp expm1 log log1p sqrt rsqrt reciprocal neg abs erf sin cos _softmax _log_softmax
    clamp clamp_min clamp_max maximum minimum pow.Tensor_Scalar pow.Tensor_Tensor pow.Scalar
    add.Tensor add.Scalar sub.Tensor sub.Scalar rsub.Scalar mul.Tensor mul.Scalar div.Tensor div.Scalar
    gt.Scalar ge.Scalar lt.Scalar le.Scalar where.self
    addmm mm bmm convolution
    _native_batch_norm_legit_no_training _native_batch_norm_legit.no_stats native_layer_norm native_group_norm
    max_pool2d_with_indices avg_pool2d _adaptive_avg_pool2d mean.dim sum.dim_IntList amax amin var.correction
    upsample_nearest2d.vec upsample_nearest2d upsample_bilinear2d.vec upsample_bilinear2d pixel_shuffle
    full_like view _unsafe_view permute transpose.int unsqueeze squeeze.dim squeeze.dims expand slice.Tensor select.int
    cat split_with_sizes split.Tensor constant_pad_nd reflection_pad2d replication_pad2d flip repeat clone alias
    sym_size.int
"""
_WHOLE: dict[str, Callable[..., Any]] = {  # arithmetic on sizes, and access to one of several outputs
    "getitem": operator.getitem,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "floordiv": operator.floordiv,
}
_KINKED = {
    "relu", "leaky_relu", "_prelu_kernel", "hardtanh", "hardsigmoid", "hardswish", "abs", "clamp", "clamp_min",
    "clamp_max", "maximum", "minimum", "max_pool2d_with_indices", "amax", "amin", "where.self",
}  # fmt: skip


def _overload(name: str) -> Callable[..., Any]:
    packet, _, overload = name.partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


OPERATIONS: dict[str, Callable[..., Any]] = {name: _overload(name) for name in _ATEN.split()} | _WHOLE
NAMES = {operation: name for name, operation in OPERATIONS.items()}
# The memory layout of tensors differs between devices, and `view` would depend on it.
OPERATIONS |= dict.fromkeys(("view", "_unsafe_view"), torch.ops.aten.reshape.default)


class Graph(nn.Module):
    """A network as operations, in the order in which they are called.

    Arguments:
        nodes: each [name, arguments, named arguments], where the name is one of `OPERATIONS`. An argument is a number,
            None, a Boolean, a list of arguments, {"node": 0} for the input, {"node": k} for the result of the k-th
            node, or {"weight": i}.
        outputs: which of these the network returns.
        weights: float32 tensors.

    Raises:
        CheckpointError: the nodes do not have this form.
    """

    def __init__(self, nodes: Sequence[Any], outputs: Sequence[Any], weights: Sequence[Tensor]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(weight, requires_grad=False) for weight in weights)
        if not isinstance(nodes, list) or not isinstance(outputs, list) or len(nodes) > MOST_NODES or not outputs:
            raise CheckpointError(
                f"A network must be a list of 1 to {MOST_NODES:,} operations with their outputs; this is not."
            )
        for at, node in enumerate(nodes):
            if not (isinstance(node, list) and len(node) == 3 and isinstance(node[0], str) and node[0] in OPERATIONS):
                raise CheckpointError(
                    f"A network may contain only the PyTorch operations that are supported here; {node!r:.80} is not "
                    "one."
                )
            if not (
                isinstance(node[1], list) and isinstance(node[2], dict) and all(isinstance(k, str) for k in node[2])
            ):
                raise CheckpointError(
                    f"An operation must have a list of arguments and a table of named ones; {node!r:.80} does not."
                )
            self._check(node[1], at)
            self._check(list(node[2].values()), at)
        self._check(outputs, len(nodes))
        self.nodes, self.outputs = nodes, outputs
        self._last = self._last_uses()

    @property
    def smooth(self) -> bool:
        """Whether the network is differentiable everywhere: it has no ReLU, maximum or clamp."""
        return not any(name in _KINKED for name, _, _ in self.nodes)

    def to_dict(self) -> dict[str, Any]:
        """Returns everything but the weights, as JSON types."""
        return {"nodes": self.nodes, "outputs": self.outputs}

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Returns the outputs of the network for x (N, inputs)."""
        return self._run(x, list(self.weights))[0]

    def shapes(self, inputs: int) -> tuple[list[tuple[int, ...]], int]:
        """Works out the shapes of the outputs for N inputs, without allocating memory for them.

        Arguments:
            inputs: width of a row of the input.

        Returns:
            The shapes of the outputs without their first dimension N, and the largest number of values that an
            operation gives per row.

        Raises:
            CheckpointError: the operations do not fit together, rows are mixed, or an operation gives more than
                `MOST_VALUES` values per row.
        """
        found = []
        for rows in (3, 5):
            x = torch.empty(rows, inputs, device="meta")
            try:
                outputs, most = self._run(x, [weight.to("meta") for weight in self.weights], rows * MOST_VALUES)
            except CheckpointError:
                raise
            except Exception as error:  # PyTorch may raise anything for arguments that do not fit
                reason = " ".join(str(error).split()) or type(error).__name__
                raise CheckpointError(
                    f"The operations of a network must fit together; these do not ({reason:.160})."
                ) from error
            if not all(isinstance(each, Tensor) and each.ndim and each.shape[0] == rows for each in outputs):
                raise CheckpointError("A network must return one row for each row of its input; this one does not.")
            found.append(([tuple(each.shape[1:]) for each in outputs], -(-most // rows)))
        if found[0][0] != found[1][0]:
            raise CheckpointError(
                "The output of a network for an image must not depend on how many images there are; here it does."
            )
        return found[0]

    def _run(self, x: Tensor, weights: list[Tensor], limit: int | None = None) -> tuple[tuple[Tensor, ...], int]:
        values: list[Any] = [x]
        most = x.numel()

        def given(argument: Any) -> Any:
            if isinstance(argument, dict):
                return weights[argument["weight"]] if "weight" in argument else values[argument["node"]]
            return [given(each) for each in argument] if isinstance(argument, list) else argument

        for at, (name, arguments, named) in enumerate(self.nodes):
            result = OPERATIONS[name](*given(arguments), **{key: given(value) for key, value in named.items()})
            if limit is not None:
                most = max(most, _size(result))
                if most > limit:
                    raise CheckpointError(
                        f"An operation may give at most {MOST_VALUES:,} values per image; {name} gives more."
                    )
            values.append(result)
            for used in self._last[at]:
                values[used] = None
        return tuple(given(self.outputs)), most

    def _check(self, argument: Any, before: int, depth: int = 0) -> None:
        """Rejects an argument that has another form, or that refers to something not available before node `before`."""
        if isinstance(argument, list) and depth < 4:
            for each in argument:
                self._check(each, before, depth + 1)
            return
        if isinstance(argument, dict) and len(argument) == 1:
            ((kind, place),) = argument.items()
            there = {"node": before + 1, "weight": len(self.weights)}.get(kind, 0)
            if type(place) is int and 0 <= place < there:
                return
        elif (
            argument is None
            or isinstance(argument, (bool, float))
            or (type(argument) is int and abs(argument) < _MOST_WHOLE)
        ) or argument in ("none", "tanh"):
            return
        raise CheckpointError(
            f"An argument of an operation must be a number or refer to an earlier result; {argument!r:.80} does not."
        )

    def _last_uses(self) -> list[list[int]]:
        """For each node, the values that no later node refers to, which can be freed."""
        last: dict[int, int] = {}
        for at, (_, arguments, named) in enumerate(self.nodes):
            for used in _referred([arguments, list(named.values())]):
                last[used] = at
        for kept in _referred(self.outputs):
            last.pop(kept, None)
        ends: list[list[int]] = [[] for _ in self.nodes]
        for used, at in last.items():
            ends[at].append(used)
        return ends


def _size(result: Any) -> int:
    if isinstance(result, Tensor):
        return result.numel()
    if isinstance(result, (tuple, list)):
        return sum(map(_size, result))
    return 0


def _referred(argument: Any) -> list[int]:
    """Returns the nodes that an argument refers to."""
    if isinstance(argument, dict):
        return [argument["node"]] if "node" in argument else []
    return [place for each in argument for place in _referred(each)] if isinstance(argument, list) else []
