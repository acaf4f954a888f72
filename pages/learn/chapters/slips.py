"""The slips of the source: each formula as it is printed, the right one, and what the difference is here."""

import numpy as np
import streamlit as st

from pages import cache
from pages.learn import kit
from pages.ui.language import _
from vae import latent
from vae.derivation import slips


def show(scene: kit.Scene) -> None:
    """Draws the page."""
    kit.words(
        _(
            "The lesson follows a chapter of lecture notes. Copied as they stand, some of its formulas would not work. "
            "Each is given as printed, then as it should be, with what that means for your image under {name}."
        ).format(name=scene.model[0])
    )
    codes = cache.codes(scene.model)
    mean, deviation = codes.mean[scene.row], codes.deviation[scene.row]
    _card(
        _("A variance for a deviation"),
        r"z = \mu_z + \sigma_z^2 \odot \epsilon", r"z = \mu_z + \sigma_z \odot \epsilon",
        _deviation(mean, deviation),
    )  # fmt: skip
    _card(
        _("A density of x for one of z"),
        r"q_\phi(z|x) = \mathcal{N}(x \,|\, \mu_z, \sigma_z^2 I)",
        r"q_\phi(z|x) = \mathcal{N}(z \,|\, \mu_z, \mathrm{diag}\,\sigma_z^2)",
        _(
            "It stands so twice. x has {pixels} numbers, $\\mu_z$ has {size}: no Gaussian of x has such a mean."
        ).format(pixels=scene.config.pixels, size=scene.config.latent),
    )  # fmt: skip
    _card(_("The posterior for the decoder"), r"p_\theta(z|x^{(i)})", r"p_\theta(x^{(i)}|z)", _posterior(scene))
    _card(
        _("An integral without its dx"),
        r"\mathrm{KL}(p\|q) = \int p(x) \log \frac{p(x)}{q(x)}",
        r"\mathrm{KL}(p\|q) = \int p(x) \log \frac{p(x)}{q(x)}\, dx",
        _width(mean, deviation),
    )  # fmt: skip
    _card(
        _("One variance for all pixels"),
        r"\mathcal{N}(x \,|\, \mu_x, \sigma_x^2 I)", r"\mathcal{N}(x \,|\, \mu_x, \mathrm{diag}\,\sigma_x^2)",
        _pixels(scene),
    )  # fmt: skip
    _card(
        _("An average for its expectation"),
        r"\frac{1}{L} \sum_l p_\theta(x|z^{(l)}) = \mathbb{E}_z[p_\theta(x|z)]",
        r"\frac{1}{L} \sum_l p_\theta(x|z^{(l)}) \approx \mathbb{E}_{p(z)}[p_\theta(x|z)]",
        _average(scene),
    )  # fmt: skip
    _card(
        _("Two sources of chance for one"),
        r"\mathbb{E}_{z \sim q_\phi}[\log p_\theta(x|z(x, q_\phi, \epsilon))]",
        r"\mathbb{E}_{\epsilon \sim \mathcal{N}(0, I)}[\log p_\theta(x|\mu_z + \sigma_z \odot \epsilon)]",
        _("Once $z$ is a function of $\\epsilon$, only $\\epsilon$ is random: that is the point of the trick."),
    )
    kit.words(
        _(
            "And in words: ⊙ multiplies element by element and is no dot product, which would be one number; "
            "$q_\\theta$ stands once for $q_\\phi$; the bound is called an infimum, but a lower bound need not be the "
            "greatest one; the reconstruction error is $-\\mathcal{L}_1$, since a log-likelihood is the better the "
            "larger; gradients are said to fade at the sampling, where they are cut off; and $p(x)$ is not there to "
            "approximate the bound, but the bound to approximate $p(x)$."
        )
    )
    kit.code([latent.encode, slips.kl_to_prior, slips.heights], cell(scene))


def _card(title: str, printed: str, right: str, says: str) -> None:
    """Shows a slip."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        wrong, better, words = st.columns([4, 4, 5], gap="medium")
        with wrong:
            kit.note(_("as printed"))
            kit.formula(printed)
        with better:
            kit.note(_("right"))
            kit.formula(right)
        words.markdown(says)


def _deviation(mean: np.ndarray, deviation: np.ndarray) -> str:
    j = int(deviation.argmin())
    return _(
        "In the narrowest dimension $\\sigma_z$ = {sigma:.4f}, so $\\sigma_z^2$ = {square:.6f}: draws would spread "
        "**{times:,.0f} times** too little, and the regulariser that belongs to them would be {slipped:.1f} nats, not "
        "**{kl:.1f}**."
    ).format(
        sigma=deviation[j], square=deviation[j] ** 2, times=1 / deviation[j],
        slipped=slips.kl_to_prior(mean, deviation**2), kl=slips.kl_to_prior(mean, deviation),
    )  # fmt: skip


def _posterior(scene: kit.Scene) -> str:
    if scene.config.latent > 2:
        return _("The decoder gives $p(x|z)$. Its inverse $p(z|x)$ is what nobody can compute, the reason for $q$.")
    likelihood, posterior = cache.integral.densities_at_code(scene.model, scene.dataset.name, scene.row)
    return _(
        "At $z = \\mu_z$: $\\log p(x|z)$ = **{likelihood:,.1f}**, from the decoder; $\\log p(z|x)$ = "
        "**{posterior:,.1f}**, for which $p(x)$ had to be known."
    ).format(likelihood=likelihood, posterior=posterior)


def _width(mean: np.ndarray, deviation: np.ndarray) -> str:
    j = int(deviation.argmin())
    m, s = float(mean[j]), float(deviation[j])
    sums = [slips.heights(m, s, step) for step in (s / 10, s / 20)]
    return _(
        "For $q(z_j|x)$ in its narrowest dimension, the heights on a grid of step $\\sigma/10$ sum to {coarse:,.0f}, "
        "of step $\\sigma/20$ to {fine:,.0f}, and so on without end. With $dz$ both give **{kl:.2f} nats**. The sum "
        "for discrete variables is right."
    ).format(coarse=sums[0], fine=sums[1], kl=sums[1] * s / 20)


def _pixels(scene: kit.Scene) -> str:
    if scene.config.likelihood == "bernoulli":
        return _("Choose a Gaussian model, such as mnist-2d, to see how much its σ differs between pixels.")
    deviation = cache.reconstructions(scene.model, scene.dataset.name, scene.rows).deviation[0]
    return _("At your image σ runs from **{low:.2f} to {high:.2f}**: I times one number cannot say that.").format(
        low=deviation.min(), high=deviation.max()
    )


def _average(scene: kit.Scene) -> str:
    at = cache.integral.first_average(scene.model, scene.dataset.name, scene.row)
    known = cache.evidence_of(scene.model, scene.dataset.name, scene.rows)
    if known is None:
        return _("The logarithm of the average of 100 draws is **{value:,.1f} nats**.").format(value=at)
    return _(
        "The logarithm of the average of 100 draws is **{value:,.1f} nats**, that of the expectation **{log_p:,.1f}**."
    ).format(value=at, log_p=known[0][0])


def cell(scene: kit.Scene) -> str:
    return f"""import vae
from vae.derivation import slips

model = vae.load({scene.model[0]!r})
q = vae.encode(model, vae.load_dataset({scene.dataset.name!r}).test.images)
mean, deviation = q.mean[{scene.row}], q.deviation[{scene.row}]
print(f"regulariser {{slips.kl_to_prior(mean, deviation):.1f}} nats;",
      f"with the slip {{slips.kl_to_prior(mean, deviation**2):.1f}}")"""
