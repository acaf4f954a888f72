"""Figures of the lesson's chapters on the bound: its lines sample by sample, its parts, gradient noise, the KL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vae.figures.groups import groups
from vae.figures.latent import PRIOR
from vae.figures.style import COLOURS, clear

__all__ = ["bars", "climb", "codes", "errors", "running", "split", "waterfall"]

Array = NDArray[Any]
_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
    "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
}  # fmt: skip


def split(
    total: float,
    part: Array | None,
    colours: tuple[str, str],
    names: tuple[str, str, str, str],
    titles: tuple[str, str],
) -> go.Figure:
    """Draws a number that is the same at each sample, split at each sample into two parts.

    Arguments:
        total: the number, nats; a dashed line.
        part: (S,), the first part at each sample: a point, from which a bar goes to the line; None for only the line.
        colours: of the first and the second part, keys of `COLOURS`.
        names: of the line, the first part, the second part, and the mean of the first part.
        titles: of the two axes.
    """
    figure = go.Figure()
    count = 40 if part is None else len(part)
    draws = np.arange(1, count + 1)
    if part is not None:
        rest = total - part
        figure.add_trace(
            go.Bar(
                x=draws, y=rest, base=part, name=names[2], width=0.55,
                marker={"color": clear(COLOURS[colours[1]], 0.45), "line": {"width": 0}}, customdata=rest,
                hovertemplate="%{customdata:.2f}<extra>" + names[2] + "</extra>",
            )
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=draws, y=part, name=names[1], mode="markers", marker={"color": COLOURS[colours[0]], "size": 8},
                hovertemplate="%{y:.2f}<extra>" + names[1] + "</extra>",
            )
        )  # fmt: skip
        if names[3]:
            figure.add_trace(_level(draws, float(part.mean()), COLOURS[colours[0]], names[3], "dot"))
    figure.add_trace(_level(draws, total, COLOURS["exact"], names[0], "dash"))
    low, high = (total - 4, total + 4) if part is None else (min(part.min(), total), max(part.max(), total))
    room = 0.12 * (high - low) + 0.2
    figure.update_layout(
        **_LAYOUT, height=340, bargap=0, xaxis={"title": titles[0], "dtick": 5, "range": [0, count + 1]},
        yaxis={"title": titles[1], "range": [low - room, high + room], "tickformat": ",~f"},
    )  # fmt: skip
    return figure


def _level(draws: Array, value: float, colour: str, name: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=[0, len(draws) + 1],
        y=[value, value],
        name=name,
        mode="lines",
        line={"color": colour, "width": 3, "dash": dash},
    )


def waterfall(reconstruction: float, regulariser: float, gap: float, names: Sequence[str], title: str) -> go.Figure:
    """Draws log p(x) as a waterfall: E_q[log p(x|z)], minus the KL to the prior, plus the KL to the posterior.

    Arguments:
        reconstruction, regulariser, gap: nats; both KLs are given as non-negative numbers.
        names: of the five bars, in order, including the ELBO and log p(x).
        title: of the axis.
    """
    elbo = reconstruction - regulariser
    spans = [
        (elbo, reconstruction, COLOURS["reconstruction"]), (elbo, reconstruction, COLOURS["kl"]),
        (elbo, elbo, COLOURS["elbo"]), (elbo, elbo + gap, COLOURS["kl"]), (elbo, elbo + gap, COLOURS["exact"]),
    ]  # fmt: skip
    low, high = elbo, max(reconstruction, elbo + gap)
    floor = low - 0.35 * (high - low) - 0.1
    values = [reconstruction, -regulariser, elbo, gap, elbo + gap]
    figure = go.Figure()
    for i, (name, (bottom, top, colour), value) in enumerate(zip(names, spans, values, strict=True)):
        start = bottom if i in (1, 3) else floor
        said = f"{value:+,.2f}" if i in (1, 3) else f"{value:,.2f}"
        figure.add_trace(
            go.Bar(
                x=[name], y=[top - start], base=[start], marker={"color": colour}, showlegend=False,
                text=[said.replace("-", "−")], textposition="outside", cliponaxis=False,
                hoverinfo="skip",
            )
        )  # fmt: skip
    figure.update_layout(
        **_LAYOUT, height=340, bargap=0.35,
        yaxis={"title": title, "range": [floor, high + 0.18 * (high - low) + 0.1], "tickformat": ",~f"},
        xaxis={"tickangle": 0},
    )  # fmt: skip
    return figure


def codes(points: Array, labels: Array, classes: Sequence[str], wide: float, name: str) -> go.Figure:
    """Draws codes (N, 2) of images by group, with the circles that enclose 86 and 99% of the prior.

    Arguments:
        points: their means.
        labels: (N,), indices of groups.
        classes: names of the groups.
        wide: the plane is [-wide, wide]^2.
        name: of the circles.
    """
    figure = go.Figure()
    for rows, each, marker in groups(labels, classes):
        figure.add_trace(
            go.Scattergl(
                x=points[rows, 0], y=points[rows, 1], mode="markers", name=each, showlegend=False,
                marker={"size": 4, "opacity": 0.7, **marker},
                hovertemplate=f"{each}<extra></extra>",
            )
        )  # fmt: skip
    turn = np.linspace(0, 2 * np.pi, 121)
    for radius in (2.0, 3.0):
        figure.add_trace(
            go.Scatter(
                x=radius * np.cos(turn), y=radius * np.sin(turn), mode="lines", line={"color": PRIOR, "width": 2},
                name=name, showlegend=False, hoverinfo="skip",
            )
        )  # fmt: skip
    axis = {"range": [-wide, wide], "zeroline": False, "nticks": 6}
    figure.update_layout(
        **_LAYOUT, height=300, xaxis=axis, yaxis={**axis, "scaleanchor": "x", "scaleratio": 1}, hovermode="closest"
    )
    return figure


def errors(counts: Array, lines: dict[str, tuple[str, Array]], size: float, names: tuple[str, str, str]) -> go.Figure:
    """Draws standard errors against the number of samples, with the size of the quantity that is estimated.

    Arguments:
        counts: (K,), numbers of samples.
        lines: by name: colour, a key of `COLOURS`, and (K,) errors.
        size: of the gradient.
        names: of that level, and the titles of the axes.
    """
    figure = go.Figure(
        [
            go.Scatter(x=counts, y=values, name=name, mode="lines+markers", line={"color": COLOURS[colour], "width": 3})
            for name, (colour, values) in lines.items()
        ]
    )
    figure.add_trace(
        go.Scatter(
            x=counts[[0, -1]], y=[size, size], name=names[0], mode="lines",
            line={"color": COLOURS["exact"], "width": 3, "dash": "dash"},
        )
    )  # fmt: skip
    figure.update_layout(
        **_LAYOUT, height=340, xaxis={"type": "log", "title": names[1], "dtick": 1},
        yaxis={"type": "log", "title": names[2], "dtick": 1, "exponentformat": "power"},
    )  # fmt: skip
    return figure


def bars(place: Array, width: Array, labels: Sequence[str], names: tuple[str, str], title: str) -> go.Figure:
    """Draws the two parts of the KL of each dimension, (J,) nats: that of the mean and that of the variance."""
    figure = go.Figure(
        [
            go.Bar(x=list(labels), y=values, name=name, marker={"color": clear(COLOURS["kl"], strength)})
            for values, name, strength in ((place, names[0], 0.55), (width, names[1], 1.0))
        ]
    )
    figure.update_layout(
        **_LAYOUT, height=320, barmode="stack", yaxis={"title": title}, bargap=0.6 if len(labels) < 4 else 0.3
    )
    figure.update_layout(legend_traceorder="normal")
    return figure


def running(
    counts: Array, value: Array, error: Array, truth: float, names: tuple[str, str], titles: tuple[str, str]
) -> go.Figure:
    """Draws an estimate against the number of samples, with a band of two standard errors, and its limit."""
    band = {"mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
    colour = COLOURS["naive"]
    figure = go.Figure(
        [
            go.Scatter(x=counts, y=value - 2 * error, **band),
            go.Scatter(x=counts, y=value + 2 * error, fill="tonexty", fillcolor=clear(colour, 0.25), **band),
            go.Scatter(x=counts, y=value, name=names[0], mode="lines", line={"color": colour, "width": 3}),
            go.Scatter(
                x=counts[[0, -1]], y=[truth, truth], name=names[1], mode="lines",
                line={"color": COLOURS["kl"], "width": 3, "dash": "dash"},
            ),
        ]
    )  # fmt: skip
    least = value[2:] - 3 * error[2:]
    most = value[2:] + 3 * error[2:]
    figure.update_layout(
        **_LAYOUT, height=320, xaxis={"type": "log", "title": titles[0], "dtick": 1},
        yaxis={"title": titles[1], "range": [float(least.min()), float(most.max())]},
    )  # fmt: skip
    return figure


def climb(
    steps: Array, reconstruction: Array, elbo: Array, names: tuple[str, str], titles: tuple[str, str]
) -> go.Figure:
    """Draws the parts of an image's ELBO over optimiser steps; the distance between the two lines is the KL."""
    figure = go.Figure(
        [
            go.Scatter(
                x=steps, y=values, name=name, mode="lines+markers", line={"color": COLOURS[colour], "width": 3},
                marker={"size": 6},
            )
            for values, name, colour in (
                (reconstruction, names[0], "reconstruction"), (elbo, names[1], "elbo"),
            )
        ]
    )  # fmt: skip
    figure.update_layout(
        **_LAYOUT, height=320, xaxis={"title": titles[0], "rangemode": "tozero"}, yaxis={"title": titles[1]}
    )
    return figure
