"""A selection of test images to choose from: one of each class, or varied ones without labels or with too many."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import pictures, words
from pages.ui.language import _
from vae import figures

MOST = 20  # classes, at most, to show one image of each


def by_class(model: cache.Model) -> bool:
    """Whether one image of each class is shown."""
    return 0 < len(cache.latent.first_of_class(model)) <= MOST


def rows(model: cache.Model, which: int = 1) -> dict[int, int]:
    """Returns the rows of the images shown, by class or by position.

    Arguments:
        model: the model whose images are shown.
        which: index within each class, counted from 1; the last one if there are fewer.
    """
    if not by_class(model):
        return dict(enumerate(cache.latent.varied(model)))
    labels = cache.images(model).test.labels.numpy()
    found = {label: np.flatnonzero(labels == label) for label in cache.latent.first_of_class(model)}
    return {label: int(own[min(which, len(own)) - 1]) for label, own in found.items()}


def show(
    model: cache.Model, key: str, use: Callable[[int], None], *, used: int | None = None, which: int = 1,
    says: str = "{image}",
) -> list[int]:  # fmt: skip
    """Draws the images with a button each, and a selection by class if there are too many; returns their rows.

    Arguments:
        model: the model whose images are shown.
        key: prefix of the keys of the buttons.
        use: called with the row when a button is pressed.
        used: the current row, whose button is highlighted.
        which: as for `rows`.
        says: tooltip of the buttons.
    """
    data, shown = cache.images(model), rows(model, which)
    firsts, names = cache.latent.first_of_class(model), words.classes(data)
    if len(firsts) > MOST:
        chosen = f"{key}of"

        def use_class() -> None:
            if (label := st.session_state[chosen]) is not None:
                use(firsts[label])

        st.selectbox(
            _("First image of class"), list(firsts), None, format_func=names.__getitem__, key=chosen,
            on_change=use_class, width=260,
        )  # fmt: skip
    with st.container(horizontal=True, gap="small", key=f"{key}.picker"):
        for number, row in shown.items():
            with st.container(width=64, gap="xsmall"):
                alt = words.image(data, row)
                st.image(figures.png_uri(pictures.plain(data.test.images[row].numpy() / 255, 2)), width=56, alt=alt)
                st.button(
                    words.short(names[number]) if by_class(model) else str(row), key=f"{key}{number}",
                    width="stretch", help=says.format(image=alt), on_click=use, args=(row,),
                    type="primary" if row == used else "secondary",
                )  # fmt: skip
    return list(shown.values())
