"""The lesson: fourteen chapters from the task to what the bound hides, computed for the selected model and image."""

import importlib

import streamlit as st

from pages.learn import kit
from pages.ui import examples, state
from pages.ui.language import _

# module in pages/learn/chapters and title of each chapter, by its name in the link
CHAPTERS = {
    "1": ("task", _("The task")),
    "2": ("integral", _("The likelihood is an integral")),
    "3": ("naive", _("Naive Monte Carlo")),
    "4": ("recognition", _("The recognition model")),
    "5": ("bound", _("The bound, line by line")),
    "6": ("parts", _("Reconstruction and regulariser")),
    "7": ("reparameterisation", _("Reparameterisation")),
    "8": ("closed_form", _("The regulariser in closed form")),
    "9": ("ascent", _("Gradient ascent")),
    "10": ("race", _("Two estimators compared")),
    "11": ("generating", _("Generating images")),
    "12": ("uses", _("Applications")),
    "13": ("autoencoder", _("Comparison with an autoencoder")),
    "14": ("hidden", _("What the bound hides")),
    "slips": ("slips", _("Errata of the lecture notes")),
}
names = list(CHAPTERS)
if state.chapter() not in names:
    state.open_chapter(names[0])
state.write_link(**state.lesson_link())  # now, since a chapter may take seconds
here = state.chapter()
at = names.index(here)


def go_to_chosen() -> None:
    state.open_chapter(st.session_state["lesson.chapter"])


def use_typed() -> None:
    state.use_image(st.session_state["lesson.row"])


def mark(name: str) -> str:
    """Returns the number of a chapter, with a tick if its question was answered."""
    number = _("Errata") if name == "slips" else name
    return f"{number} ✓" if name in state.answers() else number


def choose_image(scene: kit.Scene) -> None:
    """Offers one test image of each class, or varied ones, or any by its number."""
    name = f"{scene.label} ({scene.name})" if scene.dataset.labelled else scene.name
    with st.popover(_("Image: {name}").format(name=name), icon=":material/image:"):
        examples.show(scene.model, "lesson.image", state.use_image, used=scene.row)
        st.session_state["lesson.row"] = scene.row
        last = len(scene.dataset.test) - 1
        st.number_input(_("Test image"), 0, last, key="lesson.row", on_change=use_typed, width=160)


def turn_page() -> None:
    """Shows buttons for the previous and the next chapter."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for step, key, icon in ((-1, "back", "arrow_back"), (1, "next", "arrow_forward")):
            if 0 <= at + step < len(names):
                name = names[at + step]
                st.button(
                    f"{mark(name) if name != 'slips' else ''} {CHAPTERS[name][1]}", key=f"lesson.{key}",
                    icon=f":material/{icon}:", icon_position="left" if step < 0 else "right",
                    on_click=state.open_chapter, args=(name,), type="primary" if step > 0 else "secondary",
                )  # fmt: skip


st.html(
    # a chapter should fit on a screen, and a formula into a column
    "<style>.stMain h2 { font-size: 1.9rem; padding: 0.2rem 0; } .katex { font-size: 1.06em; } "
    ".katex-display { margin: 0.1rem 0 0.5rem; padding: 0.2rem 0 0.1rem; } "  # else tall fractions are cut at the top
    "@media (max-width: 700px) { .katex-display { font-size: 0.88em; } }</style>"
)
st.session_state["lesson.chapter"] = here
st.segmented_control(
    _("Chapter"), names, required=True, key="lesson.chapter", format_func=mark, label_visibility="collapsed",
    on_change=go_to_chosen,
)  # fmt: skip
module, title = CHAPTERS[here]
with st.container(horizontal=True, vertical_alignment="center"):
    st.header(title if here == "slips" else f"{here}  {title}", anchor=False, width="stretch")
    scene_place = st.container(width="content")
scene = kit.scene()
if not state.hidden("digit"):
    with scene_place:
        choose_image(scene)
importlib.import_module(f"pages.learn.chapters.{module}").show(scene)
turn_page()
