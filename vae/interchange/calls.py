"""One call of an ONNX operator, as the tables of operators take it.

Sizes that programs compute from the shape of the input are not tensors here but Python integers and lists of
them, so that the number of images can remain unknown while a network is traced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from vae.errors import CheckpointError

__all__ = ["Call", "padded"]


@dataclass
class Call:
    """One call of an operator.

    Attributes:
        inputs: tensors, or sizes: integers and lists of them; None for an input that is left out.
        known: the values of those tensors that are small constants, as Python numbers and lists; None for others.
        attributes: by name.
        opset: the version of the ONNX operators.
        outputs: the number of outputs of the node.
        rows: the number of images that the file was written for and the actual number, if the file fixes the first and
            the first input depends on the images; None otherwise.
    """

    inputs: list[Any]
    known: list[Any]
    attributes: dict[str, Any]
    opset: int
    outputs: int = 1
    rows: tuple[int, Any] | None = None

    def has(self, place: int) -> bool:
        """Tells whether there is an input at a place."""
        return place < len(self.inputs) and self.inputs[place] is not None

    def tensor(self, place: int) -> Tensor:
        """Returns the tensor at a place."""
        if not self.has(place) or not isinstance(self.inputs[place], Tensor):
            raise CheckpointError("an input is missing, or is a size although numbers are needed")
        return self.inputs[place]

    def values(self, place: int) -> Any:
        """Returns what is known about an input: a number, or a list."""
        value = self.inputs[place] if self.has(place) else None
        if value is None or isinstance(value, Tensor):
            value = self.known[place] if place < len(self.known) else None
        if value is None:
            raise CheckpointError("an argument is missing, or depends on the images")
        return value

    def number(self, place: int, default: Any = None) -> Any:
        """Returns the single number at a place, or the default if there is no input."""
        value = self.values(place) if self.has(place) else default
        while isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, list):
            raise CheckpointError("there are several numbers although one is needed")
        return value

    def sizes(self, place: int) -> list[Any]:
        """Returns the numbers at a place as a list."""
        value = self.values(place)
        return value if isinstance(value, list) else [value]

    def get(self, name: str, default: Any = None) -> Any:
        """Returns an attribute."""
        return self.attributes.get(name, default)

    def axes(self, place: int) -> list[int] | None:
        """Returns axes: an attribute in older versions, an input in newer ones, None if they are left out."""
        if "axes" in self.attributes:
            return list(self.attributes["axes"])
        return self.sizes(place) if self.has(place) else None


def padded(x: Tensor, begin: list[int], end: list[int]) -> list[int]:
    """Returns numbers before and after each of the last dimensions as `torch.nn.functional.pad` takes them."""
    if len(begin) != len(end) or len(begin) > x.ndim:
        raise CheckpointError("there are paddings for more dimensions than the tensor has")
    return [size for pair in zip(reversed(begin), reversed(end), strict=True) for size in pair]
