"""The poll: what a class answered to the questions of the lesson, without names.

The first answer of each student counts: later ones were given by who had seen the right one. Each is a file of its own
in the class's folder, `poll/<chapter>/<hash>`, so that forty students, and several servers, never write the same one.
The hash is of the student's mark and the chapter, so that it is neither the mark on the student's models nor the same
in two chapters.
"""

import contextlib
import hashlib
from collections import Counter
from pathlib import Path

import streamlit as st

from pages.classroom import roles
from pages.ui.language import _, said
from vae.errors import CheckpointError, VAEError
from vae.paths import write_aside

__all__ = ["answers", "clear", "count"]


def count(chapter: str, letter: str) -> None:
    """Counts the answer of a student to a chapter's question, the first alone; those of others are not counted.

    Where the disk refuses, the student is told, and goes on.
    """
    if (owner := roles.owner()) is None:
        return
    path = _folder(chapter) / hashlib.sha256(f"poll {chapter} {owner}".encode()).hexdigest()[:32]
    if path.exists():
        return
    try:
        write_aside(path, letter.encode())
    except VAEError as error:
        st.toast(said(error), icon=":material/error:")


def answers(chapter: str) -> Counter[str]:
    """Returns how many students answered what, by the letter of the option."""
    found: Counter[str] = Counter()
    for path in _folder(chapter).glob("[!.]*"):
        with contextlib.suppress(OSError, ValueError):
            found[path.read_text(encoding="ascii")] += 1
    return found


def clear(chapter: str) -> None:
    """Forgets the answers to a chapter's question, for the next class.

    Raises:
        CheckpointError: the disk refuses, or the session is not the lecturer's.
    """
    if roles.role() is not roles.Role.LECTURER:
        raise CheckpointError(_("Only the lecturer can clear a poll. Open the page with the lecturer's link."))
    try:
        for path in _folder(chapter).glob("[!.]*"):
            path.unlink(missing_ok=True)
    except OSError as error:
        says = _("The answers in {folder} could not be deleted ({why}). Delete them by hand.")
        raise CheckpointError(says.format(folder=_folder(chapter), why=error.strerror or error)) from error


def _folder(chapter: str) -> Path:
    return roles.folder() / "poll" / chapter
