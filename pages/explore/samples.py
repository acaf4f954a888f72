"""What models of 2, 5, 10 and 20 latent dimensions make of draws from the prior."""

import streamlit as st

from pages import cache
from pages.ui import pictures, state
from pages.ui.language import _
from vae import catalogue

SIDE = 8

st.markdown(_("Generating: draw $z \\sim p(z) = N(0, I)$, decode, and draw $x \\sim p(x|z)$. No image goes in."))
shown = {
    "mean": _("Mean of p(x|z)"),
    "draw": _("Draw from p(x|z)"),
}
with st.container(horizontal=True, vertical_alignment="bottom"):
    kind = st.segmented_control(
        _("Show"), list(shown), default="mean", required=True, format_func=shown.__getitem__, key="samples.kind",
        persist_state="session",
    )  # fmt: skip
    st.button(_("New draws"), icon=":material/casino:", on_click=state.draw_again)

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
        "A draw adds the noise that the model believes in, independent from pixel to pixel; the mean is what most "
        "papers print. With more dimensions reconstructions get sharper, while more draws from the prior look like no "
        "image of the set."
    )
)
