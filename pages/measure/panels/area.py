"""log p(x) as an area: the thermodynamic curve, with the ELBO and the schedule of AIS drawn in."""

from typing import Literal

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.panels.chosen import Chosen
from pages.ui.language import _
from vae import figures
from vae.evidence import annealing

BETAS = tuple(float(t**4) for t in np.linspace(0, 1, 33))  # dense near 0, where the prior's curve climbs
CHAINS = 32  # of the sandwich: they take a second, and are good to some tenths of a nat


def show(chosen: Chosen) -> None:
    """Draws the curve, for J = 1 and 2."""
    st.subheader(_("log p(x) as an area"))
    if chosen.config.latent > 2:
        st.info(_("The curve is known exactly for J ≤ 2. Choose such a model on the left."), icon=":material/info:")
        return
    bases: dict[Literal["prior", "encoder"], str] = {"encoder": _("the encoder"), "prior": _("the prior")}
    base = st.segmented_control(
        _("From"), list(bases), default="encoder", required=True, key="likelihood.base", format_func=bases.__getitem__
    )
    if base == "encoder":
        st.latex(
            r"\begin{gathered}"
            r"\log p(x) = \int_0^1 \mathbb{E}_{\pi_\beta}\!\left[\log \frac{p(x,z)}{q(z|x)}\right] d\beta \\ "
            r"\pi_\beta \propto q(z|x)^{1-\beta}\, p(x,z)^\beta"
            r"\end{gathered}"
        )
    else:
        st.latex(
            r"\begin{gathered}"
            r"\log p(x) = \int_0^1 \mathbb{E}_{\pi_\beta}[\log p(x|z)]\, d\beta \\ "
            r"\pi_\beta \propto p(z)\, p(x|z)^\beta"
            r"\end{gathered}"
        )
    path = cache.thermodynamic_path(chosen.model, chosen.dataset.name, chosen.row, base, BETAS)
    log_p = float(path.log_z[-1])
    elbo = cache.own_elbo(chosen.model, chosen.dataset.name, chosen.row)
    steps = st.select_slider(
        _("Temperatures of AIS"),
        [2, 5, 10, 20, 50, 100],
        10,
        key="likelihood.steps",
        persist_state="session",
        width=240,
    )
    schedule = annealing.schedule(steps).numpy()
    bars = float(np.interp(schedule[:-1], path.betas, path.integrand) @ np.diff(schedule))
    middle = (path.integrand[0] + path.integrand[-1]) / 2
    half = float(np.interp(middle, path.integrand, path.betas))
    low = min(elbo, float(path.integrand[0])) if base == "encoder" else elbo
    low -= max(0.5 * (path.integrand.max() - low), 0.05)
    st.plotly_chart(
        figures.evidence.area(
            path.betas, path.integrand, schedule,
            {_("log p(x)"): ("exact", log_p), _("ELBO"): ("elbo", elbo)},
            (_("inverse temperature β"), _("nats")), (_("the integrand"), _("bars of AIS")), low,
        ),
        key="likelihood.area", config={"displayModeBar": False},
        alt=_("The integrand over the inverse temperature, whose area is log p(x)"),
    )  # fmt: skip
    halves = cache.sandwich(chosen.model, chosen.dataset.name, chosen.row, base, steps, CHAINS)
    st.caption(
        _(
            "The width is 1, so a height is an area: the ELBO is the rectangle under its line. The curve starts at "
            "the ELBO, and its area is log p(x) = {log_p:.1f} (Masrani et al. 2019). The {steps} bars sum to "
            "{bars:.1f} nats: the bound that AIS gives on average when its chains keep up."
        ).format(log_p=log_p, steps=steps, bars=bars)
        if base == "encoder"
        else _(
            "The width is 1, so a height is an area. From the prior the curve starts at {start:,.1f} nats and has half "
            "of its climb behind it at β = {half:.2g}: where it climbs, AIS needs its temperatures. "
            "Its area is log p(x) = {log_p:.1f}; the {steps} bars sum to {bars:,.1f}."
        ).format(start=path.integrand[0], half=half, log_p=log_p, steps=steps, bars=bars)
    )
    below, above = (_("**{nats:,.1f}** ± {error:.1f}").format(nats=nats, error=error) for nats, error in halves)
    st.caption(
        _(
            "AIS itself, {steps} temperatures and {chains} chains, gives {below} from below on average and, run "
            "backwards from draws of the posterior, {above} from above (the sandwich of Grosse et al. 2015)."
        ).format(steps=steps, chains=CHAINS, below=below, above=above)
    )
