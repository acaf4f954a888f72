"""The page Data: the data sets available, and the import of a user's own images with a preview."""

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
