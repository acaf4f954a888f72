"""The likelihood laboratory: every estimator of log p(x) against the exact value."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages import cache
from pages.measure.panels import area, cases, chosen, gap, mass, race, sides
from pages.ui import state
from pages.ui.language import _, said
from vae.errors import VAEError

st.markdown(
    _(
        "How probable is an image? Naive Monte Carlo draws $z_l$ from the prior and averages, "
        r"$\log p(x) \approx \log \frac{1}{L} \sum_l p(x|z_l)$. Almost no draw lands where $p(x|z)$ is large. "
        r"The **ELBO** asks the encoder where to look, and on average never lies above $\log p(x)$."
    )
)
model = cache.model_id(state.model())
if cache.record(model[0]).autoencoder:
    st.info(_("{name} is a plain autoencoder: it has no p(x). Choose another model.").format(name=model[0]))
    st.stop()
picked = chosen.images(model)


def panel(place: DeltaGenerator, show: Callable[[chosen.Chosen], None]) -> None:
    """Draws a part of the page; where it cannot be drawn, it says why, and the others stand."""
    with place:
        try:
            show(picked)
        except VAEError as error:
            st.error(said(error), icon=":material/error:")


# Fragments would not do: Streamlit lets a run of the page be stopped by a click, and one of a fragment not.
rest = race.show(picked)
left, right = st.columns([3, 2], gap="medium")
below = [st.container() for _part in range(3)]
# each in its place, those first that take least
for place, part in ((below[2], cases), (below[0], sides)):
    panel(place, part.show)
rest.level()
for place, part in ((left, mass), (right, gap), (below[1], area)):
    panel(place, part.show)
rest.run()
