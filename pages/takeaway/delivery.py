"""Delivery of the menu's files: each is made while the browser waits, without rerunning or stopping a page.

Streamlit's download button can make files too, but it reports an error only as such, always in English, and gives up
after three minutes. Here the browser requests an address, and gets the file or an explanation.
"""

import secrets
import threading
import weakref
from collections.abc import Callable

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pages.takeaway.offers import Offer
from pages.ui import language, routes
from pages.ui.language import _

_KEY = "takeaway.shelf"


class _Shelf:
    """The files that a session offers, at an address that nobody can guess."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.offers: dict[str, Offer] = {}
        self.found: Callable[[], list[Offer]] = list
        self.language = language.ENGLISH
        self.making = threading.Lock()

    def renew(self) -> None:
        """Updates the offers."""
        self.offers = {offer.file: offer for offer in self.found()}
        self.language = language.current()


_SHELVES: weakref.WeakValueDictionary[str, _Shelf] = weakref.WeakValueDictionary()  # by token
_MAKING = threading.BoundedSemaphore(2)  # files at a time; their threads also serve images and pages


def give(found: Callable[[], list[Offer]]) -> list[tuple[Offer, str]]:
    """Starts to offer the files of a page.

    Arguments:
        found: returns the current offers; called now, and by `renew`.

    Returns:
        The offers, each with the address of its file relative to the app.
    """
    shelf: _Shelf = st.session_state.setdefault(_KEY, _Shelf())
    shelf.found = found
    shelf.renew()
    _SHELVES[shelf.token] = shelf
    return [(offer, f"takeaway/{shelf.token}/{file}") for file, offer in shelf.offers.items()]


def renew() -> None:
    """Updates the offers after a run of the page, or of a part of it."""
    if shelf := st.session_state.get(_KEY):
        shelf.renew()


def answer(request: Request) -> Response:
    """Answers /takeaway/<token>/<file> with the file, or with a status other than 200.

    The status is 422 with an explanation if the file cannot be made, 429 with an explanation if the session or the
    server is making others, 404 if there is no such file, and 405 for anything but GET, because HEAD would make the
    file in vain.
    """
    if request.method != "GET":
        return PlainTextResponse("Only GET is allowed.", 405, {"Allow": "GET"})
    shelf = _SHELVES.get(request.path_params["token"])
    offer = shelf.offers.get(request.path_params["file"]) if shelf else None
    if shelf is None or offer is None:
        return PlainTextResponse("There is no such file.", 404)
    with language.speaking(shelf.language):
        if not shelf.making.acquire(blocking=False):
            return _busy(_("Another file is being prepared for you. Wait until it has been saved, and then try again."))
        try:
            if not _MAKING.acquire(blocking=False):
                return _busy(_("The server is preparing files for other users. Try again in a moment."))
            try:
                return _made(offer)
            finally:
                _MAKING.release()
        finally:
            shelf.making.release()


def _busy(sentence: str) -> Response:
    return PlainTextResponse(sentence, 429)


def _made(offer: Offer) -> Response:
    from vae.errors import VAEError  # which loads PyTorch

    try:
        content = offer.make()
    except VAEError as error:
        return PlainTextResponse(language.said(error), 422)
    headers = {"Cache-Control": "no-store", "Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=offer.mime, headers=headers)


def served() -> list[Route]:
    """Returns the routes of the files."""
    return routes.everywhere("/takeaway/{token}/{file}", answer)
