"""One latent at a time: move each coordinate and see the mean, the deviation and a draw of p(x|z)."""

from gettext import gettext as _

import numpy as np
import streamlit as st

from pages.ui import cache, pictures, state, words
from pages.ui.fragment import fragment

model = cache.model_id(state.model())
config = cache.record(state.model()).model
dataset = cache.images(model)
codes = cache.codes(model)
carried, unit = cache.carried(model)
order = [int(j) for j in np.argsort(-carried, kind="stable")]
reach = np.maximum(4, np.ceil(np.abs(codes.mean).max(0))).tolist()
row = min(state.image(), len(dataset.test) - 1)
MOST = 20  # sliders; what carries less stays as it is
TAKEN = f"decode.{model}.row"  # the image that z was taken from


def key(j: int) -> str:
    return f"decode.{model}.z{j + 1}"


def take(z: np.ndarray) -> None:
    for j in order:
        st.session_state[key(j)] = float(np.clip(round(float(z[j]), 2), -reach[j], reach[j]))


def take_image(row: int) -> None:
    state.use_image(row)
    st.session_state[TAKEN] = row
    take(codes.mean[row])


def another() -> None:
    take_image(int(np.random.default_rng().integers(len(dataset.test))))


def from_number() -> None:
    take_image(st.session_state["decode.row"])


st.markdown(
    _(
        "A decoder does not return an image but a distribution, $p(x|z)$: a mean and a deviation for each pixel. "
        "Each slider is one coordinate of $z$, the one that carries most first."
    )
    if config.likelihood != "bernoulli"
    else _(
        "A decoder does not return an image but a distribution, $p(x|z)$: for binary pixels, the probability that each "
        "is white. Each slider is one coordinate of $z$, the one that carries most first."
    )
)
if st.session_state.get(TAKEN) != row or key(0) not in st.session_state:  # none yet, or chosen on the map
    take_image(row)


@fragment()
def explore() -> None:
    row = min(state.image(), len(dataset.test) - 1)
    st.session_state["decode.row"] = row
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            _("Start from test image"), 0, len(dataset.test) - 1, key="decode.row", on_change=from_number, width=200
        )
        st.button(_("Any image"), icon=":material/shuffle:", on_click=another)
        st.button(
            _("Prior mean, z = 0"),
            icon=":material/filter_center_focus:",
            on_click=take,
            args=(np.zeros(config.latent),),
        )
        st.button(_("Draw x again"), icon=":material/casino:", on_click=state.draw_again)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        columns = st.columns(2 if config.latent > 5 else 1)
        for place, j in enumerate(order[:MOST]):
            label = words.carries(j, carried[j], unit)
            with columns[place * len(columns) // len(order[:MOST])]:
                st.slider(label, -reach[j], reach[j], step=0.01, key=key(j), persist_state="session")
        if config.latent > MOST:
            st.caption(_("The {count} dimensions that carry most; the others stay.").format(count=MOST))
    z = tuple(float(st.session_state[key(j)]) for j in range(config.latent))
    decoded = cache.decode(model, z, state.seed())
    deviation = decoded.deviation[0]
    with right:
        pictures.show(decoded.mean[0], _("mean of p(x|z)"), scale=14)
        pictures.row(
            {
                _("σ of p(x|z), {low:.2f} to {high:.2f}").format(
                    low=deviation.min(), high=deviation.max()
                ): pictures.sigma(deviation),
                _("a draw x ~ p(x|z)"): pictures.grey(decoded.sample[0]),
                _("test image {row}").format(row=row): pictures.grey(dataset.test.images[row].numpy() / 255),
            }
        )


explore()
