"""A latent space as it forms: the latest state of a run in progress, and the whole history of a finished one."""

from typing import Any

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import words
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures

AWAKE = 0.01  # nats; a dimension with a smaller KL is called unused throughout


def show(name: str, data_name: str, *, live: bool, sort: bool = False, by_variance: bool = False) -> bool:
    """Shows the map, decoded images and the KL of each dimension; returns whether there is anything to show.

    Arguments:
        name: of the run.
        data_name: of its data set.
        live: whether it is still running: then show its latest state, else all of them with a time slider.
        sort: whether to sort dimensions by their current, or final, KL in decreasing order.
        by_variance: whether the dimensions shown were chosen by variance, for an autoencoder, which has no KL.
    """
    formed = cache.training.formed(name, data_name, live=live)
    if formed is None:
        return False
    dataset = cache.dataset(data_name)
    data = given(formed, sort, by_variance) | {"live": live, "classes": words.classes(dataset)}
    component("replay")(key="train.replay", data=data)
    if not (dataset.labelled or live):
        st.caption(
            _("These images have no labels. The colours show k-means clusters of their codes at the end of training.")
        )
    return True


def given(formed: dict[str, Any], sort: bool, by_variance: bool) -> dict[str, Any]:
    """Returns the data that the browser draws, with names and order."""
    first, second = formed["axes"]
    kl = formed["kl"]
    order = np.argsort(-kl[-1], kind="stable") if sort else np.arange(kl.shape[1])
    return {
        **formed, "titles": (words.coordinate(first), words.coordinate(second) if second != first else ""),
        "planes": [" × ".join(map(words.coordinate, dict.fromkeys(pair))) for pair in formed["planes"]],
        "kl": kl.ravel() if kl.size else None, "order": order.tolist(), "awake": AWAKE,
        "names": [words.coordinate(j) for j in range(kl.shape[1])], "carried_colour": figures.COLOURS["kl"],
        "words": _words(formed["latent"], by_variance),
    }  # fmt: skip


def _words(latent: int, by_variance: bool) -> dict[str, str]:
    sheet = _("decoded images over the plane, at points spaced evenly in prior probability")
    chosen = ""
    if latent > 2:
        sheet = _("decoded images over {plane}, all other coordinates 0, at points spaced evenly in prior probability")
        chosen = (
            _("The plane shows two of the {count} dimensions, chosen among those with the largest variance.")
            if by_variance
            else _("The plane shows two of the {count} dimensions, chosen among those with the largest KL.")
        ).format(count=latent)
    return {
        "map": _("Codes of the same test images in the latent plane as training proceeds"), "sheet": sheet,
        "play": _("Play"), "pause": _("Pause"), "time": _("Training progress"), "chosen": chosen,
        "at": _("epoch {epoch}, step {step}"),
        "carried": _("KL of each dimension in nats, averaged over training images; {awake} of {count} are above 0.01"),
    }  # fmt: skip
