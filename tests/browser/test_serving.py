"""Where the app may be served from: below a path, behind a proxy that strips one, by another server, from elsewhere."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, free_port, healthy, running_app, settle
from tests.browser.proxy import stripping
from tests.browser.test_map import MAP, open_map
from tests.browser.test_pages import CONTENT
from tests.waiting import wait_for

# whether the test image beside the map has ink
INKED = f"""{MAP}.latentMap.image.context.getImageData(0, 0, 28, 28).data.some((value, i) => i % 4 < 3 && value > 0)"""


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the app below a path."""
    with running_app(tmp_path_factory.mktemp("below"), "/course/vae") as url:
        yield url


@pytest.fixture(scope="module")
def outside(server: str) -> Iterator[str]:
    """Address of the app behind a proxy that strips a prefix."""
    with stripping("/user/ann/proxy/8501", urlsplit(server).port or 0) as url:
        yield url


def whole(page: Page, address: str, path: str) -> None:
    """Opens a page, and checks that all it asked for came."""
    lost: list[str] = []
    page.on("response", lambda answer: lost.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{address}/{path}")
    page.locator(CONTENT[path]).first.wait_for()
    settle(page)
    assert [url for url in lost if "_stcore" not in url] == []  # Streamlit asks for two of its own below a deep link


@pytest.mark.parametrize("path", CONTENT)
def test_every_page_is_whole_behind_a_proxy(outside: str, watched_page: Page, path: str) -> None:
    whole(watched_page, outside, path)


@pytest.mark.parametrize("path", ["draw", "views"])  # one with a component, one with figures
def test_pages_are_whole_below_a_path(below: str, watched_page: Page, path: str) -> None:
    whole(watched_page, below, path)


@pytest.mark.parametrize("place", ["below", "outside"])
def test_test_images_come(request: pytest.FixtureRequest, watched_page: Page, place: str) -> None:
    asked: list[str] = []
    watched_page.on("response", lambda it: asked.append(it.headers["content-type"]) if "/images/" in it.url else None)
    open_map(watched_page, f"{request.getfixturevalue(place)}/?image=3")
    watched_page.wait_for_function(INKED)
    assert asked and set(asked) == {"image/png"}
    expect(watched_page.locator(".missing")).to_have_count(0)


def test_a_picture_that_does_not_come_says_so(server: str, page: Page) -> None:
    page.route("**/images/**", lambda route: route.abort())
    open_map(page, f"{server}/?image=3")
    expect(page.get_by_text("This image could not be loaded from the server.").first).to_be_visible()
    page.unroute("**/images/**")
    page.locator(".stage").hover()  # which asks for it, or another one, again
    expect(page.locator(".missing")).to_have_count(0)


def test_another_server_from_another_folder(tmp_path: Path, watched_page: Page) -> None:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT), "app:app", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_for(lambda: process.poll() is not None or healthy(port), (tmp_path / "log").read_text)
        open_map(watched_page, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
