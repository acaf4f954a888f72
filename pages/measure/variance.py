"""What the learned variance does: its size, where its nats come from, whether residuals agree, what a floor changes."""

import math
from collections.abc import Iterator

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import examples, pictures, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _
from vae import Record, catalogue, figures, latent
from vae.model import ModelConfig, bits_per_dimension
from vae.uses import variance

EXHIBITS = ("mnist-2d", "mnist-free-variance-2d", "mnist-shared-variance-2d")
IMAGE = "variance.image"
FAR = 2.0  # from all codes, in units of z
FLOORS = tuple(np.arange(-16, 0.5, 0.5).tolist())


def gaussian(record: Record) -> bool:
    own = isinstance(record.model, ModelConfig)  # another's variance has no floor to be moved
    return own and record.model.likelihood != "bernoulli" and not record.autoencoder


there = {record.name: record for record in catalogue()[0]}
chosen = there[state.model()]
exhibits = [name for name in EXHIBITS if name in there]
first = cache.model_id(chosen.name if gaussian(chosen) or not exhibits else exhibits[0])
dataset = cache.images(first)
names = [name for name in exhibits if cache.images(cache.model_id(name)).name == dataset.name]
if gaussian(chosen) and chosen.name not in names:
    names.append(chosen.name)
models = {name: cache.model_id(name) for name in names}
pixels = math.prod(dataset.test.images.shape[1:])
ceiling = pixels * math.log(256)


def title(name: str) -> str:
    config = there[name].model
    if config.likelihood == "gaussian-shared":
        what = _("One variance")
    elif config.log_variance_floor is None:
        what = _("No floor")
    else:
        what = _("Floor at {floor:g}").format(floor=config.log_variance_floor)
    return what if name in EXHIBITS else f"{name}: {what}"


def panels() -> Iterator[str]:
    """Opens a column for each model, under its title."""
    wide = 3 if len(names) == 3 else 2
    for row in (names[i : i + wide] for i in range(0, len(names), wide)):
        for name, column in zip(row, st.columns(wide, gap="medium"), strict=False):
            with column:
                st.markdown(f"**{title(name)}**")
                yield name


def chart(figure: object, kind: str, name: str, alt: str) -> None:
    st.plotly_chart(figure, key=f"variance.{kind}.{name}", config={"displayModeBar": False}, alt=f"{alt}, {name}")


def colours(kind: str, low: str, high: str) -> None:
    """Shows once what the colours of all panels mean."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(low, width="content")
        st.image(figures.png_uri(figures.variance.gradient(kind)), alt=f"{low} – {high}", width=140)
        st.caption(high, width="content")


def show(decoded: latent.Decoded, draw: bool = True) -> None:
    """Shows p(x|z); sigma's colours are the same everywhere, unlike those of `pictures.sigma`."""
    mean, deviation, sample = (values[0] for values in decoded)
    images = {_("mean of p(x|z)"): pictures.plain(mean, 4)}
    if draw:
        images[_("draw x ~ p(x|z)")] = pictures.plain(sample, 4)
    images[pictures.sigma_words(deviation)] = pictures.sigma(deviation, 4, figures.variance.SHOWN_DEVIATIONS[1])
    with st.container(horizontal=True, gap="xsmall"):
        for caption, image in images.items():
            st.image(figures.png_uri(image), caption=caption, alt=caption, width=112)


def times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}" if ratio < 1e4 else f"$10^{{{math.log10(ratio):.0f}}}$"


def verdict(curve: variance.ByDistance) -> str:
    """Says how residuals compare with sigma at the codes, and as far out as was measured."""
    here, out = curve.standardised[0], curve.standardised[-1]
    if len(curve.distance) < 2:
        return _("Residuals are **{here} σ** at the codes.").format(here=times(here))
    says = _("Residuals are **{here} σ** at the codes, **{out} σ** at a distance of {d:.0f}: {verdict}")
    right = _("σ is too large there.") if out < 0.8 else _("σ is about right there.")
    verdict = _("σ is too small there.") if out > 1.25 else right
    return says.format(here=times(here), out=times(out), d=curve.distance[-1], verdict=verdict)


st.markdown(
    _(
        r"A Gaussian decoder says of each pixel what it expects, $\mu$, and how far off it may be, $\sigma$: "
        r"$\log p(x|z) = -\frac{1}{2} \sum_d \left[ (x_d - \mu_d)^2 / \sigma_d^2 + \log 2 \pi \sigma_d^2 \right]$."
    )
)
if not isinstance(chosen.model, ModelConfig):
    st.info(
        _("{name} was trained elsewhere, and its variance has no floor that could be moved, so it is left out.").format(
            name=chosen.name
        )
    )
elif not gaussian(chosen):
    st.info(_("{name} learned no variance, so it is left out.").format(name=chosen.name))
if not names:
    st.info(_("Choose a model with a Gaussian likelihood."))
    st.stop()

