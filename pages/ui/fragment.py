"""A part of a page that runs again by itself."""

from collections.abc import Callable
from functools import wraps

import streamlit as st

from pages.takeaway import delivery
from pages.ui.language import said
from vae.errors import VAEError


def fragment(run_every: float | None = None) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Makes a function an `st.fragment` that ends as a whole page does in the frame.

    It says what went wrong, and the files of the menu become those of what is in use by now.
    """

    def make(run: Callable[[], None]) -> Callable[[], None]:
        @st.fragment(run_every=run_every)
        @wraps(run)
        def guarded() -> None:
            try:
                run()
                delivery.renew()
            except VAEError as error:
                st.error(said(error), icon=":material/error:")

        return guarded

    return make
