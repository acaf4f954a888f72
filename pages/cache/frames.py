"""Messages between the server and a worker process: a line of JSON, then binary parts whose lengths it contains."""

import json
from collections.abc import Sequence
from typing import IO, Any

OK, ITEM, REFUSED, FAILED = "ok", "item", "refused", "failed"


def send(pipe: IO[bytes], head: dict[str, Any], parts: Sequence[bytes] = ()) -> None:
    """Writes a header and binary parts."""
    line = json.dumps({**head, "parts": [len(part) for part in parts]})
    pipe.write(line.encode() + b"\n" + b"".join(parts))
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Reads a header and binary parts.

    Raises:
        EOFError: the other side has ended.
    """
    line = pipe.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    head = json.loads(line)
    lengths = head.pop("parts")
    parts = [pipe.read(length) for length in lengths]
    if [len(part) for part in parts] != lengths:
        raise EOFError
    return head, parts
