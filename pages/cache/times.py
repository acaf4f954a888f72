"""How long trainings would take here, measured by a process that is asked for it once; and one that waits to train."""

from concurrent.futures import Future
from threading import Lock, Thread
from time import monotonic

import streamlit as st

from pages.cache import pool
from vae import Preset, TrainConfig, jobs

MOST = 200  # estimates that are kept
FRESH = 300  # seconds for which one holds: what else the machine does changes it


class _Estimates:
    """One measurement at a time, in a process of its own; a thread of the server only waits for it."""

    def __init__(self) -> None:
        self.turn, self.lock = Lock(), Lock()
        self.found: dict[Preset, tuple[float, Future[float]]] = {}

    def of(self, plan: Preset) -> Future[float]:
        now = monotonic()
        with self.lock:
            since, known = self.found.get(plan, (now, None))
            if known is None or known.cancelled() or (known.done() and now - since > FRESH):
                for _, each in list(self.found.values())[:-3]:
                    each.cancel()  # of those that have not begun only the last few are of use to anyone
                while len(self.found) >= MOST:
                    self.found.pop(next(iter(self.found)))
                known = Future()
                self.found.pop(plan, None)  # so that the last asked for stands last
                self.found[plan] = now, known
                Thread(target=self._measure, args=(plan, known), daemon=True).start()
            return known

    def _measure(self, plan: Preset, future: "Future[float]") -> None:
        with self.turn:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(jobs.measure(*plan))
            except Exception as error:  # whoever asks for the result gets it
                future.set_exception(error)


@st.cache_resource(show_spinner=False)
def _estimates() -> _Estimates:
    return _Estimates()


def expect_training() -> None:
    """Has a process wait for the training that a visitor may start; only in a server."""
    if pool.running():
        Thread(target=jobs.prepare, daemon=True).start()


def an_epoch(plan: Preset) -> Future[float]:
    """Returns the seconds that an epoch of a training would take, as soon as they are measured.

    What does not change them does not count, so that other epochs or another seed need no new measurement.
    """
    training = plan.training
    same = TrainConfig(
        data=training.data, share=training.share, objective=training.objective, samples=training.samples,
        batch_size=training.batch_size, precision=training.precision, epochs=1, learning_rate=1e-4,
    )  # fmt: skip
    return _estimates().of(Preset(plan.model, same))
