"""The same model trained from other seeds: the codes agree up to a rotation, so axes are not factors."""

from dataclasses import replace

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import colours, words
from pages.ui.language import _
from vae import figures, latent
from vae.jobs import replay
from vae.latent import align
from vae.model import Record, catalogue

IMAGES = 1000


def show(name: str) -> None:
    """Shows the codes of a model and of the same model from another seed, before and after rotation."""
    groups = alike(catalogue()[0])
    if not groups:
        st.info(
            _(
                "There are no two models yet that differ only in their seed. Choose more than one under Seeds, or "
                "train a model again with a different seed."
            ),
            icon=":material/info:",
        )
        return
    names = sorted(each for group in groups for each in group)
    left, right = st.columns(2)
    reference = left.selectbox(
        _("Model"), names, names.index(name) if name in names else 0, key=f"train.reference.{name}"
    )
    others = [each for group in groups if reference in group for each in group if each != reference]
    other = right.selectbox(_("Same model, other seed"), others, key=f"train.other.{reference}")
    drawn(reference, other)


def alike(records: list[Record]) -> list[list[str]]:
    """Returns groups of two or more models that differ only in their seed."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for record in records:
        if record.training is None:
            continue
        changes = tuple(tuple(sorted(change.items())) for change in record.changes)
        same = (record.model, replace(record.training, seed=0), record.data_checksum, record.epochs_done, changes)
        groups.setdefault(same, []).append(record.name)
    return [group for group in groups.values() if len(group) > 1]


def drawn(reference: str, other: str) -> None:
    """Draws the codes of both models, and the rotated codes of the second, with residuals."""
    models = [cache.model_id(each) for each in (reference, other)]
    data = cache.images(models[0])
    rows = replay.balanced_rows(data.test.labels, IMAGES).numpy()
    a, b = (cache.codes(model).mean[rows] for model in models)
    before = float(((b.astype(float) - a) ** 2).sum() / (a.astype(float) ** 2).sum())
    turned = align(b, a)
    size = a.shape[1]
    axes = latent.principal_axes(a) if size > 2 else latent.coordinate_axes(a, 0, size - 1)
    if size > 2:
        axes = axes._replace(centre=np.zeros_like(axes.centre))  # a rotation about the origin leaves it in place
        titles = (_("first principal axis"), _("second principal axis"))
    else:
        titles = (words.coordinate(0), words.coordinate(size - 1) if size > 1 else "")
    planes = [axes.project(each) for each in (a, b, turned.codes)]
    reach = 1.2 * float(np.quantile(np.abs(planes), 0.995))  # a few outliers would make all others small
    painted = cache.latent.colouring(models[0], None if data.labelled else cache.latent.CLUSTERS)
    names = colours.names(data, painted)
    says = (
        reference,
        _("{name} as trained: residual {residual:.2f}").format(name=other, residual=before),
        _("{name} after rotation: residual {residual:.2f}").format(name=other, residual=turned.residual),
    )
    for i, (column, plane, said) in enumerate(zip(st.columns(3), planes, says, strict=True)):
        with column:
            st.markdown(f"**{said}**")
            st.plotly_chart(
                figures.trainings.codes(plane, painted.labels[rows], names, reach, titles), key=f"train.codes.{i}",
                config={"displayModeBar": False}, alt=said,
            )  # fmt: skip
    st.caption(
        _(
            "All three show the same {count:,} test images. The prior is invariant under rotation, so each seed finds "
            "its own axes: a latent axis is not in itself a factor of the data. On the right, the codes are rotated, "
            "and reflected if necessary, to lie as close as possible to those on the left (Procrustes). The residual "
            "is the squared distance that remains, relative to the squared length of the codes on the left."
        ).format(count=len(rows))
    )
    if not data.labelled:
        st.caption(_("These images have no labels. The colours show k-means clusters of the codes on the left."))
    if size > 2:
        st.caption(
            _(
                "All three are projected onto the first two principal axes of the codes on the left. The rotation acts "
                "on all J dimensions."
            )
        )
