"""A trainer, one step at a time, and what it reports.

The wing stands on `vae.model` and `vae.data`; it neither prints nor writes models, which `vae.jobs` does.

    schedules   learning rate, momentum and beta as functions of the step
    reports     Report, and a file of them, a line each
    scores      an objective's mean over images
    trainer     Trainer, its whole state in hand; fit, a generator of reports
    presets     trainings that are known to work, and how long one would take here
    slowmotion  one optimiser step, watched: encode, draw, decode, losses, gradients, change of weights
"""

from vae.training import reports
from vae.training.presets import PRESETS, Preset, estimate, fitted_to
from vae.training.reports import Report
from vae.training.schedules import learned_from, rates
from vae.training.scores import score, sums
from vae.training.slowmotion import SlowStep, load_slow_step, save_slow_step, slow_step
from vae.training.trainer import Trainer, fit

__all__ = [
    "PRESETS",
    "Preset",
    "Report",
    "SlowStep",
    "Trainer",
    "estimate",
    "fit",
    "fitted_to",
    "learned_from",
    "load_slow_step",
    "rates",
    "reports",
    "save_slow_step",
    "score",
    "slow_step",
    "sums",
]
