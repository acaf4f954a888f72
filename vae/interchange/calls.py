"""One call of an operator of ONNX, as the tables of operators take it.

Sizes, which programs compute of the shape of what comes in, are no tensors here but Python's whole numbers and lists of
them, so that the number of images may stay unknown while a network is followed.
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
        inputs: tensors, or sizes: whole numbers and lists of them; None where one is left out.
        known: the values of those tensors that are small constants, as Python's numbers and lists; None for others.
        attributes: by name.
        opset: the version of ONNX's operators.
        outputs: how many the node has.
        rows: the number of images that the file was written for and the number that there are, where the file fixes
            the first and the first input comes from the images; None otherwise.
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
            raise CheckpointError("an input is missing, or is a size where numbers are needed")
        return self.inputs[place]

    def values(self, place: int) -> Any:
        """Returns what is known of an input: a number, or a list."""
        value = self.inputs[place] if self.has(place) else None
        if value is None or isinstance(value, Tensor):
            value = self.known[place] if place < len(self.known) else None
        if value is None:
            raise CheckpointError("an argument is missing, or depends on the images")
        return value

    def number(self, place: int, default: Any = None) -> Any:
        """Returns the single number at a place, or the default where there is no input."""
        value = self.values(place) if self.has(place) else default
        while isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, list):
            raise CheckpointError("there are several numbers where one is needed")
        return value

    def sizes(self, place: int) -> list[Any]:
        """Returns the numbers at a place as a list."""
        value = self.values(place)
        return value if isinstance(value, list) else [value]

    def get(self, name: str, default: Any = None) -> Any:
        """Returns an attribute."""
        return self.attributes.get(name, default)

    def axes(self, place: int) -> list[int] | None:
        """Returns axes: an attribute in older versions, an input in newer ones, None where they are left out."""
        if "axes" in self.attributes:
            return list(self.attributes["axes"])
        return self.sizes(place) if self.has(place) else None


def padded(x: Tensor, begin: list[int], end: list[int]) -> list[int]:
    """Returns numbers before and after each of the last dimensions as `torch.nn.functional.pad` wants them."""
    if len(begin) != len(end) or len(begin) > x.ndim:
        raise CheckpointError("there are paddings for more dimensions than the tensor has")
    return [size for pair in zip(reversed(begin), reversed(end), strict=True) for size in pair]
