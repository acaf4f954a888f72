"""A request to an ASGI application without a server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from starlette.types import ASGIApp, Message


async def sent(app: ASGIApp, method: str, path: str, **headers: str) -> list[Message]:
    """Sends a request without a body, and returns the messages of the answer."""
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    said = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await app({"type": "http", "method": method, "path": path, "headers": said}, receive, send)
    return answers


def answered(app: ASGIApp, method: str, path: str, **headers: str) -> list[Message]:
    """The same where no loop runs, as tests of the browser leave one."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, sent(app, method, path, **headers)).result()
