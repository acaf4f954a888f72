"""Where the test images lie in latent space, and what the space between them decodes to, under the pointer."""

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import browser, colours, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _

model = cache.model_id(state.model())
config = cache.record(state.model()).model
codes = cache.codes(model)
carried, unit = cache.carried(model)
order = np.argsort(-carried, kind="stable")
autoencoder = cache.record(state.model()).autoencoder
draws = words.draws(cache.images(model))

if draws:
    st.markdown(
        _(
            "Each point is a draw of the model, since its images are not here, at the mean of its $q(z|x)$. **Move "
            "over the plane** and see what it decodes to; a click keeps the place, for all pages."
        )
    )
elif autoencoder:
    st.markdown(
        _(
            "Each point is a test image at the code that the autoencoder gives it. **Move over the plane** and see "
            "what it decodes to; a click keeps the place."
        )
    )
else:
    st.markdown(
        _(
            "Each point is a test image at the mean of its $q(z|x)$. **Move over the plane** and see what it decodes "
            "to; a click keeps the place, for all pages."
        )
    )

plane: tuple[int, int] | None = (0, min(1, config.latent - 1))
titles = (words.coordinate(0), words.coordinate(1) if config.latent > 1 else "")
if config.latent > 2:
    kinds = {"pca": _("Principal directions"), "two": _("Two coordinates")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            _("Plane through z"), list(kinds), default="pca", required=True, format_func=kinds.__getitem__,
            key="map.plane", persist_state="session",
        )  # fmt: skip
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
        _(
            "The plane holds {both:.0%} of the variance of the means: {a:.0%} across, {b:.0%} up. The other directions "
            "stay as they are in the z that was chosen."
        ).format(both=share.sum(), a=share[0], b=share[1])
    )

painted = colours.choose(model)
kept = browser.store(model)
axes = cache.axes(model, plane)


@fragment()
def explore() -> None:
    browser.latent_map(model, kept, axes, titles, painted)
    row = cache.row(model)
    if row is None:
        return
    shown = sorted(order[:8])
    lines = ["| | " + " | ".join(words.coordinate(j) for j in shown) + " |", "|---" * (len(shown) + 1) + "|"]
    rows = [(_("mean"), codes.mean, "{:.2f}")]
    if not autoencoder:  # which uses the mean of q alone, so its deviation was never trained
        rows += [(_("deviation"), codes.deviation, "{:.3f}"), (_("KL, nats"), codes.kl, "{:.2f}")]
    for name, values, form in rows:
        lines.append(f"| {name} | " + " | ".join(form.format(values[row, j]) for j in shown) + " |")
    of = _("q(z|x) of draw {row}") if draws else _("q(z|x) of test image {row}")
    with st.expander(of.format(row=row)):
        st.markdown("\n".join(lines))
        if config.latent > len(shown):
            st.caption(
                _("The {count} dimensions that carry most, of {all}.").format(count=len(shown), all=config.latent)
            )


explore()
