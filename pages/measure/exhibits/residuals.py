"""Calibration: residuals against their predicted standard deviation."""

import streamlit as st

from pages import cache
from pages.measure.exhibits import scene
from pages.measure.exhibits.scene import Scene
from pages.ui.language import _
from vae import figures

FAR = 2.0  # distance from all codes, in units of z


def title() -> str:
    """Returns the title of the step."""
    return _("Is σ calibrated?")


def show(about: Scene) -> None:
    """Draws residuals against sigma."""
    st.markdown(
        _(
            r"Pixels are grouped by the $\sigma$ predicted for them. The vertical axis is the root mean square of "
            r"their residuals $x - \mu$. On the straight line $\sigma$ is calibrated; above it, $\sigma$ is too small."
        )
    )
    residual = _("root mean square of x − μ")
    ways = (_("predicted σ, pixels in [0, 1]"), residual)
    lines = (_("at the codes"), _("far from the codes"), _("x − μ = σ"))
    for name in scene.columns(about):
        inside, far, _curve = cache.variance.residuals(about.models[name], about.dataset.name, FAR)
        figure = figures.variance.calibrated(inside, far, (1e-3, 10), ways, lines)
        scene.chart(figure, "calibration", name, _("Residuals against predicted σ"), 360)
    st.markdown(
        _(
            "**Filled markers**: {count:,} test images, decoded at their codes. **Open markers**: points $z$ more than "
            "{far:g} away from all codes, compared with the test image whose code is nearest. Larger markers stand for "
            "more pixels; values beyond an axis are drawn at its edge."
        ).format(count=min(cache.variance.NEAR, len(about.dataset.test)), far=FAR)
    )
