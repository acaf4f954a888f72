"""Data sets: what there is to learn from, and images of one's own, looked at before they are kept."""

import streamlit as st

from pages.train.panels import importing, sets
from pages.ui.language import _

st.markdown(
    _("Models learn from sets of images. Bring your own: a folder as a zip archive, arrays, or single image files.")
)
importing.show()
sets.show()
