"""Two distributions that are dragged, and how far they are from each other."""

from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures


def show() -> None:
    """Shows p and q, continuous or discrete, with KL[q || p] and KL[p || q] in nats."""
    data = {
        "colours": {"p": figures.COLOURS["exact"], "q": figures.COLOURS["elbo"], "kl": figures.COLOURS["kl"]},
        "words": {
            "kind": _("Kind of distribution"), "normal": _("Continuous"), "discrete": _("Discrete"),
            "first": _("Which of the two"), "equal": _("Make q equal to p"), "again": _("Start again"),
            "picture": _("Two distributions p and q, and under them what is summed up to the KL divergence"),
            "hint": _(
                "Drag the dots: the top is the mean or a share, the side the width. Arrow keys work too, with shift "
                "in small steps. What lies above the line less what lies below is the divergence."
            ),
            "mean": _("mean of {name}"), "deviation": _("deviation of {name}"), "share": _("share {i} of {name}"),
            "mean_short": _("mean"), "nats": _("nats"), "integrand": "{a}(z) log {a}(z) / {b}(z)",
            "terms": "{a}ᵢ log {a}ᵢ / {b}ᵢ",
        },
    }  # fmt: skip
    component("divergence")(key="lesson.divergence", data=data)
