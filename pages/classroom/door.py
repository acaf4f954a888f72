"""The door of a class: where the lecturer has set a password, a student gives it before any page is shown.

Streamlit has no passwords of its own, but it reads secrets: the password stands as `password` under `[class]` in the
class's secrets.toml, which `vae classroom --password` writes, and is asked for in a field of the kind password.
"""

import hmac
import time

import streamlit as st

from pages.classroom import roles
from pages.ui.language import _

__all__ = ["ask", "is_open"]

_GIVEN: set[str | None] = set()  # marks of the students who gave it; they may reload their page
_PAUSE = 1.0  # seconds that a wrong password costs


def is_open() -> bool:
    """Tells whether the session may see the pages: always, but for a student who has not given the password."""
    return roles.role() is not roles.Role.STUDENT or not _password() or roles.owner() in _GIVEN


def ask() -> None:
    """Asks a student for the password; with the right one, the page runs again and is shown."""
    with st.form("class.door", border=False):
        given = st.text_input(_("Class password"), type="password", key="class.password", width=300)
        asked = st.form_submit_button(_("Enter"), type="primary")
    if not asked:
        return
    if hmac.compare_digest(given.encode(), _password().encode()):
        _GIVEN.add(roles.owner())
        st.rerun()
    time.sleep(_PAUSE)
    st.error(_("The password is wrong. Ask the lecturer for it."), icon=":material/error:")


def _password() -> str:
    if not st.secrets.load_if_toml_exists():
        return ""
    return str(st.secrets.get("class", {}).get("password", ""))
