"""Colours for the points of a map: by group, or by level if there are no groups.

A figure takes labels (N,) and the names of groups. Without names the labels are levels, from 0 to `len(LEVELS) - 1`, as
computed by `levels`; they have no text, and are drawn in colours from low to high. Up to ten groups have the colours of
Petroff (2021); more have hues around the circle, with consecutive groups differing most.
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

LEVELS: tuple[str, ...] = tuple(  # both ends of the scale are visible on light and dark pages
    "#" + "".join(f"{round(255 * part):02x}" for part in colour)
    for colour in sample_colorscale(get_colorscale("plasma"), np.linspace(0.25, 0.8, 32), colortype="tuple")
)
_GOLDEN = 0.6180339887  # of the circle, from one hue to the next
_LIGHTNESS = (0.4, 0.55)  # alternating
_LEAST = 1e-6  # difference between the lowest and the highest value below which all count as equal
_ROOM = 160  # characters of names for which a small chart has room, with two more for each name


class Group(NamedTuple):
    """Points of one colour, or all points if there are no groups.

    Attributes:
        rows: of these points.
        name: of the group, "" if there is none.
        marker: their colour, in Plotly's form.
    """

    rows: NDArray[np.intp]
    name: str
    marker: dict[str, Any]


def group_colours(count: int) -> tuple[str, ...]:
    """Returns colours "#rrggbb" for a number of groups, at least ten."""
    if count <= len(CLASSES):
        return CLASSES
    colours = (
        colorsys.hls_to_rgb(number * _GOLDEN % 1, _LIGHTNESS[number % len(_LIGHTNESS)], 0.7) for number in range(count)
    )
    return tuple("#" + "".join(f"{round(255 * part):02x}" for part in colour) for colour in colours)


def levels(values: NDArray) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Returns the level of each value (N,), and the values of the lowest and the highest level.

    Levels are equal steps between the 2% and 98% quantiles, so that a few outliers do not compress the others into
    one level. Values that differ by less than a millionth all get the lowest level.
    """
    low, high = np.quantile(values, [0.02, 0.98]).tolist()
    if high - low < _LEAST:
        return np.zeros(len(values), np.uint8), (low, low)
    share = np.clip((values - low) / (high - low), 0, 1)
    return (share * (len(LEVELS) - 1)).round().astype(np.uint8), (low, high)


def groups(labels: NDArray, names: Sequence[str]) -> Iterator[Group]:
    """Yields the groups of points (N,) by their labels; or a single one, coloured by level, if there are no names."""
    colours = group_colours(len(names))
    for number, name in enumerate(names):
        yield Group(np.flatnonzero(labels == number), name, {"color": colours[number]})
    if not names:
        scale = [[place, colour] for place, colour in zip(np.linspace(0, 1, len(LEVELS)), LEVELS, strict=True)]
        marker = {"color": np.asarray(labels, np.float32), "colorscale": scale, "cmin": 0, "cmax": len(LEVELS) - 1}
        yield Group(np.arange(len(labels)), "", marker)


def named(names: Sequence[str]) -> bool:
    """Whether a chart has room for all names as text; if not, they appear only under the pointer."""
    return sum(len(name) + 2 for name in names) <= _ROOM
