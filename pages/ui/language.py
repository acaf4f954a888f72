"""The language that a visitor reads: looked up at each call, since sessions are threads, and fragments run alone.

A language is a file, `locale/<code>/LC_MESSAGES/app.po`, which `make strings` brings up to date and compiles. English
is what stands in the code. The catalogue says the language's own name, so that there is no list of languages.
"""

import gettext
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui import state

__all__ = ["CATALOGUES", "ENGLISH", "_", "current", "name", "preferred"]

ENGLISH = "en"
LOCALE = Path(__file__).parents[2] / "locale"
CATALOGUES: dict[str, gettext.NullTranslations] = {ENGLISH: gettext.NullTranslations()} | {
    path.parts[-3]: gettext.translation("app", LOCALE, [path.parts[-3]])
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/app.mo"))
}


def _(text: str) -> str:
    """Says a text of the app in the language of the session; outside of one, in English."""
    return CATALOGUES[current()].gettext(text)


def current() -> str:
    """The code of the session's language, `zh` say."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    code = state.language()
    return code if code in CATALOGUES else ENGLISH


def preferred() -> str:
    """The code of the language that the browser asks for, where there is a catalogue, else English."""
    locale = (st.context.locale or ENGLISH).replace("-", "_").lower() + "_"
    return next((code for code in CATALOGUES if locale.startswith(code.lower() + "_")), ENGLISH)


def name(code: str) -> str:
    """The name of a language in that language."""
    return CATALOGUES[code].gettext("English")
