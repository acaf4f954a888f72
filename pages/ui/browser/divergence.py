"""Two distributions with draggable parameters, and the KL divergences between them."""

from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures


def show() -> None:
    """Shows p and q, continuous or discrete, with KL[q || p] and KL[p || q] in nats."""
    data = {
        "colours": {"p": figures.COLOURS["exact"], "q": figures.COLOURS["elbo"], "kl": figures.COLOURS["kl"]},
        "words": {
            "kind": _("Kind of distribution"), "normal": _("Continuous"), "discrete": _("Discrete"),
            "first": _("Direction of the divergence"), "equal": _("Make q equal to p"), "again": _("Start again"),
            "picture": _("Two distributions p and q, and below them the terms that add up to the KL divergence"),
            "hint": _(
                "Drag the dots: the one at the top sets the mean or a probability, the one at the side the width. The "
                "arrow keys work too, with Shift in small steps. The area above the line minus the area below it is "
                "the divergence."
            ),
            "mean": _("mean of {name}"), "deviation": _("standard deviation of {name}"),
            "share": _("probability {i} of {name}"),
            "mean_short": _("mean"), "nats": _("nats"), "integrand": "{a}(z) log {a}(z) / {b}(z)",
            "terms": "{a}ᵢ log {a}ᵢ / {b}ᵢ",
        },
    }  # fmt: skip
    component("divergence")(key="lesson.divergence", data=data)
