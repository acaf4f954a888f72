"""Records what a network does: `torch.export` traces it once, and a `Graph` lists the operations that it called."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from vae.errors import ConfigError
from vae.model.distributions import unchecked
from vae.model.graphs import NAMES, Graph

__all__ = ["capture"]

_CONSTANT = {torch.ops.aten.full.default, torch.ops.aten.scalar_tensor.default, torch.ops.aten.arange.default}
_CHECKS = {torch.ops.aten._assert_tensor_metadata.default, torch.ops.aten._assert_scalar.default}
_SAME = {torch.ops.aten._to_copy.default, torch.ops.aten.detach.default}  # all is float32, and no gradient is needed
_LARGEST = 2**31 - 1
_DROPPED = ("dtype", "device", "layout", "pin_memory", "memory_format")  # all is float32, on the weights' device


def capture(network: Callable[[Tensor], Any], example: Tensor) -> Graph:
    """Records the operations of a network.

    Arguments:
        network: a module in evaluation mode, or any function of tensors, from (N, inputs) to tensors whose first
            dimension is N.
        example: (N, inputs) with N at least 2, the input with which the network is traced.

    Returns:
        The network as a graph that computes the same outputs.

    Raises:
        ConfigError: the network cannot be recorded: its control flow depends on the values of tensors, it draws random
            numbers, or it calls an operation that is not in `OPERATIONS`.
    """
    logging.getLogger("torch.fx").setLevel(logging.CRITICAL)  # the error has the same information
    try:
        with unchecked(), _unvalidated():
            exported = torch.export.export(
                _Called(network), (example,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), strict=False
            ).run_decompositions()
    except Exception as error:  # torch.export may raise anything
        reason = " ".join(str(error).split("\n\n")[0].split()) or type(error).__name__
        if "specialized it to be a constant" in reason:
            reason = "it treats the number of images as a constant: write x.shape[0] instead of len(x)"
        raise ConfigError(
            f"A network must call the same operations whatever its input, so that they can be recorded; "
            f"this one could not be traced ({reason:.200}). Export it to ONNX, and import that."
        ) from error
    constants = {**dict(exported.state_dict), **exported.constants}
    places: dict[Any, dict[str, int]] = {}
    weights: list[Tensor] = []
    sources = {spec.arg.name: spec.target for spec in exported.graph_signature.input_specs}
    nodes: list[Any] = []

    def written(argument: Any) -> Any:
        if isinstance(argument, torch.fx.Node):
            if argument not in places:  # a weight, which is stored when it is first used
                value = constants[sources[argument.name]].detach()
                places[argument] = {"weight": len(weights)}
                weights.append(value.float().contiguous().cpu().clone())
            return places[argument]
        if isinstance(argument, (list, tuple)):
            return [written(each) for each in argument]
        if type(argument) is int:  # "to the end" is the largest 64-bit integer
            return max(-_LARGEST, min(argument, _LARGEST))
        return argument

    outputs: list[Any] = []
    for node in exported.graph.nodes:
        if node.op == "placeholder" and sources[node.name] is None:
            places[node] = {"node": 0}
        elif node.target in _CHECKS:
            continue
        elif node.target in _SAME and (node.kwargs.get("dtype") or torch.float32).is_floating_point:
            places[node] = written(node.args[0])
        elif node.op == "call_function" and node.target in _CONSTANT and not node.all_input_nodes:
            places[node] = {"weight": len(weights)}
            weights.append(node.target(*node.args, **node.kwargs).float())
        elif node.target is torch.ops.aten.full.default:  # its size depends on the input
            nodes.append(["expand", [{"weight": len(weights)}, written(node.args[0])], {}])
            weights.append(torch.tensor(float(node.args[1])))
            places[node] = {"node": len(nodes)}
        elif node.op == "call_function":
            name = NAMES.get(node.target)
            if name is None:
                if torch.Tag.nondeterministic_seeded in node.target.tags:
                    raise ConfigError(
                        f"A network must give the same output for the same images; this one draws random numbers "
                        f"({node.target}). Let it return the mean and the variance, without drawing a sample."
                    )
                raise ConfigError(
                    f"A network may call only the operations that are supported here; {node.target} is not one of "
                    "them. "
                    "Write the network without it, or export it to ONNX and import that."
                )
            named = {key: written(value) for key, value in node.kwargs.items() if key not in _DROPPED}
            nodes.append([name, written(node.args), named])
            places[node] = {"node": len(nodes)}
        elif node.op == "output":
            outputs = written(node.args[0])
    graph = Graph(nodes, outputs, weights)
    with torch.inference_mode():
        for ours, theirs in zip(graph(example), _flat(network(example)), strict=True):
            # random samples, or state kept between calls, make far larger differences than rounding
            if not torch.allclose(
                ours, theirs.float(), rtol=1e-3, atol=1e-3 * float(theirs.abs().max().clamp_min(1e-6))
            ):
                raise ConfigError(
                    "A network must give the same output for the same images; this one does not. It may draw samples: "
                    "let it return the mean and the variance instead."
                )
    return graph


@contextlib.contextmanager
def _unvalidated() -> Iterator[None]:
    """Disables the argument checks of PyTorch's distributions, which need the values of tensors."""
    before = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        torch.distributions.Distribution.set_default_validate_args(before)


class _Called(nn.Module):
    """Wraps a function in a module, as `torch.export` needs it."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return _flat(self.function(x))


def _flat(found: Any) -> tuple[Tensor, ...]:
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)
