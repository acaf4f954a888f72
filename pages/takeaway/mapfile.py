"""The latent map of a model as one HTML file: the components of the page with all the data they need."""

import base64
import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np

from pages import cache
from pages.ui import browser, colours, language, planes, state, words
from pages.ui.browser import mount
from pages.ui.language import _
from vae import Dataset, paths
from vae.errors import ConfigError
from vae.model import portable

MOST_IMAGES = 10_000
MOST_BYTES = 15_000_000  # of their pixels, about


class InUse(NamedTuple):
    """The initial state of the map.

    Attributes:
        row: of the test image.
        z: the latent (J,) to use instead, if one was chosen.
        plane: two coordinates; None for the principal directions.
        clusters: number of clusters to colour by if there are no labels; None for the density of the codes.
    """

    row: int = 0
    z: tuple[float, ...] | None = None
    plane: tuple[int, int] | None = None
    clusters: int | None = None


BEGIN = InUse()  # before any choice


def in_use(model: cache.Model) -> InUse:
    """Returns the current state of the page Latent map; call it while the session's script runs."""
    row = cache.row(model)
    return InUse(row or 0, state.z() if row is None else None, planes.chosen(model), colours.chosen(model))


def page(model: cache.Model, begin: InUse = BEGIN) -> bytes:
    """Returns the latent map of a model as an HTML file, in the current language.

    The file opens from disk without a network: it contains the decoder, the test images and their codes, and the
    modules that draw the page Latent map. No session is needed to make it.

    Arguments:
        model: by name and time of writing.
        begin: the initial state.

    Returns:
        The file in UTF-8. It contains the first 10,000 test images, or as many hundreds as fit into about 15 MB. For
        `mnist-2d` it has 2.8 MB with 2,000 images and 4.8 MB with 10,000, of which the decoder takes 2.2 MB.

    Raises:
        ConfigError: the decoder cannot run in a browser.
    """
    data = cache.images(model)
    packed = cache.browser.packed(model, data.name)
    if "decoder" not in packed:
        raise ConfigError(
            _(
                "The decoder of {name} cannot run in a browser, so its map cannot be saved as one file. Choose a model "
                "whose decoder is a multilayer perceptron with at most {most:,} weights."
            ).format(name=model[0], most=portable.MOST_PORTABLE)
        )
    sheets = _sheets(data)
    count = min(len(data.test), len(sheets) * cache.browser.SHEET)
    plane, painted = planes.shown(model, begin.plane), cache.latent.colouring(model, begin.clusters)
    z = cache.codes(model).mean[begin.row].tolist() if begin.z is None else begin.z
    told = browser.map_data(model, packed["key"], plane, painted) | {
        "n": 0, "z": [round(v, 5) for v in z], "row": begin.row if begin.z is None and begin.row < count else None,
    }  # fmt: skip
    filled = {
        "language": language.current().replace("_", "-"),
        "title": escape(_("Latent map of {name}").format(name=model[0])),
        "about": "\n".join(f"<p>{escape(each)}</p>" for each in _about(model, data, count, plane, painted)),
        "use": escape(
            _(
                "With a mouse, drag to pan and turn the wheel to zoom. On a touch screen, slide one finger to decode, "
                "and use two to pan and zoom. When the plane has the focus, the arrow keys move z."
            )
        ),
        "wait": escape(_("Drawing the map. This needs JavaScript and a browser from 2023 or later.")),
        "foot": escape(_("Made with vae-explorer {version}.").format(version=paths.version())),
        "style": mount.style(),
        "modules": _json({"imports": mount.embedded("alone.js")}),
        "data": _json({"model": {**_first(packed, count), "sheets": sheets}, "map": told}),
    }
    html = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    return Template(html).substitute(filled).encode()


def _sheets(data: Dataset) -> list[str]:
    """Returns the sheets of the first test images as data URIs, at least one."""
    sheets: list[str] = []
    size = 0
    for number in range(MOST_IMAGES // cache.browser.SHEET):
        png = cache.browser.sheet(data.name, number)
        if png is None or (sheets and size + len(png) * 4 / 3 > MOST_BYTES):
            break
        sheets.append(f"data:image/png;base64,{base64.b64encode(png).decode()}")
        size += len(sheets[-1])
    return sheets


def _first(packed: dict[str, Any], count: int) -> dict[str, Any]:
    """Returns a packed model with the codes of only its first images."""
    numbers = count * packed["config"]["latent"]
    codes: dict[str, Any] = {name: packed[name][:numbers] for name in ("means", "deviations") if name in packed}
    return {**packed, **codes, "count": count, "labels": packed["labels"][:count]}


def _about(
    model: cache.Model, data: Dataset, count: int, plane: planes.Shown, painted: cache.latent.Colouring
) -> list[str]:
    """Describes what the file shows, one string per paragraph."""
    record = cache.record(model[0])
    facts = [
        _("J = {size} latent dimensions").format(size=record.model.latent),
        words.likelihood(record.model.likelihood),
    ]
    if record.autoencoder:
        facts.append(_("plain autoencoder: no ELBO"))
    if words.draws(data):
        facts.append(_("{count:,} samples from the model in place of test images").format(count=count))
    elif count < len(data.test):
        facts.append(
            _("{data}: the first {count:,} of {all:,} test images").format(
                data=words.title(data), count=count, all=len(data.test)
            )
        )
    else:
        facts.append(_("{data}: {count:,} test images").format(data=words.title(data), count=count))
    points = (
        _("Each point is a test image, placed at its code.")
        if record.autoencoder
        else _("Each point is a test image, placed at the mean of its q(z|x).")
    )
    points += " " + _("Move the pointer over the plane to see each point decoded; click to keep a point.")
    return [each for each in (" · ".join(facts), points, plane.says, colours.says(model, painted)) if each]


def _json(values: dict[str, Any]) -> str:
    """Writes values as JSON that is safe within a script element; arrays as alone.js reads them."""
    return json.dumps(values, default=_array).replace("<", "\\u003c")


def _array(values: np.ndarray) -> dict[str, str]:
    return {"kind": values.dtype.name, "base64": base64.b64encode(values.tobytes()).decode()}
