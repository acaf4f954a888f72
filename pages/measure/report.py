"""The report on the current model: written once, stored with the model, and downloaded as one file."""

import json
import re

import plotly.io
import streamlit as st

from pages import cache
from pages.ui import language, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae.errors import VAEError
from vae.report import Part, Report, kept_report, page

model = cache.model_id(state.model())
if cache.record(model[0]).autoencoder:
    st.info(_("{name} is a plain autoencoder: it has no p(x). Choose another model.").format(name=model[0]))
    st.stop()
st.markdown(
    _(
        "What is inside {name}, for a colleague: one file that opens without a network. It is made once, in a minute "
        "or two, and kept beside the model."
    ).format(name=f"**{model[0]}**")
)


def made() -> Report | None:
    """The report that is kept, or one that was asked for now."""
    dataset = cache.images(model)
    found = kept_report(model[0], dataset)
    if found is not None:
        return found
    place = st.empty()
    if not place.button(_("Make the report"), type="primary", icon=":material/summarize:", key="report.make"):
        return None
    place.empty()
    bar = st.progress(0.0, _("Looking into the model …"))
    for part in cache.streams.report(model, dataset.name):
        if part is not None:
            title, share = part
            bar.progress(share, title)
    bar.empty()
    return kept_report(model[0], dataset)


def draw(part: Part) -> None:
    """Draws a part as the file has it; the keys of its figures name the files in which they are taken away."""
    place = re.sub("[^a-z0-9]+", "-", part.title.lower())
    st.subheader(part.title, anchor=False)
    for sentence in part.says:
        st.markdown(sentence)
    if part.table:
        head, *rows = part.table
        columns = {name: [words.literal(row[i]) for row in rows] for i, name in enumerate(head)}
        st.table(columns, hide_index=True, border="horizontal")
    for uri, caption in part.pictures:
        st.image(uri, caption=caption, alt=caption)
    for i, (figure, shows) in enumerate(part.figures):
        st.plotly_chart(
            plotly.io.from_json(figure), key=f"report.{place}.{i}", config={"displayModeBar": False}, alt=shows
        )


@fragment()
def show() -> None:
    """Draws the report, and the buttons to download it."""
    try:
        report = made()
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
        return
    if report is None:
        return
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            _("HTML"), lambda: page([report]), f"{report.name}-report.html", "text/html", icon=":material/download:",
            key="report.html", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            _("Numbers as JSON"), json.dumps(report.numbers(), indent=1), f"{report.name}-report.json",
            "application/json", icon=":material/download:", key="report.json", on_click="ignore",
        )  # fmt: skip
    if language.current() != language.ENGLISH:
        st.caption(_("The report itself is in English."))
    for part in report.parts:
        draw(part)


show()
