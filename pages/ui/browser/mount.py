"""Browser components: the entry point of each is a file in modules/, an ES module that imports others."""

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
_MODULES = "modules"  # served publicly, so it must contain nothing else
_IMPORT = re.compile(r'^(import .*|\} )from "\./(\w+\.js)";$', re.MULTILINE)
_lock = threading.Lock()


def component(name: str) -> Callable[..., Any]:
    """Returns the component of a module, which draws into an element whose class is its name."""
    _declare(name, get_bidi_component_manager())
    return _defined(name)


def _declare(name: str, manager: BidiComponentManager) -> None:
    """Tells Streamlit where the files of the component are, as the manifest of an installed package would."""
    with _lock:  # a second declaration would undo what another session has defined in the meantime
        if manager.get_component_asset_root(f"{_package()}.{name}") is None:
            manifest = ComponentManifest(_package(), "", [ComponentConfig(name, _MODULES)])
            manager.register_from_manifest(manifest, _HERE)


@once
def _defined(name: str) -> Callable[..., Any]:
    html = f'<div class="{name}"></div>'
    return st.components.v2.component(f"{_package()}.{name}", html=html, css=style(), js=f"{name}.js")


def style() -> str:
    """Returns the style sheet of all components, sent inline because a canvas is measured before a linked one loads."""
    return (_HERE / "style.css").read_text(encoding="utf-8")


def embedded(first: str) -> dict[str, str]:
    """Returns a module and everything it imports, for a self-contained file.

    Modules in data URIs have no address for relative imports, so they import each other by bare names such as "dom.js",
    which an import map resolves. For addresses relative to a module, they get a base that works wherever the file is,
    although nothing is fetched from it.

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
    """Returns the prefix of module addresses, which changes with any module, so that old and new never mix."""
    files = sorted((_HERE / _MODULES).glob("*.js"))
    return f"vae-{hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()[:12]}"
