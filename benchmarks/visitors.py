"""Sessions of the explorer over websockets that visit its pages as a class does, and what is measured of them."""

from __future__ import annotations

import collections
import random
import time
from dataclasses import dataclass, field

from websockets.exceptions import WebSocketException

from tests.visitor import Visitor

PAGES = ("latent_map", "decode", "samples", "views", "lesson", "likelihood", "variance", "draw", "train")
MODELS = ("mnist-2d", "mnist-2d", "mnist-5d", "mnist-20d", "mnist-bernoulli-2d", "mnist-10d")
BUSY = {"train": "train__start", "likelihood": "likelihood__run"}  # where one session in ten stays, and what it presses
LIMIT = 120.0  # seconds after which a page counts as unanswered


@dataclass
class Figures:
    """What was measured, in seconds."""

    first: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    whole: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)  # MB of the servers alone, and of all they started
    keys: list[float] = field(default_factory=list)  # milliseconds from a key to its picture

    def note(self, name: str, visitor: Visitor) -> None:
        """Takes down what a visitor met."""
        first, whole = visitor.seconds
        self.first[name].append(first or whole)
        self.whole[name].append(whole)
        self.errors.update(each[:120] for each in visitor.faults)
        visitor.faults.clear()


def live(port: int, number: int, think: float, until: float, figures: Figures) -> None:
    """Visits pages, or stays on one that trains or races, until the time is up."""
    chance, visitor = random.Random(number), None
    busy = list(BUSY)[number // 10 % 2] if number % 10 == 9 else ""
    time.sleep(chance.random() * think)
    while time.time() < until:
        page = busy or chance.choice(PAGES)
        link = f"model={chance.choice(MODELS)}&image={chance.randrange(200)}"
        if page == "lesson":
            link += f"&chapter={chance.randrange(1, 15)}"
        try:
            visitor = visitor or Visitor(port)
            visitor.visit(page, link, LIMIT)
            figures.note(page, visitor)
            if busy:
                visitor.ask(**{BUSY[busy]: True})
                visitor.wait(LIMIT)
                figures.note(f"{page}, pressed", visitor)
                visitor.follow(think, LIMIT)
                figures.note(f"{page}, followed", visitor)
        except (OSError, WebSocketException) as error:  # TimeoutError is one of the first
            figures.errors[f"{page}: {type(error).__name__} {error}"[:120]] += 1
            visitor = None
        time.sleep(think * (0.5 + chance.random()))
    if visitor:
        visitor.socket.close()
