"""Test images for the browser, a hundred in a file, fetched as a hand comes to them and kept there."""

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


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


def routes() -> list[Route]:
    """Returns the route of the sheets: at the root and, where the app has a path of its own, below that as well.

    Streamlit puts its own routes below `server.baseUrlPath`, but not those of an app. A proxy may strip a path that the
    server knows nothing of; the browser resolves addresses against where its modules came from (pictures.js).
    """
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return [Route(f"{path}/images/{{data}}/{{number:int}}.png", answer) for path in {"", f"/{base}" if base else ""}]
