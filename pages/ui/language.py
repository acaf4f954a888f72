"""The language that a visitor reads: looked up at each call, since sessions are threads, and fragments run alone.

A language is a file, `locale/<code>/LC_MESSAGES/app.po`, which `make strings` brings up to date and compiles. English
is what stands in the code. The catalogue says the language's own name, so that there is no list of languages.
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
ERROR = "error"  # the context of the library's sentences in a catalogue
LOCALE = Path(__file__).parents[2] / "locale"
CATALOGUES: dict[str, gettext.NullTranslations] = {ENGLISH: gettext.NullTranslations()} | {
    path.parts[-3]: gettext.translation("app", LOCALE, [path.parts[-3]])
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/app.mo"))
}
_SPOKEN: ContextVar[str | None] = ContextVar("spoken", default=None)


def _(text: str) -> str:
    """Says a text of the app in the language of the session; outside of one, in English."""
    return CATALOGUES[current()].gettext(text)


def current() -> str:
    """The code of the session's language, `zh` say."""
    if code := _SPOKEN.get():
        return code
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    code = state.language()
    return code if code in CATALOGUES else ENGLISH


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Says everything in one language where no session runs, as while a file is made."""
    before = _SPOKEN.set(code)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def preferred() -> str:
    """The code of the language that the browser asks for, where there is a catalogue, else English."""
    locale = (st.context.locale or ENGLISH).replace("-", "_").lower() + "_"
    return next((code for code in CATALOGUES if locale.startswith(code.lower() + "_")), ENGLISH)


def name(code: str) -> str:
    """The name of a language in that language."""
    return CATALOGUES[code].gettext("English")


def said(error: object) -> str:
    """Says an error of the library, which knows English only, in the language of the session.

    The catalogue has its sentences with numbers for what was filled in. The one that this error was made from is found
    by its words, those with most words first, and filled in again; what no sentence fits is said as it is.
    """
    text, catalogue = str(error), CATALOGUES[current()]
    # gettext has no public way to list a catalogue; there a context and a text have \x04 between them
    known = (
        key for key in vars(catalogue).get("_catalog", ()) if isinstance(key, str) and key.startswith(f"{ERROR}\x04")
    )
    for template in sorted((key.partition("\x04")[2] for key in known), key=len, reverse=True):
        pieces = string.Formatter().parse(template)
        pattern = "".join(re.escape(words) + ("" if name is None else "(.*?)") for words, name, *_rest in pieces)
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return catalogue.pgettext(ERROR, template).format(*(said(part) for part in found.groups()))
    return text
