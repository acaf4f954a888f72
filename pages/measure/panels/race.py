"""The race: every estimator of log p(x) against its number of samples or its seconds, with the exact value."""

from typing import NamedTuple

import numpy as np
import streamlit as st

from pages import cache
from pages.measure.panels import verdicts
from pages.measure.panels.chosen import Chosen
from pages.measure.panels.verdicts import Key
from pages.ui import state, waiting
from pages.ui.browser import race as chart
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae import figures
from vae.errors import VAEError
from vae.evidence import races

_RACES, _NOW = "likelihood.raced", "likelihood.racing"  # session state: finished races, and the running one
_RAN, _WHOLE = "likelihood.ran", "likelihood.whole"  # in the link: the race, and whether it is of several images
_RUNNERS, _SAMPLES = "likelihood.runners", "likelihood.most"
_USUAL: list[races.Runner] = ["naive", "elbo", "importance", "ais"]
_SIZES = [10**3, 10**4, 10**5, 10**6]
_MOST = 20  # races stored in a session
_FIRST = 1000  # samples run at once if there is no built-in race, by the fast estimators
_LEAST, _DEEPEST = 30, 3000  # nats that the vertical axis covers
_EVERY = 0.3  # seconds between drawings
_SLICE = 0.2  # seconds of these spent on the race


class Asked(NamedTuple):
    """The settings of a race.

    Attributes:
        runners: the estimators.
        most: maximum number of samples.
        seed: of the first replicate; the others use the following seeds.
    """

    runners: tuple[races.Runner, ...]
    most: int
    seed: int


class Race(NamedTuple):
    """A race shown in this session, possibly unfinished.

    Attributes:
        asked: its settings.
        steps: results so far; grows while the race runs.
        refused: errors that ended the race.
    """

    asked: Asked
    steps: list[races.Step]
    refused: list[str]


def title() -> str:
    """Returns the title of the step."""
    return _("The race of the estimators")


def show(chosen: Chosen) -> None:
    """Draws the built-in race or the last one run, and runs new ones."""
    names: dict[races.Runner, str] = {
        "naive": _("naive Monte Carlo"), "elbo": _("ELBO"), "importance": _("importance sampling"),
        "jackknife": _("importance, jackknife"), "ais": _("AIS"),
    }  # fmt: skip
    state.begin(_RAN, _parsed)
    state.begin(_WHOLE, lambda text: text == "1", False)
    asked: Asked | None = st.session_state.pop(_RAN, None)
    st.session_state.setdefault(_RUNNERS, list(asked.runners if asked else _USUAL))
    st.session_state.setdefault(_SAMPLES, asked.most if asked else 10**5)
    left, right = st.columns([3, 1], gap="medium")
    with right:
        tools = st.container(horizontal=True)
        runners: list[races.Runner] = st.pills(
            _("Estimators"), list(names), selection_mode="multi", format_func=names.__getitem__, key=_RUNNERS,
            persist_state="session", wrap=True,
            help=_(
                "The jackknife reduces the bias of importance sampling. AIS is annealed importance sampling, here with "
                "{chains} chains and up to {steps} temperatures."
            ).format(chains=races.CHAINS, steps=races.MOST["ais"]),
        )  # fmt: skip
        most = st.select_slider(
            _("Samples up to"), _SIZES, format_func=lambda n: f"{n:,}", key=_SAMPLES, persist_state="session",
        )  # fmt: skip
        whole = not chosen.drawn and st.segmented_control(
            _("Averaged over"), [False, True], required=True, key=_WHOLE,
            format_func=lambda every: _("{count} images").format(count=len(chosen.shown)) if every else _("this image"),
        )  # fmt: skip
        key = chosen.model, chosen.dataset.name, chosen.shown if whole else (chosen.row,)
        shipped = None if whole else cache.streams.raced(chosen.model, chosen.dataset.name, chosen.row)
        _leave(key)
        if asked and _done(key) is None:
            _find_again(key, asked)
        if _done(key) is None and shipped is None:
            _start(key, tuple(runner for runner in runners if runner != "ais"), _FIRST)
        state.write_link(likelihood__ran=_link(_done(key)), likelihood__whole="1" if whole else None)
        cost = st.segmented_control(
            _("Horizontal axis"), ["samples", "seconds"], default="samples", required=True, key="likelihood.cost",
            format_func={"samples": _("samples"), "seconds": _("seconds")}.__getitem__, disabled=_done(key) is None,
            help=_("Seconds are measured when a race is run on this machine."),
        )  # fmt: skip
        distance = st.segmented_control(
            _("Vertical axis"), [True, False], default=True, required=True, key="likelihood.distance",
            format_func=lambda away: _("distance") if away else _("nats"), disabled=verdicts.goal(key) is None,
            help=_("Distance from log p(x), on a logarithmic scale beyond 1 nat; or the estimates themselves."),
        )  # fmt: skip
    with tools:
        st.button(
            _("Run"), icon=":material/play_arrow:", type="primary", key="likelihood.run", on_click=_start,
            args=(key, tuple(runners), most), disabled=not runners,
        )  # fmt: skip
        st.button(
            _("Stop"), icon=":material/stop:", key="likelihood.stop", on_click=_stop, disabled=_running(key) is None
        )

    @fragment(run_every=_EVERY if _running(key) else None)
    def drawn() -> None:
        picture, slices, race = st.container(), _running(key), _done(key)
        if slices is not None and race is not None and slices.abandoned:  # the server was busy for long
            _run(key, race.asked)
            slices, race = _running(key), _done(key)
        if slices is not None and race is not None:
            try:
                with waiting.here():
                    race.steps.extend(slices.take(_SLICE))
            except VAEError as error:
                race.refused.append(said(error))
        tracks = shipped or [] if race is None else races.tracks(race.steps)
        tracks = [track for track in tracks if track.runner in runners]
        with picture:
            _draw(key, tracks, names, cost == "seconds" and race is not None, bool(distance))
        for sentence in race.refused if race else []:
            st.error(sentence, icon=":material/error:")
        if slices is not None and slices.ended:
            _stop()
            st.rerun()

    with left:
        drawn()
        _find(key)


