"""Labels of a chart: at their anchors or, where these are crowded, nearby.

The size of a chart in a browser is not known here, so positions are offsets in pixels from the anchors, chosen to suit
charts of several sizes.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["offsets", "width"]

Array = NDArray[Any]
_APART = 3  # px between two labels
_STEP, _FARTHEST, _TURNS = 4, 120, 16  # px between rings of candidates, the largest ring, candidates on a ring
_SIZES = (1.0, 1.4, 1.8)  # of charts, relative to the smallest


def width(text: str, size: float) -> float:
    """Returns about how wide a bold text is at a font size, both in px; Chinese characters are twice as wide."""
    wide = sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.62 for letter in text)
    return size * wide


def offsets(anchors: Array, sizes: Array, chart: tuple[float, float]) -> Array:
    """Places labels so that none covers another, starting in the middle; the result is deterministic.

    Arguments:
        anchors: (K, 2), where labels belong on the smallest chart, px from its lower left corner.
        sizes: (K, 2), width and height of the labels, px.
        chart: width and height of that chart, px.

    Returns:
        (K, 2), px to the right and upwards, 0 where a label stands on its anchor, or has no free place at all.
    """
    found, reach = np.zeros((len(anchors), 2)), (sizes + _APART) / 2
    scales = np.array(_SIZES)[:, None, None]
    placed: list[int] = []
    away = np.linalg.norm(anchors - anchors.mean(0), axis=1) if len(anchors) else np.empty(0)
    for i in away.argsort(kind="stable").tolist():
        tried = _candidates(anchors[i] - anchors.mean(0))
        here = anchors[i] + tried
        inside = ((here >= reach[i]) & (here <= np.array(chart) - reach[i])).all(1)
        centres = scales * anchors[i] + tried  # (sizes of charts, candidates, 2)
        others = scales * anchors[placed] + found[placed]
        apart = np.abs(centres[:, :, None] - others[:, None]) >= reach[i] + reach[placed]
        free = np.flatnonzero(inside & apart.any(-1).all((0, 2)))
        if len(free):
            found[i] = tried[free[0]]
            placed.append(i)
    return found


def _candidates(outwards: Array) -> Array:
    """Returns displacements (C, 2), the smallest first, and of equal ones those outwards first."""
    turns = np.array([(-1) ** turn * ((turn + 1) // 2) for turn in range(_TURNS)]) * 2 * np.pi / _TURNS
    angles = np.arctan2(outwards[1], outwards[0]) + turns
    ring = np.stack([np.cos(angles), np.sin(angles)], 1)
    rings = np.arange(_STEP, _FARTHEST + 1, _STEP)[:, None, None] * ring
    return np.concatenate([np.zeros((1, 2)), rings.reshape(-1, 2)])
