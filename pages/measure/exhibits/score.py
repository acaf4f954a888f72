"""The gain of a learned variance: the held-out ELBO of each model, and its upper bound for 8-bit images."""

import streamlit as st

from pages.measure.exhibits import scene
from pages.measure.exhibits.scene import Scene
from pages.ui.language import _
from vae.model import bits_per_dimension


def title() -> str:
    """Returns the title of the step."""
    return _("What a learned variance gains")


def show(about: Scene) -> None:
    """Shows the scores."""
    st.markdown(
        _(
            r"For each pixel a Gaussian decoder predicts a mean $\mu_d$ and a standard deviation $\sigma_d$, which "
            "says how far the pixel may be from the mean:"
        )
    )
    st.latex(
        r"\log p(x|z) = -\frac{1}{2} \sum_d \left[ \frac{(x_d - \mu_d)^2}{\sigma_d^2} + \log 2 \pi \sigma_d^2 \right]"
    )
    st.markdown(
        _(
            r"A small $\sigma_d$ is rewarded where the prediction is accurate and punished where it is not. The models "
            r"below treat $\sigma$ differently: it is learned for each pixel with a lower bound (a floor) on "
            r"$\log \sigma^2$, learned without one, or learned as one number for the whole image."
        )
    )
    head = ("", _("held-out ELBO, nats"), _("share of the ceiling"), _("bits per dimension"))
    table = [head, ("---", *["---:"] * 3)]
    scores = {scene.title(about, name): record.held_out.get("elbo") for name, record in about.records.items()}
    for what, elbo in (scores | {_("ceiling, {d} ln 256").format(d=about.pixels): about.ceiling}).items():
        cells = ["–"] * 3
        if elbo is not None:
            bits = bits_per_dimension(elbo, "gaussian", about.pixels)
            cells = [f"{elbo:,.1f}", f"{elbo / about.ceiling:.0%}", f"{bits:.2f}"]
        table.append((what, *cells))
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in table))
    st.markdown(
        _(
            r"**Why the ELBO is positive.** A density is not a probability. At $\sigma = 0.05$ the density of a pixel "
            r"reaches $1 / (\sigma \sqrt{2 \pi}) = 8$, so $\log p(x)$ may be positive, and the loss, $-$ELBO, negative."
        )
    )
    st.markdown(
        _(
            r"**Where the ceiling comes from.** Pixels are dequantised: $x = (u + \mathrm{{U}}[0, 1)) / 256$. The "
            r"8-bit image $u$ has a probability of at most 1, spread over a cube of volume $256^{{-{d}}}$. So, on "
            r"average over the noise, $\log p(x) \leq {d} \ln 256$."
        ).format(d=about.pixels)
    )
