"""The report on the current model, alone or beside another: written once, stored, and downloaded as one file."""

import json
import re

import plotly.io
import streamlit as st

from pages import cache
from pages.ui import language, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae import catalogue
from vae.errors import VAEError
from vae.report import Report, kept_report, page

AGAINST = "report.against"  # the other model, also in the link

model = cache.model_id(state.model())
if cache.record(model[0]).autoencoder:
    st.info(_("{name} is a plain autoencoder: it has no p(x). Choose another model.").format(name=model[0]))
    st.stop()
st.markdown(
    _(
        "A report on {name} that you can send to a colleague: one HTML file that opens without a network. It takes a "
        "minute or two to make, and is then stored with the model."
    ).format(name=f"**{model[0]}**")
)


def choose() -> list[cache.Model]:
    """Draws the choice of a model to compare with; returns the models to report on, the current one first."""
    others = [record.name for record in catalogue()[0] if not record.autoencoder and record.name != model[0]]
    state.begin(AGAINST, state.one_of(others))
    if st.session_state.get(AGAINST) not in others:  # also when it has become the current model
        st.session_state.pop(AGAINST, None)
    other = st.selectbox(_("Compare with"), others, None, key=AGAINST, placeholder=_("none"), width=300)
    state.write_link(report__against=other)
    return [model] if other is None else [model, cache.model_id(other)]


def kept(of: cache.Model) -> Report | None:
    """Returns the stored report on a model, or None."""
    return kept_report(of[0], cache.images(of))


def made(models: list[cache.Model]) -> list[Report]:
    """Returns the reports that are stored, and on request makes those that are missing."""
    missing = [each for each in models if kept(each) is None]
    place = st.empty()
    if missing and place.button(_("Make the report"), type="primary", icon=":material/summarize:", key="report.make"):
        place.empty()
        bar = st.progress(0.0, _("Analysing the model …"))
        for done, each in enumerate(missing):
            for part in cache.streams.report(each, cache.images(each).name):
                if part is not None:
                    title, share = part
                    bar.progress((done + share) / len(missing), title)
        bar.empty()
    return [report for each in models if (report := kept(each)) is not None]


def draw(report: Report, title: str, prefix: str) -> None:
    """Draws a part as the file has it; the keys of its figures name the files in which they are taken away."""
    part = next((each for each in report.parts if each.title == title), None)
    if part is None:
        st.caption(_("Does not apply to this model."))
        return
    for sentence in part.says:
        st.markdown(sentence)
    if part.table:
        head, *rows = part.table
        columns = {name: [words.literal(row[i]) for row in rows] for i, name in enumerate(head)}
        st.table(columns, hide_index=True, border="horizontal")
    for uri, caption in part.pictures:
        st.image(uri, caption=caption, alt=caption)
    place = re.sub("[^a-z0-9]+", "-", title.lower())
    for i, (figure, shows) in enumerate(part.figures):
        st.plotly_chart(
            plotly.io.from_json(figure), key=f"{prefix}.{place}.{i}", config={"displayModeBar": False}, alt=shows
        )


def downloads(reports: list[Report]) -> None:
    """Draws the buttons to download the reports."""
    name = "-".join([*(report.name for report in reports), "report"])
    numbers = [report.numbers() for report in reports]
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            _("HTML"), lambda: page(reports), f"{name}.html", "text/html", icon=":material/download:",
            key="report.html", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            _("Numbers as JSON"), json.dumps(numbers if len(numbers) > 1 else numbers[0], indent=1), f"{name}.json",
            "application/json", icon=":material/download:", key="report.json", on_click="ignore",
        )  # fmt: skip


@fragment()
def show() -> None:
    """Draws the reports side by side, and the buttons to download them."""
    try:
        reports = made(choose())
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
        return
    if not reports:
        return
    downloads(reports)
    if language.current() != language.ENGLISH:
        st.caption(_("The report itself is in English."))
    for title in dict.fromkeys(part.title for report in reports for part in report.parts):
        st.subheader(title, anchor=False)
        for i, (column, report) in enumerate(zip(st.columns(len(reports), gap="large"), reports, strict=True)):
            with column:
                if len(reports) > 1:
                    st.markdown(f"**{report.name}**")
                draw(report, title, f"report.{report.name}" if i else "report")


show()
