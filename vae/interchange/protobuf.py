"""The contents of an ONNX file, as Python types: nodes, constants, inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae.errors import CheckpointError
from vae.model import MOST_NODES

__all__ = ["NEWEST", "OLDEST", "Model", "Node", "parsed"]

OLDEST, NEWEST = 11, 23  # supported versions of the ONNX operators
_MOST_BYTES = 512 * 2**20
_FLOATS = ("FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16")
_WHOLE = ("INT64", "INT32", "INT16", "INT8", "UINT8", "UINT16", "UINT32", "BOOL")


@dataclass(frozen=True)
class Node:
    """An operator with the names of its inputs and outputs; an empty name is an input that is left out."""

    operator: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A network in an ONNX file.

    Attributes:
        opset: the version of its operators.
        nodes: those that its outputs need, in their order.
        constants: tensors by name, float32 or integers.
        takes: the name of its input.
        rows: the number of images that the file was written for, None for any number.
        sides: the shape of the input for an image, None if the file leaves it open.
        gives: the names of the outputs that are needed.
        every_output: the names of all outputs.
    """

    opset: int
    nodes: list[Node]
    constants: dict[str, Tensor]
    takes: str
    rows: int | None
    sides: tuple[int, ...] | None
    gives: list[str]
    every_output: list[str]


def parsed(content: bytes, outputs: Sequence[str] | None) -> Model:
    """Reads an ONNX file.

    Arguments:
        content: the file.
        outputs: names of the outputs that are needed; by default all.

    Raises:
        CheckpointError: it is damaged, or contains something unsupported.
    """
    try:
        import onnx
    except ImportError as error:
        raise CheckpointError(
            "Reading ONNX files needs the package onnx, which is not installed: pip install 'vae-explorer[onnx]', or "
            "pip install -r requirements-extra.txt in a checkout."
        ) from error
    if len(content) > _MOST_BYTES:
        raise CheckpointError(f"An ONNX file may have at most 512 MB; this one has {len(content) / 2**20:,.0f}.")
    try:
        graph = (model := onnx.load_model_from_string(content)).graph
        opset = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 0)
    except Exception as error:  # protobuf may raise anything
        raise CheckpointError("This is not an ONNX file, or it is damaged: it could not be parsed.") from error
    if not graph.node:
        raise CheckpointError("This is not an ONNX file, or it is empty: it has no operators.")
    if not OLDEST <= opset <= NEWEST:
        raise CheckpointError(
            f"The operators of an ONNX file must have a version from {OLDEST} to {NEWEST}; these have {opset}. "
            "Export it with another opset."
        )
    if len(graph.node) > MOST_NODES:
        raise CheckpointError(f"A network may have at most {MOST_NODES:,} operators; this one has {len(graph.node):,}.")
    if graph.sparse_initializer:
        raise CheckpointError("The file has sparse weights, which are not supported here; export it with dense ones.")
    every = [each.name for each in graph.output]
    gives = list(outputs) if outputs else every
    if unknown := [name for name in gives if name not in every] or not gives:
        raise CheckpointError(
            f"The file has the outputs {', '.join(every) or 'none'!s:.200}; it has no {unknown!s:.80}."
        )
    proto = _needed(graph.node, gives)
    wanted = {name for node in proto for name in node.input}
    constants = {each.name: _tensor(onnx, each) for each in graph.initializer if each.name in wanted}
    takes = [each for each in graph.input if each.name in wanted and each.name not in constants]
    if len(takes) != 1:
        names = ", ".join(each.name for each in takes) or "none"
        raise CheckpointError(
            f"A network must have one input, images or codes; the outputs of this file need {names:.200}. If some only "
            "serve to draw samples, name the outputs that do not need them."
        )
    nodes = []
    for each in proto:
        if each.op_type == "Constant" and each.domain in ("", "ai.onnx"):
            constants[each.output[0]] = _constant(onnx, each)
        else:
            nodes.append(_node(onnx, each))
    rows, sides = _shape(takes[0])
    return Model(opset, nodes, constants, takes[0].name, rows, sides, gives, every)


