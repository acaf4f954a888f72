"""A visitor of a server without a browser: a websocket, the widgets of the page that came, and uploads."""

import contextlib
import http.client
import re
import time
import uuid
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

from tests.waiting import HANG

BOXES = {1: "error", 2: "warning", 3: "info", 4: "success"}  # as Streamlit numbers them


class Visitor:
    """One session. What the last run of a page sent is in its attributes.

    Attributes:
        session: its identifier, by which it can be taken up again.
        ids: of the widgets, by key.
        boxes: the kind and the text of each box.
        texts: what Markdown, captions and headings say.
        query: what stands in the link.
        files: addresses of what the menu gives away.
        repeats: parts of the page that run by themselves, and every how many seconds.
        faults: exceptions on any page so far.
        seconds: from the asking to the first element, and to the end of the run.
    """

    def __init__(self, port: int, session: str | None = None) -> None:
        self.port, self.session = port, session
        self.ids: dict[str, str] = {}
        self.states: dict[str, WidgetState] = {}
        self.boxes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.files: list[str] = []
        self.repeats: dict[str, float] = {}
        self.query, self.page = "", ""
        self.faults: list[str] = []
        self.asked, self.seconds = 0.0, (0.0, 0.0)
        self.socket = self._connected()

    def _connected(self) -> ClientConnection:
        names = ["streamlit", "unused", self.session] if self.session else ["streamlit"]
        return connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream", subprotocols=names, max_size=None, ping_interval=None,
            open_timeout=HANG, proxy=None, legacy=True,
        )  # fmt: skip

    def visit(self, page: str, query: str = "", limit: float = HANG) -> None:
        """Opens a page by a link in the same session, as Back does, and waits until it has run, at most so long."""
        self.page, self.query = page, query
        self.ask(history=True)
        self.wait(limit)

    def ask(self, *, history: bool = False, **buttons: bool) -> None:
        """Has the page run, with the widgets as they were left, and buttons, by key, pressed; or after Back."""
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_name, run.is_history_navigation = self.query, self.page, history
        run.widget_states.widgets.extend(self.states.values())
        for key in buttons:
            run.widget_states.widgets.add(id=self.ids[key.replace("__", ".")], trigger_value=True)
        self.boxes, self.texts = [], []
        self.asked, self.seconds = time.perf_counter(), (0.0, 0.0)
        self.socket.send(message.SerializeToString())

    def follow(self, seconds: float, limit: float = HANG) -> None:
        """Runs parts of the page that run by themselves, as a browser does, for some seconds or until none does."""
        until = time.monotonic() + seconds
        while self.repeats and time.monotonic() < until:
            fragment, interval = min(self.repeats.items(), key=lambda each: each[1])
            time.sleep(interval)
            message = BackMsg()
            run = message.rerun_script
            run.query_string, run.page_name, run.fragment_id, run.is_auto_rerun = self.query, self.page, fragment, True
            run.widget_states.widgets.extend(self.states.values())
            self.asked = time.perf_counter()
            self.socket.send(message.SerializeToString())
            self.wait(limit)

    def wait(self, limit: float = HANG) -> None:
        """Takes messages until the run has ended; TimeoutError where that takes more seconds than a limit."""
        until = time.monotonic() + limit
        while not self.take(max(0.1, until - time.monotonic())):
            pass
        self.seconds = self.seconds[0], time.perf_counter() - self.asked

    def take(self, limit: float = HANG) -> bool:
        """Takes one message; tells whether it says that a run has ended."""
        message = ForwardMsg()
        message.ParseFromString(self.socket.recv(limit))
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
            if not message.metadata.run.fragment_ids:  # the whole page
                self.repeats = {}
        elif kind == "auto_rerun":
            self.repeats[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self.repeats.pop(fragment, None)
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and not self.seconds[0]:
            self.seconds = time.perf_counter() - self.asked, 0.0
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._note(message.delta.new_element)
        if kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.faults.append("compile error")
            return message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        return False

    def _note(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        content = getattr(element, kind) if kind else None
        if found := re.fullmatch(r"\$\$ID-[^-]+-(.+)", getattr(content, "id", "") or ""):
            self.ids[found[1]] = content.id
        if kind == "exception":
            self.faults.append(f"{self.page}: {content.type}: {content.message}")
        elif kind == "alert":
            self.boxes.append((BOXES.get(content.format, ""), content.body))
        elif kind in ("markdown", "heading", "html"):
            self.texts.append(content.body)
        elif kind == "bidi_component" and content.component_name.endswith("takeaway"):
            self.files = re.findall(r"takeaway/[^\"\\]+/[^\"\\]+", content.json)

    def set(self, key: str, **value: Any) -> None:
        """Puts something into a widget, as `string_value="a"`."""
        self.states[key] = WidgetState(id=self.ids[key], **value)

    def upload(self, key: str, name: str, content: bytes) -> None:
        """Uploads a file to an uploader, as a browser does; the page that runs next has it."""
        message = BackMsg()
        message.file_urls_request.request_id = uuid.uuid4().hex
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session or ""
        self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self.socket.recv(HANG))
            if answer.WhichOneof("type") == "file_urls_response":
                break
        (urls,) = answer.file_urls_response.file_urls
        status = put(self.port, urls.upload_url, name, content)
        assert status == 204, status
        state = WidgetState(id=self.ids[key])
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(content), file_id=urls.file_id, file_urls=urls
        )
        self.states[key] = state

    def said(self, kind: str) -> list[str]:
        """Returns what stands in boxes of a kind."""
        return [text for each, text in self.boxes if each == kind]


def put(port: int, path: str, name: str, content: bytes, *, token: bool = True) -> int:
    """Sends a file to the address of an upload, with the token against forged requests or without; the status."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANG)) as connection:
        connection.request("GET", "/_stcore/health")
        answer = connection.getresponse()
        answer.read()
        cookie = (answer.headers.get("Set-Cookie") or "").partition(";")[0]
        line = uuid.uuid4().hex
        head = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{line}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={line}"}
        if token:
            headers |= {"Cookie": cookie, "X-Xsrftoken": cookie.partition("=")[2].strip('"')}
        connection.request("PUT", path, body, headers)
        return connection.getresponse().status
