"""The nearest test images, in latent space and in pixel space."""

import streamlit as st
from numpy.typing import NDArray

from pages import cache
from pages.explore.panels import start
from pages.ui import pictures, words
from pages.ui.language import _
from vae import figures
from vae.latent import Neighbours

_COUNT = 8


def show(model: cache.Model) -> None:
    """Draws eight neighbours in each space, without the image itself."""
    dataset = cache.images(model)
    begin = start.choose(model, "decode.neighbours", _("Neighbours of"))
    start.picture(begin)
    more = _COUNT + 1  # one may be the image itself
    shape, content = begin.image.shape, begin.image.tobytes()
    rows = []
    for column, title, found in zip(
        st.columns(2, gap="medium"),
        (_("In latent space"), _("In pixel space")),
        (
            cache.latent.nearest_codes(model, dataset.name, tuple(begin.z.tolist()), more),
            cache.latent.nearest_images(dataset.name, shape, content, more),
        ),
        strict=True,
    ):
        with column:
            rows.append(_neighbours(model, title, found, begin.row))
    labels = dataset.test.labels.numpy()
    both = len(set(rows[0]) & set(rows[1]))
    says = _("{both} of {count} neighbours are the same in both spaces.").format(both=both, count=len(rows[0]))
    if begin.row is not None and dataset.labelled:
        latent, pixels = (int((labels[each] == labels[begin.row]).sum()) for each in rows)
        says += " " + _(
            "In latent space {latent} neighbours have the same class as the image, in pixel space {pixels}."
        ).format(latent=latent, pixels=pixels)
    st.caption(
        says
        + " "
        + _(
            "Distances are Euclidean: in latent space between z and the means of q(z|x), in pixel space between pixel "
            "values in [0, 1]. Shifting a shape by two pixels moves it far in pixel space, but not necessarily in "
            "latent space."
        )
    )


def _neighbours(model: cache.Model, title: str, found: Neighbours, own: int | None) -> NDArray:
    """Draws neighbours with their classes and distances; returns their rows."""
    dataset = cache.images(model)
    classes = words.classes(dataset)
    other = found.rows != own
    rows, distance = found.rows[other][:_COUNT], found.distance[other][:_COUNT]
    st.markdown(f"**{title}**")
    with st.container(horizontal=True, gap="small", width=420):  # four in a row
        for row, far in zip(rows.tolist(), distance.tolist(), strict=True):
            name = words.short(classes[int(dataset.test.labels[row])]) if dataset.labelled else str(row)
            image = figures.png_uri(pictures.plain(dataset.test.images[row].numpy() / 255, 3))
            alt = _("{image}, distance {far:.3g}").format(image=words.image(dataset, row), far=far)
            st.image(image, caption=f"**{name}** · {far:.3g}", alt=alt, width=84)
    return rows
