"""Hands out the files of the menu: each is made while the browser waits, and no page runs again or stops for it.

Streamlit's download button makes files too, but of an error it says only that there was one, always in English, and it
gives up after three minutes. Here the browser asks for an address, and gets the file or a sentence.
"""

import secrets
import weakref
from collections.abc import Callable

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pages.takeaway.offers import Offer
from pages.ui import language, routes

_KEY = "takeaway.shelf"


class _Shelf:
    """What a session gives away now, at an address that nobody can guess."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.offers: dict[str, Offer] = {}
        self.found: Callable[[], list[Offer]] = list
        self.language = language.ENGLISH

    def renew(self) -> None:
        """Asks again what there is to give away."""
        self.offers = {offer.file: offer for offer in self.found()}
        self.language = language.current()


_SHELVES: weakref.WeakValueDictionary[str, _Shelf] = weakref.WeakValueDictionary()  # of the sessions that there are


def give(found: Callable[[], list[Offer]]) -> list[tuple[Offer, str]]:
    """Begins to give away what a page offers.

    Arguments:
        found: returns what there is at the moment; called now, and by `renew`.

    Returns:
        The offers, each with the address of its file, below that of the app.
    """
    shelf: _Shelf = st.session_state.setdefault(_KEY, _Shelf())
    shelf.found = found
    shelf.renew()
    _SHELVES[shelf.token] = shelf
    return [(offer, f"takeaway/{shelf.token}/{file}") for file, offer in shelf.offers.items()]


def renew() -> None:
    """Makes the files those of what is in use by now: the page, or a part of it, has run."""
    if shelf := st.session_state.get(_KEY):
        shelf.renew()


def answer(request: Request) -> Response:
    """Answers /takeaway/<token>/<file>: with the file, with 422 and a sentence, or with 404."""
    from vae.errors import VAEError  # which loads PyTorch

    shelf = _SHELVES.get(request.path_params["token"])
    offer = shelf.offers.get(request.path_params["file"]) if shelf else None
    if shelf is None or offer is None:
        return PlainTextResponse("There is no such file.", 404)
    with language.speaking(shelf.language):
        try:
            content = offer.make()
        except VAEError as error:
            return PlainTextResponse(language.said(error), 422)
    return Response(content, media_type=offer.mime, headers={"Cache-Control": "no-store"})


def served() -> list[Route]:
    """Returns the routes of the files."""
    return routes.everywhere("/takeaway/{token}/{file}", answer)