def _done(key: Key) -> Race | None:
    """Returns the last race of a model and images that this session has shown."""
    return st.session_state.get(_RACES, {}).get(key)


def _running(key: Key) -> cache.streams.Slices[races.Step] | None:
    """Returns the running race of a model and images, or None."""
    now = st.session_state.get(_NOW)
    return now[1] if now is not None and now[0] == key else None


def _start(key: Key, runners: tuple[races.Runner, ...], most: int) -> None:
    """Starts a race, with other seeds than the previous one."""
    before = _done(key)
    seed = (cache.streams.SEED if before is None else before.asked.seed) + 100
    _run(key, Asked(tuple(each for each in races.ESTIMATORS if each in runners), most, seed))


def _run(key: Key, asked: Asked) -> None:
    _stop()
    steps, slices = cache.streams.begin_race(*key, *asked)
    _keep(key, Race(asked, steps, []))
    st.session_state[_NOW] = key, slices


def _keep(key: Key, race: Race) -> None:
    known = st.session_state.setdefault(_RACES, {})
    if len(known) >= _MOST:
        known.clear()
    known[key] = race


def _find_again(key: Key, asked: Asked) -> None:
    """Shows the race in the link, as after a reload: as far as it was run, and to its end unless it was stopped."""
    steps, slices = cache.streams.find_race(*key, *asked) or ([], None)
    if slices is not None and (slices.abandoned or not slices.ended):
        _run(key, asked)  # the pool shares the work, and repeats all steps so far
    elif steps:
        _keep(key, Race(asked, steps, []))


def _parsed(text: str) -> Asked:
    """Parses the settings of a race in a link: "100,1000,naive,elbo"."""
    seed, most, *runners = text.split(",")
    known = tuple(runner for runner in races.ESTIMATORS if runner in runners)
    if not known or int(most) not in _SIZES:
        raise ValueError(text)
    return Asked(known, int(most), int(seed))


def _link(race: Race | None) -> str | None:
    """Writes the settings of a race as `_parsed` reads them."""
    return None if race is None else ",".join([str(race.asked.seed), str(race.asked.most), *race.asked.runners])


def _stop() -> None:
    """Stops the running race; its results are kept."""
    if (now := st.session_state.pop(_NOW, None)) is not None:
        now[1].close()


def _leave(key: Key) -> None:
    """Stops a running race of another model or of other images."""
    if _NOW in st.session_state and _running(key) is None:
        _stop()


def _draw(key: Key, tracks: list[races.Track], names: dict[races.Runner, str], seconds: bool, distance: bool) -> None:
    """Draws the race and states which estimators have reached the level."""
    race, goal = _done(key), verdicts.goal(key)
    curves = [
        figures.evidence.Curve(
            names[track.runner], track.runner, track.seconds if seconds else track.samples, track.value
        )
        for track in tracks
    ]
    finite = [nats for curve in curves for nats in curve.y[np.isfinite(curve.y)].tolist()]
    high = max(finite + ([] if goal is None else [goal.nats + 1]), default=0.0)
    worst = min(finite, default=high)
    low = high - min(max(1.15 * (high - worst), _LEAST), _DEEPEST)
    across = _("seconds") if seconds else _("samples (for AIS, decoder evaluations)")
    up = _("nats") if goal is None or not distance else _("nats below {level}").format(level=goal.word)
    places = [
        None if goal is None else races.arrival(track.median, goal.nats, bound=not goal.exact) for track in tracks
    ]
    chart.show(
        curves, places, None if goal is None else chart.Level(goal.name, goal.nats, not goal.exact), (low, high),
        0 if seconds or race is None else race.asked.most,
        (across, up), distance=distance and goal is not None,
        run=f"{key}{race.asked.seed if race else ''}", running=_running(key) is not None,
    )  # fmt: skip
    if goal is not None:
        st.markdown(verdicts.arrivals(tracks, names, places, goal, running=_running(key) is not None))
    says = _(
        "Lines: medians of {many} replicates ({few} for AIS and beyond {far:,} samples). Bands: minimum to maximum."
    ).format(many=cache.streams.REPLICATES, few=races.FEW, far=races.MANY)
    made = _("This run was computed in advance (seed {seed}); **Run** starts a new one.")
    if race is not None:
        made = _("This run was computed here, with seed {seed}.")
    made = made.format(seed=cache.streams.SEED if race is None else race.asked.seed)
    st.caption(" ".join(filter(None, [says, made, verdicts.exactly(key)])))


def _find(key: Key) -> None:
    """Computes log p(x) if it is not known yet."""
    try:
        if verdicts.find(key):
            st.rerun()  # to show it
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
