"""Training runs in one chart: the held-out ELBO of each against epochs or seconds."""

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import words
from pages.ui.language import _
from vae import figures
from vae.model import ModelConfig, TrainConfig

MOST = 6  # runs selected initially
Plan = tuple[ModelConfig, TrainConfig]


def show(name: str) -> None:
    """Shows a training run beside those that can be compared with it, or others that the user selects."""
    plans = {each: plan for each in cache.training.trained() if (plan := cache.training.plan(each))}
    plans = {
        each: plan for each, plan in plans.items() if plan[1].objective != "autoencoder"
    }  # its objective is not a bound
    if not plans:
        st.caption(_("No training run with an ELBO has been saved yet."))
        return
    first = [each for each in plans if name in plans and comparable(plans[each], plans[name])] or list(plans)
    chosen = st.multiselect(
        _("Training runs"), plans, sorted(first, key=lambda each: each != name)[:MOST], key=f"train.compared.{name}",
        placeholder=_("Choose training runs"),
    )  # fmt: skip
    against = st.segmented_control(
        _("Plot against"), ("epochs", "seconds"), default="epochs", key="train.against", required=True,
        format_func=lambda kind: {"epochs": _("epochs"), "seconds": _("training time, seconds")}[kind],
    )  # fmt: skip
    runs = {each: curve(each, against == "seconds") for each in chosen}
    if any(not comparable(plans[each], plans[chosen[0]]) for each in chosen):
        st.warning(
            _("These runs differ in data set, likelihood or variance floor, so their ELBOs cannot be compared."),
            icon=":material/warning:",
        )
    if any(len(run.values) for run in runs.values()):
        title = _("training time, seconds") if against == "seconds" else _("epoch")
        st.plotly_chart(
            figures.trainings.curves(list(runs.values()), (title, _("held-out ELBO, nats"))), key="train.curves",
            config={"displayModeBar": False}, alt=_("held-out ELBO of {names}").format(names=", ".join(chosen)),
        )  # fmt: skip
    if chosen:
        st.table(table(chosen, plans), border="horizontal")


def comparable(plan: Plan, other: Plan) -> bool:
    """Whether the ELBOs of two runs can be compared: same data, same likelihood, same variance floor."""
    (model, training), (model_2, training_2) = plan, other
    same = model.likelihood == model_2.likelihood and training.data == training_2.data
    return same and (model.likelihood == "bernoulli" or model.log_variance_floor == model_2.log_variance_floor)


def curve(name: str, by_seconds: bool) -> figures.trainings.Curve:
    """Returns the held-out ELBO of a training run after each epoch."""
    ends = [r for r in cache.training.history(name) if r.held_out_reconstruction is not None]
    places = np.array([r.seconds if by_seconds else r.epoch for r in ends])
    return figures.trainings.Curve(name, places, np.array([elbo(r) for r in ends]))


def elbo(report: cache.training.Report) -> float:
    """Returns the held-out ELBO of a report at the end of an epoch, nats."""
    return (report.held_out_reconstruction or 0) - (report.held_out_kl or 0)


def table(chosen: list[str], plans: dict[str, Plan]) -> dict[str, list[str]]:
    """Returns the columns of a table of training runs, by title."""
    rows = []
    for name in chosen:
        model, training = plans[name]
        history = cache.training.history(name)
        bounds = [elbo(r) for r in history if r.held_out_reconstruction is not None]
        kind, letter = ("IWAE", "k") if training.objective == "iwae" else ("ELBO", "L")
        draws = f", {letter} = {training.samples}" if training.samples > 1 else ""
        rows.append({
            _("training"): name, _("held-out ELBO, nats"): f"{bounds[-1]:,.1f}" if bounds else "",
            "J": str(model.latent), _("objective"): kind + draws, "β": f"{training.beta:g}",
            _("epochs"): f"{history[-1].epoch:.1f}" if history else "",
            _("seconds"): f"{history[-1].seconds:,.0f}" if history else "",
            _("likelihood"): words.likelihood(model.likelihood),
        })  # fmt: skip
    return {title: [row[title] for row in rows] for title in rows[0]}
