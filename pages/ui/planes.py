"""The plane of latent space shown on the map: its choice and description."""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import words
from pages.ui.language import _
from vae import latent

_KIND, _FIRST, _SECOND = "map.plane", "map.first", "map.second"


class Shown(NamedTuple):
    """A plane of latent space.

    Attributes:
        axes: its position and directions.
        titles: of the horizontal and the vertical axis.
        says: the share of the codes' variance that it captures; "" if it is the whole latent space.
    """

    axes: latent.Axes
    titles: tuple[str, str]
    says: str


def choose(model: cache.Model) -> Shown:
    """Returns the plane to show; if J > 2, lets the user choose it, and describes it."""
    if cache.record(model[0]).model.latent > 2:
        _ask(model)
    found = shown(model, chosen(model))
    if found.says:
        st.caption(found.says)
    return found


def chosen(model: cache.Model) -> tuple[int, int] | None:
    """Returns the two coordinates last chosen in this session, or None for the principal directions."""
    size = cache.record(model[0]).model.latent
    first: Any = st.session_state.get(_FIRST)
    second: Any = st.session_state.get(_SECOND)
    known = (
        first in range(size) and second in range(size) and first != second
    )  # they may have been chosen for another model
    return (first, second) if size > 2 and known and st.session_state.get(_KIND) == "two" else None


def shown(model: cache.Model, plane: tuple[int, int] | None) -> Shown:
    """Returns the plane of two coordinates or, for None, of the principal directions; if J <= 2, the whole space."""
    size = cache.record(model[0]).model.latent
    if size <= 2:
        titles = words.coordinate(0), words.coordinate(1) if size > 1 else ""
        return Shown(cache.axes(model, (0, size - 1)), titles, "")
    axes = cache.axes(model, plane)
    says = _(
        "This plane captures {both:.0%} of the variance of the means: {a:.0%} horizontally and {b:.0%} vertically. "
        "Along all other directions, z stays as it was chosen."
    ).format(both=axes.share.sum(), a=axes.share[0], b=axes.share[1])
    if plane is None:
        return Shown(axes, (_("first principal direction"), _("second principal direction")), says)
    return Shown(axes, (words.coordinate(plane[0]), words.coordinate(plane[1])), says)


def _ask(model: cache.Model) -> None:
    carried, unit = cache.carried(model)
    dimensions = [int(j) for j in np.argsort(-carried, kind="stable")]
    kinds = {"pca": _("Principal directions"), "two": _("Two coordinates")}

    def named(j: int) -> str:
        return words.carries(j, carried[j], unit)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            _("Plane through z"), list(kinds), default="pca", required=True, format_func=kinds.__getitem__,
            key=_KIND, persist_state="session",
        )  # fmt: skip
        if kind == "two":
            first = st.selectbox(_("Horizontal"), dimensions, format_func=named, key=_FIRST, width=200)
            others = [j for j in dimensions if j != first]
            st.selectbox(_("Vertical"), others, format_func=named, key=_SECOND, width=200)
