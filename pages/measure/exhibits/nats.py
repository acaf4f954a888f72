"""The contributions to log p(x|z), pixel by pixel, and the share of the border, which is always black."""

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.exhibits import scene
from pages.measure.exhibits.scene import Scene
from pages.ui import state
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import figures

_AVERAGED = 2000  # test images, at most


def title() -> str:
    """Returns the title of the step."""
    return _("Which pixels the log-likelihood comes from")


def show(about: Scene) -> None:
    """Draws the pixels of each model."""
    averaged = range(min(_AVERAGED, len(about.dataset.test)))
    kinds = {"mean": _("Mean over {n:,} test images").format(n=len(averaged)), "image": _("Image in use")}
    border = cache.variance.border(about.dataset.name)
    highest = about.ceiling / border.size  # nats per pixel; a colour pixel has three values
    st.markdown(
        _(
            r"$\log p(x|z)$ is a sum over pixels. The dark line separates the border: {count} of the {d} pixels are 0 "
            "in at least 99 of 100 test images. The strongest blue is the ceiling of a pixel, {ceiling:.2f} nats."
        ).format(count=border.sum(), d=border.size, ceiling=highest)
    )

    @fragment()
    def pixels() -> None:
        state.begin("variance.nats", state.one_of(kinds), "mean")
        with st.container(horizontal=True, vertical_alignment="center"):
            kind = st.segmented_control(
                _("Log-likelihood of"), list(kinds), required=True, format_func=kinds.__getitem__, key="variance.nats",
                persist_state="session", label_visibility="collapsed",
            )  # fmt: skip
            says = _("+{ceiling:.2f} nats per pixel").format(ceiling=highest)
            scene.colours(figures.variance.NATS, f"−{highest:.2f}", says)
        state.write_link(variance__nats=None if kind == "mean" else kind)
        rows = averaged if kind == "mean" else range(about.row, about.row + 1)
        totals = {name: _pixels(about, name, rows, border, highest) for name in scene.columns(about)}
        _compare(about, totals)

    pixels()


def _pixels(about: Scene, name: str, rows: range, border: np.ndarray, highest: float) -> tuple[float, float]:
    """Draws the pixels of a model; returns their sum, and that of the border."""
    nats = cache.variance.nats_by_pixel(about.models[name], about.dataset.name, rows)
    whole, edge = float(nats.sum()), float(nats[border].sum())
    figure = figures.variance.nats_picture(nats, border, highest, (_("pixel across"), _("pixel down")))
    scene.chart(figure, "nats", name, _("log p(x|z) pixel by pixel"), 262)
    sums = {"edge": edge, "rest": whole - edge, "whole": whole}
    says = _("Border {edge:,.0f} + interior {rest:,.0f} = **{whole:,.0f} nats**.").format(**sums)
    if 0 < edge <= whole:
        says += " " + _("{share:.0%} of them only say that the border is black.").format(share=edge / whole)
    st.markdown(says)
    return whole, edge


def _compare(about: Scene, totals: dict[str, tuple[float, float]]) -> None:
    """States where the best model gains its nats over the second."""
    best, *others = sorted(totals, key=lambda name: -totals[name][0])
    for other in others[:1]:
        more, edge = np.subtract(totals[best], totals[other])
        says = _("**{best}** has {more:,.0f} nats more than **{other}**; {edge:,.0f} of them lie on the border.")
        st.markdown(says.format(best=scene.title(about, best), other=scene.title(about, other), more=more, edge=edge))
