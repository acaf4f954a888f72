"""The map: the codes of the test images in latent space, with the decoded image under the pointer."""

import numpy as np
import streamlit as st

from pages import cache
from pages.classroom import lead, roles
from pages.ui import browser, colours, newcomer, planes, state, words
from pages.ui.browser.tour import tour
from pages.ui.fragment import fragment
from pages.ui.language import _

model = cache.model_id(state.model())
config = cache.record(state.model()).model
codes = cache.codes(model)
order = np.argsort(-cache.carried(model)[0], kind="stable")
autoencoder = cache.record(state.model()).autoencoder
draws = words.draws(cache.images(model))

if draws:
    st.markdown(
        _(
            "Each point is a sample from the model, since its images are not available, at the mean of its $q(z|x)$. "
            "**Move over the plane** to see what it decodes to; click to select a point for all pages."
        )
    )
elif autoencoder:
    st.markdown(
        _(
            "Each point is a test image, at the code that the autoencoder assigns to it. **Move over the plane** to "
            "see what it decodes to; click to select a point."
        )
    )
else:
    st.markdown(
        _(
            "Each point is a test image, at the mean of its $q(z|x)$. **Move over the plane** to see what it decodes "
            "to; click to select a point for all pages."
        )
    )

plane = planes.choose(model)
painted = colours.choose(model)
kept = browser.store(model)


@fragment()
def explore() -> None:
    browser.latent_map(model, kept, plane, painted)
    row = cache.row(model)
    if row is None:
        return
    shown = sorted(order[:8])
    lines = ["| | " + " | ".join(words.coordinate(j) for j in shown) + " |", "|---" * (len(shown) + 1) + "|"]
    rows = [(_("mean"), codes.mean, "{:.2f}")]
    if not autoencoder:  # which uses only the mean of q: its standard deviation is untrained
        rows += [(_("standard deviation"), codes.deviation, "{:.3f}"), (_("KL, nats"), codes.kl, "{:.2f}")]
    for name, values, form in rows:
        lines.append(f"| {name} | " + " | ".join(form.format(values[row, j]) for j in shown) + " |")
    of = _("q(z|x) of sample {row}") if draws else _("q(z|x) of test image {row}")
    with st.expander(of.format(row=row)):
        st.markdown("\n".join(lines))
        if config.latent > len(shown):
            st.caption(
                _("The {count} most informative of {all} dimensions.").format(count=len(shown), all=config.latent)
            )


explore()
if newcomer.is_here() and not (roles.active() and lead.now()):
    tour()
