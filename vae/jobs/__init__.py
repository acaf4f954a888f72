"""Trainings as processes of their own, each with a folder that says how it stands.

A job goes on when whoever started it is gone; it may be watched, paused, stepped, changed, stopped, and resumed to the
same bits after a kill. The wing stands on all floors below it.

    cards      a trained model's held-out figures, and the command that makes it again
    files      locks that die with their holder, lines that are appended whole
    replay     how a latent space formed: codes and a decoded plane every few steps, in one growing file
    states     a trainer's state on disk
    control    what is asked of a training while it runs
    job        how trainings stand, and who is next when several wait
    keeper     a trainer with its folder: takes steps, does what is asked in between, keeps all on disk
    runs       one training in this process, from its turn to its end; resumed after whatever ended it
    shelf      one's own models renamed, copied, discarded and brought back
    spares     a process that has loaded PyTorch and waits for a training
    processes  training as a process of its own: start, pause, step, change, stop, resume
"""

from vae.jobs import replay, runs, shelf
from vae.jobs.cards import arguments, command, likelihood_words
from vae.jobs.files import Lock
from vae.jobs.keeper import read_plan
from vae.jobs.processes import (
    Job,
    State,
    change,
    history,
    known,
    last_step,
    latest,
    measure,
    pause,
    prepare,
    queue,
    resumable,
    resume,
    run,
    running,
    start,
    start_seeds,
    status,
    step,
    stop,
)

__all__ = [
    "Job",
    "Lock",
    "State",
    "arguments",
    "change",
    "command",
    "history",
    "known",
    "last_step",
    "latest",
    "likelihood_words",
    "measure",
    "pause",
    "prepare",
    "queue",
    "read_plan",
    "replay",
    "resumable",
    "resume",
    "run",
    "running",
    "runs",
    "shelf",
    "start",
    "start_seeds",
    "status",
    "step",
    "stop",
]
