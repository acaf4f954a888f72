"""A trainer that advances one step at a time, and its reports.

The wing depends on `vae.model` and `vae.data`; it neither prints nor writes models, which is the task of `vae.jobs`.

    schedules   learning rate, momentum and beta as functions of the step
    reports     Report, and a file of reports, one per line
    scores      the mean of an objective over images
    trainer     Trainer, with its complete state; fit, a generator of reports
    presets     settings that are known to work, and an estimate of how long a training takes here
    slowmotion  one optimiser step in detail: encode, sample, decode, losses, gradients, change of weights
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
