"""Test images for the browser, a hundred in a file, fetched as a hand comes to them and kept there."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui import routes


def answer(request: Request) -> Response:
    """Answers /images/<data set>/<number>.png."""
    from pages import cache  # which loads PyTorch
    from vae.errors import DataError

    try:
        png = cache.browser.sheet(request.path_params["data"], request.path_params["number"])
    except DataError:
        png = None
    if png is None:
        return Response("There is no such sheet of images.", 404)
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


def served() -> list[Route]:
    """Returns the routes of the sheets."""
    return routes.everywhere("/images/{data}/{number:int}.png", answer)
