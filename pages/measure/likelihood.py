"""Naive Monte Carlo beside the ELBO, for 2, 5, 10 and 20 latent dimensions."""

from gettext import gettext as _

import numpy as np
import streamlit as st

from pages.ui import cache, pictures, state, words
from vae import catalogue, figures

SIZES = tuple(int(m * 10**k) for k in range(6) for m in (1, 2, 5))[:16]  # 1, 2, 5, ... 100,000
STAGES = ((10**3, 10), (10**4, 10), (10**5, 3))  # how far, and how often; the first comes at once

st.markdown(
    _(
        "How probable is an image? Naive Monte Carlo draws $z_l$ from the prior and averages, "
        r"$\log p(x) \approx \log \frac{1}{L} \sum_l p(x|z_l)$. Almost no draw lands where $p(x|z)$ is large, so it "
        r"needs about $e^{\mathrm{KL}}$ of them. The **ELBO** asks the encoder where to look, and on average never "
        r"lies above $\log p(x)$."
    )
)
there = {record.name: record for record in catalogue()[0]}
chosen = there[state.model()]
dataset = cache.images(cache.model_id(chosen.name))
names: list[str] = [
    name
    for name in ("mnist-2d", "mnist-5d", "mnist-10d", "mnist-20d")
    if name in there and cache.images(cache.model_id(name)).name == dataset.name
]
if chosen.training.objective == "autoencoder":
    st.caption(_("{name} is a plain autoencoder: it has no p(x), so it is left out.").format(name=chosen.name))
elif chosen.name not in names:
    names.append(chosen.name)
if not names:
    st.info(_("Choose a model other than an autoencoder."))
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    digits = st.pills(
        _("Test images of"), range(len(dataset.classes)), selection_mode="multi", default=[4],
        format_func=lambda label: dataset.classes[label], key="likelihood.digits", persist_state="session",
    )  # fmt: skip
    example = st.number_input(
        _("Which of them"), 1, 100, 1, key="likelihood.example", persist_state="session", width=140
    )
    far = st.select_slider(
        _("Samples up to"), [stage[0] for stage in STAGES], 10**5, format_func=lambda n: f"{n:,}", key="likelihood.far",
        persist_state="session", width=200,
    )  # fmt: skip
digits = digits or [4]
labels = dataset.test.labels.numpy()
rows = tuple(int(np.flatnonzero(labels == label)[int(example) - 1]) for label in digits)
pictures.strip(
    dataset.test.images[list(rows)].numpy() / 255,
    _("the image") if len(rows) == 1 else _("the images; figures are means over them"),
)

panels = {}
for pair in (names[i : i + 2] for i in range(0, len(names), 2)):
    for name, column in zip(pair, st.columns(2), strict=False):
        record = there[name]
        column.markdown(
            _("**J = {size}**, {name}, {floor}").format(
                size=record.model.latent, name=name, floor=words.floor(record.model)
            )
        )
        panels[name] = column.empty()
table = st.empty()
status = st.empty()

models = {name: cache.model_id(name) for name in names}
bounds = {name: cache.elbo(models[name], dataset.name, rows, 200) for name in names}
codes = {name: cache.codes(models[name]).kl[list(rows)].sum(1).mean() for name in names}
curves: dict[str, list[np.ndarray]] = {name: [] for name in names}
low = min(value.mean() for value, _error in bounds.values()) - 1500


def show(name: str, stage: int) -> None:
    value, error = bounds[name]
    naive = np.full((len(curves[name]), len(SIZES)), np.nan)
    for repeat, curve in enumerate(curves[name]):
        naive[repeat, : len(curve)] = curve
    figure = figures.estimates(
        np.array(SIZES), naive, (value.mean(), np.sqrt(np.square(error).sum()) / len(error)),
        (_("number of samples L"), _("nats")), (_("naive Monte Carlo"), _("ELBO")), low,
    )  # fmt: skip
    panels[name].plotly_chart(
        figure, key=f"likelihood.{name}.{stage}", config={"displayModeBar": False},
        alt=_("Naive Monte Carlo against its number of samples, and the ELBO, for {name}").format(name=name),
    )  # fmt: skip


def summarise() -> None:
    columns = []
    for name in names:
        furthest = max(map(len, curves[name]))
        naive = np.median([curve[-1] for curve in curves[name] if len(curve) == furthest])
        value = bounds[name][0].mean()
        shipped = name in ("mnist-2d", "mnist-5d", "mnist-10d", "mnist-20d")
        title = f"J = {there[name].model.latent}" if shipped else name
        needed = f"$10^{{{codes[name] / np.log(10):.0f}}}$"
        columns.append((title, f"{value:.1f}", f"{naive:.1f}", f"{naive - value:+.1f}", f"{codes[name]:.1f}", needed))
    titles = (
        _("nats"), _("ELBO"), _("naive, L = {far:,}").format(far=reached), _("naive − ELBO"), _("KL"),
        _("samples it needs, about"),
    )  # fmt: skip
    lines = ["| " + " | ".join(cells) + " |" for cells in zip(titles, *columns, strict=True)]
    table.markdown("\n".join([lines[0], "|---|" + "---:|" * len(names), *lines[1:]]))


reached = 0
for stage, (most, repeats) in enumerate(STAGES):
    if most > far:
        break
    sizes = tuple(size for size in SIZES if size <= most)
    for name in names:
        status.caption(
            _("Drawing up to {most:,} samples, {name}. Change anything to stop.").format(most=most, name=name)
        )
        paths = [cache.naive_path(models[name], dataset.name, rows, sizes, seed).mean(1) for seed in range(repeats)]
        curves[name] = paths + curves[name][repeats:]
        show(name, stage)
    reached = most
    summarise()
status.caption(
    _(
        "Band: the least and the most of {many} repetitions ({few} beyond {far:,} samples). "
        "ELBO: 200 samples, ± 2 standard errors."
    ).format(many=STAGES[0][1], few=STAGES[2][1], far=STAGES[1][0])
)
if "bernoulli" in {there[name].model.likelihood for name in names}:
    st.caption(_("Nats of binary pixels (Bernoulli) and of grey ones (Gaussian) do not compare."))
