"""The state shared by the pages of a session, its keys, and its representation in the link."""

import contextlib
import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui import texts

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
_WRITTEN = "link as written"
_CHOSEN = "language was chosen"
_HIDE = "hide"
PRESENT, KEY = "present", "key"
_CHAPTER, _ANSWERS = "chapter", "answers"
_SHARED = (MODEL, LANGUAGE, _IMAGE, _Z, _SEED, _HIDE, PRESENT, KEY)  # on all pages
_PERSONAL = (LANGUAGE, _HIDE, PRESENT, KEY, _ANSWERS)  # not shared with other screens
tell: Callable[[str, dict[str, str]], None] | None = None  # called with each page and link that is written
DEFAULT_MODEL = os.environ.get("VAE_MODEL") or "mnist-2d"  # which `vae app --model` names


def model() -> str:
    """Returns the name of the current model."""
    return st.session_state.get(MODEL) or DEFAULT_MODEL


def use_model(name: str) -> None:
    """Makes a model the current one; call it before the sidebar is drawn, as in a callback."""
    st.session_state[MODEL] = name


def language() -> str | None:
    """Returns the code of the session's language, or None if the frame has not set it."""
    return st.session_state.get(LANGUAGE)


def begin_language(codes: Iterable[str], preferred: str) -> None:
    """Sets the language to that of the link, if it is available, else to the browser's."""
    begin(LANGUAGE, one_of(codes))
    st.session_state.setdefault(_CHOSEN, LANGUAGE in st.session_state)
    st.session_state.setdefault(LANGUAGE, preferred)


def choose_language() -> None:
    """Puts the chosen language into the link, and resends all selections to the browser.

    It is put into the link even if the browser prefers it, because links are shared with others. Streamlit's browser
    identifies a selection by its label, and would otherwise keep showing and sending the label in the old language.
    """
    st.session_state[_CHOSEN] = True
    for key, value in list(st.session_state.items()):
        if isinstance(value, str | int | list) and not isinstance(value, bool):  # the value of a button cannot be set
            st.session_state[key] = value


def image(first: int = 0) -> int:
    """Returns the row of the current test image, or `first` if none was chosen yet."""
    return st.session_state.get(_IMAGE, first)


def use_image(row: int) -> None:
    """Makes a test image the current one, and the mean of its q(z|x) the current z."""
    ask_for_drawing(False)
    st.session_state[_IMAGE] = row
    st.session_state[_Z] = None


def z() -> tuple[float, ...] | None:
    """Returns the current latent if it is not that of an image; it may have the J of another model."""
    return st.session_state.get(_Z)


def use_z(z: tuple[float, ...]) -> None:
    """Makes a latent the current one."""
    st.session_state[_Z] = z


def watched() -> str | None:
    """Returns the name of the training run that is watched, if one was chosen."""
    return st.session_state.get(JOB)


def watch(name: str) -> None:
    """Chooses a training run to watch."""
    st.session_state[JOB] = name


class Drawing(NamedTuple):
    """The last image that was drawn or uploaded."""

    image: NDArray[np.uint8]  # (H, W) in [0, 255]
    id: str  # unique for each drawing
    strokes: list[Any]  # as the pad stores them, so that it can continue
    ground: NDArray[np.uint8] | None  # the image below the strokes, if any


def drawing() -> NDArray[np.uint8] | None:
    """Returns the image (H, W) in [0, 255] drawn or uploaded last."""
    return None if (drawn := drawn_last()) is None else drawn.image


def drawn_last() -> Drawing | None:
    """Returns the last drawing or upload with its strokes."""
    return st.session_state.get(_DRAWING)


def use_drawing(drawn: Drawing | None) -> None:
    """Stores a drawing."""
    st.session_state[_DRAWING] = drawn


def drawing_is_asked_for() -> bool:
    """Whether pages about one image show the drawing."""
    return drawing() is not None and st.session_state.get(_ASKED, False)


def ask_for_drawing(wanted: bool) -> None:
    """Sets whether the drawing replaces the test image."""
    st.session_state[_ASKED] = wanted


def seed() -> int:
    """Returns the seed of random samples on the pages."""
    return st.session_state.get(_SEED, 0)


def draw_again() -> None:
    """Changes the seed, so that all samples are drawn again."""
    st.session_state[_SEED] = seed() + 1


def read_link(again: bool = False) -> None:
    """Reads the shared state from the link, once per session or again; invalid values are ignored."""
    if _OPENED in st.session_state and not again:
        return
    begin(MODEL, str)
    begin(_IMAGE, lambda text: max(int(text), 0))
    begin(_Z, texts.latent)
    begin(_SEED, lambda text: min(max(int(text), 0), 2**31))
    begin(_HIDE, lambda text: tuple(name for name in text.split(",") if name.isidentifier()))
    begin(PRESENT, lambda text: text == "1")
    begin(_CHAPTER, str)
    begin(_ANSWERS, lambda text: dict(texts.commitment(each) for each in text.split(".")))


