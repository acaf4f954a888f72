"""Where the mass is: log p(x|z) on the plane, the posterior, the encoder's ellipse and the samples that miss."""

import streamlit as st

from pages import cache
from pages.measure.panels.chosen import Chosen
from pages.ui import colours, state, words
from pages.ui.language import _
from vae import figures
from vae.derivation import Plane

DRAWS = 1000
_HEIGHT = 530  # pixels


def title() -> str:
    """Returns the title of the step."""
    return _("Where the posterior mass is")


def show(chosen: Chosen) -> None:
    """Draws the plane, for J = 2."""
    if chosen.config.latent != 2:
        st.info(
            _(
                "The posterior can be drawn where the latent space is a plane; {name} has J = {size}. Choose a model "
                "with J = 2 on the left, such as mnist-2d."
            ).format(name=chosen.model[0], size=chosen.config.latent),
            icon=":material/info:",
        )
        return
    picture, text = st.columns([5, 3], gap="medium")
    with text:
        st.markdown(
            _(
                "Naive Monte Carlo averages $p(x|z_l)$ over samples $z_l$ from the prior. Only the samples that fall "
                "into the posterior contribute, and the posterior is small."
            )
        )
        near = st.segmented_control(
            _("View"), [False, True], default=False, required=True, key="likelihood.near",
            format_func=lambda zoomed: _("The posterior") if zoomed else _("The whole plane"),
        )  # fmt: skip
        others = st.toggle(_("Codes of other test images"), True, key="likelihood.others", persist_state="session")
        if others:
            st.caption(_("Click on one to choose that image."))
    view = cache.posterior_plane(chosen.model, chosen.dataset.name, chosen.row, DRAWS)
    with picture:
        _draw(chosen, view, near, others)
    with text:
        once = words.about(1 / view.share) if view.share > 0 else "∞"
        st.markdown(
            _(
                "Of {draws:,} samples from the prior, **{hit}** fell into the region that holds 99% of the posterior; "
                "on average one in {once} does."
            ).format(draws=DRAWS, hit=int(view.hit.sum()), once=once)
        )
        st.markdown(
            _(
                r"With $\mathrm{{KL}}[p(z|x)\,\|\,p(z)]$ = {kl:.1f} nats, naive Monte Carlo needs about "
                "$e^{{{kl:.1f}}}$ ≈ **{needed}** samples (Chatterjee & Diaconis 2018)."
            ).format(kl=view.kl, needed=words.power(view.kl))
        )


def _draw(chosen: Chosen, view: Plane, near: bool, others: bool) -> None:
    """Draws the plane, and selects the image whose code is clicked."""
    found = cache.latent.colouring(chosen.model)
    points = cache.codes(chosen.model).mean[: None if others else 0]
    names = {
        "likelihood": _("log p(x|z), nats"), "posterior": _("p(z|x): 50, 90, 99%"), "encoder": _("q(z|x): 1 σ, 2 σ"),
        "samples": _("samples from the prior"), "hits": _("samples that hit"),
    }  # fmt: skip
    figure = figures.evidence.plane(
        view, near, 60 if near else 3000, (words.coordinate(0), words.coordinate(1)), names,
        points, found.labels[: len(points)], colours.names(cache.images(chosen.model), found),
    )  # fmt: skip
    figure.update_layout(height=state.larger(_HEIGHT))
    drawn = (chosen.model[0], chosen.dataset.name, chosen.row, near, others)
    picked = st.plotly_chart(
        figure, key="likelihood.plane." + ".".join(map(str, drawn)), on_select="rerun",
        selection_mode="points", config={"scrollZoom": True, "displaylogo": False},
        alt=_("log p(x|z) over the latent plane, with the posterior's contours and the encoder's ellipse"),
    )  # fmt: skip
    if rows := [point["customdata"] for point in picked.selection.points if point.get("customdata") is not None]:
        state.use_image(int(rows[0]))
        st.rerun()
