"""Side by side: the error of naive Monte Carlo for each latent size, and the number of samples it would need."""

import math

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.panels.chosen import Chosen
from pages.ui import state, words
from pages.ui.language import _
from vae import catalogue, figures

_SIZES = (1000, 10_000, 100_000, 1_000_000)
_SHOWN = ("mnist-2d", "mnist-5d", "mnist-10d", "mnist-20d")


def title() -> str:
    """Returns the title of the step."""
    return _("More latent dimensions need more samples")


def show(chosen: Chosen) -> None:
    """Compares the built-in models and the current model on the current image."""
    there = {record.name: record for record in catalogue()[0]}
    names = [name for name in _SHOWN if name in there]
    if chosen.model[0] not in names:
        names.append(chosen.model[0])
    columns, below = [], {}
    for name in names:
        model = cache.model_id(name)
        if cache.images(model).name != cache.images(chosen.model).name:
            continue
        kl = cache.needed(model, chosen.dataset.name, chosen.row)
        elbo = float(cache.elbo(model, chosen.dataset.name, (chosen.row,), 1000)[0][0])
        found = cache.comparison(model, chosen.dataset.name)
        heading = _("J = {size}").format(size=there[name].model.latent) if name in _SHOWN else name
        naive, reference, value, kind = ["–"] * len(_SIZES), "–", np.nan, ""
        if found is not None and chosen.row < len(found.encoder_kl):
            values, kind = found.reference()
            value = float(values[chosen.row])
        if found is not None and np.isfinite(value):
            error = np.array([float(found.estimates[f"naive_{size}"].value[chosen.row]) for size in _SIZES]) - value
            naive = [words.number(each, sign=True) for each in error]
            reference = words.number(value) if kind == "exact" else f">\u00a0{words.number(value)}"
            below[heading] = np.maximum(-error, 0)
        needed = words.power(kl).replace(" ", "\u00a0")
        columns.append((heading, reference, words.number(elbo), *naive, words.number(kl), needed))
    titles = (
        _("nats"), _("log p(x) or best lower bound"), _("ELBO"),
        *(_("naive, 10{power}").format(power=words.power_of_ten(round(math.log10(size)))) for size in _SIZES),
        _("KL from the prior"), _("samples needed"),
    )  # fmt: skip
    lines = ["| " + " | ".join(cells) + " |" for cells in zip(titles, *columns, strict=True)]
    table = "\n".join([lines[0], "|---|" + "---:|" * len(columns), *lines[1:]])
    st.markdown(
        _(
            "Naive Monte Carlo needs about $e^{\\mathrm{KL}}$ samples, where the KL is that of the posterior from the "
            "prior. It usually grows with the number of latent dimensions, because each dimension that carries "
            "information makes the posterior a smaller part of the prior."
        )
    )
    left, right = st.columns([9, 11], gap="medium")
    if below:
        figure = figures.evidence.shortfall(np.array(_SIZES), below, (_("samples L"), _("nats below")))
        figure.update_layout(height=state.larger(400))
        left.plotly_chart(
            figure, key="likelihood.sides", config={"displayModeBar": False},
            alt=_("Nats by which naive Monte Carlo is too low against its number of samples, for each latent size"),
        )  # fmt: skip
    (right if below else left).markdown(table)
    with right:
        st.caption(
            _(
                "The rows “naive” give the error of one run of naive Monte Carlo for {image}, in nats. The KL is exact "
                "for J = 2; for more dimensions the KL of q from the prior stands in for it."
            ).format(image=chosen.name)
        )
        if len({there[name].model.likelihood == "bernoulli" for name in names}) > 1:
            st.caption(
                _("Log-likelihoods of binary pixels (Bernoulli) and of grey ones (Gaussian) cannot be compared.")
            )
