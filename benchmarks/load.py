"""How a class fares: forty sessions at once on one server, and first visits to an idle one.

    python -m benchmarks.load first              # each page and chapter once, on a fresh and idle server
    python -m benchmarks.load many               # ten minutes: 40 sessions, one in ten of which trains or races
    python -m benchmarks.load many --sessions 80 --minutes 3 --processes 2

Sessions speak Streamlit's protocol over websockets on loopback, and think between their visits. Where a Chromium is
found, one more visitor presses keys on the map of a model that the server decodes, up to the picture. The folders of
models and of cached values are fresh, so the figures include a cold start.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Error, sync_playwright

from benchmarks.beside import PRESS_ON_MAP, launched, make_wide
from benchmarks.measure import machine, say, table
from benchmarks.visitors import LIMIT, PAGES, Figures, live
from tests.browser import chromium
from tests.browser.conftest import running_app
from tests.browser.test_map import MAP, open_map
from tests.visitor import Visitor

ALL = (*PAGES, "data", "models", "report")
PRESSES = 200  # at most, in the browser


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Runs the app with models in a folder; gives its port and its process."""
    with running_app(folder) as url:
        port = urlsplit(url).port or 0
        yield port, next(each for each in psutil.Process().children() if str(port) in each.cmdline())


def _idle(process: psutil.Process) -> None:
    """Waits until a server and what it started have done with warming up."""
    before = _computed(process)
    while True:
        time.sleep(2)
        now = _computed(process)
        if now - before < 0.1:
            return
        before = now


def _computed(process: psutil.Process) -> float:
    """Seconds that a process and those that it started have computed."""
    seconds = 0.0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(each.cpu_times()[:2])
    return seconds


def _memory(processes: list[psutil.Process]) -> tuple[float, float]:
    """MB of servers, and of these with all that they started, what is shared counted once."""
    own = rest = 0
    for process in processes:
        with suppress(psutil.Error):
            own += process.memory_full_info().pss
            for child in process.children(recursive=True):
                with suppress(psutil.Error):
                    rest += child.memory_full_info().pss
    return own / 1e6, (own + rest) / 1e6


def first_visits(port: int, process: psutil.Process) -> None:
    """Prints how long the first visit to each page and chapter takes, each with nothing else going on."""
    rows = []
    links = {page: (page, "") for page in ALL if page != "lesson"}
    links |= {f"chapter {number}": ("lesson", f"chapter={number}") for number in range(1, 15)}
    for name, (page, link) in links.items():
        _idle(process)
        visitor = Visitor(port)
        visitor.visit(page, link)
        visitor.socket.close()
        rows.append([name, *(f"{seconds:.2f}" for seconds in visitor.seconds), *visitor.faults])
    slowest = max(float(row[2]) for row in rows)
    table("First visits to an idle, fresh server, seconds", ["page", "first content", "whole"], rows,
          f"Slowest: {slowest:.2f} s.")  # fmt: skip


def many(ports: list[int], processes: list[psutil.Process], sessions: int, think: float, minutes: float) -> Figures:
    """Lets sessions live on servers, spread over them, for some minutes."""
    figures, until = Figures(), time.time() + 60 * minutes
    visitors = [
        threading.Thread(target=live, args=(ports[i % len(ports)], i, think, until, figures), daemon=True)
        for i in range(sessions)
    ]
    visitors.append(threading.Thread(target=press_keys, args=(ports[0], figures, until), daemon=True))
    for each in visitors:
        each.start()
    while time.time() < until:
        figures.memory.append(_memory(processes))
        time.sleep(min(10, max(0, until - time.time())))
    for each in visitors:
        each.join(LIMIT + 60)
    return figures


def press_keys(port: int, figures: Figures, until: float) -> None:
    """One visitor in a real browser: arrow keys on a map that the server decodes, and the time to each picture."""
    if not chromium.find():
        say("no Chromium was found, so no keys are pressed")
        return
    make_wide()
    with sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_page()
        page.set_default_timeout(1000 * LIMIT)
        page.on("pageerror", lambda error: figures.errors.update([f"browser: {error}"[:120]]))
        try:
            while time.time() < until and len(figures.keys) < PRESSES:
                box = open_map(page, f"http://127.0.0.1:{port}/?model=wide").bounding_box()
                assert box
                page.mouse.move(box["x"] + 50, box["y"] + 60)
                page.wait_for_function(f"{MAP}.latentMap.answer")
                for _ in range(10):
                    figures.keys.append(float(page.evaluate(PRESS_ON_MAP)))
                    page.wait_for_timeout(500)
        except Error as error:
            figures.errors[f"browser: {error}"[:120]] += 1
        browser.close()


def at(values: list[float], share: float) -> float:
    """The value that a share of all values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def tell(figures: Figures) -> None:
    """Prints the tables of a run."""
    firsts, wholes = (
        [each for values in found.values() for each in values] for found in (figures.first, figures.whole)
    )
    rows = [
        [name, len(figures.whole[name]), *(f"{at(values[name], share):.2f}" for values in (figures.first, figures.whole)
                                           for share in (0.5, 0.95))]
        for name in sorted(figures.whole)
    ]  # fmt: skip
    rows.append(
        ["all", len(wholes), *(f"{at(values, share):.2f}" for values in (firsts, wholes) for share in (0.5, 0.95))]
    )
    half = figures.memory[len(figures.memory) // 2 :]
    growth = half[-1][0] / half[0][0] - 1
    notes = [
        f"Worst: {max(wholes):.1f} s.",
        f"Memory at the end: {figures.memory[-1][0]:,.0f} MB of the server, {figures.memory[-1][1]:,.0f} with all it "
        f"started (at most {max(all_ for _own, all_ in figures.memory):,.0f}); the server's growth in the second half: "
        f"{100 * growth:+.1f} %.",
        f"Errors: {dict(figures.errors) or 'none'}.",
    ]
    if figures.keys:
        keys = figures.keys
        notes.append(
            f"Keys on the map in a browser: {len(keys)}, median {statistics.median(keys):.0f} ms, 95th percentile "
            f"{at(keys, 0.95):.0f} ms."
        )
    table("Many at once, seconds", ["page", "runs", "first, median", "first, 95 %", "whole, median", "whole, 95 %"],
          rows, *notes)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["first", "many"])
    parser.add_argument("--sessions", type=int, default=40, help="at once (%(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="how long (%(default)s)")
    parser.add_argument("--think", type=float, default=8, help="seconds between visits, on average (%(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="servers over one folder of models (%(default)s)")
    chosen = parser.parse_args()
    print(f"# {machine()}")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        os.environ |= {"VAE_CHECKPOINTS": str(Path(name) / "checkpoints"), "VAE_CACHE": str(Path(name) / "cache")}
        os.environ.setdefault("VAE_WORKERS", str(os.cpu_count()))  # as where nothing is said
        count = 1 if chosen.what == "first" else chosen.processes
        servers = [stack.enter_context(server(Path(name))) for _ in range(count)]
        ports, processes = [port for port, _process in servers], [process for _port, process in servers]
        if chosen.what == "first":
            first_visits(ports[0], processes[0])
        else:
            say(f"{chosen.sessions} sessions for {chosen.minutes:g} minutes")
            tell(many(ports, processes, chosen.sessions, chosen.think, chosen.minutes))


if __name__ == "__main__":
    main()
