"""The colouring of points on a map: by class or, without labels, by density or cluster as chosen."""

import streamlit as st

from pages import cache
from pages.ui import state, words
from pages.ui.language import _
from vae import Dataset

MOST = 20  # clusters
_KIND, _COUNT = "map.colours", "map.clusters"


def names(data: Dataset, found: cache.latent.Colouring) -> tuple[str, ...]:
    """Returns the names of the classes or clusters; () for levels of a density."""
    return words.classes(data) if found.kind == "classes" else clusters(found.groups)


def clusters(count: int) -> tuple[str, ...]:
    """Returns names for a number of clusters."""
    return tuple(_("cluster {number}").format(number=number + 1) for number in range(count))


def choose(model: cache.Model) -> cache.latent.Colouring:
    """Returns the colouring of the points; without labels, lets the user choose it, and explains it."""
    if cache.images(model).labelled:
        return cache.latent.colouring(model)
    kinds = {"density": _("Density of the codes"), "clusters": _("Clusters")}
    if cache.record(model[0]).autoencoder:  # an autoencoder has no q(z)
        del kinds["density"]
    first = next(iter(kinds))
    state.begin(_KIND, state.one_of(kinds), first)
    if st.session_state[_KIND] not in kinds:
        st.session_state[_KIND] = first
    state.begin(_COUNT, lambda text: min(max(int(text), 2), MOST), cache.latent.CLUSTERS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            _("Colours"), list(kinds), required=True, format_func=kinds.__getitem__, key=_KIND,
            persist_state="session",
        ) or first  # fmt: skip
        count = None
        if kind == "clusters":
            count = st.slider(_("Number of clusters"), 2, MOST, key=_COUNT, width=220, persist_state="session")
    state.write_link(
        map__colours=None if kind == first else kind,
        map__clusters=None if count in (None, cache.latent.CLUSTERS) else str(count),
    )
    found = cache.latent.colouring(model, chosen(model))
    st.caption(says(model, found))
    return found


def chosen(model: cache.Model) -> int | None:
    """Returns the number of clusters last chosen in this session, or None for another colouring."""
    clusters = cache.record(model[0]).autoencoder or st.session_state.get(_KIND) == "clusters"
    return st.session_state.get(_COUNT) if clusters else None


def says(model: cache.Model, found: cache.latent.Colouring) -> str:
    """Explains colours other than those of classes; "" for classes."""
    if found.kind == "classes":
        return ""
    if found.kind == "clusters":
        return _("These images have no labels. The colours show k-means clusters of the codes.")
    low, high = words.span(*found.reach)
    over = _("samples from the model") if words.draws(cache.images(model)) else _("training images")
    if found.reach[0] == found.reach[1]:
        return _(
            "These images have no labels. The density is the same at all codes: log q(z) = {low} nats, where q(z) is "
            "the mean of q(z|x) over {images}."
        ).format(low=words.number(found.reach[0]), images=over)
    return _(
        "These images have no labels. The colours show the density of the codes: log q(z) at each code, from {low} "
        "nats (dark) to {high} nats (bright), where q(z) is the mean of q(z|x) over {images}."
    ).format(low=low, high=high, images=over)
