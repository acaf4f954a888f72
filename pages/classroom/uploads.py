"""A limit on uploads that are not saved yet: Streamlit holds any number of uploaded files in memory.

Uploads over the limit are refused while they arrive, whoever sends them, because an upload request contains no key.
Streamlit itself limits the size of each file (`limits.tell_server`).
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.classroom import roles

__all__ = ["SESSIONS", "Uploads", "forget"]

SESSIONS = 20  # the server holds at most the uploads of so many sessions at their limit
_FILE = 4096  # bytes counted for a file, at least
_PATH = "/_stcore/upload_file/"


class Uploads:
    """Middleware that refuses uploads when there are too many."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._coming: Counter[str] = Counter()  # bytes in transit, by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, unless it is an upload that exceeds the limit."""
        if scope["type"] != "http" or scope["method"] != "PUT" or _PATH not in scope["path"] or not roles.active():
            await self.app(scope, receive, send)
            return
        session = scope["path"].partition(_PATH)[2].partition("/")[0]
        most = _most()
        size = max(_FILE, _length(Request(scope), most))
        with self._lock:
            held = _held()
            mine, all_of_it = held[session] + self._coming[session], held.total() + self._coming.total()
            fits = mine + size <= most + _FILE and all_of_it + size <= SESSIONS * most
            if fits:
                self._coming[session] += size
        if not fits:
            answer = PlainTextResponse("There is no room for more uploads. Save or remove earlier uploads first.", 413)
            await answer(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            with self._lock:
                self._coming[session] -= size
                self._coming += Counter()  # drops sessions at zero


def forget(files: Sequence[Any]) -> None:
    """Frees the uploads of a session once they are saved; otherwise Streamlit holds them until the session ends.

    Arguments:
        files: as `st.file_uploader` returned them.
    """
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for each in files:
            context.uploaded_file_mgr.remove_file(context.session_id, each.file_id)


def _most() -> int:
    """Returns the upload limit of a session, bytes; 0 while the class file is damaged."""
    from pages.classroom import limits  # which loads PyTorch
    from vae.errors import ConfigError

    with contextlib.suppress(ConfigError):
        return limits.get().megabytes * 2**20
    return 0


def _length(request: Request, most: int) -> int:
    """Returns the stated length of a request, or the limit if none is stated."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else most


def _held() -> Counter[str]:
    """Returns the bytes that the server holds, by session."""
    manager = runtime.get_instance().uploaded_file_mgr
    storage = dict(getattr(manager, "file_storage", {}))
    return Counter(
        {name: sum(max(_FILE, len(each.data)) for each in list(files.values())) for name, files in storage.items()}
    )
