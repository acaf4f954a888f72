"""The files that the menu gives away: codes, a walk, the networks, the map, and a notebook of the page."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from pages import cache
from pages.explore.panels import interpolation
from pages.takeaway import mapfile, notebooks, templates
from pages.takeaway.offers import Offer
from pages.takeaway.view import View, current
from pages.ui import words
from pages.ui.language import _
from vae.latent import codes_csv

_OF_NO_MODEL = ("train/train", "train/data")  # pages whose notebooks are on trainings and on data sets
_OF_EVIDENCE = ("measure/likelihood", "measure/report")  # which show nothing of a plain autoencoder


def offers(page: str, model: cache.Model) -> list[Offer]:
    """Returns what a page gives away of what is in use now; to be called while the session's script runs.

    Arguments:
        page: "explore/latent_map" or another, as the frame has it.
        model: by name and time of writing.
    """
    view, name = current(page, model), model[0]
    drawn = words.draws(cache.dataset(view.data))
    found = [
        Offer(
            _("Codes of samples from the model (CSV)") if drawn else _("Codes of the test images (CSV)"),
            f"{name}-codes.csv", "text/csv", ":material/table_chart:", partial(codes, view),
        ),
        Offer(
            _("Interpolation to another sample (GIF)") if drawn else _("Interpolation to another image (GIF)"),
            f"{name}-walk.gif", "image/gif", ":material/animation:", partial(walk, view),
        ),
        Offer(
            _("Interactive latent map (HTML)"), f"{name}-map.html", "text/html", ":material/scatter_plot:",
            partial(mapfile.page, model, mapfile.in_use(model)),
        ),
        Offer(
            _("Encoder and decoder (ONNX)"), f"{name}-onnx.zip", "application/zip", ":material/deployed_code:",
            partial(cache.browser.networks, model),
        ),
    ]  # fmt: skip
    if _repeatable(page, view):
        found.append(
            Offer(
                _("Notebook that reproduces this page (Jupyter)"), f"{_named(page, view)}.ipynb",
                "application/x-ipynb+json", ":material/code:", partial(notebooks.notebook, page, view),
            )
        )  # fmt: skip
    return found


def _repeatable(page: str, view: View) -> bool:
    """Whether there is a notebook: the page shows something of the model, and its settings are not refused."""
    if page not in templates.PAGES:
        return False
    if page == "train/train":
        return view.plan is not None
    return page not in _OF_EVIDENCE or not cache.record(view.model[0]).autoencoder


def codes(view: View) -> bytes:
    """Makes the table of the codes of all test images, with the names of their classes."""
    images = cache.dataset(view.data)
    test = images.test
    labels = [images.classes[label] for label in test.labels.tolist()] if test.labelled else None
    return codes_csv(cache.codes(view.model), labels, plain=cache.record(view.model[0]).autoencoder)


def walk(view: View) -> bytes:
    """Makes the animation of the page Decode: from what is in use to the image chosen there, or to another class."""
    model, means = view.model, cache.codes(view.model).mean
    begin: NDArray = means[view.row] if view.z is None else np.array(view.z, np.float32)
    end: NDArray = means[interpolation.another(model, view.row) if view.to is None else view.to]
    if view.drawing is not None:
        drawn = cache.latent.encoded(model, view.drawing)
        begin, end = (drawn if chosen else z for chosen, z in zip(view.walk_drawn, (begin, end), strict=True))
    return interpolation.animation(model, begin, end)


def _named(page: str, view: View) -> str:
    """Names a notebook after the model in it, if the page is about one, and after the page and its chapter."""
    name = page.rpartition("/")[2].replace("_", "-")
    if page == "learn/lesson":
        name += f"-{view.chapter}"
    return name if page in _OF_NO_MODEL else f"{templates.taken(page, view)[0].model[0]}-{name}"
