"""Figures of trainings: KL by dimension over time, trainings side by side, codes of one seed aligned to another's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vae.figures.groups import group_colours, named
from vae.figures.style import COLOURS, clear

__all__ = ["RUNS", "Curve", "codes", "curves", "kl_map", "thinned"]

# the bright scheme of Tol (2021), distinguishable to colour-blind people; none of these is the colour of a class
RUNS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
DASHES = ("solid", "dot", "dash")
COLUMNS = 240  # of a map; more could not be distinguished
_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}


class Curve(NamedTuple):
    """A training: its name, and its held-out values (T,) against positions (T,) on the other axis."""

    name: str
    places: NDArray
    values: NDArray


def thinned(ends: NDArray, values: NDArray, most: int) -> tuple[NDArray, NDArray]:
    """Merges neighbouring means until at most `most` are left, each weighted by its duration.

    Arguments:
        ends: (T,) increasing, the end of each mean's interval; the first interval starts at 0.
        values: (T, J) means.
        most: how many may remain.

    Returns:
        The ends (S,) and means (S, J) of the merged intervals.
    """
    starts = np.unique(np.linspace(0, len(ends), min(most, len(ends)) + 1).round().astype(int))[:-1]
    times = np.diff(ends, prepend=0)
    total = np.add.reduceat(times, starts)
    joined = np.add.reduceat(times[:, None] * values, starts) / total[:, None]
    return np.append(ends[starts[1:] - 1], ends[-1]), joined


def kl_map(epochs: NDArray, kl: NDArray, names: Sequence[str], order: list[int], titles: tuple[str, str]) -> go.Figure:
    """Draws the KL of each dimension over time as a map with a row per dimension, which shows when it becomes active.

    Arguments:
        epochs: (T,), the end of each mean's interval.
        kl: (T, J), nats.
        names: of the J dimensions.
        order: of the dimensions, from the top.
        titles: of the time axis, and of the colour scale.
    """
    ends, means = thinned(epochs, kl, COLUMNS)
    count = len(order)
    # the KL of the first steps may be many times larger than later, and would leave the rest pale
    top = max(float(np.quantile(means.max(1), 0.9)), 0.01)
    figure = go.Figure(
        go.Heatmap(
            x=np.append(0, ends).astype(np.float32), y=[names[j] for j in order],
            z=means.T[order].astype(np.float32), zmin=0, zmax=top,
            colorscale=[[0, clear(COLOURS["kl"], 0)], [1, COLOURS["kl"]]],
            hovertemplate="%{y}: %{z:.2f}<extra></extra>",
            colorbar={"title": {"text": titles[1], "side": "right"}, "thickness": 12, "outlinewidth": 0},
        )
    )  # fmt: skip
    shown = [names[j] for j in order[:: -(-count // 20)]]
    figure.update_layout(
        height=90 + min(max(14 * count, 60), 330), margin=_MARGIN, dragmode=False,
        xaxis={"title": titles[0], "showgrid": False, "zeroline": False},
        yaxis={
            "type": "category", "range": [count - 0.5, -0.5], "tickvals": shown, "showgrid": False, "zeroline": False,
        },
    )  # fmt: skip
    return figure


def curves(runs: Sequence[Curve], titles: tuple[str, str]) -> go.Figure:
    """Draws one line for each training, with colours and then dashes in order.

    The first of many values are far lower, so the axis begins at the lowest tenth.
    """
    figure = go.Figure()
    for i, run in enumerate(runs):
        figure.add_scatter(
            x=run.places, y=run.values, name=run.name, mode="lines+markers", marker={"size": 6},
            line={"color": RUNS[i % len(RUNS)], "width": 2, "dash": DASHES[i // len(RUNS) % len(DASHES)]},
            hovertemplate="%{y:,.1f}",
        )  # fmt: skip
    figure.update_layout(
        height=380, margin=_MARGIN, hovermode="x unified", xaxis={"title": titles[0], "rangemode": "tozero"},
        yaxis={"title": titles[1], "tickformat": ",~f"}, showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0},
    )  # fmt: skip
    values = np.concatenate([run.values for run in runs]) if runs else np.empty(0)
    if len(values) > 4:
        low, high = np.quantile(values, 0.1), values.max()
        figure.update_yaxes(range=[low - 0.05 * (high - low), high + 0.05 * (high - low)])
    return figure


def codes(points: NDArray, labels: NDArray, classes: Sequence[str], reach: float, titles: tuple[str, str]) -> go.Figure:
    """Draws codes on a plane, coloured by group, with the name of each group at its median if there is room.

    Arguments:
        points: (N, 2).
        labels: (N,), indices of groups from 0.
        classes: names of the groups.
        reach: half the width of both axes.
        titles: of the two axes.
    """
    present, colours = np.unique(labels), group_colours(len(classes))
    middles = np.array([np.median(points[labels == label], 0) for label in present])
    figure = go.Figure([
        go.Scatter(
            x=points[:, 0].astype(np.float32), y=points[:, 1].astype(np.float32), mode="markers", hoverinfo="skip",
            marker={"size": 4, "opacity": 0.7, "color": [colours[label] for label in labels]},
        ),
        go.Scatter(
            x=middles[:, 0], y=middles[:, 1], mode="text",
            text=[classes[label] if named(classes) else "" for label in present],
            textfont={"size": 15, "weight": 700, "color": "#1c2530", "shadow": "0 0 2px #fff, 0 0 4px #fff"},
            hoverinfo="skip",
        ),
    ])  # fmt: skip
    axis = {"range": [-reach, reach], "zeroline": True, "showgrid": False, "nticks": 5}
    figure.update_layout(
        height=320, margin=_MARGIN, showlegend=False, dragmode=False, xaxis=axis | {"title": titles[0]},
        yaxis=axis | {"title": titles[1], "scaleanchor": "x", "constrain": "domain", "constraintoward": "top"},
    )  # fmt: skip
    figure.update_xaxes(constrain="domain")
    return figure
