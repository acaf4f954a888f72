"""A server for all test modules, and a page that fails the test on any error in the browser's console."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser import chromium
from tests.browser.recording import Recording
from tests.waiting import HANG, wait_for

ROOT = Path(__file__).parents[2]
READY = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
# At a deep link Streamlit's own page asks for these two below the page's path first, and gets 404.
DEEP_LINK_404 = re.compile(r"(/[^/]+)+/_stcore/(health|host-config)")
HERE = ("127.0.0.1", "localhost")
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    path = chromium.find()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(chromium.MISSING, pytrace=False)
        pytest.skip("a Chromium, without which no browser test runs")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to be root inside its sandbox
    return browser_type_launch_args | {"executable_path": path, "args": sandbox + QUIET}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    """English, whatever this machine speaks; a test may ask for another language with a marker."""
    return browser_context_args | {"locale": "en-GB"}


@pytest.fixture(scope="session", autouse=True)
def patient() -> None:
    """Waits for what a page is to show as long as it takes; only a hang meets the limit."""
    expect.set_options(timeout=1000 * HANG)


@pytest.fixture(scope="session")
def visitor(browser: Browser, browser_context_args: dict) -> Iterator[BrowserContext]:
    """A browser that keeps scripts between tests: reading Streamlit's anew takes a second a page."""
    context = browser.new_context(**browser_context_args)
    context.set_default_timeout(1000 * HANG)
    yield context
    context.close()


@pytest.fixture
def page(request: pytest.FixtureRequest, visitor: BrowserContext) -> Iterator[Page]:
    """A page of its own for each test, of a visitor without cookies; a picture of it stays where the test fails."""
    if request.node.get_closest_marker("browser_context_args"):
        page = request.getfixturevalue("new_context")().new_page()
        page.set_default_timeout(1000 * HANG)
    else:
        visitor.clear_cookies()
        page = visitor.new_page()
    yield page
    if getattr(request.node, "rep_call", None) and request.node.rep_call.failed:
        page.screenshot(path=ROOT / "test-results" / f"{re.sub(r'[^a-z0-9]+', '-', request.node.name)}.png")
    page.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the models that visitors of the server make."""
    return tmp_path_factory.mktemp("server") / "checkpoints"


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[str]:
    """Address of the app on a server that all tests share; modules that train have one of their own."""
    with running_app(models.parent) as url:
        yield url


@pytest.fixture
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Recording:
    """Writes animations to docs/ with --picture, and else to a folder that is thrown away."""
    return Recording(ROOT / "docs" if request.config.getoption("--picture") else tmp_path)


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[str]:
    """Address of the app on a server that nobody has visited."""
    with running_app(tmp_path) as url:
        yield url


@contextmanager
def running_app(folder: Path, base: str = "") -> Iterator[str]:
    """Run app.py; the models that it writes go to the folder. A training outlives its server, but not its test."""
    with trainings_ended(folder), serving(folder, base) as url:
        yield url


@contextmanager
def trainings_ended(folder: Path) -> Iterator[None]:
    """Kill the trainings of servers on the folder at the end."""
    try:
        yield
    finally:
        for job in folder.glob("checkpoints/*/job.json"):
            says = json.loads(job.read_text())
            with suppress(psutil.Error):
                if says["state"] in ("queued", "starting", "running", "paused"):
                    psutil.Process(says["pid"]).kill()


@contextmanager
def serving(folder: Path, base: str = "") -> Iterator[str]:
    """Run app.py as a user would, on a free port, below the path `base`; leave its trainings alone when it ends."""
    port = free_port()
    with launched(folder, port, base):
        yield f"http://127.0.0.1:{port}{base}"


@contextmanager
def launched(folder: Path, port: int, base: str = "", **more: str) -> Iterator[subprocess.Popen]:
    """Run app.py on a port, with more in its environment, and yield its process; end it if it is still there."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", str(port), "--server.headless", "true", "--server.baseUrlPath", base]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    environment["VAE_CHECKPOINTS"] = str(folder / "checkpoints")
    environment.setdefault("VAE_WORKERS", "1")  # tests run side by side already
    environment |= more
    log = folder / f"server-{port}.log"
    with log.open("a") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:

        def answers() -> bool:
            assert process.poll() is None, f"The server stopped at once:\n{log.read_text()}"
            return healthy(port, base)

        wait_for(answers, log.read_text)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def healthy(port: int, base: str = "") -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", f"{base}/_stcore/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
def watched_page(page: Page) -> Iterator[Page]:
    """A page that fails its test when the console has an error, a script throws, or others are asked for anything."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        source = message.location["url"]
        if message.type == "error" and not DEEP_LINK_404.fullmatch(urlsplit(source).path):
            errors.append(f"{message.text} ({source})")

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    outside = asked_outside(page)
    yield page
    assert not errors, "The browser reported:\n" + "\n".join(errors)
    assert not outside, "The page asked others for:\n" + "\n".join(outside)


def asked_outside(page: Page) -> list[str]:
    """Returns what a page asks others for than this machine, which grows as it asks."""
    outside: list[str] = []

    def look(url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname not in HERE:
            outside.append(url)

    page.on("request", lambda request: look(request.url))
    page.on("websocket", lambda socket: look(socket.url))
    return outside


def settle(page: Page) -> None:
    """Wait until the app has answered the last action, and check that it shows no exception."""
    page.wait_for_timeout(150)  # an action reaches the server only after the widgets' debounce
    page.locator(READY).wait_for(state="attached")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stImage] img')].every(i => i.complete && i.naturalWidth > 0)"
    )
    expect(page.get_by_test_id("stException").filter(visible=True)).to_have_count(0)
