"""The page Samples: decoded samples from the prior, for models with 2, 5, 10 and 20 latent dimensions."""

import streamlit as st

from pages import cache
from pages.ui import pictures, state
from pages.ui.language import _
from vae import catalogue

SIDE = 8

st.markdown(
    _(
        "To generate an image, sample $z \\sim p(z) = N(0, I)$, decode it, and sample $x \\sim p(x|z)$. No input image "
        "is needed."
    )
)
shown = {
    "mean": _("Mean of p(x|z)"),
    "draw": _("Sample from p(x|z)"),
}
with st.container(horizontal=True, vertical_alignment="bottom"):
    kind = st.segmented_control(
        _("Show"), list(shown), default="mean", required=True, format_func=shown.__getitem__, key="samples.kind",
        persist_state="session",
    )  # fmt: skip
    st.button(_("New samples"), icon=":material/casino:", on_click=state.draw_again)

there = {record.name: record for record in catalogue()[0]}
names: list[str] = [name for name in ("mnist-2d", "mnist-5d", "mnist-10d", "mnist-20d") if name in there]
if state.model() not in names:
    names.append(state.model())
columns = st.columns(min(len(names), 4))
for place, name in enumerate(names):
    record = there[name]
    with columns[place % len(columns)]:
        decoded = cache.samples(cache.model_id(name), SIDE * SIDE, state.seed())
        st.markdown(_("**{size}-D latent space**").format(size=record.model.latent))
        pictures.strip(decoded.mean if kind == "mean" else decoded.sample, name, columns=SIDE)
st.caption(
    _(
        "A sample includes the pixel noise of the model, which is independent for each pixel; most papers show the "
        "mean instead. With more latent dimensions reconstructions become sharper, but more of the samples from the "
        "prior look unlike any image of the data set."
    )
)
