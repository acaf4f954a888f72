"""Figures of the latent space: Plotly figures, or the bytes of a picture, from arrays; texts are arguments.

In all of them the prior, the aggregate posterior and holes each have a colour of their own.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from plotly.subplots import make_subplots

from vae.errors import ConfigError
from vae.figures import labels as label_layout
from vae.figures.groups import groups, named
from vae.figures.style import COLOURS, clear, fitted, picture, tiled
from vae.latent import Holes

__all__ = [
    "AGGREGATE", "HOLE", "PRIOR", "Curve", "aggregate_line", "aggregate_plane", "animation", "densities",
    "dimension_bars", "projected", "sheet",
]  # fmt: skip

PRIOR, AGGREGATE, HOLE = "#e69f00", "#3b82c4", "#d55e00"
_GREY = "#757f8a"  # readable on light and dark
_NAME = 14  # px, the size of names of groups
_SMALLEST = (300, 270)  # px, the plot area of the smallest chart with names
_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}
Curve = tuple[str, str, NDArray, bool]  # name, colour, (S,) values, whether dashed


def sheet(
    images: NDArray, rows: Sequence[str] = (), columns: Sequence[str] = (), scale: int = 2, chosen: Sequence[int] = ()
) -> bytes:
    """Draws a table of pictures with its labels as a PNG, on a transparent background.

    Arguments:
        images: (R, S, H, W) or (R, S, H, W, 3) in [0, 1].
        rows: R labels on the left, or none.
        columns: S labels on top, or none.
        scale: pixels per side for each pixel, fewer if images are larger than 28 x 28; it also sets the size of labels.
        chosen: a column of each row that is framed, -1 for none; or empty.

    Raises:
        ConfigError: the number of labels differs from that of the pictures.
    """
    count, across, height, width = images.shape[:4]
    if len(rows) not in (0, count) or len(columns) not in (0, across) or len(chosen) not in (0, count):
        raise ConfigError(
            f"A table of {count} x {across} pictures needs a label for each row and column; these do not fit."
        )
    font = ImageFont.load_default(7.0 * scale)
    left = max((int(font.getlength(word)) for word in rows), default=-4 * scale) + 4 * scale
    top = 10 * scale if columns else 0
    blown = fitted(scale, height, width)
    tall, wide = height * blown, width * blown
    drawn = Image.new("RGBA", (left + across * wide, top + count * tall))
    drawn.paste(Image.fromarray(picture(tiled(images), blown)), (left, top))
    pen = ImageDraw.Draw(drawn)
    for place, word in enumerate(rows):
        pen.text((left - 4 * scale, top + (place + 0.5) * tall), word, _GREY, font, "rm")
    for place, word in enumerate(columns):
        pen.text((left + (place + 0.5) * wide, top - 2 * scale), word, _GREY, font, "ms")
    for row, column in enumerate(chosen):
        if column >= 0:
            corner = left + column * wide, top + row * tall
            pen.rectangle((*corner, corner[0] + wide - 1, corner[1] + tall - 1), None, PRIOR, scale)
    return _saved(drawn, "PNG")


def animation(frames: NDArray, scale: int = 6, seconds: float = 0.1) -> bytes:
    """Makes an animated GIF that goes forth and back in a loop, each frame with its exact 256 grey levels.

    In colour each frame has the 256 colours closest to its own.

    Arguments:
        frames: (N, H, W) or (N, H, W, 3) in [0, 1].
        scale: pixels per side for each pixel.
        seconds: duration of a frame, to a hundredth; the two ends last five times as long.
    """
    images = [Image.fromarray(picture(frame, scale)) for frame in frames]
    there_and_back = images + images[-2:0:-1]
    times = [round(seconds * 100) * 10] * len(there_and_back)
    times[0] = times[len(images) - 1] = 5 * times[0]
    return _saved(
        there_and_back[0], "GIF", save_all=True, append_images=there_and_back[1:], duration=times, loop=0,
        optimize=False,
    )  # fmt: skip


def densities(curves: Sequence[Curve], step_title: str, nats_title: str, lowest: float) -> go.Figure:
    """Draws log densities along a walk, aligned with a strip of its pictures above.

    Arguments:
        curves: each over the same S steps; step i is under the centre of picture i.
        step_title: label of a step.
        nats_title: of the axis.
        lowest: nats at the bottom of the axis; lower values are outside.
    """
    count = len(curves[0][2])
    figure = go.Figure([
        go.Scatter(
            x=np.arange(count), y=values.astype(np.float32), name=name, mode="lines+markers", marker={"size": 6},
            line={"color": colour, "width": 2, "dash": "dot" if dashed else "solid"},
            hovertemplate=f"{name}: %{{y:.1f}} {nats_title}<extra></extra>",
        )
        for name, colour, values, dashed in curves
    ])  # fmt: skip
    high = max(float(values.max()) for _, _, values, _ in curves)
    room = 0.12 * (high - lowest)
    figure.update_layout(
        height=260, margin={"l": 0, "r": 0, "t": 10, "b": 10}, hovermode="x unified", dragmode=False,
        legend={"orientation": "h", "yanchor": "top", "y": -0.12},
        xaxis={
            "range": [-0.5, count - 0.5], "showgrid": False, "zeroline": False, "title": None,
            "tickvals": np.arange(count), "ticktext": [f"{step_title} {i}" for i in range(count)],
            "showticklabels": False,
        },
        yaxis={
            "range": [lowest - room, high + room], "ticklabelposition": "inside top", "ticklabelstandoff": 4,
            "ticksuffix": f" {nats_title}", "showticksuffix": "first", "nticks": 6, "zeroline": False,
        },
    )  # fmt: skip
    return figure


def dimension_bars(
    names: Sequence[str], kl: NDArray | None, variance: NDArray, threshold: float, titles: tuple[str, str]
) -> go.Figure:
    """Draws the KL of each latent dimension, and the variance of its posterior means, as two rows of bars.

    Arguments:
        names: of the J dimensions, in order.
        kl: (J,) mean KL[q(z_j|x) || p(z_j)], nats; None if there is none.
        variance: (J,) of the posterior means.
        threshold: variance above which a unit is active, drawn as a line; those below are pale.
        titles: of the two axes.
    """
    figure = make_subplots(rows=2 if kl is not None else 1, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    active = variance > threshold
    bars = [(variance, AGGREGATE, titles[1])] if kl is None else [
        (kl, COLOURS["kl"], titles[0]), (variance, AGGREGATE, titles[1]),
    ]  # fmt: skip
    for row, (values, colour, title) in enumerate(bars, 1):
        figure.add_bar(
            x=list(names), y=values.astype(np.float32), marker={"color": colour, "opacity": np.where(active, 1, 0.4)},
            hovertemplate=f"%{{x}}: %{{y:.3g}}<extra>{title}</extra>", row=row, col=1,
        )  # fmt: skip
        figure.update_yaxes(title=title, row=row, col=1)
    figure.add_hline(threshold, line={"color": _GREY, "dash": "dot", "width": 1}, row=len(bars), col=1)
    figure.update_layout(height=180 + 120 * len(bars), margin=_MARGIN, showlegend=False, dragmode=False)
    figure.update_layout(bargap=max(0.25, 0.85 - 0.06 * len(names)))  # two bars need not fill the page
    return figure


def projected(points: NDArray, labels: NDArray, classes: Sequence[str], titles: tuple[str, str] | None) -> go.Figure:
    """Draws projected codes as points coloured by group, with the name of each group at its median, or beside it.

    Arguments:
        points: (N, 2) coordinates.
        labels: (N,) indices of groups, or levels, see `vae.figures.groups`.
        classes: names of the groups; () for levels.
        titles: of the axes; None if coordinates have no meaning, in which case the axes are hidden.
    """
    figure, places = go.Figure(), []
    for rows, name, marker in groups(labels, classes):
        figure.add_scattergl(
            x=points[rows, 0].astype(np.float32), y=points[rows, 1].astype(np.float32), name=name, mode="markers",
            marker={"size": 4, "opacity": 0.7, **marker},
            customdata=rows.astype(np.int32), hovertemplate=f"{name}<extra>%{{customdata}}</extra>",
        )  # fmt: skip
        if len(rows) and name and named(classes):
            places.append((name, np.median(points[rows], 0)))
    _name(figure, points, places)
    axis = {"zeroline": titles is not None, "showgrid": titles is not None, "showticklabels": titles is not None}
    across, up = titles or ("", "")
    figure.update_layout(
        height=340, margin=_MARGIN, showlegend=False, dragmode="pan",
        xaxis=axis | {"title": across}, yaxis=axis | {"title": up, "scaleanchor": "x"},
    )  # fmt: skip
    return figure


def _name(figure: go.Figure, points: NDArray, places: Sequence[tuple[str, NDArray]]) -> None:
    """Writes names at places of a plane of points, or beside them with a line where they would cover one another."""
    if not places:
        return
    low, span = points.min(0), np.maximum(np.ptp(points, 0), 1e-9)
    scale = float((np.array(_SMALLEST) / span).min())  # px per unit, the same in both directions
    blank = (np.array(_SMALLEST) - scale * span) / 2
    anchors = np.stack([blank + scale * (place - low) for _, place in places])
    sizes = np.array([(label_layout.width(name, _NAME) + 6, 1.3 * _NAME + 4) for name, _ in places])
    for (name, place), (right, up) in zip(
        places, label_layout.offsets(anchors, sizes, _SMALLEST).tolist(), strict=True
    ):
        moved = right != 0 or up != 0
        figure.add_annotation(
            x=place[0], y=place[1], text=f"<b>{name}</b>", font={"size": _NAME, "color": "#111"}, borderpad=2,
            bgcolor="rgba(255, 255, 255, 0.75)", captureevents=False, showarrow=moved, ax=right, ay=-up, arrowhead=0,
            arrowwidth=1.5, arrowcolor=_GREY, standoff=0,
        )  # fmt: skip


def aggregate_plane(found: Holes, names: tuple[str, str, str], titles: tuple[str, str]) -> go.Figure:
    """Draws the aggregate posterior, circles of the prior, and the holes, with numbers at the deepest.

    Arguments:
        found: of a plane.
        names: of the aggregate posterior, of the prior, and of holes.
        titles: of the two axes.
    """
    shade = np.maximum(found.log_q, found.log_p.max() - 8).astype(np.float32)
    middle = found.y.mean(), found.x.mean()  # of the grid, and of the prior
    turn = np.linspace(0, 2 * np.pi, 121)
    figure = go.Figure([
        go.Heatmap(
            x=found.x, y=found.y, z=shade, showscale=False, name=names[0],
            colorscale=[(0, clear(AGGREGATE, 0)), (1, clear(AGGREGATE, 1))],
            customdata=(found.log_q - found.log_p).astype(np.float32),
            hovertemplate="(%{x:.1f}, %{y:.1f})<br>log q/p = %{customdata:.1f}<extra></extra>",
        ),
        go.Heatmap(
            x=found.x, y=found.y, z=np.where(found.hole, 1, np.nan).astype(np.float32), showscale=False,
            colorscale=[(0, HOLE), (1, HOLE)], opacity=0.75, name=names[2], hoverinfo="skip",
        ),
    ])  # fmt: skip
    for share in (0.5, 0.95):
        radius = np.sqrt(-2 * np.log(1 - share))
        figure.add_scatter(
            x=middle[1] + radius * np.cos(turn), y=middle[0] + radius * np.sin(turn), mode="lines", hoverinfo="skip",
            line={"color": PRIOR, "width": 2}, name=names[1], showlegend=share == 0.5,
        )  # fmt: skip
    for colour, name in ((AGGREGATE, names[0]), (HOLE, names[2])):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=name, marker={"symbol": "square", "color": colour, "size": 12}
        )
    for number, (x, y) in enumerate(found.places.tolist(), 1):
        figure.add_annotation(
            x=x, y=y, text=f"<b>{number}</b>", font={"size": 13, "color": "#111"}, borderpad=2,
            bgcolor="rgba(255, 255, 255, 0.85)", ax=26, ay=-22, arrowhead=0, arrowwidth=1.5, arrowcolor=HOLE,
        )  # fmt: skip
    axis = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    figure.update_layout(
        height=560, margin=_MARGIN, dragmode=False,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "traceorder": "normal"},
        xaxis=axis | {"title": titles[0]}, yaxis=axis | {"title": titles[1], "scaleanchor": "x"},
    )  # fmt: skip
    return figure


def aggregate_line(found: Holes, names: tuple[str, str, str], titles: tuple[str, str]) -> go.Figure:
    """Draws the densities of the aggregate posterior and the prior over the line of J = 1, with holes shaded.

    Arguments: as for `aggregate_plane`; `found` is for a line.
    """
    q, p = np.exp(found.log_q[0]), np.exp(found.log_p[0])
    figure = go.Figure([
        go.Scatter(
            x=found.x, y=density.astype(np.float32), name=name, line={"color": colour, "width": 2},
            hovertemplate="%{y:.3g}",
        )
        for density, name, colour in ((q, names[0], AGGREGATE), (p, names[1], PRIOR))
    ])  # fmt: skip
    figure.add_bar(
        x=found.x, y=np.where(found.hole[0], p, np.nan).astype(np.float32), name=names[2], hoverinfo="skip",
        marker={"color": clear(HOLE, 0.5), "line": {"width": 0}},
    )  # fmt: skip
    for number, (x, _) in enumerate(found.places.tolist(), 1):
        figure.add_annotation(x=x, y=float(p.max()) * 1.05, text=f"<b>{number}</b>", showarrow=False)
    figure.update_layout(
        height=360, margin=_MARGIN, bargap=0, hovermode="x", dragmode=False,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0},
        xaxis={"title": titles[0]}, yaxis={"title": titles[1], "range": [0, float(p.max()) * 2]},
    )  # fmt: skip
    return figure


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()
