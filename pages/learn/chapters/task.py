"""The task: images without labels, a latent of few dimensions, and a network that turns one into the other."""

from pages.learn import kit
from pages.ui import browser
from pages.ui.language import _


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    kit.words(
        _(
            "We have images and nothing else: no labels, no hints. We want their distribution $p(x)$, so that we can "
            "make new ones. Assume that each image has a **latent** $z$ of only {size} numbers that we never see. "
            "A network with parameters $\\theta$ turns $z$ into a distribution of images: a mean and a deviation "
            "for each pixel."
        ).format(size=scene.config.latent)
    )
    kit.formula(
        r"z \sim p(z) = \mathcal{N}(0, I) \qquad x \sim p_\theta(x|z) = "
        r"\mathcal{N}\big(x \,\big|\, \mu_x(z), \operatorname{diag} \sigma_x^2(z)\big)"
    )
    browser.sliders(scene.model, browser.store(scene.model))
