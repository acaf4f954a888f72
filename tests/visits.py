"""Writes what the pages show at once of the models that ship: python -m tests.visits.

Each model's folder gets `visits-mnist-sample.zip` and, where MNIST is on disk, `visits-mnist.zip`. To be run after a
change of what a page computes, or of a model that ships: `tests/app/test_visits.py` fails until then.
"""

import io
import json
import os
import tempfile
import zipfile

from streamlit.testing.v1 import AppTest

from pages.cache import disk, sets
from pages.cache.kept import recording
from tests.app.test_pages import PAGES, ROOT, SHIPPED
from vae import data, paths

CHAPTERS = (*(str(number) for number in range(1, 15)), "slips")
VISITS = [(page, "") for page in PAGES if page != "pages/learn/lesson.py"]
VISITS += [("pages/learn/lesson.py", chapter) for chapter in CHAPTERS]


def visit(page: str, model: str, chapter: str = "") -> AppTest:
    """Opens a page of a fresh session as a link does, without an image in it."""
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=1200)
    app.query_params["model"] = model
    if chapter:
        app.query_params["chapter"] = chapter
    return app.run().switch_page(str(ROOT / page)).run()


def packed(model: str, data_name: str, values: dict[str, bytes]) -> bytes:
    """Returns values as the file that ships; they are deflated already."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for key in sorted(values):
            archive.writestr(zipfile.ZipInfo(key), values[key])  # of no time: the same values make the same file
        archive.comment = json.dumps(disk.about(sets.model_id(model), data_name)).encode()
    return file.getvalue()


def record(data_name: str) -> None:
    """Visits every page with every model; a page may ask for values of other models too."""
    with recording() as recorded:
        for model in SHIPPED:
            for page, chapter in VISITS:
                app = visit(page, model, chapter)
                assert not app.exception, (model, page, chapter, app.exception)
            print(data_name, model, flush=True)
    for model in SHIPPED:
        values = {
            disk.hashed(key.value): content
            for key, content in recorded.items()
            if (key.model[0], key.data) == (model, data_name)
        }
        content = packed(model, data_name, values)
        paths.write_aside(paths.SHIPPED / "checkpoints" / model / disk.visits_file(data_name), content)
        print(f"{model}: {len(values)} values, {len(content):,} bytes", flush=True)


if __name__ == "__main__":
    if data.available("mnist"):
        record("mnist")
    with tempfile.TemporaryDirectory() as nothing:  # so that the models are shown with the sample
        os.environ["VAE_DATA"] = nothing
        sets.forget_datasets()
        record("mnist-sample")
