"""Where the mass is: log p(x|z) on the plane, the posterior, the encoder's ellipse and the draws that miss."""

import streamlit as st

from pages import cache
from pages.measure.panels.chosen import Chosen
from pages.ui import colours, state, words
from pages.ui.language import _
from vae import figures

DRAWS = 1000


def show(chosen: Chosen) -> None:
    """Draws the plane, for J = 2."""
    st.subheader(_("Where the mass is"))
    if chosen.config.latent != 2:
        st.info(
            _(
                "The posterior can be drawn where the latent space is a plane; {name} has J = {size}. Choose a model "
                "with J = 2 on the left, such as mnist-2d."
            ).format(name=chosen.model[0], size=chosen.config.latent),
            icon=":material/info:",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        near = st.segmented_control(
            _("View"), [False, True], default=False, required=True, key="likelihood.near",
            format_func=lambda zoomed: _("The posterior") if zoomed else _("The whole plane"),
        )  # fmt: skip
        others = st.toggle(_("Other test images, to click on"), True, key="likelihood.others", persist_state="session")
    found = cache.latent.colouring(chosen.model)
    points = cache.codes(chosen.model).mean[: None if others else 0]
    view = cache.posterior_plane(chosen.model, chosen.dataset.name, chosen.row, DRAWS)
    names = {
        "likelihood": _("log p(x|z), nats"), "posterior": _("p(z|x): 50, 90, 99 %"), "encoder": _("q(z|x): 1 σ, 2 σ"),
        "samples": _("draws from the prior"), "hits": _("draws that hit"),
    }  # fmt: skip
    figure = figures.evidence.plane(
        view, near, 60 if near else 3000, (words.coordinate(0), words.coordinate(1)), names,
        points, found.labels[: len(points)], colours.names(cache.images(chosen.model), found),
    )  # fmt: skip
    drawn = (chosen.model[0], chosen.dataset.name, chosen.row, near, others)
    picked = st.plotly_chart(
        figure, key="likelihood.plane." + ".".join(map(str, drawn)), on_select="rerun",
        selection_mode="points", config={"scrollZoom": True, "displaylogo": False},
        alt=_("log p(x|z) over the latent plane, with the posterior's contours and the encoder's ellipse"),
    )  # fmt: skip
    if rows := [point["customdata"] for point in picked.selection.points if point.get("customdata") is not None]:
        state.use_image(int(rows[0]))
        st.rerun()
    once = words.about(1 / view.share) if view.share > 0 else "∞"
    st.markdown(
        _(
            "Of {draws:,} draws from the prior, **{hit}** fell where 99 % of the posterior lies; one in {once} does. "
            r"With $\mathrm{{KL}}[p(z|x)\,\|\,p(z)]$ = {kl:.1f} nats, naive Monte Carlo needs about "
            "$e^{{{kl:.1f}}}$ ≈ **{needed}** draws (Chatterjee & Diaconis 2018)."
        ).format(draws=DRAWS, hit=int(view.hit.sum()), once=once, kl=view.kl, needed=words.power(view.kl))
    )
