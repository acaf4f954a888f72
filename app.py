"""The server of the explorer; start it with `vae app` or `streamlit run app.py`. Sessions run pages/ui/frame.py.

It is an `st.App`, because Streamlit would take the folder `pages` beside a session's script for the pages themselves,
and would answer the first deep link to a fresh server with "Page not found".
"""

import importlib
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from pages.classroom import lead, uploads
from pages.operating import ending, health, log, sessions, trainings
from pages.takeaway import delivery
from pages.ui import images, settings, styling

settings.settle()
# Waiting PyTorch threads should sleep rather than spin, because sessions and training runs share the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def load() -> None:
    """Loads PyTorch and the data of the first page, which takes a second or two, and then starts the worker processes.

    Finally, it removes incomplete files left by servers that were killed.
    """
    importlib.import_module("pages.cache.browser").prepare()
    importlib.import_module("pages.cache.pool").start()
    importlib.import_module("torch._dynamo")  # imported by every optimiser; otherwise chapter 9 would wait for it
    paths = importlib.import_module("vae.paths")
    for kind in ("checkpoints", "data"):
        paths.sweep(paths.own(kind))


@asynccontextmanager
async def warm_up(app: st.App) -> AsyncIterator[None]:
    """Starts loading before the first user arrives, and cleans up when the server ends."""
    log.begin()
    log.event("server start")
    ending.heed()
    ended = threading.Event()
    loading = threading.Thread(target=load, daemon=True)
    loading.start()
    if log.writes():
        threading.Thread(target=trainings.watch, args=(ended,), daemon=True).start()
    yield
    ended.set()
    loading.join()
    importlib.import_module("pages.cache.pool").stop()
    log.event("server stop", whole=True)
    log.end()


# An absolute path, because other servers than Streamlit's resolve relative ones against their working directory.
app = st.App(
    str(Path(__file__).with_name("pages") / "ui" / "frame.py"), lifespan=warm_up,
    routes=[*images.served(), *delivery.served(), *lead.served(), *health.served()],
    middleware=[Middleware(sessions.Sessions), Middleware(uploads.Uploads), Middleware(styling.Styling)],
    on_script_error=log.error,
)  # fmt: skip
