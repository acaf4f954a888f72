"""The figure of the aggregate posterior against the prior: on the plane of a model, or on the line of J = 1."""

import plotly.graph_objects as go

from pages import cache
from pages.ui import words
from pages.ui.language import _
from vae import figures
from vae.latent import Holes


def figure(model: cache.Model) -> tuple[go.Figure, Holes]:
    """Returns the figure, and the holes that it marks; for J > 2 it shows the plane of the principal directions."""
    size = cache.record(model[0]).model.latent
    found = cache.latent.holes(model, cache.images(model).name, (0, size - 1) if size < 3 else None)
    q, holes = _("aggregate posterior"), _("holes")
    if size == 1:
        names = (q, _("prior"), holes)
        return figures.latent.aggregate_line(found, names, (words.coordinate(0), _("density"))), found
    titles = (words.coordinate(0), words.coordinate(1))
    if size > 2:
        titles = (_("first principal direction"), _("second principal direction"))
    return figures.latent.aggregate_plane(found, (q, _("prior, 50 and 95%"), holes), titles), found
