"""Networks in ONNX files, whatever program wrote them: read, run with PyTorch functions, and converted to graphs.

The file is data. Operators outside the tables, subgraphs, domains other than ONNX's own and weights in other files are
rejected, and the sizes of all results are worked out before any memory is allocated for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vae.errors import CheckpointError
from vae.interchange import elementwise, shaping, windows
from vae.interchange.calls import Call
from vae.interchange.found import written_down
from vae.interchange.layouts import Layout
from vae.interchange.protobuf import Model, Node, parsed
from vae.model import MOST_VALUES, Graph

__all__ = ["OPERATORS", "Network", "read_network"]

OPERATORS = elementwise.TABLE | shaping.TABLE | windows.TABLE
_SMALL = 64  # numbers of a constant that are read as arguments
_LAYING_OUT = ("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity", "Cast")
_ROWS = 3  # images with which sizes are worked out


class Network(nn.Module):
    """A network of ONNX, from (N, inputs) to tensors of (N, outputs).

    Arguments:
        content: the file.
        image_shape: of the images that it takes or returns, (H, W) or (H, W, 3), if the file leaves that open.
        outputs: names of the outputs to return; by default all.

    Attributes:
        takes: the layout of its input in the file.
        gives: the layout of each of its outputs.

    Raises:
        CheckpointError: the file is damaged, or contains something unsupported.
    """

    def __init__(
        self, content: bytes, image_shape: tuple[int, ...] | None = None, outputs: Sequence[str] | None = None
    ) -> None:
        super().__init__()
        self._model: Model = parsed(content, outputs)
        sides = self._model.sides
        if sides is None and image_shape is not None:
            sides = tuple(image_shape)
        if sides is None:
            raise CheckpointError(
                f"The file leaves the size of its input {self._model.takes!r:.60} open; give the shape of the images."
            )
        self.takes = Layout(sides, image_shape)
        if self.takes.numbers > MOST_VALUES:
            raise CheckpointError(f"A network may take at most {MOST_VALUES:,} numbers; this one takes {sides}.")
        self._small: dict[str, Any] = {}  # constants as Python numbers and lists
        self._sizes: set[str] = set()  # those of them that are integers
        self._nodes: list[Node] = []
        self._places: dict[str, str] = {}  # constants that are tensors, and the buffers that hold them
        self._fold()
        with torch.device("meta"):
            found = self._run(torch.empty(_ROWS, self.takes.numbers), {n: t.to("meta") for n, t in self._held()}, _ROWS)
        for each in found:
            if not isinstance(each, Tensor) or each.ndim < 2 or each.shape[0] != _ROWS:
                raise CheckpointError(
                    "A network must return a row of numbers for each image; an output of this one has the shape "
                    f"{tuple(each.shape) if isinstance(each, Tensor) else 'of a size'} for {_ROWS} images."
                )
        self.gives = [Layout(each.shape[1:], image_shape) for each in found]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Returns the outputs (N, ...), flat, for x (N, inputs)."""
        values = self._run(x, dict(self._held()))
        return tuple(layout.flatten(value) for layout, value in zip(self.gives, values, strict=True))

    @property
    def ends_with(self) -> str:
        """The operator that computes the first output, ignoring those that only reshape it."""
        name, operator = self._model.gives[0], ""
        for node in reversed(self._nodes):
            if name in node.outputs:
                operator = node.operator
                if operator not in _LAYING_OUT:
                    break
                name = node.inputs[0]
        return operator

    def _held(self) -> list[tuple[str, Tensor]]:
        return [(name, self.get_buffer(place)) for name, place in self._places.items()]

    def _fold(self) -> None:
        """Computes everything that does not depend on the input."""
        tensors: dict[str, Tensor] = {}
        left = MOST_VALUES + 2 * sum(each.numel() for each in self._model.constants.values())

        def keep(name: str, value: Any) -> None:
            nonlocal left
            if not isinstance(value, Tensor):
                self._small[name] = value
                self._sizes.add(name)
                return
            if value.numel() <= _SMALL:
                self._small[name] = value.tolist()
                if not value.is_floating_point() and value.ndim <= 1:
                    self._sizes.add(name)
            if value.is_floating_point():
                if not torch.isfinite(value).all() and value.ndim:
                    raise CheckpointError(f"The weights of a network must be finite; {name!r:.60} are not.")
                tensors[name] = value

        for name, value in self._model.constants.items():
            keep(name, value)
        varying = {self._model.takes}
        for node in self._model.nodes:
            if any(name in varying for name in node.inputs):
                varying.update(node.outputs)
                self._nodes.append(node)
                continue
            with torch.device("meta"):
                planned = self._call(
                    node, {name: each.to("meta") for name, each in tensors.items() if name in node.inputs}
                )
            left -= sum(each.numel() for each in planned if isinstance(each, Tensor))
            if left < 0:
                raise CheckpointError(
                    "The constants of a network must not be many times larger than its file; these are."
                )
            for name, value in zip(node.outputs, self._call(node, tensors), strict=False):
                keep(name, value)
        wanted = {name for node in self._nodes for name in node.inputs}
        for name in wanted & tensors.keys():
            self._places[name] = f"constant_{len(self._places)}"
            self.register_buffer(self._places[name], tensors[name])

    def _run(self, x: Tensor, tensors: dict[str, Tensor], rows: int | None = None) -> list[Any]:
        values: dict[str, Any] = dict(tensors)
        values[self._model.takes] = self.takes.unflatten(x)
        fixed = None if self._model.rows is None else (self._model.rows, x.shape[0])
        for node in self._nodes:
            results = self._call(node, values, fixed)
            if rows is not None and any(
                isinstance(each, Tensor) and each.numel() > rows * MOST_VALUES for each in results
            ):
                raise CheckpointError(
                    f"An operator may give at most {MOST_VALUES:,} values per image; {node.operator} gives more."
                )
            values.update(zip(node.outputs, results, strict=False))
        missing = [name for name in self._model.gives if name not in values]
        if missing:
            raise CheckpointError(f"The network's output {missing[0]!r:.60} does not depend on its input.")
        return [values[name] for name in self._model.gives]

    def _call(self, node: Node, values: dict[str, Any], rows: tuple[int, Any] | None = None) -> tuple[Any, ...]:
        inputs: list[Any] = []
        for name in node.inputs:
            if name in values:
                inputs.append(values[name])
            elif name in self._sizes:
                inputs.append(self._small[name])
            elif name:
                raise CheckpointError(f"The operator {node.operator} takes {name!r:.60}, which is not defined.")
            else:
                inputs.append(None)
        known = [self._small.get(name) for name in node.inputs]
        varies = bool(node.inputs) and node.inputs[0] in values and node.inputs[0] not in self._places
        call = Call(inputs, known, node.attributes, self._model.opset, len(node.outputs), rows if varies else None)
        if (function := OPERATORS.get(node.operator)) is None:
            raise CheckpointError(
                f"The operator {node.operator!r:.60} of the ONNX file is not supported here. Export the network "
                "without "
                "it; if it only draws samples, name the outputs that do not need it."
            )
        try:
            result = function(call)
        except Exception as error:  # PyTorch and Python may raise anything for arguments that do not match
            reason = " ".join(str(error).split()) or type(error).__name__
            raise CheckpointError(
                f"The operator {node.operator} of the ONNX file cannot be converted: {reason:.160}."
            ) from error
        return result if isinstance(result, tuple) else (result,)


def read_network(
    content: bytes, *, image_shape: tuple[int, ...] | None = None, outputs: Sequence[str] | None = None
) -> Graph:
    """Reads one network of an ONNX file.

    Arguments:
        content: the file.
        image_shape: of the images that it takes or returns, (H, W) or (H, W, 3), if the file leaves that open.
        outputs: names of the outputs to return; by default all.

    Returns:
        A graph from (N, inputs) to its outputs, images flat, row by row, the channels of a pixel adjacent.

    Raises:
        CheckpointError: the file is damaged, or contains something unsupported.
    """
    network = Network(content, image_shape, outputs)
    return written_down(network, network.takes.numbers)
