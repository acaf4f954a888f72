"""The orders in which other programs store images, and that of this library: flat, row by row, the channels of a
pixel adjacent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from vae.errors import CheckpointError

__all__ = ["Layout", "image_shape_of"]

Shape = tuple[int, ...]


class Layout:
    """How the rows of a tensor hold images.

    Arguments:
        shape: of a row: (D,), (H, W), (1, H, W), (3, H, W), (H, W, 1), (H, W, 3), or (J, 1, 1) and the like for codes.
        image_shape: (H, W) or (H, W, 3) if it is known, which distinguishes (3, H, W) from (H, W, 3) in ambiguous
        cases.

    Raises:
        CheckpointError: a row has another shape.
    """

    def __init__(self, shape: Sequence[int], image_shape: Shape | None = None) -> None:
        self.shape = tuple(shape)
        if not 1 <= len(self.shape) <= 3 or not all(side >= 1 for side in self.shape):
            raise CheckpointError(
                "Images must be (D,), (H, W), (C, H, W) or (H, W, C), and codes (J,); "
                f"a row of this network has the shape {self.shape}."
            )
        self.numbers = math.prod(self.shape)
        first = len(self.shape) == 3 and self.shape[0] == 3
        if image_shape is not None and first and self.shape == tuple(image_shape) and self.shape[1] != self.shape[2]:
            first = False
        self.channels_first = first and (self.shape[1:] != (1, 1))

    @property
    def image_shape(self) -> Shape | None:
        """(H, W) or (H, W, 3), or None if a row does not determine it."""
        if len(self.shape) == 2:
            return self.shape
        if self.channels_first:
            return (*self.shape[1:], 3)
        if len(self.shape) == 3 and self.shape[0] == 1 and self.shape[1:] != (1, 1):
            return self.shape[1:]
        if len(self.shape) == 3 and self.shape[2] in (1, 3) and self.shape[:2] != (1, 1):
            return self.shape[:2] if self.shape[2] == 1 else self.shape
        return None

    def unflatten(self, x: Tensor) -> Tensor:
        """Converts rows (N, D) to (N, *shape)."""
        if self.channels_first:
            _, height, width = self.shape
            return x.reshape(-1, height, width, 3).permute(0, 3, 1, 2)
        return x if len(self.shape) == 1 else x.reshape(-1, *self.shape)

    def flatten(self, x: Tensor) -> Tensor:
        """Converts (N, *shape) to rows (N, D)."""
        if self.channels_first:
            x = x.permute(0, 2, 3, 1)
        return x.flatten(1)


def image_shape_of(*layouts: Layout) -> Shape:
    """Returns the shape of the images that an encoder takes and a decoder returns.

    Raises:
        CheckpointError: neither determines it, and they are not the pixels of a square.
    """
    for layout in layouts:
        if layout.image_shape is not None:
            return layout.image_shape
    pixels = layouts[0].numbers
    for values, tail in ((pixels, ()), (pixels // 3 if pixels % 3 == 0 else -1, (3,))):
        side = math.isqrt(values) if values > 0 else 0
        if side and side * side == values:
            return (side, side, *tail)
    raise CheckpointError(
        f"The network takes {pixels} numbers, which do not form a square image; give the shape of the images, such as "
        "20 x 30."
    )
