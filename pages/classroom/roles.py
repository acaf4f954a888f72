"""The roles in a class: the lecturer, whose key the class knows, and students, each with their own key.

A class is served if the environment variable VAE_CLASSROOM names its folder, which `vae classroom` creates. There are
no accounts: the key is part of the link, and whoever has the link has the key. Nothing here imports the library, so
that the frame can determine the role before PyTorch is loaded.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
from enum import Enum
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import state
from pages.ui.language import _

__all__ = ["Role", "active", "enter", "folder", "owner", "register", "role"]

REGISTER = "class.json"


class Role(Enum):
    """The role of a session: the only user of a server, the lecturer of a class, or one of its students."""

    ALONE = "alone"
    LECTURER = "lecturer"
    STUDENT = "student"


def active() -> bool:
    """Whether this server serves a class."""
    return bool(os.environ.get("VAE_CLASSROOM"))


def folder() -> Path:
    """Returns the folder of the class; call it only if a class is served."""
    return Path(os.environ["VAE_CLASSROOM"])


def register() -> dict[str, Any]:
    """Returns the contents of the class file: the hash of the lecturer's key, the address, and any limits.

    Raises:
        ConfigError: the file is missing or damaged.
    """
    path = folder() / REGISTER
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not (isinstance(found, dict) and re.fullmatch("[0-9a-f]{64}", found.get("lecturer", ""))):
            raise ValueError("it has no hash of the lecturer's key")
    except (OSError, ValueError, TypeError) as error:
        from vae.errors import ConfigError  # which loads PyTorch

        says = _("The class file {path} could not be read ({why}). Start the class again with: vae classroom")
        raise ConfigError(says.format(path=path, why=error)) from error
    return found


def enter() -> None:
    """Takes the session's key from the link, once; creates one if a class is served and the link has none.

    `state.write_link` then puts it into the link, so that students find their own models again.
    """
    if active() and state.KEY not in st.session_state:
        given = st.query_params.get(state.KEY, "")
        fits = re.fullmatch("[A-Za-z0-9_-]{16,100}", given)
        st.session_state[state.KEY] = given if fits else secrets.token_urlsafe(16)


def role() -> Role:
    """Returns the role of this session; nobody is the lecturer while the class file is missing or damaged."""
    if not active():
        return Role.ALONE
    try:
        lecturer = register()["lecturer"]
    except ValueError:  # a ConfigError, which the frame shows when it reads the limits
        return Role.STUDENT
    return Role.LECTURER if hmac.compare_digest(_hash(_key()), lecturer) else Role.STUDENT


def owner() -> str | None:
    """Returns the mark of a student's models and data sets, a hash of the key; None for all others."""
    return _hash(_key())[:32] if role() is Role.STUDENT else None


def _key() -> str:
    return st.session_state.get(state.KEY, "")


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
