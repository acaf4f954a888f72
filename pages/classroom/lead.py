"""Follow me: while the lecturer is leading, students' screens show the lecturer's page and selections.

The file `lead.json` in the folder of the class stores the page and the parameters of its link, except personal ones
(language, presenter mode, what is hidden, answers, the key). All processes read the same folder, so several servers can
share a class. Without the file, nobody is leading. Nothing here loads PyTorch before something is shared.
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
    """The lecturer's screen.

    Attributes:
        began: identifies one session of leading; it changes whenever the lecturer starts again.
        version: changes whenever the screen changes.
        page: the last part of its address; None before one is shared.
        link: parameters of the link by name, "" for those left out.
    """

    began: str
    version: str
    page: str | None
    link: dict[str, str]


_seen: tuple[str, Shown | None] = "", None  # the file as last read


def now() -> Shown | None:
    """Returns the lecturer's screen, or None if nobody is leading. The file is read only if it has changed."""
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
    """Starts leading: this session's screen is shown to all students, also to those who had stopped following.

    Raises:
        CheckpointError: writing to disk fails.
    """
    st.session_state.pop(_SHARED, None)
    _write({"began": secrets.token_hex(4)})


def stop() -> None:
    """Stops leading.

    Raises:
        CheckpointError: writing to disk fails.
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
    """Shares this session's screen if the lecturer is leading from it; `state.tell` is set to this function."""
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
    """Whether this session follows: the lecturer is leading, and the student has not stopped following."""
    shown = now()
    return shown is not None and st.session_state.get(_LEFT) != shown.began


def let_go() -> None:
    """Stops following, until the lecturer starts leading again."""
    shown = now()
    st.session_state[_LEFT] = shown.began if shown else None


def go_on() -> None:
    """Resumes following."""
    st.session_state[_LEFT] = st.session_state[_TAKEN] = None


def is_behind() -> bool:
    """Whether this session follows but does not show the lecturer's latest screen yet."""
    shown = now()
    return shown is not None and following() and shown.version != st.session_state.get(_TAKEN)


def follow(pages: dict[str, Page], here: str) -> None:
    """Applies the lecturer's screen, once for each change, and goes to that page.

    Arguments:
        pages: those of this session, by the last part of their address.
        here: the last part of the address of the page about to be shown.
    """
    if not roles.active() or roles.role() is not roles.Role.STUDENT or not is_behind():
        return
    shown = now()
    if shown is None:
        return
    st.session_state[_TAKEN] = shown.version
    if shown.page not in pages:  # no page is shared yet, or the student's link hides it
        return
    state.take(shown.link)
    if shown.page != here:
        st.switch_page(pages[shown.page])


# for the browser


def known() -> str:
    """Returns the answer of the address while nothing is new for this session; its first word if not following."""
    shown = now()
    if shown is None:
        return ""
    return f"{shown.began} {st.session_state.get(_TAKEN)}" if following() else shown.began


async def answer(_request: Request) -> Response:
    """Answers /classroom/lead with `began` and `version` of the lecturer's screen, or with nothing."""
    shown = now()
    says = f"{shown.began} {shown.version}" if shown else ""
    return PlainTextResponse(says, headers={"Cache-Control": "no-store"})


def served() -> list[Route]:
    """Returns the route that students' browsers poll for changes, if a class is served."""
    return routes.everywhere("/classroom/lead", answer) if roles.active() else []
