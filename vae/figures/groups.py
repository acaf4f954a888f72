"""What points of a map are coloured by: the group that each is in, or a level where there are no groups.

A figure takes labels (N,) and the names of groups. Without names the labels are levels, from 0 to `len(LEVELS) - 1`,
as `levels` makes them of a quantity; they have no text, and are drawn in colours from low to high. Up to ten groups
have the colours of Petroff (2021), more have hues around the circle, and neighbours in number differ most.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from plotly.colors import get_colorscale, sample_colorscale

from vae.figures.style import CLASSES

__all__ = ["LEVELS", "Group", "group_colours", "groups", "levels", "named"]

LEVELS: tuple[str, ...] = tuple(  # neither end of the scale is lost on a light or a dark page
    "#" + "".join(f"{round(255 * part):02x}" for part in colour)
    for colour in sample_colorscale(get_colorscale("plasma"), np.linspace(0.25, 0.8, 32), colortype="tuple")
)
_GOLDEN = 0.6180339887  # of the circle, from one hue to the next
_LIGHTNESS = (0.4, 0.55)  # in turn
_LEAST = 1e-6  # difference of a lowest and a highest value, below which all count as the same
_ROOM = 160  # characters of names that a small chart has room for, with two more for each


class Group(NamedTuple):
    """Points of one colour, or all of them where there are no groups.

    Attributes:
        rows: of these points.
        name: of the group, "" where there is none.
        marker: their colour, as Plotly takes it.
    """

    rows: NDArray[np.intp]
    name: str
    marker: dict[str, Any]


def group_colours(count: int) -> tuple[str, ...]:
    """Returns colours "#rrggbb" for so many groups, at least ten."""
    if count <= len(CLASSES):
        return CLASSES
    colours = (
        colorsys.hls_to_rgb(number * _GOLDEN % 1, _LIGHTNESS[number % len(_LIGHTNESS)], 0.7) for number in range(count)
    )
    return tuple("#" + "".join(f"{round(255 * part):02x}" for part in colour) for colour in colours)


def levels(values: NDArray) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Returns the level of each value (N,), and the values of the lowest and the highest level.

    Levels are equal steps between the quantiles at 2 and 98 %: a few values far out do not leave one level for the
    others. Values that differ by less than a millionth are all of the lowest level.
    """
    low, high = np.quantile(values, [0.02, 0.98]).tolist()
    if high - low < _LEAST:
        return np.zeros(len(values), np.uint8), (low, low)
    share = np.clip((values - low) / (high - low), 0, 1)
    return (share * (len(LEVELS) - 1)).round().astype(np.uint8), (low, high)


def groups(labels: NDArray, names: Sequence[str]) -> Iterator[Group]:
    """Yields the groups of points (N,) by their labels; a single one, coloured by level, where there are no names."""
    colours = group_colours(len(names))
    for number, name in enumerate(names):
        yield Group(np.flatnonzero(labels == number), name, {"color": colours[number]})
    if not names:
        scale = [[place, colour] for place, colour in zip(np.linspace(0, 1, len(LEVELS)), LEVELS, strict=True)]
        marker = {"color": np.asarray(labels, np.float32), "colorscale": scale, "cmin": 0, "cmax": len(LEVELS) - 1}
        yield Group(np.arange(len(labels)), "", marker)


def named(names: Sequence[str]) -> bool:
    """Whether a chart has room for all names as text; where it has not, they are told under the pointer alone."""
    return sum(len(name) + 2 for name in names) <= _ROOM
