"""Parts of a page that rerun on their own."""

from collections.abc import Callable
from functools import wraps

import streamlit as st

from pages.takeaway import delivery
from pages.ui.language import said
from vae.errors import VAEError


def fragment(run_every: float | None = None) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Makes a function an `st.fragment` that ends like a whole page in the frame.

    It shows errors, and updates the files of the menu to the current state.
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
