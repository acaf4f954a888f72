"""A notebook that repeats a page with the public library: the same model, image, latent and seed, the same numbers."""

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
        page: "explore/latent_map" or another, as the frame has it.
        view: what is in use.
    """
    used = view.model[0]
    view, why = taken(page, view)
    title, says, cells = PAGES[page](view)
    text = "".join(cells)
    if why:
        says += f" The model in use, `{used}`, {why}. This notebook takes `{view.model[0]}` in its place."
    head = f"# {title}\n\n{says}\n\n{_needs()}"
    if view.model[0] in text and view.model[0] not in shelf.SHIPPED:
        head += (
            f" `{view.model[0]}` is a model of your own: unless it lies where the package looks for models anyway, set "
            "the environment variable `VAE_CHECKPOINTS` to its folder before Jupyter starts."
        )
    if f'load_dataset("{view.data}")' in text and view.data not in data.NAMES:
        head += f" `{view.data}` is a data set of your own, for which `VAE_DATA` names the folder likewise."
    return written([Cell("markdown", head), *(Cell("code", cell) for cell in (imports(cells), *cells))])


def _needs() -> str:
    try:
        made = f"Made with vae-explorer {importlib.metadata.version('vae-explorer')}."
    except importlib.metadata.PackageNotFoundError:
        made = "Made with a checkout of vae-explorer."
    return f"{made} It needs that package: `pip install vae-explorer`, or `pip install .` in a checkout."
