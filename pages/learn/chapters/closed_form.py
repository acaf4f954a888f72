"""The regulariser in closed form: the KL divergence of each dimension, and its estimate from samples."""

import math

import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui import words
from pages.ui.language import _
from vae import figures
from vae.derivation import regulariser

CLOSE = 0.01  # nats


def show(scene: kit.Scene) -> None:
    """Draws the chapter."""
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                r"$\mathcal{L}_1$ must be estimated from samples. $\mathcal{L}_2 = -\mathrm{KL}[q(z|x) \,\|\, p(z)]$ "
                "need not: both distributions are Gaussian, and the integral has a closed form, since "
                r"$\mathbb{E}_q[z_j^2] = \mu_j^2 + \sigma_j^2$. As the dimensions are independent, the KL divergence "
                r"is a sum of $J$ terms. The term of dimension $j$ has a part for the **location**, $\mu_j^2 / 2$, "
                r"and a part for the **width**, $(\sigma_j^2 - 1 - \log \sigma_j^2) / 2$. Both are 0 if $\mu_j = 0$ "
                r"and $\sigma_j = 1$; then $z_j$ tells us nothing about $x$. The gradient of $\mathcal{L}_2$ is "
                r"$-\mu_j$ with respect to $\mu_j$ and $1/\sigma_j - \sigma_j$ with respect to $\sigma_j$, without "
                "any noise."
            )
        )
    found = cache.bound.code(scene.model, scene.dataset.name, scene.row)
    paid = regulariser.paid(*found)
    labels = [words.coordinate(j) for j in range(len(found.mean))]
    with picture:
        kit.chart(
            figures.bound.bars(paid.place, paid.width, labels, (_("location, μ² / 2"), _("width")), _("nats")),
            "8.bars", alt=_("KL divergence of each latent dimension, split into location and width"),
        )  # fmt: skip
    left, right = st.columns(2)
    with left:
        kit.formula(
            r"\mathcal{L}_2 = \frac{1}{2} \sum_{j=1}^{J} \left(1 + \log \sigma_j^2 - \mu_j^2 - \sigma_j^2\right)"
        )
    with right:
        kit.formula(
            r"\mathcal{L}_2 \approx \frac{1}{L} \sum_{l=1}^{L} \log \frac{p(z_l)}{q(z_l|x)}, \quad z_l \sim q(z|x)"
        )
    committed = kit.ask(
        8,
        _("How many samples does it take to estimate this sum with a standard error of {close} nats?").format(
            close=CLOSE
        ),
        {
            "a": _("Up to 1,000"), "b": _("1,000 to 50,000"), "c": _("50,000 to a million"),
            "d": _("More than a million"),
        },
        lambda: _answer(scene),
    )  # fmt: skip
    if committed:
        _estimate(scene, -float((paid.place + paid.width).sum()))
    kit.words(_("**Next**: both terms together, and how to maximise their sum."))
    kit.code(
        [regulariser.paid, regulariser.running_estimate],
        CELL.format(name=scene.model[0], data=scene.dataset.name, row=scene.row),
    )


CELL = """import numpy as np
import vae
from vae.derivation import regulariser

model = vae.load("{name}")
images = vae.load_dataset("{data}", fetch=False).test.images
x = model.pixels(images, vae.generator(0))[{row} : {row} + 1]
q = model.encoder(x).base_dist
mean, deviation = q.loc[0].detach().numpy(), q.scale[0].detach().numpy()
print(f"closed form {{-sum(part.sum() for part in regulariser.paid(mean, deviation)):.4f}}")
found = regulariser.running_estimate(mean, deviation, np.array([100_000]), vae.generator(0))
print(f"100,000 samples {{found.value[0]:.4f}} +- {{found.error[0]:.4f}}")
print(f"standard deviation of one sample {{found.error[0] * 100_000**0.5:.2f}}")
"""


def _answer(scene: kit.Scene) -> kit.Answer:
    deviation = regulariser.draw_deviation(*cache.bound.code(scene.model, scene.dataset.name, scene.row))
    needed = (deviation / CLOSE) ** 2
    right = "a" if needed <= 1e3 else "b" if needed <= 5e4 else "c" if needed <= 1e6 else "d"
    says = _(
        "At a single sample, log p(z) − log q(z|x) has a standard deviation of {deviation:.2f} nats, so it takes "
        "({deviation:.2f} / {close})² ≈ {needed} samples. The closed form needs none."
    )
    return kit.Answer(right, says.format(deviation=deviation, close=CLOSE, needed=words.about(max(needed, 1.0))))


def _estimate(scene: kit.Scene, closed: float) -> None:
    """Shows the running estimate from samples."""
    found = cache.bound.running_estimate(scene.model, scene.dataset.name, scene.row)
    off = (found.value[-1] - closed) / found.error[-1]
    text, picture = kit.two()
    with text:
        kit.words(
            _(
                "The closed form gives **{closed}** nats. The estimate from {draws:,} samples is **{value} ± "
                "{error:.4f}** nats, which is {off:.1f} standard errors away. Four times as many samples halve the "
                "error. Training uses one sample per image and step: an estimate from it would have a standard "
                r"deviation of {noise:.2f} nats, and its gradient with respect to $\mu_j$ one of $\sigma_j$. The "
                "closed form has no noise at all."
            ).format(
                closed=words.number(closed, 4), draws=int(found.counts[-1]),
                value=words.number(found.value[-1], 4), error=found.error[-1], off=abs(off),
                noise=found.error[-1] * math.sqrt(found.counts[-1]),
            )
        )  # fmt: skip
    with picture:
        kit.chart(
            figures.bound.running(
                found.counts, found.value, found.error, closed, (_("from samples"), _("closed form")),
                (_("number of samples"), _("nats")),
            ), "8.running", alt=_("The Monte Carlo estimate of the regulariser, converging to the closed form"),
        )  # fmt: skip
