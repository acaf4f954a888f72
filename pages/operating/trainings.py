"""Logs when training runs begin and end. They are separate processes, so their folders are polled."""

import itertools
import threading
import time

from pages.operating import log

EVERY = 2.0  # seconds; a run takes longer than that to load PyTorch
_numbers = itertools.count(1)


def watch(ended: threading.Event) -> None:
    """Polls until the event `ended` is set."""
    from vae import jobs  # which loads PyTorch

    busy: dict[str, tuple[int, float]] = {}
    while True:
        now = {job.name for job in jobs.queue()}
        for name in now - busy.keys():
            busy[name] = next(_numbers), time.monotonic()
            log.event("job start", job=busy[name][0])
        for name in busy.keys() - now:
            number, began = busy.pop(name)
            job = jobs.status(name)
            log.event("job end", job=number, state=job.state if job else "deleted", seconds=time.monotonic() - began)
        if ended.wait(EVERY):
            return
