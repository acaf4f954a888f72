"""What the chapters of the lesson share: the image in use, words, pictures, questions, steps, code."""

import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import vae
from pages import cache
from pages.classroom import poll, polling
from pages.ui import state
from pages.ui.language import _
from pages.ui.words import classes as class_names
from vae import paths
from vae.model import AnyConfig
from vae.report import Cell, notebook

PLANE = "mnist-2d"  # the model whose log p(x) is exact, where that of the model in use is not
FIRST = {"mnist-sample": 19}  # an image that encoders know; its first one is a freak


class Scene(NamedTuple):
    """What a chapter is about.

    Attributes:
        model: a VAE, by name and time of writing; never a plain autoencoder.
        config: the model's.
        dataset: the model's images.
        row: of the test image in use, below `len(dataset.test)`.
    """

    model: cache.Model
    config: AnyConfig
    dataset: vae.Dataset
    row: int

    @property
    def rows(self) -> tuple[int]:
        """The row as most cached functions take it."""
        return (self.row,)

    @property
    def label(self) -> str:
        """The class of the image, or what it is called where it has none."""
        if not self.dataset.labelled:
            return _("image")
        return class_names(self.dataset)[int(self.dataset.test.labels[self.row])]

    @property
    def name(self) -> str:
        """What the image is called."""
        return _("test image {row}").format(row=self.row)


class Answer(NamedTuple):
    """The right answer to a question, computed.

    Attributes:
        right: the letter of the right option.
        says: why, with the numbers.
    """

    right: str
    says: str


def scene() -> Scene:
    """Returns the model and the image in use; for a plain autoencoder mnist-2d, which one line says."""
    model = cache.model_id(state.model())
    if cache.record(model[0]).autoencoder:
        note(
            _("{name} is a plain autoencoder, without p(x). The lesson takes {plane}.").format(
                name=model[0], plane=PLANE
            )
        )
        model = cache.model_id(PLANE)
    return of(model)


def of(model: cache.Model) -> Scene:
    """Returns the scene of another model, with the row of the image in use."""
    dataset = cache.images(model)
    row = min(state.image(FIRST.get(dataset.name, 0)), len(dataset.test) - 1)
    return Scene(model, cache.record(model[0]).model, dataset, row)


def plane_scene(scene: Scene) -> Scene:
    """Returns the scene, or where J > 2, so that log p(x) is not exact, that of mnist-2d, which one line says."""
    if scene.config.latent <= 2:
        return scene
    note(
        _("log p(x) is known exactly for J ≤ 2. {name} has J = {size}, so these numbers are of {plane}.").format(
            name=scene.model[0], size=scene.config.latent, plane=PLANE
        )
    )
    return of(cache.model_id(PLANE))


def flat(scene: Scene) -> Scene:
    """Returns the scene, or where J is not 2, so that no plane is the latent space, that of mnist-2d, likewise."""
    if scene.config.latent == 2:
        return scene
    note(
        _("The picture needs J = 2. {name} has J = {size}, so these numbers are of {plane}.").format(
            name=scene.model[0], size=scene.config.latent, plane=PLANE
        )
    )
    return of(cache.model_id(PLANE))


def signed(value: float, digits: int = 1) -> str:
    """Writes a difference with its sign, +1.2 or −1.2."""
    return f"{value:+,.{digits}f}".replace("-", "−")


def words(text: str) -> None:
    """Shows a paragraph."""
    st.markdown(_minus(text))


def note(text: str) -> None:
    """Shows a line that a reader may pass over."""
    st.caption(_minus(text))


def say_unjudged(scene: Scene, more: str = "") -> None:
    """Says why no classifier judges the draws of a model, see `cache.uses.can_be_judged`, and what is shown instead."""
    says = _("The classifier judges grey images of several classes; those of {name} are not.")
    st.info(f"{says.format(name=scene.model[0])} {more}".rstrip(), icon=":material/info:")


def _minus(text: str) -> str:
    """Gives the numbers of a text true minus signs."""
    return re.sub(r"(?<=[\s(*|])-(?=\d)", "−", text)


def formula(latex: str) -> None:
    """Shows a formula on a line of its own."""
    st.latex(latex)


def two() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Returns a column for the text and one for the picture, one above the other on a phone."""
    text, picture = st.columns([5, 6], gap="large")
    return text, picture


def chart(figure: go.Figure, name: str, alt: str, **more: Any) -> Any:
    """Shows a figure, larger when presenting; figures have a transparent ground and no mode bar.

    Arguments:
        figure: not to be shared: it may be made larger.
        name: "<chapter>.<name>".
        alt: what it shows, for those who cannot see it.
        more: for `st.plotly_chart`.
    """
    if state.presenting():
        height, size = figure.layout.height or 400, figure.layout.font.size or 12
        figure.update_layout(height=state.larger(height), font={"size": state.larger(size)})
    return st.plotly_chart(figure, key=f"lesson.{name}", config={"displayModeBar": False}, alt=alt, **more)


def ask(chapter: int, question: str, options: dict[str, str], answer: Callable[[], Answer]) -> bool:
    """Asks for a commitment, and only then computes the answer and says who was right.

    Arguments:
        chapter: its number.
        question: one sentence.
        options: by letter, "a", "b", ...
        answer: computes the answer from the model in use.

    Returns:
        Whether the reader has committed, so that what gives the answer away may be drawn.
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
                _("Commit"), key=f"lesson.commit{chapter}", type="primary", on_click=_commit, args=(name, radio),
                disabled=st.session_state.get(radio) is None,
            )  # fmt: skip
            note(_("The chapter goes on with your answer."))
            return False
        found = answer()
        if given == found.right:
            st.success(_("**Right.** {says}").format(says=_minus(found.says)), icon=":material/check_circle:")
        else:
            says = _("**Not so. The answer: {right}.** {says}").format(
                right=options[found.right].rstrip("."), says=_minus(found.says)
            )
            st.warning(says, icon=":material/cancel:")
        st.button(
            _("Ask me again"), key=f"lesson.again{chapter}", icon=":material/undo:", type="tertiary",
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
    """Shows named steps with Back and Next, and returns the index of the one that is shown; it is in the link.

    Arguments:
        key: "<chapter>.<name>".
        names: of the steps, in order.
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
    """Shows the lines of the library behind the number on screen, and a cell that computes it outside the app.

    Arguments:
        functions: of `vae`, whose source is read now, so that it cannot drift.
        cell: Python that runs wherever the package is installed, and prints the number of this model and image.
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
            _("**Copy as notebook.** The same number outside the app, in any environment that has this package:")
        )
        st.code(cell)
        st.download_button(
            _("Download as notebook"), notebook([Cell("code", cell)]), f"lesson-{state.chapter()}.ipynb",
            "application/x-ipynb+json", key="lesson.notebook", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
