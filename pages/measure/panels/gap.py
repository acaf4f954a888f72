"""The gap: log p(x) = ELBO + amortisation gap + approximation gap, and a button that measures both."""

import streamlit as st

from pages import cache
from pages.measure.panels.chosen import Chosen
from pages.ui.language import _
from vae import figures

_BEST = "likelihood.best"  # session state: the refined ELBO by model and image


def title() -> str:
    """Returns the title of the step."""
    return _("The gap between the ELBO and log p(x)")


def show(chosen: Chosen) -> None:
    """Draws the bar, for models whose evidence is known exactly."""
    found = cache.evidence_of(chosen.model, chosen.dataset.name, (chosen.row,))
    if found is None:
        st.info(
            _("The gap is measured from log p(x), which is known exactly for J ≤ 2 or a linear decoder."),
            icon=":material/info:",
        )
        return
    log_p = float(found[0][0])
    if log_p != log_p:
        st.warning(_("The integration grids do not agree on log p(x) of this image, so the gap is not known."))
        return
    elbo = cache.own_elbo(chosen.model, chosen.dataset.name, chosen.row)
    st.markdown(
        _(
            "The ELBO lies below $\\log p(x)$ by the KL divergence of the encoder's $q(z|x)$ from the posterior. One "
            "part is due to the encoder, which serves all images at once (**amortisation gap**); the rest remains for "
            "the best Gaussian (**approximation gap**)."
        )
    )
    st.latex(r"\log p(x) = \mathrm{ELBO} + \mathrm{KL}[q(z|x)\,\|\,p(z|x)]")
    known = st.session_state.setdefault(_BEST, {})
    place = (chosen.model, chosen.dataset.name, chosen.row)
    bar, words = st.empty(), st.empty()
    started = st.button(
        _("Optimise q for this image"), icon=":material/adjust:", key="likelihood.refine", type="primary",
        help=_("Gradient ascent on the ELBO of this image alone, in the mean and the variance of q."),
    )  # fmt: skip
    _bar(bar, elbo, known.get(place), log_p, 0)
    if started:
        best, step = elbo, 0
        for refined in cache.streams.refined(chosen.model, chosen.dataset.name, chosen.row):
            if refined is not None:
                best, step = refined, step + 1
                _bar(bar, elbo, best, log_p, step)
        known[place] = best
    best = known.get(place)
    kl = log_p - elbo
    if best is None:
        words.markdown(
            _(
                "For {name} the bound is **{kl:.2f} nats** low. Is q(z|x) in the wrong place, or is a Gaussian too "
                "simple a shape? Optimise q for this image alone to find out."
            ).format(name=chosen.name, kl=kl)
        )
    else:
        words.markdown(
            _(
                "Of the {kl:.2f} nats, **{amortisation:.2f}** are the amortisation gap, which optimising q closes, and "
                "**{approximation:.2f}** the approximation gap, which no Gaussian with a diagonal covariance closes "
                "(Cremer et al. 2018)."
            ).format(kl=kl, amortisation=best - elbo, approximation=log_p - best)
        )


def _bar(place: st.delta_generator.DeltaGenerator, elbo: float, best: float | None, log_p: float, step: int) -> None:
    names = (_("ELBO"), _("amortisation gap"), _("approximation gap"), _("KL[q(z|x) ‖ p(z|x)]"), _("log p(x)"))
    place.plotly_chart(
        figures.evidence.gap(elbo, best, log_p, names, _("nats")), key=f"likelihood.gap.{step}",
        config={"displayModeBar": False}, alt=_("The ELBO and its gap to log p(x), in nats"),
    )  # fmt: skip
