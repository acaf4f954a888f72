"""Figures of a decoder's variance: Plotly figures from arrays; texts that a visitor reads are arguments.

In all of them sigma and the residual each have a colour of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import get_colorscale, sample_colorscale

from vae.figures.style import COLOURS
from vae.uses import variance

__all__ = [
    "DEVIATIONS", "NATS", "RESIDUAL", "SHOWN_DEVIATIONS", "SIGMA", "by_distance", "calibrated", "deviation_map",
    "floors", "gradient", "nats_picture",
]  # fmt: skip

DEVIATIONS, NATS = "cividis", "RdBu"  # Plotly's names of their colour scales
SIGMA, RESIDUAL = "#c99700", "#8c6bb1"
SHOWN_DEVIATIONS = (0.05, 0.5)  # the standard deviation of a variable in [0, 1] is at most 0.5
_GREY = "#808a94"  # visible on light and dark
_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}


def deviation_map(
    steps: tuple[NDArray, NDArray],
    deviation: NDArray,
    codes: NDArray,
    chosen: NDArray,
    limits: tuple[float, float],
    titles: tuple[str, str],
) -> go.Figure:
    """Draws the mean standard deviation over a plane of latents, with a target for the pointer in each cell.

    Arguments:
        steps: (S,) coordinates across and (S',) up, increasing.
        deviation: (S', S), positive; row 0 belongs to the lowest coordinate.
        codes: (N, 2), faint dots.
        chosen: (2,), a cross.
        limits: standard deviations of the darkest and the brightest colour.
        titles: of the two axes.

    Returns:
        A figure whose last trace can be selected; a point's `customdata` is the index of its cell, row by row.
    """
    low, high = np.log10(limits)
    across, up = np.meshgrid(*steps)
    figure = go.Figure(
        [
            go.Heatmap(
                x=steps[0], y=steps[1], z=np.log10(deviation).astype(np.float32), zmin=low, zmax=high,
                colorscale=get_colorscale(DEVIATIONS), hoverinfo="skip", showscale=False,
            ),
            go.Scatter(
                x=codes[:, 0].astype(np.float32), y=codes[:, 1].astype(np.float32), mode="markers", hoverinfo="skip",
                marker={"size": 3, "color": "white", "opacity": 0.35}, unselected={"marker": {"opacity": 0.35}},
            ),
            go.Scatter(
                x=chosen[:1], y=chosen[1:], mode="markers", hoverinfo="skip",
                marker={"size": 13, "symbol": "x", "color": "#d55e00", "line": {"width": 2, "color": "white"}},
                unselected={"marker": {"opacity": 1}},
            ),
            go.Scatter(
                x=across.ravel().astype(np.float32), y=up.ravel().astype(np.float32),
                customdata=np.arange(across.size, dtype=np.int32), mode="markers",
                text=[f"{value:.2g}" for value in deviation.ravel().tolist()],
                marker={"size": 8, "color": "#d55e00", "opacity": 0, "line": {"width": 2, "color": "white"}},
                selected={"marker": {"opacity": 1, "size": 15}}, unselected={"marker": {"opacity": 0}},
                hovertemplate="z = (%{x:.1f}, %{y:.1f})<br>σ %{text}<extra></extra>",
            ),
        ]
    )  # fmt: skip
    axis = {"showgrid": False, "zeroline": False, "constrain": "domain", "constraintoward": "left"}
    figure.update_layout(
        height=310, margin=_MARGIN, showlegend=False, dragmode=False, clickmode="event+select", hovermode="closest",
        xaxis=axis | {"title": titles[0], "range": _ends(steps[0])},
        yaxis=axis | {"title": titles[1], "range": _ends(steps[1]), "scaleanchor": "x", "constraintoward": "top"},
    )  # fmt: skip
    return figure


def nats_picture(nats: NDArray, outline: NDArray, limit: float, titles: tuple[str, str]) -> go.Figure:
    """Draws nats pixel by pixel, blue above 0 and red below.

    Arguments:
        nats: (H, W), row 0 on top.
        outline: (H, W) bool, pixels that are separated from the others by a line.
        limit: nats of the strongest blue, and -limit of the strongest red.
        titles: of the two axes.
    """
    height, width = nats.shape
    figure = go.Figure(
        [
            go.Heatmap(
                z=nats.astype(np.float32), zmin=-limit, zmax=limit, colorscale=get_colorscale(NATS), showscale=False,
                hovertemplate="%{z:.2f}<br>(%{x}, %{y})<extra></extra>",
            ),
            _outline(outline),
        ]
    )  # fmt: skip
    axis = {"showgrid": False, "zeroline": False, "constrain": "domain", "constraintoward": "left"}
    figure.update_layout(
        height=310, margin=_MARGIN, dragmode=False, showlegend=False,
        xaxis=axis | {"title": titles[0], "range": [-0.5, width - 0.5]},
        yaxis=axis | {"title": titles[1], "range": [height - 0.5, -0.5], "scaleanchor": "x", "constraintoward": "top"},
    )  # fmt: skip
    return figure


def calibrated(
    inside: variance.Calibration,
    far: variance.Calibration | None,
    limits: tuple[float, float],
    titles: tuple[str, str],
    names: tuple[str, str, str],
) -> go.Figure:
    """Draws residuals against their predicted standard deviation, with both axes logarithmic.

    Arguments:
        inside: at the codes of the data; a marker is larger the more pixels it represents.
        far: away from them, drawn open and dotted; None if there is none.
        limits: of both axes; values beyond are drawn at the edge.
        titles: of the two axes.
        names: of the two lines, and of the diagonal where sigma is correct.
    """
    figure = go.Figure(
        go.Scatter(x=limits, y=limits, name=names[2], mode="lines", line={"color": SIGMA, "width": 2}, hoverinfo="skip")
    )
    styles = ((inside, names[0], "circle", "solid"), (far, names[1], "circle-open", "dot"))
    for each, name, symbol, dash in styles:
        if each is None:
            continue
        figure.add_trace(
            go.Scatter(
                x=np.clip(each.predicted, *limits), y=np.clip(each.observed, *limits), name=name,
                mode="lines+markers", line={"color": RESIDUAL, "width": 2, "dash": dash},
                marker={
                    "size": 6 + 18 * np.sqrt(each.share), "symbol": symbol, "opacity": 1,
                    "line": {"width": 2, "color": RESIDUAL},
                },
                customdata=np.stack([each.predicted, each.observed, each.share], 1),
                hovertemplate="%{customdata[0]:.2g} → %{customdata[1]:.2g}<br>%{customdata[2]:.1%}",
            )
        )  # fmt: skip
    ends = np.log10(limits)
    axis = {"type": "log", "range": [ends[0] - 0.1, ends[1] + 0.1], **_powers(limits)}
    axes = {"xaxis": axis | {"title": titles[0]}, "yaxis": axis | {"title": titles[1]}}
    figure.update_layout(height=340, margin=_MARGIN, showlegend=False, **axes)
    return figure


def by_distance(
    curve: variance.ByDistance, limits: tuple[float, float], titles: tuple[str, str], names: tuple[str, str]
) -> go.Figure:
    """Draws sigma and the residuals against the distance from the data, with a logarithmic pixel scale.

    Arguments:
        curve: of `residuals_by_distance`.
        limits: of the logarithmic axis; values beyond are drawn at the edge.
        titles: of the two axes.
        names: of sigma and of the residuals.
    """
    lines = ((curve.deviation, names[0], SIGMA), (curve.residual, names[1], RESIDUAL))
    figure = go.Figure(
        [
            go.Scatter(
                x=curve.distance, y=np.clip(values, *limits), name=name, mode="lines+markers", customdata=values,
                line={"color": colour, "width": 3}, hovertemplate="%{customdata:.3g}",
            )
            for values, name, colour in lines
        ]
    )  # fmt: skip
    ends = np.log10(limits)
    figure.update_layout(
        height=260, margin=_MARGIN, showlegend=False, hovermode="x unified",
        xaxis={"title": titles[0], "rangemode": "tozero", "hoverformat": ".1f"},
        yaxis={"title": titles[1], "type": "log", "range": [ends[0] - 0.05, ends[1] + 0.05], **_powers(limits)},
    )  # fmt: skip
    return figure


def floors(
    places: NDArray, nats: NDArray, chosen: float, ceiling: float, titles: tuple[str, str], word: str
) -> go.Figure:
    """Draws log p(x|z) against the floor of log sigma^2.

    Arguments:
        places: (K,) floors.
        nats: (K,) log p(x|z); values far below 0 are outside the picture.
        chosen: the floor that is marked, one of `places`.
        ceiling: nats, a dashed line.
        titles: of the two axes.
        word: label of the ceiling.
    """
    bottom, top = -1200.0, 1.16 * ceiling
    value = np.clip(nats[np.abs(places - chosen).argmin()], bottom, top)
    figure = go.Figure(
        [
            go.Scatter(
                x=[chosen, chosen], y=[bottom, top], mode="lines", hoverinfo="skip", line={"color": _GREY, "width": 1}
            ),
            go.Scatter(
                x=[places[0], places[-1]], y=[ceiling, ceiling], mode="lines", hoverinfo="skip",
                line={"color": _GREY, "width": 2, "dash": "dash"},
            ),
            go.Scatter(
                x=[places[-1]], y=[1.08 * ceiling], mode="text", text=[word], textposition="middle left",
                textfont={"color": _GREY}, hoverinfo="skip",
            ),
            go.Scatter(
                x=places, y=nats, mode="lines", name=titles[1], line={"color": COLOURS["reconstruction"], "width": 3},
                hovertemplate="%{y:,.1f}",
            ),
            go.Scatter(
                x=[chosen], y=[value], mode="markers", hoverinfo="skip",
                marker={"size": 14, "color": COLOURS["reconstruction"], "line": {"width": 2, "color": "white"}},
            ),
        ]
    )  # fmt: skip
    figure.update_layout(
        height=280, margin=_MARGIN, showlegend=False, hovermode="x unified",
        xaxis={"title": titles[0], "zeroline": False, "range": [places[0], places[-1]]},
        yaxis={"title": titles[1], "range": [bottom, top], "tickformat": ",~f"},
    )  # fmt: skip
    return figure


def gradient(colours: str, size: tuple[int, int] = (12, 140)) -> NDArray[np.uint8]:
    """Returns a colour scale as an image (H, W, 3), with its largest value on the right: the key to a figure."""
    shades = sample_colorscale(get_colorscale(colours), np.linspace(0, 1, size[1]), colortype="tuple")
    return np.broadcast_to((np.array(shades) * 255).round().astype(np.uint8), (*size, 3))


def _outline(mask: NDArray) -> go.Scatter:
    """A line along the sides of pixels where a mask changes."""
    i, j = np.nonzero(mask[:, 1:] != mask[:, :-1])  # between neighbouring pixels of a row
    k, m = np.nonzero(mask[1:] != mask[:-1])
    gap = np.full(len(i) + len(k), np.nan)
    x = np.stack([np.append(j + 0.5, m - 0.5), np.append(j + 0.5, m + 0.5), gap], 1)
    y = np.stack([np.append(i - 0.5, k + 0.5), np.append(i + 0.5, k + 0.5), gap], 1)
    return go.Scatter(x=x.ravel(), y=y.ravel(), mode="lines", line={"color": "#222", "width": 1.5}, hoverinfo="skip")


def _ends(steps: NDArray) -> list[float]:
    half = (steps[-1] - steps[0]) / (len(steps) - 1) / 2
    return [float(steps[0] - half), float(steps[-1] + half)]


def _powers(limits: tuple[float, float]) -> dict[str, Any]:
    """Ticks at powers of ten within limits, as plain numbers."""
    powers = np.arange(np.ceil(np.log10(limits[0]) - 1e-9), np.floor(np.log10(limits[1]) + 1e-9) + 1)
    return {"tickvals": 10.0**powers, "ticktext": [f"{10.0**p:g}" for p in powers]}
