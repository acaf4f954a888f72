"""Writes what the pages show at once of the models that ship: python -m tests.visits [PAGE ...].

Each model's folder gets `visits-mnist-sample.zip` and, where MNIST is on disk, `visits-mnist.zip`. To be run after a
change of what a page computes, or of a model that ships: `tests/app/test_visits.py` fails until then. With pages, as
`likelihood`, these alone are visited, and what they ask for is added to what ships; without any, nothing else is left.
"""

import io
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Collection
from pathlib import Path

from pages import cache
from pages.cache import disk, sets
from pages.cache.kept import recording
from pages.ui import examples, state
from tests.app.test_pages import PAGES, SHIPPED, links, through_frame
from vae import data, paths

CHAPTERS = (*(str(number) for number in range(1, 15)), "slips")
VISITS = [(page, link) for page in PAGES if page != "pages/learn/lesson.py" for link in links(page)]
VISITS += [("pages/learn/lesson.py", {"chapter": chapter}) for chapter in CHAPTERS]


def packed(model: str, data_name: str, values: dict[str, bytes]) -> bytes:
    """Returns values as the file that ships; they are deflated already."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for key in sorted(values):
            archive.writestr(zipfile.ZipInfo(key), values[key])  # of no time: the same values make the same file
        archive.comment = json.dumps(disk.about(sets.model_id(model), data_name)).encode()
    return file.getvalue()


def ships(model: str, data_name: str) -> dict[str, bytes]:
    """Returns the values that ship, if they are of the model and the images as they are."""
    file = paths.SHIPPED / "checkpoints" / model / disk.visits_file(data_name)
    with zipfile.ZipFile(file) as archive:
        if json.loads(archive.comment) != disk.about(sets.model_id(model), data_name):
            return {}
        return {name: archive.read(name) for name in archive.namelist()}


def race(data_name: str) -> None:
    """Runs the race of each image that the page Likelihood offers at first, for the model that is selected at first."""
    model = sets.model_id(state.DEFAULT_MODEL)
    for row in examples.rows(model).values():
        cache.streams.raced(model, data_name, row)


def record(data_name: str, pages: Collection[str]) -> None:
    """Visits pages, or without any all of them, with every model; a page may ask for values of other models too."""
    with recording() as recorded:
        for model in SHIPPED:
            for page, link in VISITS:
                if not pages or Path(page).stem in pages:
                    app = through_frame(page, model, **link)
                    assert not app.exception, (model, page, link, app.exception)
            print(data_name, model, flush=True)
        if not pages or "likelihood" in pages:
            race(data_name)
    for model in SHIPPED:
        values = {
            disk.hashed(key.value): content
            for key, content in recorded.items()
            if (key.model[0], key.data) == (model, data_name)
        }
        if pages:
            values = ships(model, data_name) | values
        content = packed(model, data_name, values)
        paths.write_aside(paths.SHIPPED / "checkpoints" / model / disk.visits_file(data_name), content)
        print(f"{model}: {len(values)} values, {len(content):,} bytes", flush=True)


if __name__ == "__main__":
    if data.available("mnist"):
        record("mnist", sys.argv[1:])
    with tempfile.TemporaryDirectory() as nothing:  # so that the models are shown with the sample
        os.environ["VAE_DATA"] = nothing
        sets.forget_datasets()
        record("mnist-sample", sys.argv[1:])
