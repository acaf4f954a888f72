"""No page asks anybody but its server for anything; `watched_page` holds that for all other tests too."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import asked_outside, settle
from tests.browser.test_pages import CONTENT
from tests.faults.test_links import CHAPTERS
from tests.waiting import HANG


def test_what_a_page_asks_others_for_is_seen(page: Page) -> None:
    page.route("**/*", lambda route: route.abort())
    outside = asked_outside(page)
    page.set_content("<img src='http://192.0.2.1/a.png'><img src='http://127.0.0.1:9/b.png'><img src='data:,'>")
    with page.expect_websocket(timeout=1000 * HANG):
        page.evaluate("try { new WebSocket('ws://192.0.2.1/c') } catch {}")
    assert sorted(outside) == ["http://192.0.2.1/a.png", "ws://192.0.2.1/c"]


@pytest.mark.slow
def test_no_page_asks_anybody_else(server: str, watched_page: Page) -> None:
    """One after the other in one tab; with statistics on, Streamlit's browser would ask."""
    for path in [*CONTENT, "status", *(f"lesson?chapter={chapter}" for chapter in CHAPTERS)]:
        watched_page.goto(f"{server}/{path}")
        watched_page.locator(CONTENT.get(path, "h1")).first.wait_for()
        settle(watched_page)
