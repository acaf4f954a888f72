"""Figures of what the bound hides: the mean KL in two parts, and the rate-distortion plane; texts are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vae.figures.latent import PRIOR
from vae.figures.style import COLOURS, clear
from vae.latent import surgery

__all__ = ["Point", "growth", "rate_distortion", "split"]

Array = NDArray[Any]
_GREY = "#757f8a"  # readable on light and dark
_RIM = {"width": 1, "color": "rgba(0, 0, 0, 0.4)"}
_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 10, "b": 10}, "dragmode": False,
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
}  # fmt: skip


class Point(NamedTuple):
    """A model on the rate-distortion plane, nats: rate is the mean KL, distortion -E[log p(x|z)]."""

    name: str
    rate: float
    distortion: float
    chosen: bool = False


def split(found: surgery.Surgery, names: tuple[str, str, str], title: str) -> go.Figure:
    """Draws the mean KL as one bar, and its two parts as a second bar.

    Arguments:
        found: the parts.
        names: of the mean KL, the mutual information, and KL[q(z) || p(z)].
        title: of the axis of nats.
    """
    rows = ["=", ""]
    parts = [
        (names[0], COLOURS["kl"], [found.mean_kl, 0.0]),
        (names[1], COLOURS["reconstruction"], [0.0, found.mutual_information]),
        (names[2], PRIOR, [0.0, found.marginal_kl]),
    ]
    figure = go.Figure([
        go.Bar(
            x=values, y=rows, name=name, orientation="h", marker={"color": colour},
            text=[f"{value:.2f}" if value else "" for value in values], textposition="inside",
            insidetextanchor="middle", hovertemplate=f"{name}: %{{x:.3f}}<extra></extra>",
        )
        for name, colour, values in parts
    ])  # fmt: skip
    figure.update_layout(
        **_LAYOUT, height=210, barmode="stack", bargap=0.2, xaxis={"title": title, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "showticklabels": False},
    )  # fmt: skip
    return figure


def growth(found: Sequence[surgery.Surgery], names: tuple[str, str, str], titles: tuple[str, str]) -> go.Figure:
    """Draws how the mutual information grows with the number of images, below log N and the mean KL.

    Arguments:
        found: for increasing numbers of images.
        names: of the mutual information, of log N, and of the mean KL.
        titles: of the two axes.
    """
    sizes = np.array([each.images for each in found])
    information = np.array([each.mutual_information for each in found])
    errors = 2 * np.array([each.mutual_information_error for each in found])
    figure = go.Figure([
        go.Scatter(
            x=sizes, y=np.log(sizes), name=names[1], mode="lines", line={"color": _GREY, "dash": "dash", "width": 2},
            hovertemplate="%{y:.2f}",
        ),
        go.Scatter(
            x=sizes, y=np.array([each.mean_kl for each in found]), name=names[2], mode="lines",
            line={"color": COLOURS["kl"], "width": 2.5}, hovertemplate="%{y:.2f}",
        ),
        go.Scatter(
            x=sizes, y=information, name=names[0], mode="lines+markers", marker={"size": 9}, hovertemplate="%{y:.2f}",
            line={"color": COLOURS["reconstruction"], "width": 2.5}, error_y={"array": errors, "thickness": 1.5},
        ),
    ])  # fmt: skip
    figure.update_layout(
        **_LAYOUT, height=340, hovermode="x unified", xaxis={"type": "log", "title": titles[0], "dtick": 1},
        yaxis={"title": titles[1], "rangemode": "tozero"},
    )  # fmt: skip
    return figure


def rate_distortion(points: Sequence[Point], titles: tuple[str, str], diagonal: str) -> go.Figure:
    """Draws models on the rate-distortion plane (Alemi et al. 2018), with diagonals of equal ELBO = -(R + D).

    Arguments:
        points: models with the same likelihood; others are not comparable.
        titles: of the axes, of rate and distortion.
        diagonal: label of a diagonal, with {elbo} for its nats.
    """
    rate = np.array([point.rate for point in points])
    distortion = np.array([point.distortion for point in points])
    low, high = float(distortion.min()), float(distortion.max())
    room = max(0.25 * (high - low), 0.03 * abs(high), 5.0)
    bottom, top, right = low - room, high + room, 1.25 * float(rate.max()) + 2
    figure = go.Figure()
    for sum_ in _round_steps(bottom, top + right):
        figure.add_scatter(
            x=[0, right], y=[sum_, sum_ - right], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": clear(COLOURS["elbo"], 0.8), "width": 1},
        )  # fmt: skip
        if bottom + 0.02 * (top - bottom) < sum_ - right < top - 0.06 * (top - bottom):
            figure.add_annotation(
                x=right, y=sum_ - right, text=diagonal.format(elbo=f"{-sum_:,.0f}"), showarrow=False, xanchor="right",
                yanchor="bottom", font={"size": 11, "color": COLOURS["elbo"]},
            )  # fmt: skip
    figure.add_scatter(
        x=rate, y=distortion, mode="markers+text", text=[point.name for point in points], showlegend=False,
        textposition=_sides(rate / right, distortion / (top - bottom)),
        marker={
            "size": [16 if point.chosen else 11 for point in points], "line": _RIM,
            "color": [PRIOR if point.chosen else COLOURS["reconstruction"] for point in points],
        },
        customdata=-(rate + distortion),
        hovertemplate="%{text}<br>R = %{x:.2f}, D = %{y:,.1f}, ELBO = %{customdata:,.1f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        **_LAYOUT, height=420, xaxis={"title": titles[0], "range": [0, right]},
        yaxis={"title": titles[1], "range": [bottom, top], "tickformat": ","},
    )  # fmt: skip
    return figure


def _sides(across: Array, up: Array) -> list[str]:
    """Returns the positions of names next to their points (N,), as shares of the axes, so that they do not collide."""
    sides = []
    for i in range(len(across)):
        near = (np.abs(across - across[i]) < 0.2) & (np.abs(up - up[i]) < 0.05)
        near[i] = False
        height = "middle" if not near.any() else "top" if up[i] >= up[near].max() else "bottom"
        sides.append(f"{height} {'left' if across[i] > 0.6 else 'right'}")
    return sides


def _round_steps(low: float, high: float) -> Array:
    """Returns about 5 to 12 round numbers between two values."""
    step = 10 ** np.floor(np.log10((high - low) / 5))
    step *= next((factor for factor in (1, 2, 5) if (high - low) / (step * factor) <= 12), 5)
    return np.arange(np.ceil(low / step) * step, high, step)
