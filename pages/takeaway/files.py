"""The files of the menu: codes, an interpolation, the networks, the map, a notebook of the page, and its own."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from pages import cache
from pages.explore.panels import interpolation
from pages.takeaway import mapfile, notebooks, probing, templates
from pages.takeaway.offers import Offer
from pages.takeaway.view import View, current
from pages.ui import words
from pages.ui.language import _
from vae.latent import codes_csv

_OF_NO_MODEL = ("train/train", "train/data")  # pages whose notebooks are about training and data sets
_OF_EVIDENCE = ("measure/likelihood", "measure/report")  # pages that show nothing for a plain autoencoder


def offers(page: str, model: cache.Model) -> list[Offer]:
    """Returns the files that a page offers at present; call it while the session's script runs.

    Arguments:
        page: path of the page in the frame, such as "explore/latent_map".
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
    if page == "explore/probe" and (regions := probing.regions(view)) is not None:
        found.append(regions)
    if _repeatable(page, view):
        found.append(
            Offer(
                _("Notebook that reproduces this page (Jupyter)"), f"{_named(page, view)}.ipynb",
                "application/x-ipynb+json", ":material/code:", partial(notebooks.notebook, page, view),
            )
        )  # fmt: skip
    return found


def _repeatable(page: str, view: View) -> bool:
    """Whether there is a notebook: the page applies to the model, and its settings are valid."""
    if page not in templates.PAGES:
        return False
    if page == "train/train":
        return view.plan is not None
    return page not in _OF_EVIDENCE or not cache.record(view.model[0]).autoencoder


def codes(view: View) -> bytes:
    """Makes a table of the codes of all test images, with class names."""
    images = cache.dataset(view.data)
    test = images.test
    labels = [images.classes[label] for label in test.labels.tolist()] if test.labelled else None
    return codes_csv(cache.codes(view.model), labels, plain=cache.record(view.model[0]).autoencoder)


def walk(view: View) -> bytes:
    """Makes the interpolation of the page Decode: from the current z to the image chosen there, or another class."""
    model, means = view.model, cache.codes(view.model).mean
    begin: NDArray = means[view.row] if view.z is None else np.array(view.z, np.float32)
    end: NDArray = means[interpolation.another(model, view.row) if view.to is None else view.to]
    if view.drawing is not None:
        drawn = cache.latent.encoded(model, view.drawing)
        begin, end = (drawn if chosen else z for chosen, z in zip(view.walk_drawn, (begin, end), strict=True))
    return interpolation.animation(model, begin, end)


def _named(page: str, view: View) -> str:
    """Returns the name of a notebook: the model, if the page is about one, and the page or chapter."""
    name = page.rpartition("/")[2].replace("_", "-")
    if page == "learn/lesson":
        name += f"-{view.chapter}"
    return name if page in _OF_NO_MODEL else f"{templates.taken(page, view)[0].model[0]}-{name}"
