"""The chart of the race of the estimators: curves with bands that grow during the race, and marks at the level."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pages.ui import state
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures
from vae.evidence import races

_HEIGHT = 340  # pixels


class Level(NamedTuple):
    """A level that estimates approach.

    Attributes:
        name: for the legend.
        nats: the level.
        bound: whether it is a lower bound, above which estimates are as near as within 1 nat of it.
    """

    name: str
    nats: float
    bound: bool


def show(
    curves: Sequence[figures.evidence.Curve],
    arrived: Sequence[int | None],
    level: Level | None,
    ends: tuple[float, float],
    most: int,
    titles: tuple[str, str],
    *,
    distance: bool,
    run: str,
    running: bool,
) -> None:
    """Shows estimates against their cost, each as the median and the range of its replicates.

    Arguments:
        curves: the estimators.
        arrived: for each, the index of the estimate that is marked, or None.
        level: which they approach.
        ends: range of the vertical axis, nats.
        most: minimum extent of the cost axis; 0 to fit it to the curves.
        titles: of the horizontal and the vertical axis.
        distance: whether the vertical axis shows the distance from the level, linear near it and logarithmic beyond.
        run: identifies the race; the curves of a new one grow from the left.
        running: whether the race is still running.
    """
    drawn = [_curve(curve, place) for curve, place in zip(curves, arrived, strict=True) if len(curve.x)]
    hint = _("Move the pointer over the curves to read off their values.")
    if any(None in curve["middle"] for curve in drawn):
        hint += " " + _("A curve has a gap where its estimate is not a finite number.")
    mark = _("within 1 nat from here on")
    if level is not None and level.bound:
        mark = _("within 1 nat or above from here on")
    data = {
        "run": run, "running": running, "ends": list(ends), "most": most, "height": state.larger(_HEIGHT),
        "distance": distance, "curves": drawn,
        "level": None if level is None else {**level._asdict(), "colour": figures.COLOURS["exact"]},
        "words": {
            "across": titles[0], "up": titles[1], "mark": mark,
            "picture": _("Estimates of log p(x) in nats against their cost; bands are the range of the replicates"),
            "at": _("At {cost}, nats:"),
            "hint": hint, "gap": _("not a finite number"),
        },
    }  # fmt: skip
    component("race")(key="likelihood.race", data=data)


def _curve(curve: figures.evidence.Curve, place: int | None) -> dict[str, Any]:
    low, high = np.fmin.reduce(curve.y), np.fmax.reduce(curve.y)  # NaN only where no replicate has a number
    return {
        "name": curve.name, "colour": figures.COLOURS[curve.colour], "x": _plain(curve.x), "low": _plain(low),
        "middle": _plain(races.medians(curve.y)), "high": _plain(high), "arrived": place,
    }  # fmt: skip


def _plain(values: np.ndarray) -> list[float | None]:
    """Returns numbers as JSON has them, and None for those that it does not have."""
    return [round(value, 6) if math.isfinite(value) else None for value in values.tolist()]