table = [["", _("held-out ELBO, nats"), _("of the ceiling"), _("bits per dimension")], ["---", *["---:"] * 3]]
scores = {title(name): there[name].held_out.get("elbo") for name in names}
for what, elbo in (scores | {_("ceiling, {d} ln 256").format(d=pixels): ceiling}).items():
    cells = ["–"] * 3
    if elbo is not None:
        cells = [f"{elbo:,.1f}", f"{elbo / ceiling:.0%}", f"{bits_per_dimension(elbo, 'gaussian', pixels):.2f}"]
    table.append([what, *cells])
st.markdown("\n".join(f"| {' | '.join(line)} |" for line in table))
st.markdown(
    _(
        r"A density is not a probability: at $\sigma = 0.05$ a pixel's density rises to $1 / (\sigma \sqrt{{2 \pi}}) = "
        r"8$, above 1, so $\log p(x)$ may be positive and the loss, $-$ELBO, negative. The ceiling comes from "
        r"$x = (u + \mathrm{{U}}[0, 1)) / 256$: the 8-bit image $u$ has a probability of at most 1, spread over a cube "
        r"of volume $256^{{-{d}}}$, so that on average over the noise $\log p(x) \leq {d} \ln 256$."
    ).format(d=pixels)
)

st.subheader(_("σ over the latent plane"))


def take(row: int) -> None:
    state.use_image(row)
    st.session_state[IMAGE] = row


def another() -> None:
    take(int(np.random.default_rng().integers(len(dataset.test))))


st.session_state[IMAGE] = min(state.image(), len(dataset.test) - 1)  # perhaps chosen on another page
examples.show(first, "variance.class", take)
with st.container(horizontal=True, vertical_alignment="bottom"):
    place = st.container(width=112)
    row = st.number_input(
        _("Test image"), 0, len(dataset.test) - 1, key=IMAGE, width=200,
        on_change=lambda: state.use_image(st.session_state[IMAGE]),
    )  # fmt: skip
    st.button(_("Any image"), icon=":material/shuffle:", on_click=another, key="variance.any")
if row != state.image():
    state.use_image(row)
image = figures.png_uri(pictures.plain(dataset.test.images[row].numpy() / 255, 4))
place.image(image, alt=words.image(dataset, row), width=112)


