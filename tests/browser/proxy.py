"""A proxy on loopback that strips a prefix from each path, as notebook servers do; websockets pass through it."""

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def stripping(prefix: str, port: int) -> Iterator[str]:
    """Serve what a server on a port of this machine has, below a prefix that it knows nothing of."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, prefix, port), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{prefix}"


def _accept(listener: socket.socket, prefix: str, port: int) -> None:
    with contextlib.suppress(OSError):  # it is closed at the end
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_answer, args=(client, prefix, port), daemon=True).start()


def _answer(client: socket.socket, prefix: str, port: int) -> None:
    """Passes one request on, and then whatever follows on its connection; each other request has its own."""
    with client, contextlib.suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            if not (piece := client.recv(65536)):
                return
            head += piece
        lines, body = head.split(b"\r\n\r\n", 1)
        first, *fields = lines.split(b"\r\n")
        method, path, version = first.split(b" ")
        if not path.startswith(prefix.encode()):
            client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if not any(field.lower().startswith(b"upgrade:") for field in fields):
            fields = [field for field in fields if not field.lower().startswith(b"connection:")]
            fields.append(b"Connection: close")
        first = b" ".join([method, path.removeprefix(prefix.encode()) or b"/", version])
        with socket.create_connection(("127.0.0.1", port)) as server:
            server.sendall(b"\r\n".join([first, *fields]) + b"\r\n\r\n" + body)
            threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
            _pass_on(server, client)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
