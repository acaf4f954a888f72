"""The poll: the anonymous answers of a class to the questions of the lesson.

Only the first answer of each student counts, because later ones are given after seeing the correct one. Each is a
separate file in the folder of the class, `poll/<chapter>/<hash>`, so that forty students and several servers never
write the same file. The hash combines the student's mark with the chapter, so that it neither equals the mark on the
student's models nor repeats across chapters.
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
    """Counts the first answer of a student to the question of a chapter; those of others are ignored.

    If writing to disk fails, the student sees a message and can continue.
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
    """Returns the number of answers by the letter of the option."""
    found: Counter[str] = Counter()
    for path in _folder(chapter).glob("[!.]*"):
        with contextlib.suppress(OSError, ValueError):
            found[path.read_text(encoding="ascii")] += 1
    return found


def clear(chapter: str) -> None:
    """Deletes the answers to the question of a chapter, for the next class.

    Raises:
        CheckpointError: deleting fails, or the session is not the lecturer's.
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
