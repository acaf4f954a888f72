"""The race: every estimator of log p(x) against its number of samples or its seconds, with the exact value."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.panels.chosen import Chosen
from pages.ui.language import _, said
from vae import figures
from vae.errors import VAEError
from vae.evidence import races

_DONE = "likelihood.raced"  # session state: what has been run, by model and images
_FIRST = 1000  # samples that are run at once where no results ship, by estimators that take no time for it
_NEAR = 30  # nats below the best that the near view shows
_REPLICATES = 5
_EVERY = 0.4  # seconds between drawings


class Rest(NamedTuple):
    """What is to be done when the parts of the page that take least are there.

    Attributes:
        level: draws the exact value into the race.
        run: runs the race, where it is to be run.
    """

    level: Callable[[], None]
    run: Callable[[], None]


def show(chosen: Chosen) -> Rest:
    """Draws the race as far as it has been run, at once and without the exact value."""
    st.subheader(_("The race"))
    names: dict[races.Runner, str] = {
        "naive": _("naive Monte Carlo"), "elbo": _("ELBO"), "importance": _("importance sampling"),
        "jackknife": _("importance, jackknife"), "ais": _("annealed importance (AIS)"),
    }  # fmt: skip
    runners: list[races.Runner] = st.pills(
        _("Estimators"), list(names), selection_mode="multi", default=["naive", "elbo", "importance", "ais"],
        format_func=names.__getitem__, key="likelihood.runners", persist_state="session",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = st.select_slider(
            _("Samples up to"), [10**3, 10**4, 10**5, 10**6], 10**5, format_func=lambda n: f"{n:,}",
            key="likelihood.most", persist_state="session", width=200,
        )  # fmt: skip
        cost = st.segmented_control(
            _("Cost"), ["samples", "seconds"], default="samples", required=True, key="likelihood.cost",
            format_func={"samples": _("samples"), "seconds": _("seconds")}.__getitem__,
        )  # fmt: skip
        near = st.segmented_control(
            _("Nats"), [False, True], default=False, required=True, key="likelihood.closer",
            format_func=lambda closer: _("the last {nats}").format(nats=_NEAR) if closer else _("all"),
        )  # fmt: skip
        run = st.button(_("Run"), icon=":material/play_arrow:", type="primary", key="likelihood.run")
        st.button(_("Stop"), icon=":material/stop:", key="likelihood.stop")
    place, status, exactly = st.empty(), st.empty(), st.empty()
    raced = st.session_state.setdefault(_DONE, {})
    key = (chosen.model, chosen.dataset.name, chosen.rows)
    if len(raced) > 20:
        raced.clear()
    steps: list[races.Step] = raced.setdefault(key, [])
    shipped = _shipped(chosen, runners, names) if cost == "samples" else []
    lines: dict[str, tuple[str, float]] = {}

    def draw(count: int) -> None:
        curves = [curve for runner in runners if (curve := _curve(runner, names[runner], steps, cost == "seconds"))]
        shown = {curve.name for curve in curves}
        reached = [each.y for each in curves + shipped]
        high = max([value for _colour, value in lines.values()] + [float(np.nanmax(y)) for y in reached], default=0.0)
        worst = min([float(np.nanmin(y)) for y in reached], default=high)
        low = high - (_NEAR if near else min(max(1.15 * (high - worst), _NEAR), 1500))
        figure = figures.evidence.race(
            curves + [curve for curve in shipped if curve.name not in shown], lines,
            (
                _("seconds") if cost == "seconds" else _("samples (AIS: decoder evaluations)"),
                _("nats"),
            ),
            low,
        )  # fmt: skip
        place.plotly_chart(
            figure, key=f"likelihood.race.{chosen.model[0]}.{count}", config={"displayModeBar": False},
            alt=_("Estimates of log p(x) in nats against the number of samples"),
        )  # fmt: skip

    def run_it() -> None:
        goal = most if run else _FIRST
        started = runners if run else [runner for runner in runners if runner != "ais"]
        steps.clear()
        bar, count, drawn = status.progress(0.0), 1, time.monotonic()
        share, words = 0.0, ""
        racing = cache.streams.race(chosen.model, chosen.dataset.name, chosen.rows, tuple(started), goal, _REPLICATES)
        for step in racing:
            if step is not None:
                steps.append(step)
                share = step.share
                words = _("{name}, {samples:,} samples").format(name=names[step.runner], samples=step.samples)
            if time.monotonic() - drawn > _EVERY:  # a message to the browser is also where Streamlit stops the run
                bar.progress(share, words)
                if step is not None:
                    count += 1
                    draw(count)
                drawn = time.monotonic()
        draw(count + 1)
        caption()

    def caption() -> None:
        if steps:
            status.caption(
                _(
                    "Lines: median of {many} replicates, {few} of AIS and beyond {far:,} samples. Bands: the least and "
                    "the most. AIS has {chains} chains and up to {steps} temperatures. Whatever you change stops a "
                    "run; its lines stay."
                ).format(many=_REPLICATES, few=races.FEW, far=races.MANY, chains=races.CHAINS, steps=races.MOST["ais"])
            )
        elif shipped:
            status.caption(_("Circles: results that come with the model (python -m vae compare). Run draws them live."))
        exactly.caption(_exactly(chosen))

    def level() -> None:
        try:
            lines.update(_lines(chosen))
            if lines:
                draw(1)
            caption()
        except VAEError as error:
            exactly.error(said(error), icon=":material/error:")

    draw(0)
    for line in (status, exactly):  # so that what is below stays where it is
        line.caption("\u00a0")
    return Rest(level, run_it if run or (not steps and not shipped) else lambda: None)


def _curve(runner: races.Runner, name: str, steps: list[races.Step], seconds: bool) -> figures.evidence.Curve | None:
    """Returns what has been run of one estimator; figures are means over the images."""
    mine = [step for step in steps if step.runner == runner]
    if not mine:
        return None
    samples = sorted({step.samples for step in mine})
    y = np.full((1 + max(step.replicate for step in mine), len(samples)), np.nan)
    cost = np.full(y.shape, np.nan)
    for step in mine:
        place = step.replicate, samples.index(step.samples)
        y[place], cost[place] = float(step.value.mean()), step.seconds
    x = np.nanmedian(cost, 0) if seconds else np.array(samples)
    return figures.evidence.Curve(name, runner, x, y)


def _shipped(
    chosen: Chosen, runners: list[races.Runner], names: dict[races.Runner, str]
) -> list[figures.evidence.Curve]:
    """Returns results that come with the model."""
    found = cache.comparison(chosen.model, chosen.dataset.name)
    if found is None or max(chosen.rows) >= len(found.encoder_kl):
        return []
    curves = []
    for runner in runners:
        mine = [estimate for name, estimate in found.estimates.items() if name.partition("_")[0] == runner]
        if mine:
            samples = [each.decodes // len(each.value) if runner == "ais" else each.samples for each in mine]
            y = np.array([[float(each.value[list(chosen.rows)].mean()) for each in mine]])
            curves.append(figures.evidence.Curve(names[runner], runner, np.array(samples), y, True))
    return curves


def _exactly(chosen: Chosen) -> str:
    """Says how well log p(x) is known, or that it is not."""
    found = cache.evidence_of(chosen.model, chosen.dataset.name, chosen.rows)
    if found is None:
        return _("log p(x) has no exact value for J = {size} and a decoder that bends.").format(
            size=chosen.config.latent
        )
    lost = int((~np.isfinite(found[0])).sum())
    if lost:
        return _("The grids did not agree on log p(x) of {lost} of {all} images, so it is not drawn.").format(
            lost=lost, all=len(chosen.rows)
        )
    return _("log p(x) is known to about ± {error:.1g} nats.").format(error=float(found[1].max()))


def _lines(chosen: Chosen) -> dict[str, tuple[str, float]]:
    """Returns the level of log p(x), where it is known."""
    found = cache.evidence_of(chosen.model, chosen.dataset.name, chosen.rows)
    if found is None or not np.isfinite(found[0]).all():
        return {}
    return {_("log p(x), exact"): ("exact", float(found[0].mean()))}
