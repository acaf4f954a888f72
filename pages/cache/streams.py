"""Long computations shown while they run: the race of the estimators, the refinement of q, reports."""

import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np
import streamlit as st

import vae
from pages.cache import models
from pages.cache.kept import only_shipped, streamed
from vae.evidence import gaps, races
from vae.report import write_report

R = TypeVar("R")

REPLICATES = 5  # of an estimator in a race
FAR = {"naive": 100_000, "others": 10_000}  # samples of the built-in races
SEED = 0  # of the built-in races
_GRACE = 30.0  # seconds without a request after which work is stopped; the server may be busy
_LAST = 100  # races that the server remembers


@streamed
def race(
    model: models.Model,
    data_name: str,
    rows: tuple[int, ...],
    runners: tuple[races.Runner, ...],
    most: int,
    seed: int,
) -> Iterator[races.Step]:
    """Runs estimators of log p(x) of test images in parallel, see `vae.evidence.races.race`."""
    x = models.pixels(model, data_name, rows)
    return races.race(models.quick(model), x, runners, most, replicates=REPLICATES, seed=seed)


@only_shipped
def raced(model: models.Model, data_name: str, row: int) -> list[races.Track]:
    """Returns a race of all estimators on a test image, without times, which depend on the machine."""
    net, x = models.load(model), models.pixels(model, data_name, (row,))
    others = [runner for runner in races.ESTIMATORS if runner != "naive"]
    steps = [
        *races.race(net, x, ("naive",), FAR["naive"], replicates=REPLICATES, seed=SEED),
        *races.race(net, x, others, FAR["others"], replicates=REPLICATES, seed=SEED),
    ]
    return [track._replace(seconds=np.full(len(track.samples), np.nan)) for track in races.tracks(steps)]


class Slices(Generic[R]):
    """Work done in time slices, and stopped when no slice has been requested for a while.

    Attributes:
        ended: whether nothing more will come.
        abandoned: whether that is so because no slice was requested for too long; the work would have to begin again.
    """

    def __init__(self, items: Iterator[R | None]) -> None:
        self.ended = self.abandoned = False
        self._items, self._lock = items, threading.Lock()
        self._timer: threading.Timer | None = None

    def take(self, seconds: float) -> list[R]:
        """Returns the items of the next seconds, at least one unless there are no more."""
        with self._lock:
            self._stop_timer()
            found: list[R] = []
            until = time.monotonic() + seconds
            while not self.ended:
                try:
                    item = next(self._items)
                except BaseException as error:
                    self.ended = True  # as any exception ends a generator
                    if not isinstance(error, StopIteration):
                        raise
                    break
                if item is not None:
                    found.append(item)
                if time.monotonic() >= until:
                    self._timer = threading.Timer(_GRACE, self._abandon)
                    self._timer.daemon = True
                    self._timer.start()
                    break
            return found

    def close(self) -> None:
        """Stops the work."""
        with self._lock:
            self._stop_timer()
            self.ended = True
            if hasattr(self._items, "close"):
                self._items.close()

    def _abandon(self) -> None:
        self.abandoned = True
        self.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


Run = tuple[list[races.Step], Slices[races.Step]]  # the steps so far of a race, and the work


@st.cache_resource(show_spinner=False)
def _runs() -> dict[tuple[object, ...], Run]:
    """Returns the last races of all sessions, by the arguments of `race`."""
    return {}


def begin_race(*args: object) -> Run:
    """Begins a race with the arguments of `race`; whoever takes slices appends them to the steps."""
    known = _runs()
    while len(known) >= _LAST:
        known.pop(next(iter(known)), None)
    found: Run = [], Slices(race(*args))  # type: ignore[arg-type]
    known[args] = found
    return found


def find_race(*args: object) -> Run | None:
    """Returns the race that was last begun with these arguments, as far as it has run; None if there is none."""
    return _runs().get(args)


@streamed
def refined(model: models.Model, data_name: str, row: int) -> Iterator[float]:
    """Fits the best Gaussian q to a test image; yields its ELBO in nats every ten steps."""
    x = models.pixels(model, data_name, (row,))
    for each in gaps.refine(models.quick(model), x, generator=vae.generator(0)):
        yield float(each.elbo[0])


@streamed
def report(model: models.Model, data_name: str) -> Iterator[tuple[str, float]]:
    """Makes the report on a model and saves it beside it; yields the title of each part and the fraction done."""
    return write_report(model[0], models.images(model))
