"""The frame around every page: navigation, the choice of a model, and the page itself."""

import time
from pathlib import Path

import streamlit as st

from pages.classroom import door, lead, roles
from pages.operating import log
from pages.ui import language, newcomer, state
from pages.ui.language import _, said

PAGES = Path(__file__).parent.parent
FIRST = "latent_map"

began, whole = time.perf_counter(), False
newcomer.note()
state.read_link()
roles.enter()
state.begin_language(language.CATALOGUES, language.preferred())
st.set_page_config(page_title=_("VAE explorer"), page_icon="🔬", layout="wide")
sections = {
    _("Learn"): {"learn/lesson": (_("Lesson"), "school")},
    _("Explore"): {
        "explore/latent_map": (_("Latent map"), "scatter_plot"),
        "explore/decode": (_("Decode"), "tune"),
        "explore/draw": (_("Draw"), "draw"),
        "explore/samples": (_("Samples"), "grid_view"),
        "explore/views": (_("Views"), "bubble_chart"),
        "explore/probe": (_("Probe"), "category"),
    },
    _("Train"): {
        "train/train": (_("Train"), "model_training"),
        "train/data": (_("Data"), "photo_library"),
        "train/models": (_("Models"), "deployed_code"),
    },
    _("Measure"): {
        "measure/likelihood": (_("Likelihood"), "query_stats"),
        "measure/variance": (_("Decoder variance"), "blur_on"),
        "measure/report": (_("Report"), "summarize"),
    },
}
alone, status = roles.role() is roles.Role.ALONE, {"operating/status": (_("Status"), "monitor_heart")}
if roles.role() is roles.Role.LECTURER:
    sections[_("Class")] = {"classroom/classroom": (_("Class"), "co_present"), **status}
elif alone:  # reachable by its address, but not listed, since a single user has no server to maintain
    sections[_("Server")] = status
inside = door.is_open()
# a link may hide all pages except the first, which is the start page
offered = {
    section: {
        path: st.Page(
            PAGES / f"{path}.py",
            title=title,
            icon=f":material/{icon}:",
            default=path.endswith(FIRST),
            visibility="hidden" if alone and path in status else "visible",
        )
        for path, (title, icon) in pages.items()
        if path.endswith(FIRST) or not state.hidden(path.rpartition("/")[2])
    }
    for section, pages in sections.items()
}
page = st.navigation(
    {section: list(pages.values()) for section, pages in offered.items()},
    position="hidden" if not inside or state.hidden("nav") or state.hidden("sidebar") else "sidebar",
    expanded=True,  # Streamlit would hide some of the more than twelve pages of a lecturer
)
state.turn_to(page.url_path)
state.tell = lead.share
if inside:
    lead.follow({each.url_path: each for pages in offered.values() for each in pages.values()}, page.url_path)
if state.presenting():
    st.html(
        f"<style>:root {{ font-size: {state.larger(100)}%; --vae-type: {state.larger(14)}px; --more: 0px; }}</style>"
    )
head = st.container(gap=None)
title = head.container(horizontal=True, vertical_alignment="center", key="head")
title.title(page.title)
if not inside:
    door.ask()
    st.stop()

# the title is already on screen; the following imports need torch
from pages import cache  # noqa: E402
from pages.classroom import limits, screen  # noqa: E402
from pages.takeaway import delivery, menu  # noqa: E402
from pages.ui import browser, sidebar, waiting  # noqa: E402
from vae.errors import VAEError  # noqa: E402

cache.warm()
try:
    limits.tell_server()
    screen.show_switch()
    sidebar.show()
    with head:
        browser.tell_language()
    with title:
        waiting.begin()
        screen.show_following()
    model = cache.model_id(state.model())
    with title:
        menu.show(next(path for pages in offered.values() for path, each in pages.items() if each == page), model)
    browser.hear(model)
    state.write_link()
    page.run()
    delivery.renew()
    whole = True
except VAEError as error:
    st.error(said(error), icon=":material/error:")
    whole = True
finally:
    log.page(page.url_path or FIRST, began, whole)
