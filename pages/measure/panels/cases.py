"""Which estimator is closer: where importance sampling beats naive Monte Carlo, where not, with an image of each."""

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.panels.chosen import Chosen
from pages.ui import state, words
from pages.ui.language import _

_LITTLE = 1  # nats
_METHODS = ("elbo", "importance_64", "importance_5000", "naive_100000", "naive_1000000", "ais")


def title() -> str:
    """Returns the title of the step."""
    return _("Which estimate can be trusted?")


def show(chosen: Chosen) -> None:
    """Shows the error of each estimator over many images, with buttons that select the worst images."""
    found = cache.comparison(chosen.model, cache.images(chosen.model).name)
    if found is None:
        st.info(
            _("To compare the estimators on many images of this model, run `vae compare {name}`.").format(
                name=chosen.model[0]
            ),
            icon=":material/info:",
        )
        return
    values, kind = found.reference()
    truth = values.numpy()
    names = {
        "elbo": _("ELBO"), "importance_64": _("importance sampling, K = 64"),
        "importance_5000": _("importance sampling, K = 5,000"), "naive_100000": _("naive, L = 100,000"),
        "naive_1000000": _("naive, L = 1,000,000"), "ais": _("AIS"),
    }  # fmt: skip
    methods = [name for name in _METHODS if name in found.estimates]
    errors = {name: found.estimates[name].value.numpy() - truth for name in methods}
    good = np.isfinite(truth)
    head = (_("estimate"), _("mean error, nats"), _("worst image, nats"))
    lines = ["| " + " | ".join(head) + " |", "|---|---:|---:|"]
    for name in methods:
        error = errors[name][good]
        mean, worst = words.number(error.mean(), 2, sign=True), words.number(error[np.abs(error).argmax()], sign=True)
        lines.append(f"| {names[name]} | {mean} | {worst} |")
    left, right = st.columns([3, 2], gap="medium")
    left.markdown("\n".join(lines))
    left.caption(
        _("Errors are measured against {truth} of {count:,} test images.").format(
            truth=_("the exact log p(x)") if kind == "exact" else _("the best lower bound of each image"),
            count=int(good.sum()),
        )
    )
    importance, naive = errors["importance_5000"], errors["naive_100000"]
    with right:
        st.markdown(_verdict(float(importance[good].mean()), float(naive[good].mean()), kind))
        for key, error, says in (
            ("importance", importance, _("Worst for importance sampling")),
            ("naive", naive, _("Worst for naive Monte Carlo")),
        ):
            row = int(np.where(good, np.abs(error), -1).argmax())
            st.button(
                _("{words}: image {row}").format(words=says, row=row), key=f"likelihood.case.{key}",
                on_click=state.use_image, args=(row,),
            )  # fmt: skip


def _verdict(importance: float, naive: float, kind: str) -> str:
    """States which estimator is closer, and why."""
    errors = {"naive": words.number(naive, 2, sign=True), "importance": words.number(importance, 2, sign=True)}
    if naive > importance:
        wide = naive > -_LITTLE
        return _(
            "For this model **naive Monte Carlo is closer** (mean error {naive} nats, compared with {importance}): "
            "{why}. The encoder has never seen these images. It sometimes misses the posterior, or one of its modes, "
            "and more samples from the wrong place do not help."
        ).format(
            **errors,
            why=_("the posterior is wide enough for samples from the prior to find it") if wide
            else _("samples from the prior rarely hit so small a posterior, but they cover the whole space"),
        )  # fmt: skip
    return _(
        "For this model **importance sampling is closer** (mean error {importance} nats, compared with {naive}): "
        "the posterior is so small a part of the prior that samples from the prior do not find it. Where the encoder "
        "misses a mode, importance sampling is too low as well, and its own standard error does not show it."
    ).format(**errors)
