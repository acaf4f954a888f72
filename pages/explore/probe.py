"""A classifier applied to decoded latents: class regions, uncertainty, and the path to the nearest other class."""

import streamlit as st

from pages import cache
from pages.explore.panels import classes, judges
from pages.ui import planes, state, words
from pages.ui.browser import probe
from pages.ui.fragment import fragment
from pages.ui.language import _

PARTS = ("map", "doubt", "flip", "classes")

model = cache.model_id(state.model())
data = cache.images(model)
size = cache.record(model[0]).model.latent


def choose() -> tuple[str, cache.probe.Judge | None]:
    """Draws the choice of a part of the page, the plane and the classifier, in one row."""
    titles = {
        "map": _("Regions"), "doubt": _("Uncertainty"), "flip": _("To another class"), "classes": _("Class by class"),
    }  # fmt: skip
    state.begin(judges.PART, state.one_of(PARTS), PARTS[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        part = st.segmented_control(
            _("Part"), PARTS, required=True, format_func=titles.__getitem__, key=judges.PART,
            persist_state="session", label_visibility="collapsed", wrap=True,
        ) or PARTS[0]  # fmt: skip
        if part in ("map", "doubt") and size > 2:
            with st.popover(_("Plane"), icon=":material/select_all:"):
                planes.choose(model)
        judge = judges.choose(model)
        if part == "flip" and judge is not None:
            judges.choose_target(judge.classes, judges.names(data, judge))
    state.write_link(probe__part=None if part == PARTS[0] else part)
    return part, judge


def show(part: str, judge: cache.probe.Judge) -> None:
    """Draws a part."""
    names = judges.names(data, judge)
    st.caption(judges.honest(cache.probe.agreement(model, data.name, judge), judge, words.draws(data)))

    @fragment()
    def regions() -> None:
        probe.take(model)
        plane = planes.shown(model, planes.chosen(model))
        found = cache.probe.through(model, data.name, plane.axes, judge, cache.z(model))
        probe.show(model, judge, "map", found, plane.titles, names)

    @fragment()
    def doubt() -> None:
        probe.take(model)
        plane = planes.shown(model, planes.chosen(model))
        found = cache.probe.through(model, data.name, plane.axes, judge, cache.z(model))
        says = _("Computing the aggregate posterior of {count:,} training images ...").format(count=len(data.train))
        with st.spinner(says):
            density = cache.probe.log_q(model, data.name, found)
            doubts = None if density is None else cache.probe.doubts(model, data.name, judge)
        probe.show(model, judge, "doubt", found, plane.titles, names, log_q=density, doubt=doubts)
        if doubts is not None:
            classes.doubtful(model, doubts)

    @fragment()
    def flip() -> None:
        probe.take(model)
        z = tuple(float(v) for v in cache.z(model))
        with st.spinner(_("Finding the nearest point of another class ...")):
            found = cache.flips.ways(model, data.name, judge, z, st.session_state.get(judges.TO))
        titles = planes.shown(model, None).titles
        if size > 2:
            titles = _("towards the nearest point of another class"), _("towards a code of that class")
        probe.show(model, judge, "flip", found.plane, titles, names, log_q=found.log_q, ways=found)

    if part == "classes":
        classes.show(model, judge, names)
    else:
        {"map": regions, "doubt": doubt, "flip": flip}[part]()


chosen, probed = choose()
if probed is None:
    st.info(judges.lacks(data), icon=":material/category:")
else:
    show(chosen, probed)
