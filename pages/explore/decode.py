"""The page Decode: what a point of latent space decodes to, and paths from it."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from pages import cache
from pages.explore.panels import arithmetic, interpolation, neighbours, sliders, traversals
from pages.ui import state
from pages.ui.fragment import fragment
from pages.ui.language import _

model = cache.model_id(state.model())
dataset = cache.images(model)
PANELS: dict[str, tuple[str, Callable[[cache.Model], None]]] = {
    "sliders": (_("Sliders"), sliders.show),
    "traversals": (_("Traversals"), traversals.show),
    "interpolation": (_("Interpolation"), interpolation.show),
    "arithmetic": (_("Arithmetic"), arithmetic.show),
    "neighbours": (_("Neighbours"), neighbours.show),
}

st.markdown(
    _(
        "The decoder does not return an image but a distribution $p(x|z)$: a mean and a standard deviation for "
        "each pixel."
    )
    if cache.record(model[0]).model.likelihood != "bernoulli"
    else _("The decoder returns a distribution $p(x|z)$: for binary pixels, the probability that each pixel is white.")
)


def another() -> None:
    state.use_image(int(np.random.default_rng().integers(len(dataset.test))))


def from_number() -> None:
    state.use_image(st.session_state["decode.row"])


@fragment()
def explore() -> None:
    state.begin("decode.panel", state.one_of(PANELS), "sliders")
    panel = st.segmented_control(
        _("View"), list(PANELS), required=True, format_func=lambda name: PANELS[name][0], key="decode.panel",
        label_visibility="collapsed", persist_state="session",
    ) or "sliders"  # fmt: skip
    if panel != "interpolation":  # which has its own two images
        st.session_state["decode.row"] = min(state.image(), len(dataset.test) - 1)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.number_input(
                _("Test image"), 0, len(dataset.test) - 1, key="decode.row", on_change=from_number, width=160,
                help=_("Its code z is the mean of q(z|x)."),
            )  # fmt: skip
            st.button(_("Random image"), icon=":material/shuffle:", on_click=another)
    PANELS[panel][1](model)
    state.write_link(decode__panel=None if panel == "sliders" else panel)


explore()
