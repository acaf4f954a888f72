"""How much may be uploaded to a class and not kept yet: Streamlit holds it in memory, as many files as anybody sends.

It is refused while it is on its way, whoever sends it: a request for an upload has no key in it. Each file alone is
bounded by Streamlit (`limits.tell_server`).
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

SESSIONS = 20  # whose uploads, at the limit of one, the server holds at once
_FILE = 4096  # bytes that a file counts at least
_PATH = "/_stcore/upload_file/"


class Uploads:
    """Between the network and the app: refuses uploads of which there are too many."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._coming: Counter[str] = Counter()  # bytes on their way, by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, unless it is an upload for which there is no room."""
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
            answer = PlainTextResponse("There is no room for more uploads. Keep or remove what was uploaded.", 413)
            await answer(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            with self._lock:
                self._coming[session] -= size
                self._coming += Counter()  # without those that are at zero


def forget(files: Sequence[Any]) -> None:
    """Frees what a session has uploaded and kept: Streamlit itself holds it until the session ends.

    Arguments:
        files: as `st.file_uploader` returned them.
    """
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for each in files:
            context.uploaded_file_mgr.remove_file(context.session_id, each.file_id)


def _most() -> int:
    """Returns the bytes that a session may have uploaded; none while the class's file is damaged."""
    from pages.classroom import limits  # which loads PyTorch
    from vae.errors import ConfigError

    with contextlib.suppress(ConfigError):
        return limits.get().megabytes * 2**20
    return 0


def _length(request: Request, most: int) -> int:
    """Returns what a request says that it has, or the most where it does not say."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else most


def _held() -> Counter[str]:
    """Returns the bytes that the server holds, by session."""
    manager = runtime.get_instance().uploaded_file_mgr
    storage = dict(getattr(manager, "file_storage", {}))
    return Counter(
        {name: sum(max(_FILE, len(each.data)) for each in list(files.values())) for name, files in storage.items()}
    )
