"""A notebook that reproduces a page with the public library: same model, image, latent and seed, same numbers."""

import importlib.metadata

from pages.takeaway.cells import imports
from pages.takeaway.templates import PAGES, taken
from pages.takeaway.view import View
from vae import data
from vae.jobs import shelf
from vae.report import Cell
from vae.report import notebook as written


def notebook(page: str, view: View) -> bytes:
    """Makes the notebook of a page.

    Arguments:
        page: path of the page in the frame, such as "explore/latent_map".
        view: the current state.
    """
    used = view.model[0]
    view, why = taken(page, view)
    title, says, cells = PAGES[page](view)
    text = "".join(cells)
    if why:
        says += f" The current model, `{used}`, {why}. This notebook uses `{view.model[0]}` instead."
    head = f"# {title}\n\n{says}\n\n{_needs()}"
    if view.model[0] in text and view.model[0] not in shelf.SHIPPED:
        head += (
            f" `{view.model[0]}` is a model of your own. Unless it is where the package looks for models by default, "
            "set the environment variable `VAE_CHECKPOINTS` to its folder before starting Jupyter."
        )
    if f'load_dataset("{view.data}")' in text and view.data not in data.NAMES:
        head += f" `{view.data}` is a data set of your own; set `VAE_DATA` to its folder in the same way."
    return written([Cell("markdown", head), *(Cell("code", cell) for cell in (imports(cells), *cells))])


def _needs() -> str:
    try:
        made = f"Made with vae-explorer {importlib.metadata.version('vae-explorer')}."
    except importlib.metadata.PackageNotFoundError:
        made = "Made with a checkout of vae-explorer."
    return f"{made} It requires that package: `pip install vae-explorer`, or `pip install .` in a checkout."
