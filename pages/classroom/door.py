"""The password of a class: if the lecturer has set one, a student must enter it before any page is shown.

Streamlit has no password protection, but it reads secrets: the password is the entry `password` under `[class]` in the
secrets.toml of the class, which `vae classroom --password` writes.
"""

import hmac
import time

import streamlit as st

from pages.classroom import roles
from pages.ui.language import _

__all__ = ["ask", "is_open"]

_GIVEN: set[str | None] = set()  # marks of students who entered it, so that they can reload the page
_PAUSE = 1.0  # seconds of delay after a wrong password


def is_open() -> bool:
    """Whether the session may see the pages; False only for a student who has not entered the password."""
    return roles.role() is not roles.Role.STUDENT or not _password() or roles.owner() in _GIVEN


def ask() -> None:
    """Asks a student for the password; if it is right, reruns the page, which is then shown."""
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
