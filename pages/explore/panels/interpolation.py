"""Linear and spherical interpolation between two images, and the density along the paths."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages import cache
from pages.explore.panels import start
from pages.ui import examples, pictures, state
from pages.ui.language import _
from vae import figures, latent
from vae.figures import COLOURS
from vae.latent import aggregate, spherical, straight

_COLOURS = {"straight": figures.latent.AGGREGATE, "spherical": COLOURS["importance"]}
_FROM, TO = "decode.walk.from", "decode.walk.to"
_STEPS, _FRAMES = 13, 25
_DEEPEST = 2000  # nats below the maximum, on the axis
_WALKS = {"straight": straight, "spherical": spherical}


def show(model: cache.Model) -> None:
    """Draws both paths from the current image or z to another image, above the densities along them."""
    begin, end = _ends(model)
    names = {"straight": _("linear"), "spherical": _("spherical")}
    paths = {kind: walk(begin.z, end.z, _STEPS) for kind, walk in _WALKS.items()}
    strips = [latent.decode(cache.load(model), path).mean for path in paths.values()]
    for name, strip in zip(names.values(), strips, strict=True):
        alt = _("From {start} to {end}, {kind}, in {count} steps").format(
            start=begin.words, end=end.words, kind=name, count=_STEPS
        )
        st.caption(name)
        pictures.whole(figures.latent.sheet(strip[None], scale=4), alt)
    _densities(model, paths, names)
    _take_away(model, begin, end, np.stack(strips))


def _ends(model: cache.Model) -> tuple[start.Start, start.Start]:
    """Lets the user choose both ends, and shows them."""
    last = len(cache.images(model).test) - 1
    left, right = st.columns(2, gap="medium")
    with left:
        begin = start.choose(model, _FROM, _("From"))
        st.session_state[_FROM] = min(state.image(), last)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            start.picture(begin, _("from {words}"))
            st.number_input(_("From test image"), 0, last, key=_FROM, width=150, on_change=_use)
    if not 0 <= st.session_state.get(TO, -1) <= last:
        st.session_state[TO] = another(model, min(state.image(), last))
    with right:
        end = start.of_drawing(model)
        names = {"image": _("test image"), "drawing": _("your drawing")}
        if (
            end is not None
            and st.segmented_control(
                _("To"), list(names), default="image", required=True, format_func=names.__getitem__, key=f"{TO}.start"
            )
            != "drawing"
        ):
            end = None
        end = end or start.of_row(model, int(st.session_state[TO]))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            start.picture(end, _("to {words}"))
            st.number_input(_("To test image"), 0, last, key=TO, width=150, persist_state="session")
    examples.show(model, f"{TO}.class.", _go_to, says=_("Go to {image}"))
    return begin, end


def drawn_ends() -> tuple[bool, bool]:
    """Whether the drawing is chosen as the start, and whether as the end."""
    begin, end = (st.session_state.get(f"{key}.start") == "drawing" for key in (_FROM, TO))
    return begin, end


def _use() -> None:
    state.use_image(int(st.session_state[_FROM]))


def _go_to(row: int) -> None:
    st.session_state[TO] = row


def another(model: cache.Model, row: int) -> int:
    """Returns the first test image of the next class or, without labels, a typical image far from the given one."""
    firsts, labels = list(cache.latent.first_of_class(model).values()), cache.images(model).test.labels
    if len(firsts) > 1:
        return next((first for first in firsts if labels[first] > labels[row]), firsts[0])
    means, others = cache.codes(model).mean, cache.latent.varied(model)
    return max(others, key=lambda other: float(((means[other] - means[row]) ** 2).sum()))


def _densities(model: cache.Model, paths: dict[str, NDArray], names: dict[str, str]) -> None:
    """Draws the log density of the aggregate posterior and of the prior at each step."""
    if cache.record(model[0]).autoencoder:
        st.caption(_("A plain autoencoder has neither a prior nor a posterior, so there is no density to show."))
        return
    codes, many = cache.latent.training_codes(model), len(paths["straight"][0]) > 5
    q = {kind: aggregate.log_density(codes, path) for kind, path in paths.items()}
    p = {kind: aggregate.prior_log_density(path) for kind, path in paths.items()}
    curves: list[figures.latent.Curve] = [
        *((_("log q(z), {kind}").format(kind=names[kind]), _COLOURS[kind], q[kind], False) for kind in paths),
        *((_("log p(z), {kind}").format(kind=names[kind]), _COLOURS[kind], p[kind], True) for kind in paths),
    ]
    values = np.concatenate([curve[2] for curve in curves])
    lowest = max(float(values.min()), float(values.max()) - _DEEPEST)
    st.plotly_chart(
        figures.latent.densities(curves, _("step"), _("nats"), lowest), key="decode.walk.densities",
        config={"displayModeBar": False}, alt=_("Log density of the aggregate posterior and of the prior at each step"),
    )  # fmt: skip
    ratio = {kind: q[kind] - p[kind] for kind in paths}
    st.caption(
        _(
            "Solid: the aggregate posterior q(z), the mean of q(z|x) over the {count:,} training images. Dotted: the "
            "prior p(z). Where q falls far below p, the path crosses a region without codes, and the decoder can only "
            "guess there. log q/p is {first:.1f} and {last:.1f} nats at the two ends; its minimum is {straight:.1f} on "
            "the linear path and {spherical:.1f} on the spherical path."
        ).format(
            count=len(codes.mean), first=ratio["straight"][0], last=ratio["straight"][-1],
            **{kind: float(each.min()) for kind, each in ratio.items()},
        )
        + (
            " " + _("In many dimensions no number of images fills the space, so compare with the values at the ends.")
            if many else ""
        )
    )  # fmt: skip


def animation(model: cache.Model, begin: NDArray, end: NDArray) -> bytes:
    """Returns both paths between two latents (J,), there and back, as a GIF: linear left, spherical right."""
    frames = [latent.decode(cache.load(model), walk(begin, end, _FRAMES)).mean for walk in _WALKS.values()]
    return figures.latent.animation(np.concatenate(frames, 2), figures.fitted(6, *frames[0].shape[1:3]))


def _take_away(model: cache.Model, begin: start.Start, end: start.Start, strips: NDArray) -> None:
    """Offers the paths as an animation, which starts only on request, and as files."""
    gif = animation(model, begin.z, end.z)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        play = st.toggle(_("Play"), key="decode.walk.play")
        st.download_button(
            _("GIF"), gif, f"{model[0]}-walk.gif", "image/gif", icon=":material/download:", key="decode.walk.gif",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            _("PNG"), figures.latent.sheet(strips, scale=4), f"{model[0]}-walk.png", "image/png",
            icon=":material/download:", key="decode.walk.png", on_click="ignore",
        )  # fmt: skip
    if play:
        pictures.wide(gif, _("Both paths, there and back: linear on the left, spherical on the right"), "gif")
        st.caption(_("Linear on the left, spherical on the right, there and back."))
