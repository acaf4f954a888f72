"""Draw a digit, or photograph one, and see what the model makes of it."""

from gettext import gettext as _
from pathlib import Path

import streamlit as st

from pages.ui import browser, cache, state, words
from pages.ui.fragment import fragment

PAGES = Path(__file__).parents[1]
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
    row = min(state.image(), len(dataset.test) - 1)
    example = dataset.test.images[row].numpy()
    browser.sketch(model, kept, cache.axes(model, plane), titles, example, key="draw.pad")
    if st.button(
        _("Take it to the likelihood page"), icon=":material/query_stats:", disabled=state.drawing() is None,
        key="draw.take",
    ):  # fmt: skip
        state.ask_for_drawing(True)
        st.switch_page(str(PAGES / "measure" / "likelihood.py"))


explore()