def _needed(nodes: Sequence[Any], gives: list[str]) -> list[Any]:
    """Returns the nodes that outputs need; nodes depend only on earlier ones."""
    wanted, kept = set(gives), []
    for node in reversed(nodes):
        if any(name and name in wanted for name in node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def _shape(value: Any) -> tuple[int | None, tuple[int, ...] | None]:
    """Returns the number of images that an input is for, and the shape of one, None if they are left open."""
    sides = [each.dim_value if each.HasField("dim_value") else 0 for each in value.type.tensor_type.shape.dim]
    if not sides:
        return None, None
    rows = sides[0] if sides[0] > 0 else None
    return rows, tuple(sides[1:]) if len(sides) > 1 and all(side > 0 for side in sides[1:]) else None


def _node(onnx: Any, node: Any) -> Node:
    if node.domain not in ("", "ai.onnx"):
        raise CheckpointError(
            f"The operator {node.op_type!r:.60} is of the domain {node.domain!r:.60}, which is not supported here. "
            "Export the network with ONNX's own operators."
        )
    attributes: dict[str, Any] = {}
    kinds = onnx.AttributeProto
    for each in node.attribute:
        if each.type in (kinds.GRAPH, kinds.GRAPHS):
            raise CheckpointError(
                f"The operator {node.op_type!r:.60} decides what to do while it runs; a network here must do the same "
                "for all images. Export it without branches and loops."
            )
        if each.type == kinds.TENSOR:
            value = _tensor(onnx, each.t)
            # the number of this operator is needed while the network is traced, when the values of tensors are unknown
            attributes[each.name] = _number(value) if node.op_type == "ConstantOfShape" else value
        elif each.type == kinds.STRING:
            attributes[each.name] = each.s.decode("utf-8", "replace")
        elif each.type in (kinds.INT, kinds.FLOAT):
            attributes[each.name] = each.i if each.type == kinds.INT else each.f
        elif each.type in (kinds.INTS, kinds.FLOATS):
            attributes[each.name] = list(each.ints if each.type == kinds.INTS else each.floats)
    return Node(node.op_type, list(node.input), list(node.output), attributes)


def _constant(onnx: Any, node: Any) -> Tensor:
    value = next(iter(_node(onnx, node).attributes.values()), None)
    if value is None or isinstance(value, str) or len(node.output) != 1:
        raise CheckpointError("A constant of the ONNX file has a value that is not supported here.")
    return value if isinstance(value, Tensor) else torch.tensor(value)


def _number(value: Tensor) -> float:
    if value.numel() != 1:
        raise CheckpointError(
            f"The value of ConstantOfShape must be a single number; in this ONNX file it has {value.numel()} numbers."
        )
    return value.item()


def _tensor(onnx: Any, tensor: Any) -> Tensor:
    """Returns a tensor of the file: float32, int64, or Boolean."""
    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise CheckpointError(
            "The weights are in another file; export the network with its weights inside, in PyTorch with "
            "torch.onnx.export(..., external_data=False)."
        )
    kind = dict(zip(onnx.TensorProto.DataType.values(), onnx.TensorProto.DataType.keys(), strict=True)).get(
        tensor.data_type, "?"
    )
    if kind not in _FLOATS + _WHOLE:
        raise CheckpointError(f"Weights must be floating-point numbers or integers; {tensor.name!r:.60} are {kind}.")
    try:
        array = onnx.numpy_helper.to_array(tensor)
        array = array.astype(np.float32 if kind in _FLOATS else bool if kind == "BOOL" else np.int64)
    except Exception as error:  # from NumPy, about sizes that do not match
        raise CheckpointError(
            f"The ONNX file is damaged: {tensor.name!r:.60} does not have the stated size."
        ) from error
    return torch.from_numpy(array.copy())
