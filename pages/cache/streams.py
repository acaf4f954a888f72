"""Long work that is shown while it goes on: the race of the estimators, the best q for an image, reports."""

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
    """Runs estimators of log p(x) of test images side by side, as `vae.evidence.races.race` does."""
    return races.race(models.quick(model), models.pixels(model, data_name, rows), runners, most, replicates=replicates)


@streamed
def refined(model: models.Model, data_name: str, row: int) -> Iterator[float]:
    """Fits the best Gaussian q to a test image, and gives its ELBO in nats every ten steps."""
    x = models.pixels(model, data_name, (row,))
    for each in gaps.refine(models.quick(model), x, generator=vae.generator(0)):
        yield float(each.elbo[0])


@streamed
def report(model: models.Model, data_name: str) -> Iterator[tuple[str, float]]:
    """Makes the report on a model and keeps it beside it; gives the title of each part, and the share that is done."""
    return write_report(model[0], models.images(model))