@fragment()
def maps() -> None:
    dots = _("Each dot is the code of a test image, the mean of its $q(z|x)$; the cross is the one in use.")
    st.markdown(dots + " " + _("**Click anywhere** to decode that $z$ instead."))
    st.button(_("Draw x again"), icon=":material/casino:", on_click=state.draw_again, key="variance.draw")
    colours(figures.variance.DEVIATIONS, _("mean σ(z): 0.05"), _("0.5 of the pixel scale, or more"))
    for name in panels():
        model, size = models[name], there[name].model.latent
        plane = (0, min(1, size - 1)) if size < 3 else None
        across, up = words.coordinate(0), words.coordinate(1) if size > 1 else ""
        if size > 2:
            across, up = _("first principal direction"), _("second principal direction")
        picked = st.plotly_chart(
            cache.variance.variance_map(model, dataset.name, plane, row, (across, up)),
            key=f"variance.map.{model}.{row}", on_select="rerun", selection_mode="points",
            config={"displayModeBar": False}, alt=_("Mean σ over the latent plane") + f", {name}",
        )  # fmt: skip
        z = cache.codes(model).mean[row]
        if picked.selection.points:
            cell = int(picked.selection.points[0]["customdata"])
            steps, _deviation = cache.variance.variance_plane(model, dataset.name, plane)
            z = cache.axes(model, plane).lift(np.array([[steps[cell % len(steps)], steps[cell // len(steps)]]]))[0]
        show(cache.decode(model, tuple(z.tolist()), state.seed()))


maps()

st.subheader(_("Where the nats come from"))
averaged = range(min(2000, len(dataset.test)))
kinds = {"mean": _("Mean over {n:,} test images").format(n=len(averaged)), "image": _("Image in use")}
border = cache.variance.border(dataset.name)
highest = ceiling / border.size  # nats of a pixel, which has three values in colour
st.markdown(
    _(
        r"$\log p(x|z)$ is a sum over pixels. The line parts off the border: {count} of {d} pixels are 0 in at least "
        r"99 of 100 test images. The strongest blue is a pixel's own ceiling, {ceiling:.2f} nats."
    ).format(count=border.sum(), d=border.size, ceiling=highest)
)


@fragment()
def nats_by_pixel() -> None:
    state.begin("variance.nats", state.one_of(kinds), "mean")
    kind = st.segmented_control(
        _("Nats of"), list(kinds), required=True, format_func=kinds.__getitem__, key="variance.nats",
        persist_state="session",
    )  # fmt: skip
    state.write_link(variance__nats=None if kind == "mean" else kind)
    colours(figures.variance.NATS, f"−{highest:.2f}", _("+{ceiling:.2f} nats per pixel").format(ceiling=highest))
    totals, titles = {}, (_("pixel across"), _("pixel down"))
    for name in panels():
        nats = cache.variance.nats_by_pixel(
            models[name], dataset.name, averaged if kind == "mean" else range(row, row + 1)
        )
        totals[name] = whole, edge = float(nats.sum()), float(nats[border].sum())
        chart(
            figures.variance.nats_picture(nats, border, highest, titles), "nats", name,
            _("log p(x|z) pixel by pixel"),
        )  # fmt: skip
        sums = {"edge": edge, "rest": whole - edge, "whole": whole}
        says = _("Border {edge:,.0f} + the rest {rest:,.0f} = **{whole:,.0f} nats**.").format(**sums)
        if 0 < edge <= whole:
            says += " " + _("{share:.0%} of them say only that the border is black.").format(share=edge / whole)
        st.markdown(says)
    best, *others = sorted(totals, key=lambda name: -totals[name][0])
    for other in others[:1]:
        more, edge = np.subtract(totals[best], totals[other])
        says = _("**{best}** has {more:,.0f} nats more than **{other}**; {edge:,.0f} of these lie on the border.")
        st.markdown(says.format(best=title(best), other=title(other), more=more, edge=edge))


nats_by_pixel()

st.subheader(_("Are residuals the size of σ?"))
st.markdown(
    _(
        r"Pixels gathered by the $\sigma$ predicted for them, against the root mean square of their residuals $x - "
        r"\mu$. On the straight line $\sigma$ is right; above it, it is too small. **Filled**: {count:,} test images, "
        r"at their codes. **Open**: $z$ more than {far:g} away from all codes, held against the test image whose code "
        r"is nearest. Larger markers stand for more pixels; what lies beyond an axis is drawn at its edge."
    ).format(count=min(cache.variance.NEAR, len(dataset.test)), far=FAR)
)
found = {name: cache.variance.residuals(models[name], dataset.name, FAR) for name in names}
residual = _("root mean square of x − μ")
ways = (_("predicted σ, pixel scale"), residual)
lines = (_("at the codes"), _("far from them"), _("x − μ = σ"))
for name in panels():
    figure = figures.variance.calibrated(*found[name][:2], (1e-3, 10), ways, lines)
    chart(figure, "calibration", name, _("Residuals against predicted σ"))

st.subheader(_("σ far from the data"))
st.markdown(
    _(
        "Mean σ (yellow) and residuals (purple) along rays that lead from 200 codes away from the prior's mean, "
        "against the distance from the nearest code; medians. A network's variance is learned where the codes lie; "
        "further out nothing makes it grow (Arvanitidis et al. 2018; Detlefsen et al. 2019). The figures in bold are "
        r"root mean squares of $(x - \mu) / \sigma$, which a few pixels with a tiny $\sigma$ can rule."
    )
)
ways = (_("distance, units of z"), _("pixel scale"))
for name in panels():
    curve = found[name][2]
    figure = figures.variance.by_distance(curve, (0.01, 1.0), ways, (_("mean σ"), residual))
    chart(figure, "distance", name, _("σ and residuals against the distance from the data"))
    st.markdown(verdict(curve))

st.subheader(_("A floor changes the likelihood, not the picture"))


@fragment()
def floors() -> None:
    says = _(r"Test image {row} at its code. The weights stay, only the floor of $\log \sigma^2$ moves.")
    st.markdown(says.format(row=row))
    state.begin("variance.floor", lambda text: min(FLOORS, key=lambda each: abs(each - float(text))), -6.0)
    floor = st.slider(
        _("Floor of log σ²"), FLOORS[0], FLOORS[-1], step=0.5, key="variance.floor", width=500, persist_state="session"
    )
    state.write_link(variance__floor=None if floor == -6 else f"{floor:g}")
    titles = (_("floor of log σ²"), _("log p(x|z), nats"))
    for name in panels():
        path = cache.variance.floor_path(models[name], dataset.name, row, FLOORS)
        nats = float(path[FLOORS.index(floor)])
        chart(
            figures.variance.floors(np.array(FLOORS), path, floor, ceiling, titles, _("ceiling")), "floors", name,
            _("log p(x|z) against the floor of the log variance"),
        )  # fmt: skip
        bits = bits_per_dimension(nats, "gaussian", pixels)
        st.markdown(_("**{nats:,.0f} nats**, {bits:.2f} bits per dimension").format(nats=nats, bits=bits))
        show(cache.variance.decode_floored(models[name], dataset.name, row, floor), draw=False)


floors()
st.caption(
    _(
        "Below the floor it was trained with, a model uses variances that nothing has checked: they can gain nats with "
        "no change to be seen, until one pixel that is not as expected costs them all."
    )
)
