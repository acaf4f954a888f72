"""Errata of the lecture notes: each formula as printed, as it should be, and what the difference amounts to."""

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
            "This lesson follows a chapter of lecture notes, and some formulas there contain errors. Each is shown as "
            "printed and as it should be, with what the difference means for your image under {name}."
        ).format(name=scene.model[0])
    )
    codes = cache.codes(scene.model)
    mean, deviation = codes.mean[scene.row], codes.deviation[scene.row]
    _card(
        _("A variance instead of a standard deviation"),
        r"z = \mu_z + \sigma_z^2 \odot \epsilon", r"z = \mu_z + \sigma_z \odot \epsilon",
        _deviation(mean, deviation),
    )  # fmt: skip
    _card(
        _("A density over x instead of z"),
        r"q_\phi(z|x) = \mathcal{N}(x \,|\, \mu_z, \sigma_z^2 I)",
        r"q_\phi(z|x) = \mathcal{N}(z \,|\, \mu_z, \mathrm{diag}\,\sigma_z^2)",
        _(
            r"This is printed twice. $x$ has {pixels} dimensions and $\mu_z$ has {size}, so $\mu_z$ cannot be the "
            "mean of a Gaussian over $x$."
        ).format(pixels=scene.config.pixels, size=scene.config.latent),
    )  # fmt: skip
    _card(_("The posterior instead of the decoder"), r"p_\theta(z|x^{(i)})", r"p_\theta(x^{(i)}|z)", _posterior(scene))
    _card(
        _("An integral without dx"),
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
        _("An average equated with its expectation"),
        r"\frac{1}{L} \sum_l p_\theta(x|z^{(l)}) = \mathbb{E}_z[p_\theta(x|z)]",
        r"\frac{1}{L} \sum_l p_\theta(x|z^{(l)}) \approx \mathbb{E}_{p(z)}[p_\theta(x|z)]",
        _average(scene),
    )  # fmt: skip
    _card(
        _("Two sources of randomness instead of one"),
        r"\mathbb{E}_{z \sim q_\phi}[\log p_\theta(x|z(x, q_\phi, \epsilon))]",
        r"\mathbb{E}_{\epsilon \sim \mathcal{N}(0, I)}[\log p_\theta(x|\mu_z + \sigma_z \odot \epsilon)]",
        _(
            r"Once $z$ is a function of $\epsilon$, only $\epsilon$ is random; this is the point of the "
            "reparameterisation."
        ),
    )
    kit.words(
        _(
            "There are also errors in the text:\n\n- ⊙ is the elementwise product, not the dot product, which would "
            "be a single number.\n- $q_\\theta$ is printed once where $q_\\phi$ is meant.\n- The bound is called an "
            "infimum, but a lower bound need not be the greatest one.\n- $\\mathcal{L}_1$ is called the "
            "reconstruction error, but the error is $-\\mathcal{L}_1$, since a larger log-likelihood is better.\n- "
            "Gradients are said to fade out at the sampling step; in fact they are cut off there.\n- $p(x)$ does not "
            "serve to approximate the bound; the bound serves to approximate $p(x)$."
        )
    )
    kit.code([latent.encode, slips.kl_to_prior, slips.heights], cell(scene))


def _card(title: str, printed: str, right: str, says: str) -> None:
    """Shows an error."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        wrong, better, meaning = st.columns([4, 4, 5], gap="medium")
        with wrong:
            kit.note(_("as printed"))
            kit.formula(printed)
        with better:
            kit.note(_("correct"))
            kit.formula(right)
        with meaning:
            kit.words(says)


def _deviation(mean: np.ndarray, deviation: np.ndarray) -> str:
    j = int(deviation.argmin())
    return _(
        r"In the narrowest dimension $\sigma_z$ = {sigma:.4f}, so $\sigma_z^2$ = {square:.6f}: the standard deviation "
        "of the samples would be **{times:,.0f} times** too small, and the corresponding regulariser {slipped:.1f} "
        "nats instead of **{kl:.1f}**."
    ).format(
        sigma=deviation[j], square=deviation[j] ** 2, times=1 / deviation[j],
        slipped=slips.kl_to_prior(mean, deviation**2), kl=slips.kl_to_prior(mean, deviation),
    )  # fmt: skip


def _posterior(scene: kit.Scene) -> str:
    if scene.config.latent > 2:
        return _("The decoder gives $p(x|z)$. The posterior $p(z|x)$ is intractable, and that is why we need $q$.")
    likelihood, posterior = cache.integral.densities_at_code(scene.model, scene.dataset.name, scene.row)
    return _(
        r"At $z = \mu_z$, $\log p(x|z)$ = **{likelihood:,.1f}** comes from the decoder, while $\log p(z|x)$ = "
        "**{posterior:,.1f}** requires $p(x)$."
    ).format(likelihood=likelihood, posterior=posterior)


def _width(mean: np.ndarray, deviation: np.ndarray) -> str:
    j = int(deviation.argmin())
    m, s = float(mean[j]), float(deviation[j])
    sums = [slips.heights(m, s, step) for step in (s / 10, s / 20)]
    return _(
        "For $q(z_j|x)$ in the narrowest dimension, the integrand sums to {coarse:,.0f} on a grid of step "
        r"$\sigma/10$ and to {fine:,.0f} on one of step $\sigma/20$; it grows without limit. Times the step $dz$, "
        "both give **{kl:.2f} nats**. The sum for discrete variables is correct."
    ).format(coarse=sums[0], fine=sums[1], kl=sums[1] * s / 20)


def _pixels(scene: kit.Scene) -> str:
    if scene.config.likelihood != "gaussian":
        return _(
            "Choose a model with a variance for each pixel, such as mnist-2d, to see how much σ varies between pixels."
        )
    deviation = cache.reconstructions(scene.model, scene.dataset.name, scene.rows).deviation[0]
    return _(
        r"For your image $\sigma$ ranges from **{low:.2f} to {high:.2f}**; a single variance times $I$ cannot "
        "represent this."
    ).format(low=deviation.min(), high=deviation.max())


def _average(scene: kit.Scene) -> str:
    at = cache.integral.first_average(scene.model, scene.dataset.name, scene.row)
    known = cache.evidence_of(scene.model, scene.dataset.name, scene.rows)
    if known is None:
        return _("The logarithm of the average over 100 samples is **{value:,.1f} nats**.").format(value=at)
    return _(
        "The logarithm of the average over 100 samples is **{value:,.1f} nats**, that of the expectation "
        "**{log_p:,.1f} nats**."
    ).format(value=at, log_p=known[0][0])


def cell(scene: kit.Scene) -> str:
    return f"""import vae
from vae.derivation import slips

model = vae.load({scene.model[0]!r})
q = vae.encode(model, vae.load_dataset({scene.dataset.name!r}).test.images)
mean, deviation = q.mean[{scene.row}], q.deviation[{scene.row}]
print(f"regulariser {{slips.kl_to_prior(mean, deviation):.1f}} nats;",
      f"as printed {{slips.kl_to_prior(mean, deviation**2):.1f}}")"""
