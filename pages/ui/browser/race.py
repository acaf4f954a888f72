"""The chart of the race of the estimators: curves with bands that grow during the race, and marks at the level."""

import math
from collections.abc import Sequence

import numpy as np

from pages.ui import state
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures

_HEIGHT = 340  # pixels


def show(
    curves: Sequence[figures.evidence.Curve],
    arrived: Sequence[int | None],
    level: tuple[str, float] | None,
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
        level: name and value, in nats, of the level that they approach.
        ends: range of the vertical axis, nats.
        most: minimum extent of the cost axis; 0 to fit it to the curves.
        titles: of the horizontal and the vertical axis.
        distance: whether the vertical axis shows the distance from the level, linear near it and logarithmic beyond.
        run: identifies the race; the curves of a new one grow from the left.
        running: whether the race is still running.
    """
    data = {
        "run": run, "running": running, "ends": list(ends), "most": most, "height": state.larger(_HEIGHT),
        "distance": distance,
        "curves": [
            _curve(curve, place) for curve, place in zip(curves, arrived, strict=True) if len(curve.x)
        ],
        "level": None if level is None else {"name": level[0], "nats": level[1], "colour": figures.COLOURS["exact"]},
        "words": {
            "across": titles[0], "up": titles[1], "mark": _("within 1 nat from here on"),
            "picture": _("Estimates of log p(x) in nats against their cost; bands are the range of the replicates"),
            "at": _("At {cost}, nats:"),
            "hint": _("Move the pointer over the curves to read off their values."),
        },
    }  # fmt: skip
    component("race")(key="likelihood.race", data=data)


def _curve(curve: figures.evidence.Curve, place: int | None) -> dict[str, object]:
    low, middle, high = (_plain(way(curve.y, axis=0)) for way in (np.nanmin, np.nanmedian, np.nanmax))
    return {
        "name": curve.name, "colour": figures.COLOURS[curve.colour], "x": _plain(curve.x), "low": low,
        "middle": middle, "high": high, "arrived": place,
    }  # fmt: skip


def _plain(values: np.ndarray) -> list[float]:
    return [round(value, 6) if math.isfinite(value) else 0.0 for value in values.tolist()]
