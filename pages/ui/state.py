"""What the pages of one session share, the names it is kept under, and how it stands in the link."""

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

MODEL = "model"
LANGUAGE = "lang"
_IMAGE = "image"
_Z = "z"
_SEED = "seed"
JOB = "job"
_DRAWING = "drawing"
_ASKED = "drawing in use"
_OPENED = "link opened with"
_OWN = "link of the page"
_PAGE = "page"
_WRITTEN = "link as written, and when"
_LAG = 2.0  # seconds that a browser may be behind
_CHOSEN = "language was chosen"
_HIDE = "hide"
PRESENT, KEY = "present", "key"
_CHAPTER = "chapter"
_ANSWERS = "answers"
_SHARED = (MODEL, LANGUAGE, _IMAGE, _Z, _SEED, _HIDE, PRESENT, KEY)  # by all pages
DEFAULT_MODEL = os.environ.get("VAE_MODEL") or "mnist-2d"  # which `vae app --model` names


def model() -> str:
    """The name of the model in use."""
    return st.session_state.get(MODEL) or DEFAULT_MODEL


def use_model(name: str) -> None:
    """Puts a model in use; to be called before the sidebar is drawn, as a callback is."""
    st.session_state[MODEL] = name


def language() -> str | None:
    """The code of the session's language; None where no frame has set it."""
    return st.session_state.get(LANGUAGE)


def begin_language(codes: Iterable[str], preferred: str) -> None:
    """Sets the language to the link's where it is one of those that there are, or else to the browser's."""
    begin(LANGUAGE, one_of(codes))
    st.session_state.setdefault(_CHOSEN, LANGUAGE in st.session_state)
    st.session_state.setdefault(LANGUAGE, preferred)


def choose_language() -> None:
    """Puts the language into the link, and sends all choices to the browser anew; to be called when it was chosen.

    It stands in the link even where this browser asks for the same: a link is for others, whose browsers may not.
    Streamlit's browser knows a choice by its label alone, and would go on showing and sending that of the old language.
    """
    st.session_state[_CHOSEN] = True
    for key, value in list(st.session_state.items()):
        if isinstance(value, str | int | list) and not isinstance(value, bool):  # a button cannot be set
            st.session_state[key] = value


def image(first: int = 0) -> int:
    """The row of the test image in use; `first` where none was chosen yet."""
    return st.session_state.get(_IMAGE, first)


def use_image(row: int) -> None:
    """Puts a test image in use, and with it the mean of its q(z|x) as z."""
    ask_for_drawing(False)
    st.session_state[_IMAGE] = row
    st.session_state[_Z] = None


def z() -> tuple[float, ...] | None:
    """The latent in use where it is not an image's; it may be one of another model, with another J."""
    return st.session_state.get(_Z)


def use_z(z: tuple[float, ...]) -> None:
    """Puts a latent in use."""
    st.session_state[_Z] = z


def watched() -> str | None:
    """The name of the training that is watched, if one was chosen."""
    return st.session_state.get(JOB)


def watch(name: str) -> None:
    """Chooses a training to watch."""
    st.session_state[JOB] = name


class Drawing(NamedTuple):
    """What was drawn or uploaded last."""

    image: NDArray[np.uint8]  # (H, W) in [0, 255]
    id: str  # another one for each drawing
    strokes: list[Any]  # of the pen, as the pad keeps them, so that it can go on with them
    ground: NDArray[np.uint8] | None  # the image under the strokes, if there is one


def drawing() -> NDArray[np.uint8] | None:
    """The image (H, W) in [0, 255] that was drawn or uploaded last."""
    return None if (drawn := drawn_last()) is None else drawn.image


def drawn_last() -> Drawing | None:
    """What was drawn or uploaded last, and how."""
    return st.session_state.get(_DRAWING)


def use_drawing(drawn: Drawing | None) -> None:
    """Keeps what was drawn."""
    st.session_state[_DRAWING] = drawn


def drawing_is_asked_for() -> bool:
    """Whether pages that are about one image are to be about the drawing."""
    return drawing() is not None and st.session_state.get(_ASKED, False)


def ask_for_drawing(wanted: bool) -> None:
    """Puts the drawing in use in place of a test image, or takes it back."""
    st.session_state[_ASKED] = wanted


def seed() -> int:
    """The seed of what is drawn on the pages."""
    return st.session_state.get(_SEED, 0)


def draw_again() -> None:
    """Makes all that is drawn come out anew."""
    st.session_state[_SEED] = seed() + 1


def read_link(again: bool = False) -> None:
    """Takes what all pages share from the link, once a session or again; what makes no sense there is passed over."""
    if _OPENED in st.session_state and not again:
        return
    begin(MODEL, str)
    begin(_IMAGE, lambda text: max(int(text), 0))
    begin(_Z, _latent)
    begin(_SEED, lambda text: min(max(int(text), 0), 2**31))
    begin(_HIDE, lambda text: tuple(name for name in text.split(",") if name.isidentifier()))
    begin(PRESENT, lambda text: text == "1")
    begin(_CHAPTER, str)
    begin(_ANSWERS, lambda text: dict(_commitment(each) for each in text.split(".")))


def turn_to(page: str) -> None:
    """Says which page is shown, and leaves out of the link what the page before had there."""
    before = st.session_state.setdefault(_PAGE, page)
    st.session_state.setdefault(_OWN, _own())
    if before != page:
        st.session_state[_OWN] = {}
        st.session_state.pop(_WRITTEN, None)  # the browser comes with a link of its own, or none
    else:
        _follow_history()
    st.session_state[_PAGE] = page


