"""Samples from q(z|x) with draggable parameters, and with noise that is fixed or resampled."""

import numpy as np

from pages import cache
from pages.ui import words
from pages.ui.browser import store
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures
from vae.derivation import regulariser

DRAWS = 30


def show(model: cache.Model, name: str, x: np.ndarray, q: cache.bound.Code) -> None:
    """Shows z = mu + sigma * eps in the plane of the two most informative dimensions for an image.

    Arguments:
        model: its decoder gives log p(x|z).
        name: identifies the image; another name starts again.
        x: (D,), its pixels, prepared for the likelihood.
        q: its q(z|x).
    """
    place, width = regulariser.paid(*q)
    order = np.argsort(-(place + width), kind="stable")
    latent = len(order)
    data = {
        "model": store(model), "id": name, "x": x.round(5).tolist(), "mean": q.mean.tolist(),
        "deviation": q.deviation.tolist(), "axes": sorted(order[[0, min(1, latent - 1)]].tolist()),
        "noise": np.random.default_rng(0).standard_normal((DRAWS, latent)).round(4).tolist(),
        "names": [words.coordinate(j) for j in range(latent)], "words": _words(),
        "sigma_colours": figures.SIGMA_COLOURS.ravel().tolist(),
        "colours": {
            "encoder": figures.COLOURS["elbo"], "gradient": figures.GRADIENT, "score": figures.COLOURS["naive"],
        },
    }  # fmt: skip
    component("reparameterise")(key="lesson.reparameterise", data=data)


def _words() -> dict[str, str]:
    return {
        "noise": _("Noise"), "held": _("ε fixed"), "drawn": _("resampled at each move"),
        "sweep": _("Sweep μ along {name}"), "again": _("New ε"), "home": _("Back to the encoder's q"),
        "arrows": _("Gradient with respect to μ, per sample"), "none": _("hide"), "slope": _("reparameterised"),
        "score": _("score function"), "less": _("score function with baseline"),
        "picture": _("The latent plane: log p(x|z), q(z|x) as ellipses at one and two standard deviations, samples"),
        "mean": _("mean μ of q"), "deviation": _("standard deviation σ of q along {name}"),
        "decoded": _("mean of p(x|z) at the marked sample"),
        "value": _("L₁ from these {count} samples: {value} ± {error} nats."),
        "gradient": _("Its derivative with respect to μ along {name}: {value} ± {error} nats per unit."),
        "chart": _("L₁ from these samples as μ is swept along {name}"), "nothing": _("Sweep μ to see this curve."),
        "nats": _("nats"),
    }  # fmt: skip
