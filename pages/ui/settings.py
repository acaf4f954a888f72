"""Streamlit's settings, for servers other than its own, which look for .streamlit/config.toml elsewhere.

Also disables the lookup of the machine's public address on the internet, for which there is no setting.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit import config, net_util

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"


def settle() -> None:
    """Applies the settings of the file, unless a flag or the environment has set them."""
    # Otherwise a session request from a foreign page, or a start on all addresses, triggers a request to Amazon.
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
