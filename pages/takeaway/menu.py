"""The menu "Download": the figures and tables of the page, and files that the server makes."""

import streamlit as st

from pages import cache
from pages.takeaway import delivery, files
from pages.ui import state
from pages.ui.browser.mount import component
from pages.ui.language import _


def show(page: str, model: cache.Model) -> None:
    """Draws the menu, unless the link hides it.

    Arguments:
        page: path of the page in the frame, such as "explore/latent_map".
        model: the model in use.
    """
    if state.hidden("menu"):
        return
    given = delivery.give(lambda: files.offers(page, model))
    with st.popover(_("Download"), icon=":material/download:", type="tertiary", key="takeaway"):
        data = {
            "model": model[0], "page": page.rpartition("/")[2], "words": _words(),
            "offers": [{"label": each.label, "file": each.file, "icon": each.icon, "at": at} for each, at in given],
        }  # fmt: skip
        component("takeaway")(key="takeaway.list", data=data)


def _words() -> dict[str, str]:
    """Returns the texts of the menu; the browser fills in the braces."""
    return {
        "figures": _("Figures and tables"), "none": _("This page shows no figures or tables at the moment."),
        "files": _("Files"), "as": _("{name} as {kind}"), "making": _("Preparing {file} …"),
        "made": _("{file} was saved."), "gone": _("The page has changed. Close this menu and open it again."),
        "failed": _("{file} could not be prepared. The server did not respond, or it reported an error."),
        "changed": _("{name} is no longer on the page."),
    }  # fmt: skip
