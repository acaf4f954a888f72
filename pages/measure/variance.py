"""The effect of a learned variance, one step per screen, for models that differ only in their variance."""

import streamlit as st

from pages import cache
from pages.measure.exhibits import distance, floors, maps, nats, residuals, scene, score
from pages.ui import steps
from pages.ui.language import _
from vae.model import ModelConfig

STEPS = {
    "score": (_("The score"), score), "map": (_("In latent space"), maps), "nats": (_("Pixel by pixel"), nats),
    "calibration": (_("Calibration"), residuals), "distance": (_("Far from the data"), distance),
    "floor": (_("Moving the floor"), floors),
}  # fmt: skip

about = scene.find()
name = about.chosen.name
if not isinstance(about.chosen.model, ModelConfig):
    st.info(
        _("{name} was trained elsewhere, and its variance has no floor that could be moved, so it is left out.").format(
            name=name
        )
    )
elif not scene.gaussian(about.chosen):
    st.info(_("{name} has no learned variance, so it is left out.").format(name=name))
if not about.records:
    st.info(_("Choose a model with a Gaussian likelihood."))
    st.stop()
step = steps.choose("variance", {key: title for key, (title, _panel) in STEPS.items()})
panel = STEPS[step][1]
with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader(panel.title(), anchor=False, width="stretch")
    if step in ("map", "nats", "floor"):  # steps about a single image
        steps.choose_image("variance", cache.model_id(next(iter(about.records))), about.dataset, about.row)
panel.show(about)
