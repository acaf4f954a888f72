"""The style sheet of the frame in the page that the server sends, and in no other answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.responses import HTMLResponse
from starlette.types import Message

from pages.ui.styling import Styling

PAGE = '<html><body><div id="root"></div></body></html>'


def answered(content: str, accept: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """Returns the headers and the content of an answer to a browser."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"accept", accept)]}
    app = Styling(HTMLResponse(content, headers={"ETag": "1"}))
    with ThreadPoolExecutor(1) as apart:  # where no loop runs, as tests of the browser leave one
        apart.submit(asyncio.run, app(scope, receive, send)).result()
    return dict(sent[0]["headers"]), b"".join(each.get("body", b"") for each in sent[1:])


def test_the_page_has_the_style_sheet_above_all_that_scripts_add() -> None:
    headers, content = answered(PAGE, b"text/html,*/*")
    assert content.startswith(b"<html><body><style>/*") and content.endswith(
        b'</style><div id="root"></div></body></html>'
    )
    assert int(headers[b"content-length"]) == len(content) and b"etag" not in headers


@pytest.mark.parametrize(
    ("content", "accept"), [("<html><body>a map</body></html>", b"text/html"), (PAGE, b"application/json")]
)
def test_other_answers_are_as_they_were(content: str, accept: bytes) -> None:
    headers, found = answered(content, accept)
    assert found == content.encode() and headers[b"etag"] == b"1"
