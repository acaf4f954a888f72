"""The generative model, interactively: z on the decoded plane, and p(x|z) at that point."""

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import browser, words
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures, latent
from vae.model import AnyConfig


def key(model: cache.Model) -> str:
    """Returns the key of the component in the session."""
    return f"generate.{model[0]}"


def show(model: cache.Model, axes: latent.Axes, titles: tuple[str, str], spread: bool, z: np.ndarray) -> None:
    """Shows the plane beside the mean, six samples and, if there is one, sigma, and applies a clicked z."""
    kept = browser.store(model)
    chosen = (st.session_state.get(key(model)) or {}).get("chosen") or {"n": 0, "row": None, "z": None}
    browser.take(key(model), chosen)
    data = {
        "model": kept, "n": chosen["n"], "z": [round(float(v), 5) for v in z], "titles": titles,
        "basis": {"mean": axes.centre.tolist(), "directions": axes.directions.ravel().tolist()}, "spread": spread,
        "sigma_colours": figures.SIGMA_COLOURS.ravel().tolist(), "words": _words(cache.record(model[0]).model),
    }  # fmt: skip
    component("generate")(key=key(model), data=data, on_chosen_change=lambda: None)


def titles(size: int) -> tuple[str, str]:
    """Returns the axis titles of the plane for a model with this number of latent dimensions."""
    if size > 2:
        return _("first principal direction"), _("second principal direction")
    return words.coordinate(0), words.coordinate(1) if size > 1 else ""


def _words(config: AnyConfig) -> dict[str, str]:
    return {
        "plane": _("decoded latent plane"),
        "help": _("The decoded image at each point of the latent plane. Arrow keys move z, with Shift in small steps."),
        "prior": _("Sample z ~ p(z)"), "again": _("New sample x"), "mean": _("μ, the mean of p(x|z)"),
        "deviation": words.deviation(config), "range": words.deviation_range(config), "draw": _("sample of x"),
        "draws": _("Six samples x ~ p(x|z):"), "at": _("z = ({z})"),
        "server": _("This decoder cannot run in the browser. On the Decode page, the server runs it."),
    }  # fmt: skip
