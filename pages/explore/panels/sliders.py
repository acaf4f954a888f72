"""A slider for each latent dimension: in the browser, or on the server where the decoder does not fit one."""

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import browser, pictures, state, words
from pages.ui.language import _
from vae import figures

_MOST = 20  # sliders on the server; less informative dimensions stay fixed


def show(model: cache.Model) -> None:
    """Draws the sliders and the decoded z."""
    st.caption(
        _(
            "Each slider sets one coordinate of z, the most informative first. The strip below it shows how the "
            "image changes."
        )
    )
    if "decoder" in cache.browser.packed(model, cache.images(model).name):
        browser.sliders(model, browser.store(model))
    else:
        _on_the_server(model)


def _on_the_server(model: cache.Model) -> None:
    st.info(_("This decoder cannot run in the browser. The server decodes when you release a slider."))
    carried, unit = cache.carried(model)
    order = [int(j) for j in np.argsort(-carried, kind="stable")][:_MOST]
    reach = np.maximum(3, np.ceil(np.abs(cache.codes(model).mean).max(0))).tolist()
    z = cache.z(model).astype(float)
    keys = {j: f"decode.{model}.z{j + 1}" for j in order}

    def moved(j: int) -> None:
        z[j] = st.session_state[keys[j]]
        state.use_z(tuple(float(v) for v in z))

    left, right = st.columns([3, 2], gap="medium")
    with left:
        columns = st.columns(2 if len(order) > 5 else 1)
        for place, j in enumerate(order):
            st.session_state[keys[j]] = float(np.clip(round(z[j], 2), -reach[j], reach[j]))
            with columns[place * len(columns) // len(order)]:
                label = words.carries(j, carried[j], unit)
                st.slider(label, -reach[j], reach[j], step=0.01, key=keys[j], on_change=moved, args=(j,))
    decoded = cache.decode(model, tuple(z.tolist()), state.seed())
    deviation = figures.over_colours(decoded.deviation[0])
    with right:
        pictures.show(decoded.mean[0], _("mean of p(x|z)"), scale=10)
        pictures.row(
            {
                words.deviation_range(cache.record(model[0]).model).format(
                    low=f"{deviation.min():.2f}", high=f"{deviation.max():.2f}"
                ): pictures.sigma(deviation),
                _("a sample x ~ p(x|z)"): pictures.plain(decoded.sample[0]),
            }
        )
