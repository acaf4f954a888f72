"""Sigma and the residuals as functions of the distance from the data."""

import math

import streamlit as st

from pages import cache
from pages.measure.exhibits import residuals, scene
from pages.measure.exhibits.scene import Scene
from pages.ui.language import _
from vae import figures
from vae.uses import variance


def title() -> str:
    """Returns the title of the step."""
    return _("σ far from the data")


def show(about: Scene) -> None:
    """Draws both against the distance from the nearest code."""
    st.markdown(
        _(
            "Medians of the mean σ (yellow) and of the residuals (purple) along rays from 200 codes, directed away "
            "from the prior's mean. A network learns its variance where the codes lie; farther out, nothing makes it "
            "grow (Arvanitidis et al. 2018; Detlefsen et al. 2019)."
        )
    )
    ways = (_("distance from the nearest code"), _("pixels in [0, 1]"))
    for name in scene.columns(about):
        _inside, _far, curve = cache.variance.residuals(about.models[name], about.dataset.name, residuals.FAR)
        figure = figures.variance.by_distance(curve, (0.01, 1.0), ways, (_("mean σ"), _("root mean square of x − μ")))
        scene.chart(figure, "distance", name, _("σ and residuals against the distance from the data"), 310)
        st.markdown(verdict(curve))
    st.caption(
        _(
            r"The numbers in bold are root mean squares of $(x - \mu) / \sigma$. A few pixels with a tiny $\sigma$ can "
            "dominate them."
        )
    )


def verdict(curve: variance.ByDistance) -> str:
    """States how residuals compare with sigma at the codes and at the largest measured distance."""
    here, out = curve.standardised[0], curve.standardised[-1]
    if len(curve.distance) < 2:
        return _("Residuals are **{here} σ** at the codes.").format(here=_times(here))
    says = _("Residuals are **{here} σ** at the codes and **{out} σ** at a distance of {d:.0f}: {verdict}")
    right = _("σ is too large there.") if out < 0.8 else _("σ is about right there.")
    found = _("σ is too small there.") if out > 1.25 else right
    return says.format(here=_times(here), out=_times(out), d=curve.distance[-1], verdict=found)


def _times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}" if ratio < 1e4 else f"$10^{{{math.log10(ratio):.0f}}}$"
