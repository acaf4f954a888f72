"""The race of the estimators: curves with bands that grow while it is run, and marks where they arrive."""

import math
from collections.abc import Sequence

import numpy as np

from pages.ui import state
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures

_HEIGHT = 340  # pixels


def show(
    key: str,
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
    """Shows estimates against their cost, each as the median and the band of its replicates.

    Arguments:
        key: of the component.
        curves: the estimators.
        arrived: for each, the place of its first estimate that is marked.
        level: what they approach: its name, and nats.
        ends: least and most nats that are shown.
        most: cost that the axis reaches in any case; 0 leaves that to the curves.
        titles: of the axes across and up.
        distance: whether the axis up shows the distance from the level, as it is near it and its logarithm far away.
        run: another text for each race, whose curves grow from the left.
        running: whether more is to come.
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
    component("race")(key=key, data=data)


def _curve(curve: figures.evidence.Curve, place: int | None) -> dict[str, object]:
    low, middle, high = (_plain(way(curve.y, axis=0)) for way in (np.nanmin, np.nanmedian, np.nanmax))
    return {
        "name": curve.name, "colour": figures.COLOURS[curve.colour], "x": _plain(curve.x), "low": low,
        "middle": middle, "high": high, "arrived": place,
    }  # fmt: skip


def _plain(values: np.ndarray) -> list[float]:
    return [round(value, 6) if math.isfinite(value) else 0.0 for value in values.tolist()]
