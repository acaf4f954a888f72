"""A part of a report, all of it JSON: sentences, numbers, a table, pictures as data URIs, figures as Plotly's JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.data import Dataset
from vae.evidence import Progress
from vae.figures import contact_sheet, fitted, png_uri
from vae.latent import ALL_COLLAPSED, Codes
from vae.model import VAE, Record

__all__ = ["ELBO_SAMPLES", "Part", "Subject", "drawn", "sheet", "signed"]

Array = NDArray[Any]
ELBO_SAMPLES = 10  # for the ELBO of an image


@dataclass(frozen=True)
class Subject:
    """The subject of a report, with everything that its parts need.

    Attributes:
        model: the VAE.
        record: of the model.
        dataset: the images that it is shown with.
        x: (N, D) pixels of the first held-out images.
        codes: of the same N images.
        elbo: (N,) of each, nats.
        tell: called with the completed fraction of a part that takes long.
    """

    model: VAE
    record: Record
    dataset: Dataset
    x: Tensor
    codes: Codes
    elbo: Array
    tell: Progress | None = None

    @property
    def gaussian(self) -> bool:
        """Whether p(x|z) is a Gaussian, and so has a variance."""
        return self.model.config.likelihood != "bernoulli"

    @property
    def kl(self) -> Array:
        """Mean KL of each dimension over the N images, (J,) nats."""
        return self.codes.kl.mean(0, dtype=np.float64)

    @property
    def collapsed(self) -> bool:
        """Whether q(z|x) differs from the prior by less than `ALL_COLLAPSED`."""
        return bool(self.kl.sum() < ALL_COLLAPSED)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a report.

    Attributes:
        title: its heading.
        says: the findings, in sentences; the first states the number of images.
        numbers: the same as numbers by name, in nats unless stated otherwise.
        table: rows of cells, the first of which are headings; empty if there is none.
        pictures: each a data URI and its caption.
        figures: each the JSON of a Plotly figure, and a description of it.
    """

    title: str
    says: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    table: list[list[str]] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Returns the part as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, says: dict[str, Any]) -> Part:
        """Makes a part from the result of `to_dict`."""
        pairs = {name: [(str(a), str(b)) for a, b in says[name]] for name in ("pictures", "figures")}
        return cls(**says | pairs)


def sheet(images: Array | Tensor, caption: str, columns: int = 10, scale: int = 3) -> tuple[str, str]:
    """Returns images (N, H, W) or (N, H, W, 3) in [0, 1] as one picture, in whole rows."""
    values = images.numpy() if isinstance(images, torch.Tensor) else images
    columns = min(columns, len(values))
    whole = values[: len(values) // columns * columns]
    return png_uri(contact_sheet(whole, columns, fitted(scale, *whole.shape[1:3]))), caption


def drawn(figure: go.Figure, shows: str) -> tuple[str, str]:
    """Returns a figure as JSON, without colours for background and text, which come from the page that shows it."""
    return json.dumps(figure.to_plotly_json(), default=_plain), shows


def signed(value: float, error: float | None = None, digits: int = 1) -> str:
    """Formats a number of nats, with its standard error if there is one."""
    text = f"{value:,.{digits}f}".replace("-", "−")
    return text if error is None else f"{text} ± {error:,.{digits}f}"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(type(value).__name__)
