"""The components' modules as a server sends them: below a path, to several visitors, before and after a restart."""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from tests.browser.conftest import running_app, settle
from tests.browser.test_map import open_map

BASE = "/course/vae"


def modules_of(page: Page) -> list[str]:
    """The paths of the modules that the page asks for, as it does."""
    paths: list[str] = []
    page.on("request", lambda request: paths.append(urlsplit(request.url).path))
    return paths


def test_components_load_below_a_path(tmp_path: Path, watched_page: Page) -> None:
    asked = modules_of(watched_page)
    with running_app(tmp_path, BASE) as url:
        open_map(watched_page, f"{url}/")
        loaded = [path for path in asked if path.endswith("/plane.js")]
        assert loaded and all(path.startswith(f"{BASE}/_stcore/bidi-components/vae-") for path in loaded)
        watched_page.goto(f"{url}/decode")  # a deep link
        watched_page.wait_for_function("window.vaeExplorer?.models.size")
        settle(watched_page)
    assert not [path for path in asked if path.endswith(".js") and not path.startswith(BASE)]


def test_a_second_visitor_and_a_page_that_is_loaded_again(server: str, browser: Browser, watched_page: Page) -> None:
    open_map(watched_page, server)
    other = browser.new_page()
    open_map(other, server)
    asked = modules_of(other)
    open_map(other, server)  # a browser keeps no module from one visit to the next without asking
    assert any(path.endswith("/plane.js") for path in asked)
    other.close()
