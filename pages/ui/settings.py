"""Streamlit's settings for servers other than its own, which look for .streamlit/config.toml elsewhere.

And the one that it has no setting for: it asks nobody outside for the address that this machine has there.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit import config, net_util

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"


def settle() -> None:
    """Applies what the file sets, unless a flag or the environment has set it."""
    # Otherwise any page of a stranger that asks for a session, and a start on all addresses, makes it ask Amazon.
    net_util.get_external_ip = lambda: None
    for name, value in _flat(tomllib.loads(CONFIG.read_text(encoding="utf-8"))):
        if not config.is_manually_set(name):
            config.set_option(name, value)


def _flat(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
