"""The page Train. Training runs in a separate process; this page only reads the files in its folder."""

import streamlit as st

from pages.train.panels import choose, control, watch
from pages.ui import state
from pages.ui.language import _

state.begin(state.JOB, control.known)
st.markdown(
    _("Choose the settings, press Train, and watch the model learn. Training continues when you leave this page.")
)
choose.show()
control.choose()
watch.show()
state.write_link(job=state.watched(), train__view=watch.view())
