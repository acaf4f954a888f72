"""One step per screen: the steps of a page, the current one named in the link, and the choice of an image."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import examples, state, words
from pages.ui.language import _
from vae import Dataset


def choose(page: str, names: dict[str, str]) -> str:
    """Shows the steps of a page, and returns the key of the selected one.

    Arguments:
        page: the first part of the name of the choice in the link, "likelihood.step".
        names: of the steps by key, in order; the first is shown without a step in the link, or after one that another
            model had.
    """
    key, first = f"{page}.step", next(iter(names))
    st.html(
        # a step should fit on one screen
        "<style>.stMainBlockContainer { padding-bottom: 1rem; } .stMain h3 { font-size: 1.35rem; padding: 0.2rem 0; } "
        ".katex-display { margin: 0.2rem 0; }</style>"
    )
    state.begin(key, state.one_of(names), first)
    if st.session_state[key] not in names:
        st.session_state[key] = first
    step = st.segmented_control(
        _("Step"), list(names), required=True, key=key, label_visibility="collapsed", persist_state="session",
        format_func=names.__getitem__, wrap=True,
    )  # fmt: skip
    assert step is not None  # one is required
    state.write_link(**{f"{page}__step": step if step != first else None})
    return step


def choose_image(
    page: str, model: cache.Model, dataset: Dataset, row: int, use: Callable[[int], None] = state.use_image
) -> None:
    """Draws a choice of test images: one of each class or varied ones, any by its number, or a random one.

    Arguments:
        page: the first part of the keys.
        model: whose images are offered.
        dataset: of these images.
        row: of the selected image.
        use: called with the row that is chosen.
    """
    last = len(dataset.test) - 1
    number = f"{page}.row"

    def use_typed() -> None:
        use(st.session_state[number])

    def use_any() -> None:
        use(int(np.random.default_rng().integers(last + 1)))

    with st.popover(_("Image: {name}").format(name=words.image(dataset, row)), icon=":material/image:"):
        which = 1
        if examples.by_class(model):
            which = int(st.number_input(_("Number within each class"), 1, 50, 1, key=f"{page}.which", width=160))
        examples.show(model, f"{page}.image.", use, used=row, which=which)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.session_state[number] = row
            st.number_input(_("Test image"), 0, last, key=number, on_change=use_typed, width=160)
            st.button(_("Random image"), icon=":material/shuffle:", on_click=use_any, key=f"{page}.any")
