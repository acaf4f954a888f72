"""Test images for the browser, a hundred per file, fetched when they are first needed and then cached."""

import contextlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui import routes


def answer(request: Request) -> Response:
    """Answers /images/<version>/<data set>/<number>.png.

    Browsers cache the response, so a data set that is replaced under its name gets new addresses
    (`cache.browser.version`), and the old ones become invalid.
    """
    from pages import cache  # which loads PyTorch
    from vae.errors import DataError

    name, png = request.path_params["data"], None
    with contextlib.suppress(DataError):
        if request.path_params["version"] == cache.browser.version(name):
            png = cache.browser.sheet(name, request.path_params["number"])
    if png is None:
        return Response("There is no such sheet of images.", 404)
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


def served() -> list[Route]:
    """Returns the routes of the sheets."""
    return routes.everywhere("/images/{version}/{data}/{number:int}.png", answer)
