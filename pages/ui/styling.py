"""The style sheet of the frame, in the page that every visit loads first, so that nothing moves when a script begins.

A style sheet that a script sends with `st.html` would arrive after the first elements had been drawn.
"""

from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WITHOUT = {b"accept-encoding", b"if-none-match", b"if-modified-since"}  # the answer is to be whole, and readable
_BEGIN = b"<body>"  # below Streamlit's styles, above those of pages: of equal selectors, the last wins
_ROOT = b'<div id="root">'  # only Streamlit's page has it, not a map or a report that is downloaded


class Styling:
    """Middleware that adds frame.css to Streamlit's page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.style = b"<style>" + Path(__file__).with_name("frame.css").read_bytes() + b"</style>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, and changes the answer if it is a page."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            return await self.app(scope, receive, send)
        start: Message | None = None

        async def styled(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message  # its length is only known with the body
                return
            if start is not None:
                headers, page = MutableHeaders(scope=start), message.get("body", b"")
                if _BEGIN in page and _ROOT in page:
                    message["body"] = page.replace(_BEGIN, _BEGIN + self.style, 1)
                    headers["content-length"] = str(int(headers["content-length"]) + len(self.style))
                    for name in ("etag", "last-modified"):  # they would stay the same with another style sheet
                        del headers[name]
                first, start = start, None
                await send(first)
            await send(message)

        asked = [(name, value) for name, value in scope["headers"] if name not in _WITHOUT]
        await self.app({**scope, "headers": asked}, receive, styled)
