"""Recognises graphs that are multilayer perceptrons, and finds the matrices of their layers.

h_0 = input      h_i = activation(W_i h_(i-1) + b_i)      out_k = V_k h_last + c_k
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from vae.model.graphs import Graph

__all__ = ["Affine", "Perceptron", "perceptron"]

_ACTIVATIONS = ("relu", "tanh")  # silu appears as z sigmoid(z)
_SUMS = ("addmm", "add.Tensor")
_SAME = ("view", "_unsafe_view", "alias", "clone")  # which leave rows of numbers unchanged


class Affine(NamedTuple):
    """W h + b, W (outputs, inputs)."""

    weight: Tensor
    bias: Tensor


class Perceptron(NamedTuple):
    """A graph that is a multilayer perceptron.

    Attributes:
        layers: the hidden layers, starting from the input.
        activation: of all hidden layers; "relu" if there are none.
        heads: the outputs.
        bounded: for each head, whether a sigmoid follows.
    """

    layers: tuple[Affine, ...]
    activation: str
    heads: tuple[Affine, ...]
    bounded: tuple[bool, ...]


class _Hidden(NamedTuple):
    layers: tuple[Affine, ...]
    activations: frozenset[str]


class _Output(NamedTuple):
    below: _Hidden
    affine: Affine
    bounded: bool = False


def perceptron(graph: Graph) -> Perceptron | None:
    """Takes a graph apart; returns None if it is not a multilayer perceptron with a single activation function."""
    weights = list(graph.weights)
    values: list[Any] = [_Hidden((), frozenset())]
    for name, arguments, named in graph.nodes:
        scaled = bool(named) and name in _SUMS  # scaled by alpha or beta
        values.append(None if scaled else _step(name, arguments, values, weights))
    outputs = [values[each["node"]] if "node" in each else None for each in graph.outputs]
    found = [each for each in outputs if isinstance(each, _Output)]
    if not found or len(found) < len(outputs):
        return None
    below = found[0].below
    if len(below.activations) > 1 or not all(_same(each.below, below) for each in found):
        return None
    activation = next(iter(below.activations), "relu")
    bounded = tuple(each.bounded for each in found)
    return Perceptron(below.layers, activation, tuple(each.affine for each in found), bounded)


def _same(one: _Hidden, other: _Hidden) -> bool:
    """Tells whether two outputs come from the same hidden layers, rather than from layers of equal shape."""
    pairs = zip(one.layers, other.layers, strict=False)
    return len(one.layers) == len(other.layers) and all(
        torch.equal(a.weight, b.weight) and torch.equal(a.bias, b.bias) for a, b in pairs
    )


def _step(name: str, arguments: list[Any], values: list[Any], weights: list[Tensor]) -> Any:
    """Returns what an operation gives: a transposed weight, a hidden layer, an output or part of one; otherwise "
    "None."""
    given = [
        values[each["node"]] if isinstance(each, dict) and "node" in each
        else weights[each["weight"]] if isinstance(each, dict) else each
        for each in arguments
    ]  # fmt: skip
    first = given[0] if given else None
    if name == "permute" and isinstance(first, Tensor) and first.ndim == 2 and given[1:] == [[1, 0]]:
        return first.T
    if name == "addmm" and isinstance(first, Tensor) and isinstance(given[1], _Hidden) and isinstance(given[2], Tensor):
        return _Output(given[1], Affine(given[2].T, first))
    if name == "mm" and isinstance(first, _Hidden) and isinstance(given[1], Tensor):
        return _Output(first, Affine(given[1].T, given[1].new_zeros(given[1].shape[1])))
    if name == "add.Tensor":  # as in ONNX: first the product, then the bias
        output, bias = sorted(given[:2], key=lambda each: isinstance(each, Tensor))
        if isinstance(output, _Output) and not output.bounded and isinstance(bias, Tensor):
            return _with_bias(output, bias)
    if name in _ACTIVATIONS and isinstance(first, _Output) and not first.bounded:
        return _Hidden((*first.below.layers, first.affine), first.below.activations | {name})
    if name == "sigmoid" and isinstance(first, _Output) and not first.bounded:
        return first._replace(bounded=True)
    if name == "mul.Tensor" and isinstance(first, _Output) and _is_sigmoid(given[1], first):
        return _Hidden((*first.below.layers, first.affine), first.below.activations | {"silu"})
    if name == "slice.Tensor" and given[1:3] == [0, 0]:  # all rows
        return first
    if name in _SAME and isinstance(first, (_Hidden, _Output)):
        return first
    if name == "slice.Tensor" and isinstance(first, _Output) and given[1] == 1 and len(given) == 4:
        return _part(first, slice(given[2], given[3]))
    if name == "split_with_sizes" and isinstance(first, _Output) and given[2:] in ([-1], [1]):
        ends = [sum(given[1][: i + 1]) for i in range(len(given[1]))]
        return [_part(first, slice(end - size, end)) for end, size in zip(ends, given[1], strict=True)]
    if name == "getitem" and isinstance(first, list) and 0 <= given[1] < len(first):
        return first[given[1]]
    return None


def _is_sigmoid(one: Any, other: _Output) -> bool:
    return isinstance(one, _Output) and one.bounded and not other.bounded and one.affine is other.affine


def _with_bias(output: _Output, bias: Tensor) -> _Output | None:
    weight, before = output.affine
    fits = bias.numel() == before.numel() and bias.shape[-1:] == before.shape
    return output._replace(affine=Affine(weight, before + bias.flatten())) if fits else None


def _part(output: _Output, rows: slice) -> _Output:
    return output._replace(affine=Affine(output.affine.weight[rows], output.affine.bias[rows]))
