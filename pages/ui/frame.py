"""The frame around every page: navigation, the choice of a model, and the page itself."""

from pathlib import Path

import streamlit as st

from pages.ui import language, state
from pages.ui.language import _

PAGES = Path(__file__).parent.parent

state.read_link()
state.begin_language(language.CATALOGUES, language.preferred())
st.set_page_config(page_title=_("VAE explorer"), page_icon="🔬", layout="wide")
page = st.navigation(
    {
        _("Explore"): [
            st.Page(
                PAGES / "explore" / "latent_map.py",
                title=_("Latent map"),
                icon=":material/scatter_plot:",
                default=True,
            ),
            st.Page(PAGES / "explore" / "decode.py", title=_("Decode"), icon=":material/tune:"),
            st.Page(PAGES / "explore" / "draw.py", title=_("Draw a digit"), icon=":material/draw:"),
            st.Page(PAGES / "explore" / "samples.py", title=_("Samples"), icon=":material/grid_view:"),
            st.Page(PAGES / "explore" / "views.py", title=_("Views"), icon=":material/bubble_chart:"),
        ],
        _("Train"): [st.Page(PAGES / "train" / "train.py", title=_("Train"), icon=":material/model_training:")],
        _("Measure"): [
            st.Page(PAGES / "measure" / "likelihood.py", title=_("Likelihood"), icon=":material/query_stats:"),
            st.Page(PAGES / "measure" / "variance.py", title=_("Decoder variance"), icon=":material/blur_on:"),
        ],
    }
)
st.title(page.title)

# the first words are on screen by now; what follows needs torch
from pages.ui import browser, cache, sidebar  # noqa: E402
from vae.errors import VAEError  # noqa: E402

cache.warm()
try:
    sidebar.show()
    browser.hear(cache.model_id(state.model()))
    state.write_link()
    page.run()
except VAEError as error:
    st.error(str(error), icon=":material/error:")
