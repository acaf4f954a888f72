"""Where the test images lie in latent space, and what the space between them decodes to."""

from gettext import gettext as _

import numpy as np
import streamlit as st

from pages.ui import cache, pictures, state, words
from pages.ui.fragment import fragment

model = cache.model_id(state.model())
config = cache.record(state.model()).model
dataset = cache.images(model)
codes = cache.codes(model)
carried, unit = cache.carried(model)
order = np.argsort(-carried, kind="stable")
autoencoder = cache.record(state.model()).training.objective == "autoencoder"

st.markdown(
    _("Each point is a test image at the code that the autoencoder gives it. **Click one** to see what it keeps of it.")
    if autoencoder
    else _("Each point is a test image at the mean of its $q(z|x)$. **Click one** to see what the model keeps of it.")
)

plane: tuple[int, int] | None = (0, min(1, config.latent - 1))
titles = (words.coordinate(0), words.coordinate(1) if config.latent > 1 else "")
if config.latent > 2:
    kinds = {"pca": _("Principal directions"), "two": _("Two coordinates")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            _("Plane"), list(kinds), default="pca", required=True, format_func=kinds.__getitem__, key="map.plane"
        )
        if kind == "two":
            dimensions = [int(j) for j in order]

            def named(j: int) -> str:
                return words.carries(j, carried[j], unit)

            first = st.selectbox(_("Across"), dimensions, format_func=named, key="map.first", width=200)
            second = st.selectbox(
                _("Up"), [j for j in dimensions if j != first], format_func=named, key="map.second", width=200
            )
            plane = (first, second)
            titles = (words.coordinate(first), words.coordinate(second))
        else:
            plane = None
            titles = (_("first principal direction"), _("second principal direction"))
    share = cache.axes(model, plane).share
    st.caption(
        _("The plane holds {both:.0%} of the variance of the means: {a:.0%} across, {b:.0%} up.").format(
            both=share.sum(), a=share[0], b=share[1]
        )
    )


@fragment()
def explore() -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chosen = st.plotly_chart(
            cache.latent_map(model, dataset.name, plane, titles, _("digit") if len(dataset.classes[0]) == 1 else ""),
            key=f"map.points.{model[0]}.{plane}",
            on_select="rerun",
            selection_mode="points",
            config={"scrollZoom": True, "displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]},
            alt=_("Test images as points in the latent plane, coloured by class"),
        )
        if chosen.selection.points:
            state.use_image(int(chosen.selection.points[0]["customdata"]))
    row = min(state.image(), len(dataset.test) - 1)
    with right:
        st.subheader(_("Test image {row}: {name}").format(row=row, name=dataset.classes[int(dataset.test.labels[row])]))
        decoded = cache.reconstructions(model, dataset.name, (row,))
        deviation = decoded.deviation[0]
        pictures.row(
            {
                _("image x"): pictures.grey(dataset.test.images[row].numpy() / 255),
                _("reconstruction"): pictures.grey(decoded.mean[0]),
                _("its σ, {low:.2f} to {high:.2f}").format(low=deviation.min(), high=deviation.max()): pictures.sigma(
                    deviation
                ),
            }
        )
        shown = sorted(order[:4])
        lines = ["| | " + " | ".join(words.coordinate(j) for j in shown) + " |", "|---" * (len(shown) + 1) + "|"]
        rows = [(_("mean"), codes.mean, "{:.2f}")]
        if not autoencoder:  # which uses the mean of q alone, so its deviation was never trained
            rows += [(_("deviation"), codes.deviation, "{:.3f}"), (_("KL, nats"), codes.kl, "{:.2f}")]
        for name, values, form in rows:
            lines.append(f"| {name} | " + " | ".join(form.format(values[row, j]) for j in shown) + " |")
        st.markdown("\n".join(lines))
        if config.latent > len(shown):
            st.caption(
                _("The {count} dimensions that carry most, of {all}.").format(count=len(shown), all=config.latent)
            )


explore()

st.subheader(_("What the plane decodes to"))
left, right = st.columns([3, 2], gap="medium")
with left:
    st.plotly_chart(
        cache.manifold(model, dataset.name, plane, titles, 20),
        key="map.manifold",
        config={"displayModeBar": False},
        alt=_("Decoded images on a grid over the latent plane"),
    )
with right:
    st.markdown(
        _(
            "The mean of $p(x|z)$ on a grid of $z$, the same way up as the map. The steps hold equal shares of the "
            "prior's mass (they are normal quantiles), so the middle, where the prior puts most images, is drawn "
            "larger than the rim. Kingma & Welling (2013) draw it so. It ends at ±2: the map reaches further."
        )
    )
