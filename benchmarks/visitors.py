"""Sessions of the explorer that speak Streamlit's protocol over websockets, and what is measured of them."""

from __future__ import annotations

import asyncio
import collections
import random
import time
from dataclasses import dataclass, field

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PAGES = ("latent_map", "decode", "samples", "views", "lesson", "likelihood", "variance", "draw", "train")
MODELS = ("mnist-2d", "mnist-2d", "mnist-5d", "mnist-20d", "mnist-bernoulli-2d", "mnist-10d")
BUSY = ("train", "likelihood")  # pages that one session in ten stays on, pressing Train or Run
KEYS = {"train": "train.start", "likelihood": "likelihood.run"}
LIMIT = 120.0  # seconds after which a page counts as unanswered


@dataclass
class Figures:
    """What was measured, in seconds."""

    first: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    whole: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)  # MB of the servers alone, and of all they started
    keys: list[float] = field(default_factory=list)  # milliseconds from a key to its picture


class Visitor:
    """A session: a websocket on which pages are asked for."""

    def __init__(self, port: int, figures: Figures) -> None:
        self.address, self.figures = f"ws://127.0.0.1:{port}/_stcore/stream", figures
        self.socket: websockets.ClientConnection | None = None
        self.buttons: dict[str, tuple[str, str]] = {}  # ids of elements and fragments by the end of their keys
        self.script = ""

    async def visit(self, page: str, link: str, press: str = "") -> tuple[float, float]:
        """Opens a page, or presses a button on it; returns the seconds to its first element and to its end."""
        if self.socket is None:
            self.socket = await websockets.connect(
                self.address, subprotocols=[websockets.Subprotocol("streamlit")], max_size=None, ping_interval=None
            )
        asked = BackMsg()
        asked.rerun_script.query_string = link
        if press:
            element, fragment = self.buttons[press]
            asked.rerun_script.widget_states.widgets.add(id=element, trigger_value=True)
            asked.rerun_script.page_script_hash, asked.rerun_script.fragment_id = self.script, fragment
        else:
            asked.rerun_script.page_name = page
            self.buttons = {}
        start, first = time.perf_counter(), None
        await self.socket.send(asked.SerializeToString())
        while True:
            raw = await asyncio.wait_for(self.socket.recv(), max(0.1, start + LIMIT - time.perf_counter()))
            message = ForwardMsg()
            message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.script = message.new_session.page_script_hash
            if kind == "delta":
                first = first or time.perf_counter() - start
                self._look(message, page)
            if kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    self.figures.errors[f"{page}: does not compile"] += 1
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    whole = time.perf_counter() - start
                    return first or whole, whole

    def _look(self, message: ForwardMsg, page: str) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        if element.WhichOneof("type") == "exception":
            self.figures.errors[f"{page}: {element.exception.message[:100]}"] += 1
        if element.WhichOneof("type") == "button":
            for key in KEYS.values():
                if element.button.id.endswith(f"-{key}"):
                    self.buttons[key] = element.button.id, message.delta.fragment_id

    async def live(self, number: int, think: float, until: float) -> None:
        """Visits pages, or stays on one that trains or races, until the time is up."""
        chance = random.Random(number)
        busy = BUSY[number // 10 % 2] if number % 10 == 9 else ""
        await asyncio.sleep(chance.random() * think)
        while time.time() < until:
            page = busy or chance.choice(PAGES)
            link = f"model={chance.choice(MODELS)}&image={chance.randrange(200)}"
            if page == "lesson":
                link += f"&chapter={chance.randrange(1, 15)}"
            try:
                await self._count(page, page, link)
                if busy and KEYS[busy] in self.buttons:
                    await self._count(f"{page}, pressed", page, link, KEYS[busy])
                    if busy == "train":
                        await asyncio.sleep(2 * think)
            except TimeoutError:
                self.figures.errors[f"{page}: no answer in {LIMIT:.0f} s"] += 1
                await self.leave()
            except (OSError, websockets.WebSocketException) as error:
                self.figures.errors[f"{page}: {type(error).__name__} {error}"[:120]] += 1
                await self.leave()
            await asyncio.sleep(think * (0.5 + chance.random()))
        await self.leave()

    async def _count(self, name: str, page: str, link: str, press: str = "") -> None:
        first, whole = await self.visit(page, link, press)
        self.figures.first[name].append(first)
        self.figures.whole[name].append(whole)

    async def leave(self) -> None:
        if self.socket is not None:
            await self.socket.close()
        self.socket = None
