"""What a network does, written down: `torch.export` follows it once, and a `Graph` says which operations it called."""

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
_SAME = {torch.ops.aten._to_copy.default, torch.ops.aten.detach.default}  # all is float32, and no gradient is cut
_LARGEST = 2**31 - 1
_DROPPED = ("dtype", "device", "layout", "pin_memory", "memory_format")  # all is float32, and where the weights are


def capture(network: Callable[[Tensor], Any], example: Tensor) -> Graph:
    """Writes down what a network does.

    Arguments:
        network: a module in evaluation mode, or any function of tensors, from (N, inputs) to tensors whose first
            dimension is N.
        example: (N, inputs), N at least 2; the network is followed with it.

    Returns:
        The network as a graph, which gives the same numbers.

    Raises:
        ConfigError: the network does what cannot be written down: it decides by the values of tensors what to do,
            draws random numbers, or calls an operation that is not in `OPERATIONS`.
    """
    logging.getLogger("torch.fx").setLevel(logging.CRITICAL)  # what it has to say is in the error
    try:
        with unchecked(), _unvalidated():
            exported = torch.export.export(
                _Called(network), (example,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), strict=False
            ).run_decompositions()
    except Exception as error:  # torch.export raises what it likes
        reason = " ".join(str(error).split("\n\n")[0].split()) or type(error).__name__
        if "specialized it to be a constant" in reason:
            reason = "it takes the number of images for a constant: write x.shape[0] in the place of len(x)"
        raise ConfigError(
            f"A network must do the same whatever the numbers are, so that it can be written down; "
            f"this one could not be followed ({reason:.200}). Export it to ONNX, and import that."
        ) from error
    constants = {**dict(exported.state_dict), **exported.constants}
    places: dict[Any, dict[str, int]] = {}
    weights: list[Tensor] = []
    sources = {spec.arg.name: spec.target for spec in exported.graph_signature.input_specs}
    nodes: list[Any] = []

    def written(argument: Any) -> Any:
        if isinstance(argument, torch.fx.Node):
            if argument not in places:  # a weight, which is kept where it is used
                value = constants[sources[argument.name]].detach()
                places[argument] = {"weight": len(weights)}
                weights.append(value.float().contiguous().cpu().clone())
            return places[argument]
        if isinstance(argument, (list, tuple)):
            return [written(each) for each in argument]
        if type(argument) is int:  # "to the end" is the largest whole number of 64 bits
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
        elif node.target is torch.ops.aten.full.default:  # as large as what comes in
            nodes.append(["expand", [{"weight": len(weights)}, written(node.args[0])], {}])
            weights.append(torch.tensor(float(node.args[1])))
            places[node] = {"node": len(nodes)}
        elif node.op == "call_function":
            name = NAMES.get(node.target)
            if name is None:
                if torch.Tag.nondeterministic_seeded in node.target.tags:
                    raise ConfigError(
                        f"A network must give the same numbers for the same images; this one draws random numbers "
                        f"({node.target}). Let it return the mean and the variance, without drawing a sample."
                    )
                raise ConfigError(
                    f"A network is written down as operations that are known here; {node.target} is none of them. "
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
            # what is drawn, or kept from call to call, differs by far more than rounding
            if not torch.allclose(
                ours, theirs.float(), rtol=1e-3, atol=1e-3 * float(theirs.abs().max().clamp_min(1e-6))
            ):
                raise ConfigError(
                    "A network must give the same numbers for the same images; this one does not. It may draw samples: "
                    "let it return the mean and the variance instead."
                )
    return graph


@contextlib.contextmanager
def _unvalidated() -> Iterator[None]:
    """Lets PyTorch's own distributions take whatever comes: their checks ask for the values of tensors."""
    before = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        torch.distributions.Distribution.set_default_validate_args(before)


class _Called(nn.Module):
    """A function as a module, for `torch.export`."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return _flat(self.function(x))


def _flat(found: Any) -> tuple[Tensor, ...]:
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)
