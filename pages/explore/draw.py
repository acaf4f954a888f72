"""Draw a digit, or photograph one, and see what the model makes of it."""

from gettext import gettext as _

import numpy as np
import streamlit as st

from pages.ui import browser, cache, state, words
from pages.ui.fragment import fragment

model = cache.model_id(state.model())
config = cache.record(state.model()).model
dataset = cache.images(model)

st.markdown(
    _(
        "Each stroke is encoded at once: the ellipse is $q(z|x)$ on the latent plane, and the ELBO says how probable "
        "the model finds the drawing at least. Draw something that is no digit, too."
    )
)
kept = browser.store(model, encoder=True)
plane = None if config.latent > 2 else (0, min(1, config.latent - 1))
titles = (
    (_("first principal direction"), _("second principal direction"))
    if plane is None
    else (words.coordinate(0), words.coordinate(1) if config.latent > 1 else "")
)


@fragment()
def explore() -> None:
    drawing = state.drawing()
    row = min(state.image(), len(dataset.test) - 1)
    if "draw.given" not in st.session_state or st.session_state["draw.given"]["model"] != model[0]:
        example = drawing is None
        image = dataset.test.images[row].numpy() if drawing is None else drawing
        st.session_state["draw.given"] = {
            "id": f"{model[0]} {row if example else 'drawing'}", "model": model[0], "example": example,
            "pixels": np.ravel(image).tolist(),
        }  # fmt: skip
    browser.sketch(model, kept, cache.axes(model, plane), titles, st.session_state["draw.given"], key="draw.pad")
    st.button(
        _("Take it to the likelihood page"), icon=":material/query_stats:", disabled=state.drawing() is None,
        key="draw.take",
    )  # fmt: skip


explore()
