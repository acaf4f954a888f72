"""Reports on models, each made once for all who ask for it meanwhile."""

import threading
from collections.abc import Callable

import vae
from pages.cache import sets
from vae.report import Report, make_report

_making: dict[str, threading.Lock] = {}  # by the model's name


def made(model: sets.Model, dataset: vae.Dataset, told: Callable[[str, float], None]) -> Report:
    """Makes a report, or waits for whoever makes one on this model already, and then reads what was kept.

    Arguments:
        model, dataset, told: as for `vae.report.make_report`, which also says what is raised.
    """
    with _making.setdefault(model[0], threading.Lock()):
        return make_report(model[0], dataset, told)
