"""Components of the browser: each begins at a file of modules/, an ES module that imports what it uses."""

import hashlib
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
    style = (_HERE / "style.css").read_text(encoding="utf-8")  # sent along: a canvas is measured before a link arrives
    html = f'<div class="{name}"></div>'
    return st.components.v2.component(f"{_package()}.{name}", html=html, css=style, js=f"{name}.js")


@once
def _package() -> str:
    """The first part of a module's address, another one when any module has changed: old and new never mix."""
    files = sorted((_HERE / _MODULES).glob("*.js"))
    return f"vae-{hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()[:12]}"
