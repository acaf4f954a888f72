"""The page Models: a list of all models, the management of a user's own, and the import of others."""

import streamlit as st

from pages.train.panels import bringing, card, shelf
from pages.ui.language import _

st.markdown(
    _("All available models. You can rename, copy and delete your own models, and import models from other programs.")
)
record = shelf.choose()
details, changes, imports = st.tabs([_("Details"), _("Rename, copy, delete"), _("Import a model")])
with details:
    card.show(record)
with changes:
    shelf.change(record.name)
with imports:
    bringing.show()
    shelf.welcome()
