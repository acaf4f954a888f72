"""The race of the estimators with curves made by hand: gaps, and who counts as near the level."""

import numpy as np
import pytest
import torch

from pages import cache
from pages.measure.panels import verdicts
from pages.measure.panels.race import Asked, Race
from tests.app.test_likelihood_page import MNIST, chart, own_folder  # noqa: F401 - a fixture that applies by itself
from tests.app.test_pages import said, through_frame
from vae.evidence import races

PATH = "pages/measure/likelihood.py"
NAMES: dict[races.Runner, str] = {"naive": "naive Monte Carlo", "elbo": "ELBO", "importance": "importance sampling"}


def track(runner: races.Runner, *medians: float) -> races.Track:
    """A track of a single replicate, at 1, 10, 100, ... samples."""
    samples = 10 ** np.arange(len(medians))
    return races.Track(runner, samples, np.full(len(medians), np.nan), np.array([medians]))


def told(exact: bool, *tracks: races.Track, running: bool = False) -> list[str]:
    """The sentences on tracks that approach a level of -100 nats."""
    goal = verdicts.Goal(-100.0, exact)
    places = [races.arrival(each.median, goal.nats, bound=not exact) for each in tracks]
    return verdicts.arrivals(tracks, NAMES, places, goal, running=running).split("  \n")


def test_it_is_said_who_stays_who_has_only_just_come_and_who_is_away() -> None:
    tracks = (
        track("naive", -300, -200, -100.5), track("elbo", -110, -100.5, -99.5), track("importance", -104, -102, -97.5),
    )  # fmt: skip
    assert told(True, *tracks) == [
        "From these numbers of samples on, the median stays within 1 nat of log p(x): ELBO **10**.",
        "Only the last estimate is within 1 nat of log p(x): naive Monte Carlo **100**.",
        "Not within 1 nat yet: importance sampling **2.5 nats** above after 100.",
    ]
    assert told(True, tracks[1], running=True) == [
        "So far, the median is within 1 nat of log p(x) from these numbers of samples on: ELBO **10**."
    ]


def test_above_the_best_lower_bound_is_no_failure() -> None:
    tracks = track("naive", -300, -250, -200), track("elbo", -99.5, -100, -98), track("importance", -104, -97, -90)
    assert told(False, *tracks) == [
        "From these numbers of samples on, the median stays within 1 nat of the best lower bound or above it: "
        "ELBO **1**; importance sampling **10**.",
        "Not within 1 nat yet: naive Monte Carlo **100.0 nats** below after 100.",
    ]
    assert told(False, track("elbo", -110, -98)) == [
        "Only the last estimate is within 1 nat of the best lower bound or above it: ELBO **10**."
    ]


@pytest.mark.parametrize("value", [np.nan, -np.inf, np.inf])
def test_no_number_is_not_said_to_be_one(value: float) -> None:
    assert told(True, track("naive", -100, -100, value)) == [
        "Not within 1 nat yet: naive Monte Carlo: not a finite number after 100."
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sentence"), [("mnist-bernoulli-2d", "within 1 nat from here on"), ("mnist-20d", "1 nat or above from")]
)
def test_an_estimate_that_is_not_finite_is_a_gap(name: str, sentence: str) -> None:
    app, model = through_frame(PATH, name), cache.model_id(name)
    assert app.session_state["likelihood.step"] == "race"
    values = [(-np.inf, -150.0), (np.nan, np.nan), (-130.0, -120.0), (-110.0, np.inf)]
    steps = [
        races.Step("naive", i, 10**k, 0.1 * 2**k, torch.tensor([value]), 1.0)
        for k, pair in enumerate(values)
        for i, value in enumerate(pair)
    ]
    app.session_state["likelihood.raced"] = {(model, MNIST, (0,)): Race(Asked(("naive",), 1000, 0), steps, [])}
    app.run()
    assert not app.exception
    shown = chart(app)
    (curve,) = shown["curves"]
    assert curve["low"] == [None, None, -130, -110]
    assert curve["middle"] == [None, None, -125, None]
    assert curve["high"] == [-150, None, -120, None]
    assert curve["arrived"] is None
    assert "a gap where its estimate is not a finite number" in shown["words"]["hint"]
    assert sentence in shown["words"]["mark"]
    assert "naive Monte Carlo: not a finite number after 1,000" in said(app)
    assert all(np.isfinite(shown["ends"]))
