"""A server from its start to SIGTERM: what it writes down, and that it ends."""

import json
import signal
import urllib.request
from pathlib import Path
from socket import create_connection

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.browser.conftest import free_port, launched
from tests.waiting import HANG, wait_for

pytestmark = pytest.mark.slow
KEY = "a-key-that-nobody-is-to-know"


def visit(socket: ClientConnection, **asked: str) -> str:
    """Asks for a page, waits until it has run, and returns what the session is known by."""
    session, message = "", BackMsg()
    message.rerun_script.SetInParent()
    for name, value in asked.items():
        setattr(message.rerun_script, name, value)
    socket.send(message.SerializeToString())
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(bytes(socket.recv(HANG)))  # type: ignore[arg-type]
        if answer.WhichOneof("type") == "new_session":
            session = answer.new_session.initialize.session_id
        if answer.WhichOneof("type") == "script_finished":
            return session


def opened(port: int) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None,
        open_timeout=HANG,
    )  # fmt: skip


def test_from_start_to_end(tmp_path: Path) -> None:
    port, events = free_port(), tmp_path / "events.jsonl"
    with launched(tmp_path, port, VAE_LOG=str(events)) as process:
        with opened(port) as socket:
            visit(socket, query_string=f"key={KEY}&model=mnist-2d", page_name="samples")
        wait_for(lambda: "session end" in events.read_text(), events.read_text)
        with opened(port) as socket:
            visit(socket, query_string=f"key={KEY}")
            wait_for(lambda: len(psutil.Process(process.pid).children()) == 1)
            worker = psutil.Process(process.pid).children()[0]
            process.send_signal(signal.SIGTERM)
            process.wait(HANG)
            wait_for(lambda: not worker.is_running())
    text = events.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    kinds = [line["event"] for line in lines]
    assert kinds == [
        "server start", "session begin", "page", "session end", "session begin", "page", "session end", "server stop"
    ]  # fmt: skip
    assert [line.get("session") for line in lines] == [None, 1, None, 1, 2, None, 2, None]
    assert [line["page"] for line in lines if line["event"] == "page"] == ["samples", "latent_map"]
    assert all(line["whole"] for line in lines if "whole" in line)
    assert "127.0.0.1" not in text and KEY not in text and "mnist" not in text


def test_a_request_that_never_ends_does_not_hold_the_server(tmp_path: Path) -> None:
    """An upload of which the second half does not come, as where a network has gone."""
    port, events = free_port(), tmp_path / "events.jsonl"
    with launched(tmp_path, port, VAE_LOG=str(events)) as process, opened(port) as socket:
        session = visit(socket)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=HANG) as answer:
            token = answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
        head = (
            f"PUT /_stcore/upload_file/{session}/a-file HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 9999\r\n"
            f"Cookie: _streamlit_xsrf={token}\r\nX-Xsrftoken: {token}\r\n"
            "Content-Type: multipart/form-data; boundary=half\r\nExpect: 100-continue\r\n\r\n"
        )
        with create_connection(("127.0.0.1", port)) as upload:
            upload.settimeout(HANG)
            upload.sendall(head.encode())
            assert b" 100 " in upload.recv(1000)  # it is being read
            process.send_signal(signal.SIGTERM)
            process.wait(HANG)
    assert process.returncode == 0
    last = json.loads(events.read_text().splitlines()[-1])
    assert last["event"] == "server stop" and not last["whole"]
