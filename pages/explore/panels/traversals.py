"""Latent traversals: each row of images varies one coordinate of z and keeps the others fixed."""

import numpy as np
import streamlit as st

from pages import cache
from pages.explore.panels import start
from pages.ui import pictures, words
from pages.ui.language import _
from vae import figures, latent
from vae.latent import traversals

_ROWS, _STEPS = 8, 11
_UNUSED = 0.01  # dimensions that carry less are not shown


def show(model: cache.Model) -> None:
    """Draws the table around the current latent, with the most informative dimension on top."""
    carried, unit = cache.carried(model)
    order = [int(j) for j in np.argsort(-carried, kind="stable")]
    used = [j for j in order if carried[j] >= _UNUSED] or order[:1]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        begin = start.choose(model, "decode.traversals", _("Around"))
        reach = "codes"
        if not cache.record(model[0]).autoencoder:  # an autoencoder has no prior
            names = {"prior": _("−3 to 3"), "codes": _("range of the codes")}
            reach = st.segmented_control(
                _("Range of each coordinate"), list(names), default="prior", required=True,
                key="decode.traversals.reach", format_func=names.__getitem__,
            )  # fmt: skip
        picked = order[: len(used)][:_ROWS]
        if len(order) > 1:
            picked = st.multiselect(
                _("Coordinates"), order, picked, key=f"decode.traversals.{model[0]}.rows", width=420,
                format_func=lambda j: words.carries(j, float(carried[j]), unit),
            ) or picked  # fmt: skip
    means = cache.codes(model).mean[:, picked]
    low, high = np.quantile(means, [0.005, 0.995], 0) if reach == "codes" else np.tile([[-3.0], [3.0]], len(picked))
    values = np.linspace(low, high, _STEPS).T
    table = traversals(begin.z, picked, values)
    images = latent.decode(cache.load(model), table.reshape(-1, len(begin.z))).mean
    own = [_nearest(values[row], float(begin.z[j])) for row, j in enumerate(picked)]
    sheet = figures.latent.sheet(
        images.reshape(len(picked), _STEPS, *images.shape[1:]), [f"z{j + 1}" for j in picked],
        [f"{value:+.1f}".replace("+0.0", "0") for value in values[0]] if reach == "prior" else (), 3, own,
    )  # fmt: skip
    with st.container(key="decode-table"):
        pictures.wide(sheet, _("Decoded means: each row varies one coordinate from left to right"))
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption(
        _(
            "Around {start}. In each row, a frame marks the step closest to the coordinate's current value, if "
            "one is within half a step of it."
        ).format(start=begin.words)
    )
    right.download_button(
        _("PNG"), sheet, f"{model[0]}-traversals.png", "image/png", icon=":material/download:",
        key="decode.traversals.png", on_click="ignore",
    )  # fmt: skip
    if len(used) < len(order):
        unused = ", ".join(words.coordinate(j) for j in sorted(order[len(used) :]))
        st.caption(_("Not shown, because they carry less than 0.01 {unit}: {names}.").format(unit=unit, names=unused))


def _nearest(values: np.ndarray, own: float) -> int:
    """Returns the step within half a step of the latent's own value, or -1."""
    away = np.abs(values - own)
    return int(away.argmin()) if away.min() <= (values[1] - values[0]) / 2 + 1e-6 else -1
