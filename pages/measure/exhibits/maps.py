"""The mean standard deviation over the latent plane, and the decoded image of a clicked z."""

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.exhibits import scene
from pages.measure.exhibits.scene import Scene
from pages.ui import state, words
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import figures

_HEIGHT = 262  # pixels of a map


def title() -> str:
    """Returns the title of the step."""
    return _("Where in latent space σ is large")


def show(about: Scene) -> None:
    """Draws a map for each model; a click decodes that z."""

    @fragment()
    def maps() -> None:
        st.markdown(
            _(
                "Dots: codes of test images, the means of $q(z|x)$. Cross: the image in use. **Click anywhere** to "
                "decode that $z$."
            )
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            scene.colours(figures.variance.DEVIATIONS, _("mean σ(z): 0.05"), _("0.5 or more, for pixels in [0, 1]"))
            st.button(_("Sample x again"), icon=":material/casino:", on_click=state.draw_again, key="variance.draw")
        for name in scene.columns(about):
            z = _map(about, name)
            scene.show_decoded(about, cache.decode(about.models[name], tuple(z.tolist()), state.seed()))

    maps()


def _map(about: Scene, name: str) -> np.ndarray:
    """Draws the map of a model, and returns the clicked z, or otherwise the code of the image."""
    model, size = about.models[name], about.records[name].model.latent
    plane = (0, min(1, size - 1)) if size < 3 else None
    across, up = words.coordinate(0), words.coordinate(1) if size > 1 else ""
    if size > 2:
        across, up = _("first principal direction"), _("second principal direction")
    figure = cache.variance.variance_map(model, about.dataset.name, plane, about.row, (across, up))
    figure.update_layout(height=state.larger(_HEIGHT))
    picked = st.plotly_chart(
        figure, key=f"variance.map.{model}.{about.row}", on_select="rerun", selection_mode="points",
        config={"displayModeBar": False}, alt=_("Mean σ over the latent plane") + f", {name}",
    )  # fmt: skip
    if not picked.selection.points:
        return scene.code(about, name)
    cell = int(picked.selection.points[0]["customdata"])
    steps, _deviation = cache.variance.variance_plane(model, about.dataset.name, plane)
    place = np.array([[steps[cell % len(steps)], steps[cell // len(steps)]]])
    z: np.ndarray = cache.axes(model, plane).lift(place)[0]
    return z