def _follow_history() -> None:
    """Takes from the link what the browser's Back or Forward has put there, unless the browser is only late."""
    came, (written, when) = st.query_params.to_dict(), st.session_state.get(_WRITTEN, ({}, math.inf))
    if came == written or time.monotonic() - when < _LAG:
        return
    absent = {MODEL: DEFAULT_MODEL, PRESENT: "0"}  # others are known by their absence
    for name in (written.keys() | came.keys()) - {LANGUAGE}:
        if written.get(name) != came.get(name):
            st.session_state[_OPENED][name] = came.get(name, absent.get(name, ""))
    st.session_state[_OWN], st.session_state[_WRITTEN] = _own(), (came, -math.inf)  # which the browser has for sure
    read_link(again=True)


def _own() -> dict[str, str]:
    return {name: text for name, text in st.query_params.items() if name not in _SHARED}


def hidden(name: str) -> bool:
    """Whether the link hides a part of the app: sidebar, nav, model, menu, digit, questions, code, or a page."""
    return name in st.session_state.get(_HIDE, ())


def presenting() -> bool:
    """Whether type and figures are to be large enough for a hall."""
    return bool(st.session_state.get(PRESENT))


def larger(size: float) -> int:
    """Returns a size, larger where one presents."""
    return round(size * (1.35 if presenting() else 1))


def chapter() -> str:
    """The chapter of the lesson that is open, as the link has it."""
    return st.session_state.get(_CHAPTER, "1")


def open_chapter(name: str) -> None:
    """Opens a chapter of the lesson, and drops what the link says of the one before."""
    st.session_state[_CHAPTER] = name
    own = {k: text for k, text in st.session_state.get(_OWN, {}).items() if "." not in k}
    st.session_state[_OWN] = own | lesson_link()


def answers() -> dict[str, str]:
    """What the reader has committed to in the lesson: the letter of an option by chapter. Not to be changed."""
    return st.session_state.get(_ANSWERS, {})


def commit(chapter: str, letter: str | None) -> None:
    """Keeps the reader's answer to a chapter's question; None takes it back."""
    kept = {name: given for name, given in answers().items() if name != chapter}
    st.session_state[_ANSWERS] = kept | ({chapter: letter} if letter else {})


def begin(key: str, parse: Callable[[str], Any], first: Any = None) -> None:
    """Sets a widget that is about to be drawn, or a value that is kept, to what the link opened with, once.

    Arguments:
        key: of the widget, and its name in the link.
        parse: makes a value of the text there; raises ValueError where it makes no sense.
        first: the value where the link has none; None leaves that to the widget.
    """
    opened = st.session_state.setdefault(_OPENED, st.query_params.to_dict())
    if text := opened.get(key):
        with contextlib.suppress(ValueError):
            st.session_state[key] = parse(text)
    elif key in opened:  # the browser went back to before it was chosen
        st.session_state.pop(key, None)
    opened.pop(key, None)
    if first is not None:
        st.session_state.setdefault(key, first)


def one_of(options: Iterable[str]) -> Callable[[str], str]:
    """Makes a parser for `begin` that takes these texts only."""

    def parse(text: str) -> str:
        if text not in options:
            raise ValueError(text)
        return text

    return parse


def lesson_link() -> dict[str, str | None]:
    """Returns what `write_link` is to write for the lesson besides."""
    given = ".".join(f"{name}{letter}" for name, letter in sorted(answers().items(), key=lambda each: int(each[0])))
    return {_CHAPTER: chapter() if chapter() != "1" else None, _ANSWERS: given or None}


def write_link(**own: str | None) -> None:
    """Puts into the link what all pages share, where it is not what a bare link has, and a page's own values.

    All of it each time, and whatever the link seems to have: the browser leaves it behind on the way to another page,
    but may say before that it is there. In `own` are texts by name, dots as double underscores; None where the value is
    the one that a bare link has.
    """
    chosen = model()
    values: dict[str, str | None] = {
        MODEL: chosen if chosen != DEFAULT_MODEL else None,
        LANGUAGE: language() if st.session_state.get(_CHOSEN) else None,
        _IMAGE: str(image()) if _IMAGE in st.session_state else None,
        _Z: ",".join(f"{v:.4g}" for v in z() or ()) or None,
        _SEED: str(seed()) if seed() else None,
        _HIDE: ",".join(st.session_state.get(_HIDE, ())) or None,
        PRESENT: "1" if presenting() else None,
        KEY: st.session_state.get(KEY),
    }
    kept = st.session_state.setdefault(_OWN, {})
    kept.update({name.replace("__", "."): value for name, value in own.items()})
    link = {name: text for name, text in (values | kept).items() if text}
    if link != st.session_state.get(_WRITTEN, (None,))[0]:
        st.session_state[_WRITTEN] = link, time.monotonic()
    st.query_params.from_dict(link)


def _latent(text: str) -> tuple[float, ...]:
    values = tuple(float(number) for number in text.split(","))
    if not all(math.isfinite(value) and abs(value) <= 1000 for value in values):
        raise ValueError(text)
    return values


def _commitment(text: str) -> tuple[str, str]:
    """Reads "3b": option b of chapter 3."""
    if not (len(text) < 9 and text[:-1].isdigit() and text[-1:].isalpha() and text.isascii()):
        raise ValueError(text)
    return text[:-1], text[-1]
