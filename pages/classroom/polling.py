"""The poll under a question of the lesson, shown only to the lecturer."""

import textwrap

import plotly.graph_objects as go
import streamlit as st

from pages.classroom import poll, roles
from pages.ui import state
from pages.ui.language import _, said
from vae import figures
from vae.errors import VAEError

__all__ = ["show"]

_OFTEN = 2.0  # seconds
_WIDE = 44  # characters per line of an option


def show(chapter: str, options: dict[str, str]) -> None:
    """Draws the number of answers, and the results only on request, because the screen may be projected.

    Arguments:
        chapter: the number of the chapter.
        options: the texts of the options by letter.
    """
    if roles.role() is roles.Role.LECTURER:
        _live(chapter, options)


@st.fragment(run_every=_OFTEN)
def _live(chapter: str, options: dict[str, str]) -> None:
    found = poll.answers(chapter)
    counts = {text: found[letter] for letter, text in options.items()}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("Student answers: {count}").format(count=sum(counts.values())))
        opened = st.toggle(_("Show results"), key=f"poll.show{chapter}", persist_state="session")
        if opened:
            st.button(
                _("Clear"), key=f"poll.clear{chapter}", icon=":material/delete:", type="tertiary",
                on_click=_clear, args=(chapter,),
            )  # fmt: skip
    if opened:
        alt = _("Poll results: {counts}").format(counts="; ".join(f"{text}: {n}" for text, n in counts.items()))
        chart = _bars(counts)
        st.plotly_chart(chart, key=f"poll.chart{chapter}", config={"displayModeBar": False}, alt=alt)


def _bars(counts: dict[str, int]) -> go.Figure:
    """Returns a bar chart of the counts, in the order of the options."""
    names = ["<br>".join(textwrap.wrap(text, _WIDE)) for text in counts]
    lines = sum(name.count("<br>") + 1 for name in names)
    figure = go.Figure(
        go.Bar(
            x=list(counts.values()), y=names, orientation="h", text=list(counts.values()), textposition="outside",
            cliponaxis=False, marker={"color": figures.COLOURS["elbo"]}, hoverinfo="skip",
        )
    )  # fmt: skip
    figure.update_layout(
        height=state.larger(30 + 18 * len(names) + 18 * lines), margin={"l": 0, "r": 30, "t": 10, "b": 10}, bargap=0.4,
        xaxis={"visible": False, "range": [0, max(1, *counts.values()) * 1.1], "fixedrange": True},
        yaxis={"autorange": "reversed", "automargin": True, "fixedrange": True},
        font={"size": state.larger(14)}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return figure


def _clear(chapter: str) -> None:
    try:
        poll.clear(chapter)
    except VAEError as error:
        st.toast(said(error), icon=":material/error:")
