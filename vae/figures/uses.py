"""Figures of the uses of a model; texts are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vae.figures.groups import named
from vae.figures.latent import PRIOR, projected
from vae.figures.style import COLOURS, clear, paler

__all__ = ["Curve", "Estimates", "codes_and_prior", "confusion", "distances", "lines", "shades", "warnings"]

Array = NDArray[Any]
_GREY = "#757f8a"  # readable on light and dark
_WRONG = "#d55e00"
_STRONGEST = 0.6  # opacity of the colour behind numbers, which have a contrast of 4.5 to it on light and dark pages
_RIM = {"width": 1, "color": "rgba(0, 0, 0, 0.4)"}
_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 10, "b": 10}, "dragmode": False,
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
}  # fmt: skip


class Estimates(NamedTuple):
    """The distances of one kind of estimate from the truth, model by model.

    Attributes:
        name: for the legend.
        colour: "#rrggbb".
        nats: (M,), a positive distance for each model.
        symbol: Plotly's name of the marker.
    """

    name: str
    colour: str
    nats: Sequence[float]
    symbol: str = "circle"


class Curve(NamedTuple):
    """One line.

    Attributes:
        name: for the legend.
        colour: "#rrggbb".
        x, y: (K,).
        dash: Plotly's name of the dash style; "markers" for points joined by a line.
    """

    name: str
    colour: str
    x: Sequence[float] | Array
    y: Sequence[float] | Array
    dash: str = "solid"


def distances(
    series: Sequence[Estimates], models: Sequence[str], title: str, unit: str, joined: int | None = None
) -> go.Figure:
    """Draws distances from the truth on a logarithmic axis, the models side by side.

    Arguments:
        series: the estimates.
        models: M names, along the axis.
        title: of the axis of nats.
        unit: of the numbers.
        joined: how many of the first models are joined by a line; by default all.
    """
    figure = go.Figure()
    least = 1e-2
    for name, colour, nats, symbol in series:
        shown = np.maximum(np.array(nats, np.float64), least)
        figure.add_scatter(
            x=list(models[:joined]), y=shown[:joined], mode="lines", legendgroup=name, showlegend=False,
            line={"color": colour, "width": 1.5, "dash": "dot"}, hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=list(models), y=shown, name=name, mode="markers", legendgroup=name,
            marker={"color": colour, "size": 13, "symbol": symbol, "line": _RIM},
            customdata=np.array(nats, np.float64),
            hovertemplate=f"{name}: %{{customdata:,.2f}} {unit}<extra>%{{x}}</extra>",
        )  # fmt: skip
    figure.update_layout(
        **_LAYOUT, height=400, xaxis={"type": "category"},
        yaxis={"type": "log", "title": title, "dtick": 1, "tickformat": ",~g"},
    )  # fmt: skip
    return figure


def warnings(names: Sequence[str], values: Sequence[float], title: str) -> go.Figure:
    """Draws the area under the ROC curve for kinds of odd images as bars, in another colour if below one half.

    Arguments:
        names: of the kinds.
        values: (K,) in [0, 1].
        title: of the axis.
    """
    order = np.argsort(-np.asarray(values))
    figure = go.Figure(
        go.Bar(
            x=np.asarray(values, np.float32)[order], y=[names[i] for i in order], orientation="h",
            marker={"color": [COLOURS["elbo"] if values[i] >= 0.5 else _WRONG for i in order]},
            text=[f"{values[i]:.2f}" for i in order], cliponaxis=False,
            textposition=["inside" if values[i] > 0.15 else "outside" for i in order],
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(0.5, line={"color": _GREY, "dash": "dash", "width": 1.5})
    figure.update_layout(
        **_LAYOUT, height=60 + 30 * len(names), bargap=0.25, xaxis={"title": title, "range": [0, 1.02]},
        yaxis={"automargin": True},
    )  # fmt: skip
    return figure


def lines(
    curves: Sequence[Curve],
    titles: tuple[str, str],
    *,
    percent: bool = True,
    categories: Sequence[str] = (),
    joined: int | None = None,
) -> go.Figure:
    """Draws curves.

    Arguments:
        curves: the curves.
        titles: of the two axes.
        percent: whether the values are fractions in [0, 1], shown in percent.
        categories: names of the positions 0, 1, ... along the axis, or none; if given, each position has a marker.
        joined: how many of the first positions are joined by a line; by default all.
    """
    figure = go.Figure([
        go.Scatter(
            x=np.asarray(x)[part], y=np.asarray(y)[part], name=name, legendgroup=name, showlegend=part.start is None,
            mode="lines+markers" if categories else "lines", marker={"size": 9},
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"{name}: %{{y:{'.1%' if percent else ',.2f'}}}<extra></extra>",
        )
        for name, colour, x, y, dash in curves
        for part in ([slice(None, joined), slice(joined, None)] if joined is not None else [slice(None)])
    ])  # fmt: skip
    figure.update_layout(
        **_LAYOUT, height=400, hovermode="x unified", xaxis={"title": titles[0]}, yaxis={"title": titles[1]}
    )
    if percent:
        figure.update_yaxes(tickformat=".0%")
    if categories:
        figure.update_xaxes(tickvals=np.arange(len(categories)), ticktext=list(categories))
    return figure


def codes_and_prior(
    points: Array, labels: Array, classes: Sequence[str], titles: tuple[str, str], name: str
) -> go.Figure:
    """Draws codes coloured by group, and the circle that encloses 95% of N(0, I).

    Arguments:
        points: (N, 2), means.
        labels: (N,), indices of their groups, or levels, see `vae.figures.groups`.
        classes: names of the groups; () for levels.
        titles: of the two axes.
        name: of the circle.
    """
    base = projected(points, labels, classes, titles)
    figure = go.Figure(layout=base.layout)
    for each in base.data:  # not with WebGL, which draws points above every line
        figure.add_scatter(
            x=each.x, y=each.y, name=each.name, mode="markers", marker=each.marker.to_plotly_json(),
            showlegend=bool(classes) and named(classes),
        )  # fmt: skip
    turn, radius = np.linspace(0, 2 * np.pi, 121), np.sqrt(-2 * np.log(0.05))
    for line in (
        {"color": "#111", "width": 6},
        {"color": PRIOR, "width": 3},
    ):  # a dark outline separates it from the points
        figure.add_scatter(
            x=radius * np.cos(turn), y=radius * np.sin(turn), mode="lines", name=name, hoverinfo="skip", line=line,
            showlegend=line["color"] == PRIOR,
        )  # fmt: skip
    free = radius + 0.1 * float(np.ptp(points, 0).max())
    figure.layout.annotations = [  # a label must not hide the circle
        each for each in figure.layout.annotations if np.hypot(each.x, each.y) > free
    ]
    figure.update_layout(showlegend=True, dragmode=False, height=420)
    figure.update_layout(legend={**_LAYOUT["legend"], "itemsizing": "constant"})
    return figure


def shades(colour: str, count: int) -> list[str]:
    """Returns `count` shades of a colour, from pale to the colour itself."""
    return [paler(colour, strength) for strength in np.linspace(0.35, 1, count)]


def confusion(table: Array, names: Sequence[str], titles: tuple[str, str]) -> go.Figure:
    """Draws how often one class is seen as another, the diagonal left pale, shares of each row as shades.

    Arguments:
        table: (K, K) counts; rows go down.
        names: K, of the classes.
        titles: of the axes across and down.
    """
    counts = np.asarray(table)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    off = np.where(np.eye(len(counts), dtype=bool), np.nan, shares)
    text = np.where(counts > 0, counts.astype(str), "") if len(counts) <= 12 else np.full(counts.shape, "")
    figure = go.Figure(
        go.Heatmap(
            z=off, x=list(names), y=list(names), zmin=0, zmax=max(float(np.nanmax(off)), 0.02), showscale=False,
            xgap=1, ygap=1, colorscale=[(0, clear(_WRONG, 0)), (1, clear(_WRONG, _STRONGEST))],
            customdata=np.stack([counts, shares], -1), hoverongaps=True,
            hovertemplate="%{y} → %{x}: %{customdata[0]:,} (%{customdata[1]:.1%})<extra></extra>",
        )
    )  # fmt: skip
    places = [name for name in names for _ in names], list(names) * len(names)
    # a trace of its own, whose ink is the page's on light and dark
    figure.add_scatter(x=places[1], y=places[0], text=text.ravel(), mode="text", hoverinfo="skip", showlegend=False)
    side = {"type": "category", "automargin": True, "showgrid": False, "zeroline": False}
    figure.update_layout(
        **_LAYOUT, height=440, xaxis={**side, "title": titles[0]},
        yaxis={**side, "title": titles[1], "autorange": "reversed"},
    )  # fmt: skip
    return figure
