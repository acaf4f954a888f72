"""Figures of the evidence: the race of its estimators, the posterior on the plane, the gap, the thermodynamic area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vae.derivation import Plane
from vae.figures.groups import groups
from vae.figures.style import COLOURS, clear, paler

__all__ = ["Curve", "area", "gap", "plane", "race", "shortfall"]

Array = NDArray[Any]
_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
}


class Curve(NamedTuple):
    """One estimator in a race.

    Attributes:
        name: for the legend.
        colour: a key of `COLOURS`.
        x: (K,), samples or seconds.
        y: (R, K), nats, a row for each replicate, NaN where one has not reached that number yet.
    """

    name: str
    colour: str
    x: Array
    y: Array


def race(
    curves: Sequence[Curve], lines: dict[str, tuple[str, float]], titles: tuple[str, str], low: float
) -> go.Figure:
    """Draws estimates against their cost, each with a band from the lowest to the highest of its replicates.

    Arguments:
        curves: the estimators.
        lines: reference levels, by name: colour and nats.
        titles: of the two axes.
        low: lowest value shown, in nats; everything below is cut off.
    """
    figure = go.Figure()
    for name, colour, x, y in curves:
        if not len(x):
            continue
        if len(y) > 1:
            band = {"mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
            figure.add_trace(go.Scatter(x=x, y=np.nanmin(y, 0), **band))
            figure.add_trace(
                go.Scatter(x=x, y=np.nanmax(y, 0), fill="tonexty", fillcolor=clear(COLOURS[colour], 0.25), **band)
            )
        figure.add_trace(
            go.Scatter(
                x=x, y=np.nanmedian(y, 0), name=name, mode="lines+markers",
                line={"color": COLOURS[colour], "width": 3}, marker={"size": 6},
            )
        )  # fmt: skip
    costs = np.concatenate([curve.x for curve in curves if len(curve.x)] or [np.array([1.0, 10.0])])
    span = [float(costs.min()), float(costs.max())]
    for name, (colour, value) in lines.items():
        figure.add_trace(
            go.Scatter(
                x=span, y=[value, value], name=name, mode="lines",
                line={"color": COLOURS[colour], "width": 3, "dash": "dash" if colour == "exact" else "solid"},
            )
        )  # fmt: skip
    heights = [float(np.nanmax(curve.y)) for curve in curves if len(curve.x)] + [value for _, value in lines.values()]
    top = max(heights, default=0.0)
    figure.update_layout(
        **_LAYOUT, height=420, hovermode="x unified", xaxis={"type": "log", "title": titles[0], "dtick": 1},
        yaxis={"title": titles[1], "range": [low, top + 0.05 * (top - low)], "tickformat": ",~f"},
    )  # fmt: skip
    return figure


def plane(
    view: Plane,
    near: bool,
    depth: float,
    titles: tuple[str, str],
    names: dict[str, str],
    codes: Array,
    labels: Array,
    classes: Sequence[str],
) -> go.Figure:
    """Draws log p(x|z), the posterior's contours, the encoder's ellipse and the naive samples, on equal axes.

    Arguments:
        view: the arrays.
        near: whether to show only the neighbourhood of the posterior.
        depth: nats below the maximum at which the colour scale ends.
        titles: of the two axes.
        names: labels for `likelihood`, `posterior`, `encoder`, `samples`, `hits`.
        codes: (N, 2), means of test images, which can be clicked: their `customdata` is their row.
        labels: (N,), indices of their groups, or levels, see `vae.figures.groups`.
        classes: names of the groups; () for levels.
    """
    horizontal, vertical, height = (
        (view.fine_x, view.fine_y, view.fine) if near else (view.x, view.y, view.log_likelihood)
    )
    top = float(height.max())
    depth = min(depth, top - float(np.quantile(height, 0.25)))
    figure = go.Figure(
        go.Heatmap(
            x=horizontal, y=vertical, z=np.maximum(height, top - depth), colorscale="Cividis",
            colorbar={
                "title": {"text": names["likelihood"], "side": "bottom"}, "thickness": 12, "tickformat": ",~f",
                "orientation": "h", "y": -0.15, "yanchor": "top",
            },
            zmin=top - depth, zmax=top, hovertemplate="(%{x:.2f}, %{y:.2f})<br>%{z:,.0f} nats<extra></extra>",
            zsmooth="best",
        )
    )  # fmt: skip
    for rows, name, marker in groups(labels, classes):
        figure.add_trace(
            go.Scattergl(
                x=codes[rows, 0], y=codes[rows, 1], customdata=rows.astype(np.int32), name=name,
                mode="markers", marker={"size": 4, "opacity": 0.55, **marker},
                unselected={"marker": {"opacity": 0.55}}, selected={"marker": {"opacity": 1, "size": 8}},
                showlegend=False, hovertemplate=f"{name or '%{customdata}'}<extra></extra>",
            )
        )  # fmt: skip
    for hits, name in ((False, names["samples"]), (True, names["hits"])):
        shown = view.samples[view.hit == hits]
        figure.add_trace(
            go.Scattergl(
                x=shown[:, 0], y=shown[:, 1], name=name, mode="markers", hoverinfo="skip",
                marker={
                    "color": "#ffffff" if hits else COLOURS["naive"], "size": 9 if hits else 3,
                    "opacity": 1 if hits else 0.9, "line": {"color": COLOURS["naive"], "width": 3 if hits else 0},
                },
            )
        )  # fmt: skip
    for i, level in enumerate(view.levels):
        figure.add_trace(
            go.Contour(
                x=view.fine_x, y=view.fine_y, z=view.log_posterior, autocontour=False, hoverinfo="skip",
                contours={"coloring": "none", "start": level, "end": level, "size": 1}, showscale=False,
                line={"color": "#ffffff", "width": 1.5 + 0.75 * i}, name=names["posterior"], showlegend=i == 2,
            )
        )  # fmt: skip
    angle = np.linspace(0, 2 * np.pi, 90)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    for times in (1, 2):
        ellipse = view.mean + times * view.deviation * ring
        figure.add_trace(
            go.Scatter(
                x=ellipse[:, 0], y=ellipse[:, 1], mode="lines", name=names["encoder"], showlegend=times == 1,
                line={"color": COLOURS["elbo"], "width": 3 if times == 1 else 2}, hoverinfo="skip",
            )
        )  # fmt: skip
    dark = {"bgcolor": "#00224e", "font": {"color": "#ffffff"}}  # like the plane: some of the lines are white
    figure.update_layout(
        **{**_LAYOUT, "legend": _LAYOUT["legend"] | dark}, height=580, dragmode="pan", clickmode="event+select",
        xaxis={"title": titles[0], "range": [horizontal[0], horizontal[-1]], "constrain": "domain"},
        yaxis={"title": titles[1], "range": [vertical[0], vertical[-1]], "scaleanchor": "x", "constrain": "domain"},
    )  # fmt: skip
    return figure


def gap(elbo: float, best: float | None, log_p: float, names: tuple[str, str, str, str, str], title: str) -> go.Figure:
    """Draws log p(x) = ELBO + amortisation gap + approximation gap as one bar that starts at the ELBO.

    Arguments:
        elbo, best, log_p: nats; the ELBO, that of the best Gaussian for the image (None if unknown), and the evidence.
        names: of the ELBO, the amortisation gap, the approximation gap, their sum, and log p(x).
        title: of the axis.
    """
    parts = [(names[3], 0.55, elbo, log_p)]
    if best is not None:
        parts = [(names[1], 1.0, elbo, best), (names[2], 0.4, best, log_p)]
    room = max(log_p - elbo, 0.5)
    figure = go.Figure()
    left = elbo - 0.4 * room
    figure.add_trace(_piece(names[0], COLOURS["elbo"], left, elbo, f"{elbo:,.2f}"))
    for name, strength, low, high in parts:
        figure.add_trace(_piece(name, paler(COLOURS["kl"], strength), low, high, f"{high - low:.2f}"))
    figure.add_vline(x=log_p, line={"color": COLOURS["exact"], "width": 4, "dash": "dash"})
    figure.add_annotation(
        x=log_p, y=1, yref="paper", text=f"{names[4]} = {log_p:,.2f}", showarrow=False, yanchor="bottom",
        xanchor="right",
    )  # fmt: skip
    figure.update_layout(
        height=200, barmode="stack", margin={"l": 10, "r": 10, "t": 34, "b": 10}, showlegend=True,
        legend={"orientation": "h", "yanchor": "top", "y": -0.65, "traceorder": "normal"},
        xaxis={"title": title, "range": [left, log_p + 0.06 * room], "tickformat": ",~f"},
        yaxis={"visible": False},
    )  # fmt: skip
    return figure


def _piece(name: str, colour: str, low: float, high: float, text: str) -> go.Bar:
    return go.Bar(
        x=[high - low], base=[low], y=[""], orientation="h", name=name, text=[text], textposition="inside",
        insidetextanchor="middle", marker={"color": colour}, hovertemplate=f"{name}: {text}<extra></extra>",
    )  # fmt: skip


def area(
    betas: Array,
    integrand: Array,
    schedule: Array,
    lines: dict[str, tuple[str, float]],
    titles: tuple[str, str],
    names: tuple[str, str],
    low: float,
) -> go.Figure:
    """Draws log p(x) as the area under E_beta[log p(x, z) / r(z)], and an annealing schedule as bars under it.

    Arguments:
        betas: (K,), increasing from 0 to 1.
        integrand: (K,), nats, increasing.
        schedule: (T + 1,), temperatures of AIS; the height of a bar is the integrand at its left edge.
        lines: heights that are also areas, since the width is 1, by name: colour and nats.
        titles: of the two axes.
        names: of the area and the bars.
        low: lowest value shown, in nats; the areas extend below it to 0.
    """
    figure = go.Figure(
        [
            go.Scatter(
                x=betas, y=np.full(len(betas), low), mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip"
            ),
            go.Scatter(
                x=betas, y=np.maximum(integrand, low), name=names[0], mode="lines", fill="tonexty",
                line={"color": COLOURS["exact"], "width": 3}, fillcolor=clear(COLOURS["exact"], 0.25),
            ),
        ]
    )  # fmt: skip
    height = np.maximum(np.interp(schedule[:-1], betas, integrand), low)
    figure.add_trace(
        go.Bar(
            x=schedule[:-1], width=np.diff(schedule), offset=0, y=height - low, base=np.full(len(height), low),
            name=names[1], customdata=height, hovertemplate="%{customdata:.2f}<extra></extra>",
            marker={"color": clear(COLOURS["ais"], 0.45), "line": {"color": COLOURS["ais"], "width": 1}},
        )
    )  # fmt: skip
    for name, (colour, value) in lines.items():
        figure.add_trace(
            go.Scatter(
                x=[0, 1], y=[value, value], name=name, mode="lines",
                line={"color": COLOURS[colour], "width": 3, "dash": "dash" if colour == "exact" else "solid"},
            )
        )  # fmt: skip
    top = max(float(integrand.max()), *(value for _, value in lines.values()))
    figure.update_layout(
        **_LAYOUT, height=380, xaxis={"title": titles[0], "range": [0, 1]},
        yaxis={"title": titles[1], "range": [low, top + 0.1 * (top - low)], "tickformat": ",~f"},
    )  # fmt: skip
    return figure


def shortfall(sizes: Array, below: dict[str, Array], titles: tuple[str, str]) -> go.Figure:
    """Draws the distance of naive Monte Carlo below a reference against the number of samples, one line per model.

    Arguments:
        sizes: (K,), numbers of samples.
        below: for each name (K,), nats, on an axis that is linear up to 1 and logarithmic above.
        titles: of the two axes.
    """
    figure = go.Figure()
    shades = np.linspace(0.35, 1, max(len(below), 2))
    for (name, values), shade in zip(below.items(), shades, strict=False):
        figure.add_trace(
            go.Scatter(
                x=sizes, y=np.arcsinh(values / 2) / np.log(10), name=name, mode="lines+markers+text",
                line={"color": clear(COLOURS["naive"], shade), "width": 3}, marker={"size": 8},
                customdata=values, hovertemplate=f"{name}: %{{customdata:,.1f}}<extra></extra>",
            )
        )  # fmt: skip
    ticks = [0, 1, 3, 10, 30, 100, 300, 1000, 3000]
    figure.update_layout(
        **_LAYOUT, height=320, hovermode="x unified", xaxis={"type": "log", "title": titles[0], "dtick": 1},
        yaxis={
            "title": titles[1], "tickvals": np.arcsinh(np.array(ticks) / 2) / np.log(10),
            "ticktext": [f"{tick:,}" for tick in ticks],
        },
    )  # fmt: skip
    return figure
