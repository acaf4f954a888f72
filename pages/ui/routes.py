"""Routes of the app in addition to Streamlit's."""

from collections.abc import Awaitable, Callable

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def everywhere(path: str, answer: Callable[[Request], Response | Awaitable[Response]]) -> list[Route]:
    """Returns the routes of a path: at the root and, if the app has a base path, below that as well.

    Streamlit puts its own routes below `server.baseUrlPath`, but not those of an app. A proxy may strip a path unknown
    to the server; the browser resolves addresses relative to its modules (`ROOT` in dom.js).
    """
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return [Route(f"{start}{path}", answer) for start in {"", f"/{base}" if base else ""}]
