"""Estimates of training time on this machine, measured in a separate process, and a process that waits to train."""

from concurrent.futures import Future
from threading import Lock, Thread
from time import monotonic

import streamlit as st

from pages.cache import pool
from vae import Preset, TrainConfig, jobs

MOST = 200  # cached estimates
FRESH = 300  # seconds for which an estimate is valid, since the load of the machine changes


class _Estimates:
    """One measurement at a time, in a separate process; a thread of the server waits for it."""

    def __init__(self) -> None:
        self.turn, self.lock = Lock(), Lock()
        self.found: dict[Preset, tuple[float, Future[float]]] = {}

    def of(self, plan: Preset) -> Future[float]:
        now = monotonic()
        with self.lock:
            since, known = self.found.get(plan, (now, None))
            if known is None or known.cancelled() or (known.done() and now - since > FRESH):
                for _, each in list(self.found.values())[:-3]:
                    each.cancel()  # of the measurements not yet started, only the last few are still of use
                while len(self.found) >= MOST:
                    self.found.pop(next(iter(self.found)))
                known = Future()
                self.found.pop(plan, None)  # so that the most recent request is last
                self.found[plan] = now, known
                Thread(target=self._measure, args=(plan, known), daemon=True).start()
            return known

    def _measure(self, plan: Preset, future: "Future[float]") -> None:
        with self.turn:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(jobs.measure(*plan))
            except Exception as error:  # raised when the result is requested
                future.set_exception(error)


@st.cache_resource(show_spinner=False)
def _estimates() -> _Estimates:
    return _Estimates()


def expect_training() -> None:
    """Has a process wait for the training that a visitor may start; only in a server."""
    if pool.running():
        Thread(target=jobs.prepare, daemon=True).start()


def an_epoch(plan: Preset) -> Future[float]:
    """Returns a future of the duration of an epoch, seconds.

    Settings that do not affect the duration are ignored, so another number of epochs or seed needs no measurement.
    """
    training = plan.training
    same = TrainConfig(
        data=training.data, share=training.share, objective=training.objective, samples=training.samples,
        batch_size=training.batch_size, precision=training.precision, epochs=1, learning_rate=1e-4,
    )  # fmt: skip
    return _estimates().of(Preset(plan.model, same))
