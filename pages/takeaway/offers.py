"""An entry of the menu "Download": a file, made on request."""

from collections.abc import Callable
from typing import NamedTuple


class Offer(NamedTuple):
    """A file that a page offers, made on request.

    `make` runs in a thread outside the session, where `st.session_state` is empty, so it must get what it needs from
    there beforehand. The caches of pages/cache work as usual, and `_()` uses the session's language.
    """

    label: str  # the label in the menu, translated: "Codes of the test images (CSV)"
    file: str  # the name of the file: "mnist-2d-codes.csv"
    mime: str
    icon: str  # ":material/table_chart:"
    make: Callable[[], bytes]  # called on a click; a VAEError is shown in the menu
