"""Follow me: while the lecturer leads, the screens of the students show the lecturer's page and what is in use there.

The class's folder has a file for it, `lead.json`: which page, and what its link says, but for what is personal
(language, presenter mode, what is hidden, answers, the key). Whoever has the folder sees the same, so several servers
may have the class between them. Without the file nobody leads. Nothing here loads PyTorch before something is shared.
"""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit.navigation.page import Page

from pages.classroom import roles
from pages.ui import routes, state
from pages.ui.language import _, said

__all__ = [
    "Shown", "answer", "follow", "following", "go_on", "is_behind", "known", "let_go", "now", "served", "share",
    "start", "stop",
]  # fmt: skip

FILE = "lead.json"
_TAKEN, _LEFT, _SHARED = "lead that was taken", "lead that was let go", "what was shared"
_OWN_PAGES = ("classroom",)  # that students do not have


class Shown(NamedTuple):
    """What the lecturer shows.

    Attributes:
        began: another text each time that the lecturer begins to lead.
        version: another text each time that the screen changes.
        page: the last part of its address; None before there is one.
        link: what it says there, by name, "" for what it leaves out.
    """

    began: str
    version: str
    page: str | None
    link: dict[str, str]


_seen: tuple[str, Shown | None] = "", None  # the file as it was read last


def now() -> Shown | None:
    """Returns what the lecturer shows; None where nobody leads. The file is read only when it is another one."""
    global _seen
    try:
        about = os.stat(_path())
    except OSError:
        return None
    version = f"{about.st_mtime_ns}.{about.st_ino}"
    if _seen[0] != version:
        _seen = version, _read(version)
    return _seen[1]


def _read(version: str) -> Shown | None:
    try:
        found = json.loads(_path().read_text(encoding="utf-8"))
        link = {str(name): str(text) for name, text in found.get("link", {}).items()}
        return Shown(str(found["began"]), version, found.get("page"), link)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _path() -> Path:
    return roles.folder() / FILE


# the lecturer


def start() -> None:
    """Begins to lead: what this session shows, or shows next, is shown to all, also to those who had let go.

    Raises:
        CheckpointError: the disk refuses.
    """
    st.session_state.pop(_SHARED, None)
    _write({"began": secrets.token_hex(4)})


def stop() -> None:
    """Ends leading.

    Raises:
        CheckpointError: the disk refuses.
    """
    try:
        _path().unlink(missing_ok=True)
    except OSError as error:
        from vae.errors import CheckpointError  # which loads PyTorch

        says = _(
            "{path} could not be deleted ({why}), so students' screens still follow yours. Delete the file by hand."
        )
        raise CheckpointError(says.format(path=_path(), why=error.strerror or error)) from error


def share(page: str, link: dict[str, str]) -> None:
    """Shares what this session shows if it is the lecturer's and the lecturer leads; `state.tell` is this function."""
    if not roles.active() or page in _OWN_PAGES or roles.role() is not roles.Role.LECTURER:
        return
    from vae.errors import VAEError  # which loads PyTorch

    shown = now()
    if shown is None or st.session_state.get(_SHARED) == (shown.began, page, link):
        return
    st.session_state[_SHARED] = shown.began, page, link
    try:
        _write({"began": shown.began, "page": page, "link": link})
    except VAEError as error:
        st.toast(said(error), icon=":material/error:")


def _write(content: dict[str, object]) -> None:
    from vae.paths import write_aside  # which loads PyTorch

    write_aside(_path(), json.dumps(content).encode())


# a student


def following() -> bool:
    """Tells whether this session shows what the lecturer does: a student's, while the lecturer leads, until let go."""
    shown = now()
    return shown is not None and st.session_state.get(_LEFT) != shown.began


def let_go() -> None:
    """Lets go of the lecturer, until the lecturer begins to lead anew."""
    shown = now()
    st.session_state[_LEFT] = shown.began if shown else None


def go_on() -> None:
    """Follows again."""
    st.session_state[_LEFT] = st.session_state[_TAKEN] = None


def is_behind() -> bool:
    """Tells whether this session follows and has not taken yet what the lecturer shows now."""
    shown = now()
    return shown is not None and following() and shown.version != st.session_state.get(_TAKEN)


def follow(pages: dict[str, Page], here: str) -> None:
    """Puts in use what the lecturer shows, once each time that it changes, and goes to that page.

    Arguments:
        pages: that this session has, by the last part of their address.
        here: that of the page which is about to be shown.
    """
    if not roles.active() or roles.role() is not roles.Role.STUDENT or not is_behind():
        return
    shown = now()
    if shown is None:
        return
    st.session_state[_TAKEN] = shown.version
    if shown.page not in pages:  # there is none yet, or the student's link hides it
        return
    state.take(shown.link)
    if shown.page != here:
        st.switch_page(pages[shown.page])


# what a browser asks


def known() -> str:
    """Returns what the address answers while there is nothing new for this session, its first word if it let go."""
    shown = now()
    if shown is None:
        return ""
    return f"{shown.began} {st.session_state.get(_TAKEN)}" if following() else shown.began


async def answer(_request: Request) -> Response:
    """Answers /classroom/lead with when leading began and what is shown since, both as versions; nothing without."""
    shown = now()
    says = f"{shown.began} {shown.version}" if shown else ""
    return PlainTextResponse(says, headers={"Cache-Control": "no-store"})


def served() -> list[Route]:
    """Returns the route that students' browsers ask whether the lecturer has moved on, where a class is served."""
    return routes.everywhere("/classroom/lead", answer) if roles.active() else []
