"""The difference between the means of two classes, added to an image, and its uncertainty."""

import numpy as np
import streamlit as st

from pages import cache
from pages.explore.panels import start
from pages.ui import pictures, state, words
from pages.ui.language import _
from vae import figures, latent

_KEY = "decode.arithmetic"
_STRENGTHS = np.linspace(0, 2, 9)
_RESAMPLES = 6  # pictures


def show(model: cache.Model) -> None:
    """Draws z + strength (mean of a − mean of b), along its strength and for several resamples."""
    dataset = cache.images(model)
    classes = list(cache.latent.first_of_class(model))
    if len(classes) < 2:
        st.info(
            _(
                "Latent arithmetic takes the mean of one class minus the mean of another, but these test images do "
                "not have two classes."
            ),
            icon=":material/info:",
        )
        return
    own = int(dataset.test.labels[min(state.image(), len(dataset.test) - 1)])
    minus = own if own in classes else classes[0]
    of = classes[(classes.index(minus) + 1) % len(classes)]
    names = dict(enumerate(words.classes(dataset)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        begin = start.choose(model, _KEY, _("Add to"))
        for key, label, default in (("of", _("Mean of"), of), ("minus", _("minus mean of"), minus)):
            if st.session_state.get(f"{_KEY}.{key}") not in classes:
                st.session_state[f"{_KEY}.{key}"] = default
            st.selectbox(label, classes, format_func=names.__getitem__, key=f"{_KEY}.{key}", width=140)
        of, minus = (st.session_state[f"{_KEY}.{key}"] for key in ("of", "minus"))
        images = st.segmented_control(
            _("Test images per class"), [5, 20, 100, None], default=20, required=True, key=f"{_KEY}.images",
            format_func=lambda count: _("all") if count is None else str(count),
        )  # fmt: skip
        strength = st.slider(_("Strength"), 0.0, 2.0, 1.0, 0.05, key=f"{_KEY}.strength", width=220)
    found, counts = cache.latent.difference(model, dataset.name, of, minus, images)
    loaded = cache.load(model)
    shown = latent.decode(loaded, np.stack([begin.z, begin.z + strength * found.mean])).mean
    name = _("mean of {of} − mean of {minus}").format(of=names[of], minus=names[minus])
    pictures.row(
        {
            begin.words: pictures.plain(begin.image / 255),
            _("its z, decoded"): pictures.plain(shown[0]),
            _("z + {strength:.2f} ({name})").format(strength=strength, name=name): pictures.plain(shown[1]),
        }
    )
    st.caption(_("As the strength varies"))
    along = latent.decode(loaded, begin.z + _STRENGTHS[:, None] * found.mean).mean
    labels = [f"{each:g}" for each in _STRENGTHS]
    pictures.wide(
        figures.latent.sheet(along[None], columns=labels, scale=3),
        _("z + strength ({name}), strength 0 to 2").format(name=name),
    )
    st.caption(_("At strength {strength:.2f}, for {count} bootstrap resamples of the test images").format(
        strength=strength, count=_RESAMPLES
    ))  # fmt: skip
    resampled = latent.decode(loaded, begin.z + strength * found.resampled[:_RESAMPLES]).mean
    labels = [f"{each:.1f}°" for each in found.angle[:_RESAMPLES]]
    pictures.wide(
        figures.latent.sheet(resampled[None], columns=labels, scale=3),
        _("z + strength times the difference of the resampled means, with its angle to the original difference"),
    )
    angle, length = np.quantile(found.angle, [0.5, 0.95]), np.quantile(found.length, [0.05, 0.95])
    st.caption(
        _(
            "{name}, from {a:,} and {b:,} images, has length {long:.2f}. Over {resamples} bootstrap resamples of these "
            "images, 90% of the lengths lie between {low:.2f} and {high:.2f}; the direction changes by less than "
            "{angle:.1f}° in half of the resamples, and by less than {most:.1f}° in 95%. This is the uncertainty of "
            "the mean, not the spread of the class: no single direction turns every {minus} into a {of}."
        ).format(
            name=name[0].upper() + name[1:], a=counts[0], b=counts[1], long=float(np.linalg.norm(found.mean)),
            resamples=len(found.resampled), low=length[0], high=length[1], angle=angle[0], most=angle[1],
            of=names[of], minus=names[minus],
        )
    )  # fmt: skip
