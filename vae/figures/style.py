"""Plotly figures from arrays, without models, files or widgets; texts that a visitor reads are arguments.

A colour means the same in every figure: `COLOURS` for quantities, `CLASSES` for classes. `CLASSES` are the ten colours
of Petroff (2021), chosen to be distinguishable to colour-blind people; the map also shows the names of classes as text.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image
from plotly.colors import get_colorscale, sample_colorscale

from vae.training import Report

__all__ = [
    "CLASSES",
    "COLOURS",
    "GRADIENT",
    "SIGMA_COLOURS",
    "clear",
    "contact_sheet",
    "fitted",
    "over_colours",
    "paler",
    "picture",
    "png",
    "png_uri",
    "tiled",
    "training",
]

CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
COLOURS = {
    "reconstruction": "#3b82c4", "kl": "#d55e00", "elbo": "#009e73",
    "naive": "#cc79a7", "importance": "#8661c5", "jackknife": "#c0a6ee", "ais": "#e69f00", "exact": "#888888",
}  # fmt: skip
GRADIENT = "#d6409f"  # the colour of gradients that flow back through a network
SIGMA_COLOURS = (
    np.array(sample_colorscale(get_colorscale("cividis"), np.linspace(0, 1, 256), colortype="tuple")) * 255
).astype(np.uint8)


def training(reports: Sequence[Report], part: str, titles: tuple[str, str], names: tuple[str, str]) -> go.Figure:
    """Draws one part of the objective over epochs, on training images (thin) and on held-out ones (points).

    Arguments:
        reports: of `fit`.
        part: `reconstruction` or `kl`.
        titles: of the two axes.
        names: of the training and the held-out line.
    """
    held_out = [r for r in reports if getattr(r, f"held_out_{part}") is not None]
    colour = COLOURS[part]
    figure = go.Figure(
        [
            go.Scatter(
                x=np.array([r.epoch for r in reports]), y=np.array([getattr(r, part) for r in reports]),
                name=names[0], mode="lines", line={"color": colour, "width": 1.5},
            ),
            go.Scatter(
                x=np.array([r.epoch for r in held_out]), y=np.array([getattr(r, f"held_out_{part}") for r in held_out]),
                name=names[1], mode="lines+markers", marker={"size": 8},
                line={"color": colour, "width": 3, "dash": "dot"},
            ),
        ]
    )  # fmt: skip
    figure.update_layout(
        height=280, margin={"l": 10, "r": 10, "t": 10, "b": 10}, xaxis={"title": titles[0], "rangemode": "tozero"},
        yaxis={"title": titles[1], "tickformat": ",~f"}, hovermode="x unified",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0},
    )  # fmt: skip
    values = np.array([getattr(r, part) for r in reports])
    if part == "reconstruction" and len(values) > 4:
        # the values of the first steps are so low that they would flatten the rest
        low, high = (
            np.quantile(values, 0.1),
            max(values.max(), *(getattr(r, f"held_out_{part}") for r in held_out), values[-1]),
        )
        figure.update_yaxes(range=[low - 0.05 * (high - low), high + 0.1 * (high - low)])
    return figure


def picture(values: NDArray, scale: int = 1, top: float | None = None) -> NDArray[np.uint8]:
    """Converts pixels to an image, each pixel enlarged to a block of pixels so that no browser smooths it.

    Arguments:
        values: (H, W) in grey or (H, W, 3) in colour, a mean or a sample in [0, 1]; or, if `top` is given, a standard
            deviation, shown on a colour scale, averaged over the three channels for images in colour.
        scale: pixels per side for each pixel.
        top: the standard deviation that gets the brightest colour.

    Returns:
        (H*scale, W*scale) grey, or (H*scale, W*scale, 3).
    """
    if top is not None:
        values = over_colours(values)
    level = (np.clip(values / (1 if top is None else top), 0, 1) * 255).round().astype(np.uint8)
    level = level.repeat(scale, 0).repeat(scale, 1)
    return level if top is None else SIGMA_COLOURS[level]


def over_colours(deviation: NDArray) -> NDArray:
    """Returns standard deviations (H, W) unchanged, and for colour, (H, W, 3), the mean over the three channels."""
    return deviation if deviation.ndim == 2 else deviation.mean(2)


def fitted(scale: int, height: int, width: int) -> int:
    """Returns the pixels per side for each pixel of an image: as many as for 28 x 28, fewer if the image is larger."""
    return max(1, min(scale, scale * 28 // max(height, width)))


def contact_sheet(images: NDArray, columns: int, scale: int = 2) -> NDArray[np.uint8]:
    """Arranges images (N, H, W) or (N, H, W, 3) in [0, 1] in rows, N a multiple of columns."""
    return picture(tiled(images.reshape(-1, columns, *images.shape[1:])), scale)


def tiled(images: NDArray) -> NDArray:
    """Joins a table of images (R, S, H, W) or (R, S, H, W, 3) into one image, (R*H, S*W) or (R*H, S*W, 3)."""
    rows, columns, height, width, *colours = images.shape
    return images.swapaxes(1, 2).reshape(rows * height, columns * width, *colours)


def png(image: NDArray[np.uint8]) -> bytes:
    """Encodes an image (H, W) or (H, W, 3) as a PNG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PNG")
    return file.getvalue()


def png_uri(image: NDArray[np.uint8]) -> str:
    """Encodes an image (H, W) or (H, W, 3) as a PNG in a data URI, which is part of the page and cannot be missing."""
    return f"data:image/png;base64,{base64.b64encode(png(image)).decode()}"


def clear(colour: str, opacity: float) -> str:
    """Returns a colour "#rrggbb" with an opacity in [0, 1], in Plotly's form."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def paler(colour: str, strength: float) -> str:
    """Returns a colour "#rrggbb" mixed with white, where 1 means no white: the same on light and dark pages."""
    return "#" + "".join(f"{round(255 + strength * (int(colour[i : i + 2], 16) - 255)):02x}" for i in (1, 3, 5))
