"""A short tour of the explorer for new visitors."""

from pages.ui.browser.mount import component
from pages.ui.language import _


def tour() -> None:
    """Points out the map, the choice of a model and the lesson, once per browser, until it is closed."""
    words = {
        "name": _("A short tour"), "next": _("Next"), "skip": _("Skip the tour"), "done": _("Done"),
        "map": _(
            "Every point of this plane is a latent code z. Move over it to see the image that the decoder generates "
            "from z; click to select a point for all pages."
        ),
        "models": _(
            "Four models of the same images, with J = 2, 5, 10 and 20 latent dimensions, are one click apart. Your own "
            "models appear in the list."
        ),
        "lesson": _(
            "The lesson derives the variational autoencoder step by step on this model, and the page Likelihood "
            "estimates log p(x) in several ways and compares them."
        ),
    }  # fmt: skip
    component("tour")(key="tour", data={"words": words})
