"""What the menu "Download" offers: a file, made when a visitor asks for it."""

from collections.abc import Callable
from typing import NamedTuple


class Offer(NamedTuple):
    """A file that a page gives away, made when it is asked for.

    `make` runs on a thread outside the session: `st.session_state` is empty there, so take what it needs from there
    beforehand. The caches of pages/cache serve as ever, and `_()` speaks the visitor's language.
    """

    label: str  # what the menu says, translated: "Codes of the test images (CSV)"
    file: str  # the name of the file: "mnist-2d-codes.csv"
    mime: str
    icon: str  # ":material/table_chart:"
    make: Callable[[], bytes]  # made at the click; a VAEError is said in the menu
