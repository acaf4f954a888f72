"""The language of a session, looked up at each call because sessions are threads and fragments rerun on their own.

A language is a file, `locale/<code>/LC_MESSAGES/app.po`, which `make strings` updates and compiles. The texts in the
code are English. Each catalogue contains the language's own name, so no list of languages is needed.
"""

import gettext
import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui import state

__all__ = ["CATALOGUES", "ENGLISH", "ERROR", "_", "current", "name", "preferred", "said", "speaking"]

ENGLISH = "en"
ERROR = "error"  # the context of the library's error messages in a catalogue
LOCALE = Path(__file__).parents[2] / "locale"
CATALOGUES: dict[str, gettext.NullTranslations] = {ENGLISH: gettext.NullTranslations()} | {
    path.parts[-3]: gettext.translation("app", LOCALE, [path.parts[-3]])
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/app.mo"))
}
_SPOKEN: ContextVar[str | None] = ContextVar("spoken", default=None)


def _(text: str) -> str:
    """Translates a text of the app into the language of the session; outside a session, English is kept."""
    return CATALOGUES[current()].gettext(text)


def current() -> str:
    """Returns the code of the session's language, such as `zh`."""
    if code := _SPOKEN.get():
        return code
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    code = state.language()
    return code if code in CATALOGUES else ENGLISH


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Sets the language where no session runs, as while a file is made."""
    before = _SPOKEN.set(code)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def preferred() -> str:
    """Returns the code of the browser's preferred language if there is a catalogue, else of English."""
    locale = (st.context.locale or ENGLISH).replace("-", "_").lower() + "_"
    return next((code for code in CATALOGUES if locale.startswith(code.lower() + "_")), ENGLISH)


def name(code: str) -> str:
    """Returns the name of a language in that language."""
    return CATALOGUES[code].gettext("English")


def said(error: object) -> str:
    """Translates an error message of the library, which is in English, into the language of the session.

    The catalogue contains the messages with numbered fields. The template of the error is found by matching, longest
    template first, and its translation is filled in; an error that matches no template is returned unchanged, except
    for flags in parentheses, such as "(--size)": they are what the command line has in place of a page's controls.
    """
    return re.sub(r" ?[(（]--[a-z-]+[)）]", "", _translated(str(error)))


def _translated(text: str) -> str:
    catalogue = CATALOGUES[current()]
    # gettext has no public way to list a catalogue; context and text are separated by \x04
    known = (
        key for key in vars(catalogue).get("_catalog", ()) if isinstance(key, str) and key.startswith(f"{ERROR}\x04")
    )
    for template in sorted((key.partition("\x04")[2] for key in known), key=len, reverse=True):
        pieces = string.Formatter().parse(template)
        pattern = "".join(re.escape(words) + ("" if name is None else "(.*?)") for words, name, *_rest in pieces)
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return catalogue.pgettext(ERROR, template).format(*map(_translated, found.groups()))
    return text
