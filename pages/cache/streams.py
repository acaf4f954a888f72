"""Long computations shown while they run: the race of the estimators, the refinement of q, reports."""

from collections.abc import Iterator

import vae
from pages.cache import models
from pages.cache.kept import streamed
from vae.evidence import gaps, races
from vae.report import write_report


@streamed
def race(
    model: models.Model,
    data_name: str,
    rows: tuple[int, ...],
    runners: tuple[races.Runner, ...],
    most: int,
    replicates: int,
) -> Iterator[races.Step]:
    """Runs estimators of log p(x) of test images in parallel, see `vae.evidence.races.race`."""
    return races.race(models.quick(model), models.pixels(model, data_name, rows), runners, most, replicates=replicates)


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
