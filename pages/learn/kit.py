"""What the chapters of the lesson share: the selected image, text, figures, questions, steps, code."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import vae
from pages import cache
from pages.classroom import poll, polling
from pages.learn import typography
from pages.ui import state
from pages.ui.language import _
from pages.ui.words import classes as class_names
from vae import paths
from vae.model import AnyConfig
from vae.report import Cell, notebook

PLANE = "mnist-2d"  # the model used where log p(x) of the selected one cannot be computed exactly
FIRST = {"mnist-sample": 19}  # a typical image; the first one of this set is atypical


class Scene(NamedTuple):
    """The model and the image that a chapter shows.

    Attributes:
        model: a VAE, by name and time of writing; never a plain autoencoder.
        config: its configuration.
        dataset: the images that it was trained and tested on.
        row: index of the selected test image, less than `len(dataset.test)`.
    """

    model: cache.Model
    config: AnyConfig
    dataset: vae.Dataset
    row: int

    @property
    def rows(self) -> tuple[int]:
        """The row as a tuple, as most cached functions take it."""
        return (self.row,)

    @property
    def label(self) -> str:
        """The class of the image, or "image" if it has none."""
        if not self.dataset.labelled:
            return _("image")
        return class_names(self.dataset)[int(self.dataset.test.labels[self.row])]

    @property
    def name(self) -> str:
        """The name of the image."""
        return _("test image {row}").format(row=self.row)


class Answer(NamedTuple):
    """The computed answer to a question.

    Attributes:
        right: letter of the right option.
        says: the explanation, with the numbers.
    """

    right: str
    says: str


def scene() -> Scene:
    """Returns the selected model and image; in place of a plain autoencoder mnist-2d, with a note that says so."""
    model = cache.model_id(state.model())
    if cache.record(model[0]).autoencoder:
        note(
            _("{name} is a plain autoencoder, which has no p(x). The lesson uses {plane} instead.").format(
                name=model[0], plane=PLANE
            )
        )
        model = cache.model_id(PLANE)
    return of(model)


def of(model: cache.Model) -> Scene:
    """Returns the scene of another model, with the row of the selected image."""
    dataset = cache.images(model)
    row = min(state.image(FIRST.get(dataset.name, 0)), len(dataset.test) - 1)
    return Scene(model, cache.record(model[0]).model, dataset, row)


def plane_scene(scene: Scene) -> Scene:
    """Returns the scene, or that of mnist-2d with a note if J > 2, where log p(x) cannot be computed exactly."""
    if scene.config.latent <= 2:
        return scene
    note(
        _(
            "log p(x) can be computed exactly only for J ≤ 2. {name} has J = {size}, so the numbers here are those of "
            "{plane}."
        ).format(name=scene.model[0], size=scene.config.latent, plane=PLANE)
    )
    return of(cache.model_id(PLANE))


def flat(scene: Scene) -> Scene:
    """Returns the scene, or that of mnist-2d with a note if J is not 2, so that the latent space is no plane."""
    if scene.config.latent == 2:
        return scene
    note(
        _("The figure requires J = 2. {name} has J = {size}, so the numbers here are those of {plane}.").format(
            name=scene.model[0], size=scene.config.latent, plane=PLANE
        )
    )
    return of(cache.model_id(PLANE))


def words(text: str) -> None:
    """Shows a paragraph."""
    st.markdown(typography.paragraph(text))


def note(text: str) -> None:
    """Shows a note that a reader may skip."""
    st.caption(typography.paragraph(text))


def say_unjudged(scene: Scene, more: str = "") -> None:
    """Says why no classifier judges the samples of a model (`cache.uses.can_be_judged`), and what is shown instead."""
    says = _("The classifier can judge only grey images of several classes, and those of {name} are not of this kind.")
    st.info(f"{says.format(name=scene.model[0])} {more}".rstrip(), icon=":material/info:")


def formula(latex: str) -> None:
    """Shows a formula on a line of its own."""
    st.latex(latex)


def two() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Returns a column for the text and one for the figure, one above the other on a phone."""
    text, picture = st.columns([5, 6], gap="large")
    return text, picture


def chart(figure: go.Figure, name: str, alt: str, *, height: int | None = None, **more: Any) -> Any:
    """Shows a figure without a mode bar, enlarged in presenter mode.

    Arguments:
        figure: may be modified, so it must not be shared.
        name: "<chapter>.<name>".
        alt: text alternative.
        height: in pixels; None for the figure's own.
        more: passed on to `st.plotly_chart`.
    """
    if height is not None:
        figure.update_layout(height=height)
    if state.presenting():
        height, size = figure.layout.height or 400, figure.layout.font.size or 12
        figure.update_layout(height=state.larger(height), font={"size": state.larger(size)})
    return st.plotly_chart(figure, key=f"lesson.{name}", config={"displayModeBar": False}, alt=alt, **more)


