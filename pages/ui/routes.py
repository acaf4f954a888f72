"""Addresses of the app's own beside Streamlit's."""

from collections.abc import Awaitable, Callable

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def everywhere(path: str, answer: Callable[[Request], Response | Awaitable[Response]]) -> list[Route]:
    """Returns the routes of a path: at the root and, where the app has a path of its own, below that as well.

    Streamlit puts its own routes below `server.baseUrlPath`, but not those of an app. A proxy may strip a path that the
    server knows nothing of; the browser resolves addresses against where its modules came from (`ROOT` in dom.js).
    """
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return [Route(f"{start}{path}", answer) for start in {"", f"/{base}" if base else ""}]
