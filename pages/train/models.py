"""The page Models: a list of all models, the management of a user's own, and the import of others."""

import streamlit as st

from pages.train.panels import bringing, shelf
from pages.ui.language import _

st.markdown(
    _("All available models. You can rename, copy and delete your own models, and import models from other programs.")
)
shelf.show()
bringing.show()