def turn_to(page: str) -> None:
    """Records which page is shown, and drops the parameters of the previous page from the link."""
    before = st.session_state.setdefault(_PAGE, page)
    st.session_state.setdefault(_OWN, _own())
    if before != page:
        st.session_state[_OWN] = {}
        st.session_state.pop(_WRITTEN, None)  # the browser brings its own link, or none
    else:
        _follow_history()
    st.session_state[_PAGE] = page


def _follow_history() -> None:
    """Reads the link after Back or Forward in the browser; any other link that differs is of a browser that lags."""
    came, written = st.query_params.to_dict(), st.session_state.get(_WRITTEN, {})
    if not _history() or came == written:
        return
    absent = {MODEL: DEFAULT_MODEL, PRESENT: "0"}  # the absence of the others has a meaning
    for name in (written.keys() | came.keys()) - {LANGUAGE}:
        if written.get(name) != came.get(name):
            st.session_state[_OPENED][name] = came.get(name, absent.get(name, ""))
    st.session_state[_OWN], st.session_state[_WRITTEN] = _own(), came
    read_link(again=True)


def _history() -> bool:
    """Whether Back or Forward in the browser is what runs the script."""
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def take(link: dict[str, str]) -> None:
    """Applies what `tell` received in another session; call it before any widget is drawn."""
    ask_for_drawing(False)
    st.session_state[_OPENED], st.session_state[_OWN] = dict(link), {}
    read_link(again=True)


def _own() -> dict[str, str]:
    return {name: text for name, text in st.query_params.items() if name not in _SHARED}


def hidden(name: str) -> bool:
    """Whether the link hides a part of the app: sidebar, nav, model, menu, digit, questions, code, or a page."""
    return name in st.session_state.get(_HIDE, ())


def presenting() -> bool:
    """Whether presenter mode is on, with text and figures large enough for a lecture hall."""
    return bool(st.session_state.get(PRESENT))


def larger(size: float) -> int:
    """Returns a size, enlarged in presenter mode."""
    return round(size * (1.35 if presenting() else 1))


def chapter() -> str:
    """Returns the open chapter of the lesson, as in the link."""
    return st.session_state.get(_CHAPTER, "1")


def open_chapter(name: str) -> None:
    """Opens a chapter of the lesson, and drops the parameters of the previous one from the link."""
    st.session_state[_CHAPTER] = name
    own = {k: text for k, text in st.session_state.get(_OWN, {}).items() if "." not in k}
    st.session_state[_OWN] = own | lesson_link()


def answers() -> dict[str, str]:
    """Returns the reader's answers in the lesson: the letter of an option by chapter. Do not modify it."""
    return st.session_state.get(_ANSWERS, {})


def commit(chapter: str, letter: str | None) -> None:
    """Stores the reader's answer to the question of a chapter; None removes it."""
    kept = {name: given for name, given in answers().items() if name != chapter}
    st.session_state[_ANSWERS] = kept | ({chapter: letter} if letter else {})


def begin(key: str, parse: Callable[[str], Any], first: Any = None) -> None:
    """Initialises a widget that is about to be drawn, or a stored value, from the link, once.

    Arguments:
        key: of the widget, and its name in the link.
        parse: converts the text in the link; raises ValueError if it is invalid.
        first: the value if the link has none; None leaves it to the widget.
    """
    opened = st.session_state.setdefault(_OPENED, st.query_params.to_dict())
    if text := opened.get(key):
        with contextlib.suppress(ValueError):
            st.session_state[key] = parse(text)
    elif key in opened:  # the browser went back to before the choice
        st.session_state.pop(key, None)
    opened.pop(key, None)
    if first is not None:
        st.session_state.setdefault(key, first)


def one_of(options: Iterable[str]) -> Callable[[str], str]:
    """Returns a parser for `begin` that accepts only these texts."""

    def parse(text: str) -> str:
        if text not in options:
            raise ValueError(text)
        return text

    return parse


def lesson_link() -> dict[str, str | None]:
    """Returns the additional parameters of the lesson for `write_link`."""
    given = ".".join(f"{name}{letter}" for name, letter in sorted(answers().items(), key=lambda each: int(each[0])))
    return {_CHAPTER: chapter() if chapter() != "1" else None, _ANSWERS: given or None}


def write_link(**own: str | None) -> None:
    """Writes the shared state, where it differs from the defaults, and a page's own values into the link.

    Everything is written each time, whatever the link seems to contain, because the browser drops it when the page
    changes, but may still report it before. `own` maps names, with dots as double underscores, to texts, or to None for
    a default.
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
    st.session_state[_WRITTEN] = link = {name: text for name, text in (values | kept).items() if text}
    st.query_params.from_dict(link)
    if tell is not None:
        shown = {name: text or "" for name, text in (values | kept | {MODEL: chosen}).items()}
        tell(st.session_state.get(_PAGE, ""), {name: shown[name] for name in shown.keys() - {*_PERSONAL}})
