"""Models: what there is, one's own put in order, and models of other programs."""

import streamlit as st

from pages.train.panels import bringing, shelf
from pages.ui.language import _

st.markdown(_("All models. Your own can be renamed, copied and deleted, and those of other programs can be added."))
shelf.show()
bringing.show()
