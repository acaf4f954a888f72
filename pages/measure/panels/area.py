"""log p(x) as an area: the thermodynamic curve, with the ELBO and the schedule of AIS drawn in."""

from typing import Literal

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.panels.chosen import Chosen
from pages.ui import state
from pages.ui.language import _
from vae import figures
from vae.evidence import ThermodynamicPath, annealing

BETAS = tuple(float(t**4) for t in np.linspace(0, 1, 33))  # dense near 0, where the curve from the prior rises
CHAINS = 32  # of the sandwich: about a second, with an error of a few tenths of a nat


def title() -> str:
    """Returns the title of the step."""
    return _("log p(x) as an area")


def show(chosen: Chosen) -> None:
    """Draws the curve, for J = 1 and 2."""
    if chosen.config.latent > 2:
        st.info(_("The curve is known exactly for J ≤ 2. Choose such a model on the left."), icon=":material/info:")
        return
    bases: dict[Literal["prior", "encoder"], str] = {"encoder": _("the encoder"), "prior": _("the prior")}
    picture, text = st.columns([5, 4], gap="medium")
    with text:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            base = st.segmented_control(
                _("Path from"), list(bases), default="encoder", required=True, key="likelihood.base",
                format_func=bases.__getitem__,
            )  # fmt: skip
            steps = st.select_slider(
                _("Temperatures of AIS"), [2, 5, 10, 20, 50, 100], 10, key="likelihood.steps",
                persist_state="session", width=200,
            )  # fmt: skip
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
    elbo = cache.own_elbo(chosen.model, chosen.dataset.name, chosen.row)
    schedule = annealing.schedule(steps).numpy()
    with picture:
        _draw(path, elbo, schedule, base)
    with text:
        _explain(path, schedule, base)
        halves = cache.sandwich(chosen.model, chosen.dataset.name, chosen.row, base, steps, CHAINS)
        below, above = (_("**{nats:,.1f}** ± {error:.1f}").format(nats=nats, error=error) for nats, error in halves)
        st.markdown(
            _(
                "AIS itself, with {steps} temperatures and {chains} chains, gives {below} nats, on average a lower "
                "bound. Run backwards from samples of the posterior it gives {above}, on average an upper bound "
                "(bidirectional Monte Carlo, Grosse et al. 2015)."
            ).format(steps=steps, chains=CHAINS, below=below, above=above)
        )


def _draw(path: ThermodynamicPath, elbo: float, schedule: np.ndarray, base: str) -> None:
    log_p, start = float(path.log_z[-1]), float(path.integrand[0])
    low = min(elbo, start) if base == "encoder" else elbo
    low -= max(0.5 * (path.integrand.max() - low), 0.05)
    figure = figures.evidence.area(
        path.betas, path.integrand, schedule, {_("log p(x)"): ("exact", log_p), _("ELBO"): ("elbo", elbo)},
        (_("inverse temperature β"), _("nats")), (_("the integrand"), _("bars of AIS")), low,
    )  # fmt: skip
    figure.update_layout(height=state.larger(500))
    st.plotly_chart(
        figure, key="likelihood.area", config={"displayModeBar": False},
        alt=_("The integrand over the inverse temperature, whose area is log p(x)"),
    )  # fmt: skip


def _explain(path: ThermodynamicPath, schedule: np.ndarray, base: str) -> None:
    """Explains the figure with its numbers."""
    log_p, start = float(path.log_z[-1]), float(path.integrand[0])
    bars = float(np.interp(schedule[:-1], path.betas, path.integrand) @ np.diff(schedule))
    half = float(np.interp((start + path.integrand[-1]) / 2, path.integrand, path.betas))
    if base == "encoder":
        says = _(
            "The width is 1, so a height is also an area: the ELBO is the rectangle below its line. The curve starts "
            "at the ELBO, and the area below it is log p(x) = {log_p:,.1f} nats (Masrani et al. 2019). The {steps} "
            "bars sum to {bars:,.1f} nats, the bound that AIS gives on average if its chains mix well."
        )
    else:
        says = _(
            "The width is 1, so a height is also an area. From the prior the curve starts at {start:,.1f} nats and is "
            "halfway up at β = {half:.2g}. AIS needs most of its temperatures where the curve climbs. The area below "
            "it is log p(x) = {log_p:,.1f} nats; the {steps} bars sum to {bars:,.1f} nats."
        )
    st.markdown(says.format(start=start, half=half, log_p=log_p, steps=len(schedule) - 1, bars=bars))
