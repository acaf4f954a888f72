"""Data sets: what there is to learn from, and images of one's own, looked at before they are kept."""

import streamlit as st

from pages.train.panels import importing, sets
from pages.ui.language import _

st.markdown(
    _(
        "The data sets that models can be trained on. You can add your own: a zip archive of a folder of images, "
        "arrays, or individual image files."
    )
)
importing.show()
sets.show()
