"""Figures of the lesson's first chapters: the integrand over the plane, its slope, samples that miss, running means."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from vae.derivation import Plane
from vae.figures.style import COLOURS

__all__ = ["add_ellipse", "creep", "hill", "scattered", "slope"]

Array = NDArray[Any]
_DARK = "#00224e"  # the lowest colour of Cividis
_LAYOUT: dict[str, Any] = {"margin": {"l": 10, "r": 10, "t": 10, "b": 10}, "height": 300}
_SCALE = "Cividis"


def hill(view: Plane, near: bool, depth: float = 60.0) -> go.Figure:
    """Draws p(x|z) p(z) over the plane, with its peak as 1.

    Arguments:
        view: the arrays.
        near: the neighbourhood of the posterior, on a linear scale; otherwise the whole plane, in nats below the peak.
        depth: nats below the peak at which the colours of the whole plane end.
    """
    if near:
        x, y, height = view.fine_x, view.fine_y, np.exp(view.log_posterior - view.log_posterior.max())
        low, high, hover = 0.0, 1.0, "%{z:.2f}"
    else:
        prior = -0.5 * (view.x**2 + view.y[:, None] ** 2)
        x, y, height = view.x, view.y, view.log_likelihood + prior
        fine = view.fine - 0.5 * (view.fine_x**2 + view.fine_y[:, None] ** 2)
        height = height - max(float(height.max()), float(fine.max()))
        depth = max(depth, -float(np.quantile(height, 0.5)))
        low, high, hover = -depth, 0.0, "%{z:,.0f}"
    figure = go.Figure(
        go.Heatmap(
            x=x, y=y, z=np.maximum(height, low).astype(np.float32), zmin=low, zmax=high, colorscale=_SCALE,
            showscale=False, zsmooth="best", hovertemplate="(%{x:.3f}, %{y:.3f})<br>" + hover + "<extra></extra>",
        )
    )  # fmt: skip
    if not near:
        box = [view.fine_x[0], view.fine_x[-1], view.fine_y[0], view.fine_y[-1]]
        middle = (box[0] + box[1]) / 2, (box[2] + box[3]) / 2
        half = max((box[1] - box[0]) / 2, 0.012 * float(np.ptp(view.x)))
        figure.add_shape(
            type="rect", x0=middle[0] - half, x1=middle[0] + half, y0=middle[1] - half, y1=middle[1] + half,
            line={"color": "#ffffff", "width": 2},
        )  # fmt: skip
    _square(figure, (x[0], x[-1]), (y[0], y[-1]), ("", ""))
    figure.update_layout(margin={"l": 50, "b": 30})  # the same for both, however long their labels are
    return figure.update_xaxes(automargin=False).update_yaxes(automargin=False)


def scattered(view: Plane, samples: Array, hits: Array, titles: tuple[str, str], names: tuple[str, str]) -> go.Figure:
    """Draws log p(x|z) over the whole plane with samples from the prior, circled if they hit the posterior.

    Arguments:
        view: the arrays.
        samples: (L, 2).
        hits: (L,) bool.
        titles: of the two axes.
        names: of samples, and of samples that hit.
    """
    top = max(float(view.log_likelihood.max()), float(view.fine.max()))
    low = float(np.quantile(view.log_likelihood, 0.25))
    figure = go.Figure(
        go.Heatmap(
            x=view.x, y=view.y, z=np.maximum(view.log_likelihood, low), zmin=low, zmax=top, colorscale=_SCALE,
            zsmooth="best", hovertemplate="(%{x:.2f}, %{y:.2f})<br>%{z:,.0f} nats<extra></extra>", showscale=False,
        )
    )  # fmt: skip
    shown = samples[~hits][:5000]
    figure.add_trace(
        go.Scattergl(
            x=shown[:, 0], y=shown[:, 1], mode="markers", name=names[0], hoverinfo="skip",
            marker={"color": COLOURS["naive"], "size": 4 if len(shown) < 2000 else 2.5, "opacity": 0.9},
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=samples[hits, 0], y=samples[hits, 1], mode="markers", name=names[1], hoverinfo="skip",
            marker={"color": "#ffffff", "size": 10, "line": {"color": COLOURS["naive"], "width": 3}},
        )
    )  # fmt: skip
    figure = _square(figure, (view.x[0], view.x[-1]), (view.y[0], view.y[-1]), titles)
    figure.update_layout(
        showlegend=True, height=440,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.03, "bgcolor": _DARK, "font": {"color": "#ffffff"}},
    )  # fmt: skip
    return figure


def creep(estimate: Array, log_p: float | None, titles: tuple[str, str], names: tuple[str, str]) -> go.Figure:
    """Draws the running estimate of naive Monte Carlo against the number of samples, and log p(x) if it is shown.

    Arguments:
        estimate: (L,) nats.
        log_p: log p(x), or None to hide it.
        titles: of the two axes.
        names: of the estimate and of log p(x).
    """
    count = np.arange(1, len(estimate) + 1)
    # it jumps and then declines slowly: a point at each jump, and enough of the others
    kept = np.unique(np.geomspace(1, len(count), 400).round().astype(int)) - 1
    jumps = np.flatnonzero(np.diff(estimate) > 0) + 1
    kept = np.union1d(kept, np.concatenate([jumps[-300:], jumps[-300:] - 1]).clip(0))
    figure = go.Figure(
        go.Scatter(
            x=count[kept], y=estimate[kept], mode="lines", name=names[0], line={"color": COLOURS["naive"], "width": 3}
        )
    )
    high = float(estimate.max()) if log_p is None else max(float(estimate.max()), log_p)
    low = float(np.quantile(estimate[kept], 0.05))
    if log_p is not None:
        figure.add_trace(
            go.Scatter(
                x=[1, max(len(count), 10)], y=[log_p, log_p], mode="lines", name=names[1],
                line={"color": COLOURS["exact"], "width": 3, "dash": "dash"},
            )
        )  # fmt: skip
    room = max(high - low, 5.0)
    figure.update_layout(
        **_LAYOUT, showlegend=True, legend={"orientation": "h", "yanchor": "bottom", "y": 1.0},
        xaxis={"title": titles[0], "type": "log", "dtick": 1, "range": [0, np.log10(max(len(count), 10))]},
        yaxis={"title": titles[1], "range": [high - room, high + 0.08 * room], "tickformat": ",~f"},
    )  # fmt: skip
    figure.update_layout(height=300)
    return figure


def slope(values: Array, top: float) -> Array:
    """Colours slopes (H, W) as (H, W, 3) uint8: blue above 0, orange below, white at 0, saturated from `top` on."""
    share = np.clip(np.abs(values) / top, 0, 1)[..., None]
    ink = np.where((values > 0)[..., None], _rgb(COLOURS["reconstruction"]), _rgb(COLOURS["kl"]))
    return (255 + share * (ink - 255.0)).round().astype(np.uint8)


def add_ellipse(figure: go.Figure, mean: Array, deviation: Array, name: str) -> None:
    """Adds the ellipse of another Gaussian to a plane, dashed, at one standard deviation."""
    angle = np.linspace(0, 2 * np.pi, 90)
    figure.add_trace(
        go.Scatter(
            x=mean[0] + deviation[0] * np.cos(angle), y=mean[1] + deviation[1] * np.sin(angle), mode="lines",
            name=name, hoverinfo="skip", line={"color": COLOURS["ais"], "width": 3, "dash": "dash"},
        )
    )  # fmt: skip


def _square(figure: go.Figure, across: tuple[float, float], up: tuple[float, float], titles: tuple[str, str]) -> Any:
    figure.update_layout(
        **_LAYOUT, showlegend=False, dragmode=False,
        xaxis={"title": titles[0], "range": list(across), "constrain": "domain"},
        yaxis={"title": titles[1], "range": list(up), "scaleanchor": "x", "constrain": "domain"},
    )  # fmt: skip
    return figure


def _rgb(colour: str) -> Array:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
