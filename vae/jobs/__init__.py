"""Trainings as separate processes, each with a folder that records its state.

A job continues when the program that started it has ended. It can be watched, paused, stepped, changed, stopped, and
resumed bit for bit after a kill. The wing depends on all floors below it.

    cards      a trained model's held-out figures, and the command that reproduces it
    files      locks that are released when their holder dies, lines that are appended atomically
    replay     how a latent space formed: codes and a decoded plane every few steps, in one growing file
    states     a trainer's state on disk
    control    requests to a running training
    job        the state of trainings, and the order of the queue
    keeper     a trainer with its folder: takes steps, handles requests in between, keeps everything on disk
    runs       one training in this process, from its turn to its end; resumed however it ended
    shelf      the user's own models renamed, copied, discarded and restored
    spares     a process that has loaded PyTorch and waits for a training
    processes  training as a separate process: start, pause, step, change, stop, resume
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
