"""A floor of the variance changes log p(x|z), but not the decoded mean."""

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.exhibits import scene
from pages.measure.exhibits.scene import Scene
from pages.ui import state, words
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import figures
from vae.model import bits_per_dimension

FLOORS = tuple(np.arange(-16, 0.5, 0.5).tolist())
_FIRST = -6.0


def title() -> str:
    """Returns the title of the step."""
    return _("A floor changes the likelihood, not the picture")


def show(about: Scene) -> None:
    """Draws log p(x|z) of the image for each floor, and the decoded image for the selected one."""

    @fragment()
    def moved() -> None:
        left, right = st.columns(2, gap="medium", vertical_alignment="center")
        says = _(r"For {image}, decoded at its code. The weights are kept; only the floor of $\log \sigma^2$ moves.")
        left.markdown(says.format(image=words.image(about.dataset, about.row)))
        state.begin("variance.floor", lambda text: min(FLOORS, key=lambda each: abs(each - float(text))), _FIRST)
        floor = right.slider(
            _("Floor of log σ²"), FLOORS[0], FLOORS[-1], step=0.5, key="variance.floor", persist_state="session"
        )
        state.write_link(variance__floor=None if floor == _FIRST else f"{floor:g}")
        for name in scene.columns(about):
            _floor(about, name, floor)

    moved()
    st.caption(
        _(
            "Below the floor used in training, a model uses variances that training has not tested. A single "
            "unexpected pixel can cost all the nats that they gain."
        )
    )


def _floor(about: Scene, name: str, floor: float) -> None:
    """Draws log p(x|z) of a model, and the decoded image for a floor."""
    path = cache.variance.floor_path(about.models[name], about.dataset.name, about.row, FLOORS)
    nats = float(path[FLOORS.index(floor)])
    titles = (_("floor of log σ²"), _("log p(x|z), nats"))
    figure = figures.variance.floors(np.array(FLOORS), path, floor, about.ceiling, titles, _("ceiling"))
    scene.chart(figure, "floors", name, _("log p(x|z) against the floor of the log variance"), 200)
    bits = bits_per_dimension(nats, "gaussian", about.pixels)
    st.markdown(_("**{nats:,.0f} nats**, {bits:.2f} bits per dimension").format(nats=nats, bits=bits))
    decoded = cache.variance.decode_floored(about.models[name], about.dataset.name, about.row, floor)
    scene.show_decoded(about, decoded, draw=False)