def ask(chapter: int, question: str, options: dict[str, str], answer: Callable[[], Answer]) -> bool:
    """Asks a question; once it is answered, computes the right answer and shows it with an explanation.

    Arguments:
        chapter: number of the chapter.
        question: text of the question.
        options: texts of the options by letter, "a", "b", ...
        answer: computes the answer for the selected model.

    Returns:
        Whether the question was answered, so that figures which reveal the answer may be shown.
    """
    if state.hidden("questions"):
        words(answer().says)
        return True
    name, radio = str(chapter), f"lesson.question{chapter}"
    given = state.answers().get(name)
    if given not in options:
        given = None
    if given:
        st.session_state[radio] = given
    with st.container(border=True):
        st.markdown(f"**{question}**")
        st.radio(
            question, list(options), index=None, format_func=options.__getitem__, key=radio,
            disabled=given is not None, label_visibility="collapsed",
        )  # fmt: skip
        polling.show(name, options)
        if given is None:
            st.button(
                _("Submit"), key=f"lesson.commit{chapter}", type="primary", on_click=_commit, args=(name, radio),
                disabled=st.session_state.get(radio) is None,
            )  # fmt: skip
            note(_("The chapter continues after your answer."))
            return False
        found = answer()
        if given == found.right:
            st.success(
                _("**Correct.** {says}").format(says=typography.minus(found.says)), icon=":material/check_circle:"
            )
        else:
            says = _("**Incorrect. The answer: {right}.** {says}").format(
                right=options[found.right].rstrip("."), says=typography.minus(found.says)
            )
            st.warning(says, icon=":material/cancel:")
        st.button(
            _("Try again"), key=f"lesson.again{chapter}", icon=":material/undo:", type="tertiary",
            on_click=_take_back, args=(name, radio),
        )  # fmt: skip
    return True


def _commit(chapter: str, radio: str) -> None:
    state.commit(chapter, st.session_state.get(radio))
    if letter := st.session_state.get(radio):
        poll.count(chapter, letter)


def _take_back(chapter: str, radio: str) -> None:
    state.commit(chapter, None)
    st.session_state[radio] = None


def steps(key: str, names: list[str]) -> int:
    """Shows named steps with Back and Next, and returns the index of the current one, which is part of the link.

    Arguments:
        key: "<chapter>.<name>".
        names: names of the steps, in order.
    """
    last = len(names) - 1
    state.begin(key, lambda text: min(max(int(text) - 1, 0), last), 0)
    at = min(st.session_state[key], last)
    st.session_state[key] = at

    def go(by: int) -> None:
        st.session_state[key] = min(max(st.session_state[key] + by, 0), last)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(_("Back"), key=f"{key}.back", icon=":material/arrow_back:", on_click=go, args=(-1,), disabled=at == 0)
        st.segmented_control(
            _("Steps"), range(len(names)), required=True, key=key, label_visibility="collapsed",
            format_func=lambda i: f"{i + 1} {names[i]}", persist_state="session", wrap=True,
        )  # fmt: skip
        st.button(_("Next"), key=f"{key}.next", icon=":material/arrow_forward:", icon_position="right", type="primary",
                  on_click=go, args=(1,), disabled=at == last)  # fmt: skip
    state.write_link(**{key.replace(".", "__"): str(at + 1) if at else None})
    return at


def leads_to(page: str, says: str, icon: str) -> None:
    """Links to a page of the explorer, unless the link hides it.

    Arguments:
        page: its path below pages/, as the frame has it: "explore/probe".
        says: what the link says.
        icon: its name.
    """
    if not state.hidden(page.rpartition("/")[2]):
        st.page_link(Path(__file__).parents[1] / f"{page}.py", label=says, icon=f":material/{icon}:")


def code(functions: Sequence[Callable[..., Any]], cell: str) -> None:
    """Shows the source of the library's functions behind a number, and a cell that computes it outside the explorer.

    Arguments:
        functions: functions of `vae`; their source is read from the files, so it is always current.
        cell: Python code that runs wherever the package is installed and prints the number for this model and image.
    """
    if state.hidden("code"):
        return
    with st.expander(_("The code"), icon=":material/code:"):
        for function in functions:
            lines, first = inspect.getsourcelines(function)
            file = (
                Path(inspect.getsourcefile(inspect.unwrap(function)) or "").relative_to(paths.LIBRARY.parent).as_posix()
            )
            st.caption(_("{file}, line {line}").format(file=f"`{file}`", line=first))
            st.code(inspect.cleandoc("\n" + "".join(lines)), height=min(36 + 24 * len(lines), 420))
        st.markdown(
            _(
                "**Copy as notebook.** This cell computes the same number outside the explorer, in any environment "
                "with this package:"
            )
        )
        st.code(cell)
        st.download_button(
            _("Download as notebook"), notebook([Cell("code", cell)]), f"lesson-{state.chapter()}.ipynb",
            "application/x-ipynb+json", key="lesson.notebook", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
