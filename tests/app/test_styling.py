"""The style sheet of the frame in the page that the server sends, and in no other answer."""

import pytest
from starlette.responses import HTMLResponse

from pages.ui.styling import Styling
from tests.asgi import answered

PAGE = '<html><body><div id="root"></div></body></html>'


def asked(content: str, accept: str) -> tuple[dict[bytes, bytes], bytes]:
    """Returns the headers and the content of an answer to a browser."""
    start, *rest = answered(Styling(HTMLResponse(content, headers={"ETag": "1"})), "GET", "/", accept=accept)
    return dict(start["headers"]), b"".join(each.get("body", b"") for each in rest)


def test_the_page_has_the_style_sheet_above_all_that_scripts_add() -> None:
    headers, content = asked(PAGE, "text/html,*/*")
    assert content.startswith(b"<html><body><style>/*")
    assert content.endswith(b'</style><div id="root"></div></body></html>')
    assert int(headers[b"content-length"]) == len(content) and b"etag" not in headers


@pytest.mark.parametrize(
    ("content", "accept"), [("<html><body>a map</body></html>", "text/html"), (PAGE, "application/json")]
)
def test_other_answers_are_as_they_were(content: str, accept: str) -> None:
    headers, found = asked(content, accept)
    assert found == content.encode() and headers[b"etag"] == b"1"
