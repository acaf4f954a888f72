"""Components of the browser: each begins at a file of modules/, an ES module that imports what it uses."""

import base64
import hashlib
import re
import threading
from collections.abc import Callable
from functools import cache as once
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

_HERE = Path(__file__).parent
_MODULES = "modules"  # served to anyone who asks, so nothing else is to be in there
_IMPORT = re.compile(r'^(import .*|\} )from "\./(\w+\.js)";$', re.MULTILINE)
_lock = threading.Lock()


def component(name: str) -> Callable[..., Any]:
    """Returns the component that begins at a module, which draws into an element of its name as class."""
    _declare(name, get_bidi_component_manager())
    return _defined(name)


def _declare(name: str, manager: BidiComponentManager) -> None:
    """Tells Streamlit where the component's files are, as the manifest of an installed package would."""
    with _lock:  # a second declaration would undo what another session has defined meanwhile
        if manager.get_component_asset_root(f"{_package()}.{name}") is None:
            manifest = ComponentManifest(_package(), "", [ComponentConfig(name, _MODULES)])
            manager.register_from_manifest(manifest, _HERE)


@once
def _defined(name: str) -> Callable[..., Any]:
    html = f'<div class="{name}"></div>'
    return st.components.v2.component(f"{_package()}.{name}", html=html, css=style(), js=f"{name}.js")


def style() -> str:
    """Returns the style of all components, sent along with each: a canvas is measured before a link arrives."""
    return (_HERE / "style.css").read_text(encoding="utf-8")


def embedded(first: str) -> dict[str, str]:
    """Returns a module and all that it imports, for a file that holds them itself.

    A module in a data URI has no address that others could be found beside, so they import one another by bare names,
    "dom.js", which an import map resolves. Where they resolve addresses against their own, they get one that serves as
    a base wherever the file lies, though nothing is fetched from there.

    Arguments:
        first: name of the module, "alone.js".

    Returns:
        data URIs by name.
    """
    found: dict[str, str] = {}
    wanted = [first]
    while wanted:
        name = wanted.pop()
        text = (_HERE / _MODULES / name).read_text(encoding="utf-8")
        alone = _IMPORT.sub(r'\1from "\2";', text).replace("import.meta.url", '"file:///"')
        found[name] = f"data:text/javascript;charset=utf-8;base64,{base64.b64encode(alone.encode()).decode()}"
        wanted += {source for _, source in _IMPORT.findall(text)} - found.keys()
    return found


@once
def _package() -> str:
    """The first part of a module's address, another one when any module has changed: old and new never mix."""
    files = sorted((_HERE / _MODULES).glob("*.js"))
    return f"vae-{hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()[:12]}"
