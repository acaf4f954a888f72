"""The likelihood laboratory: every estimator of log p(x) compared with the exact value, one step per screen."""

import streamlit as st

from pages import cache
from pages.measure.panels import area, cases, chosen, gap, mass, race, sides
from pages.ui import state, steps
from pages.ui.language import _

STEPS = {
    "race": (_("The race"), race), "mass": (_("Where the mass is"), mass), "gap": (_("The gap"), gap),
    "dimensions": (_("More dimensions"), sides), "area": (_("As an area"), area),
    "trust": (_("Which to trust"), cases),
}  # fmt: skip

model = cache.model_id(state.model())
if cache.record(model[0]).autoencoder:
    st.info(_("{name} is a plain autoencoder, so it has no p(x). Choose another model.").format(name=model[0]))
    st.stop()
step = steps.choose("likelihood", {name: title for name, (title, _panel) in STEPS.items()})
panel = STEPS[step][1]
picked = chosen.find(model)
with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader(panel.title(), anchor=False, width="stretch")
    chosen.show(picked)
panel.show(picked)
