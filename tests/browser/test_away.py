"""What a visitor sees while the server is gone, and that the page goes on when it is back."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import free_port, launched, settle
from tests.waiting import HANG


@pytest.mark.slow
def test_a_server_that_is_gone_and_back(page: Page, tmp_path: Path) -> None:
    port, notice = free_port(), page.locator(".vae-away")
    with launched(tmp_path, port) as process:
        page.goto(f"http://127.0.0.1:{port}/models?model=mnist-5d")
        settle(page)
        expect(notice).to_have_count(0)
        process.terminate()
        process.wait(HANG)
        expect(notice).to_be_visible()
        expect(notice).to_contain_text("The server is not responding")
        assert notice.get_attribute("role") == "alert"
    with launched(tmp_path, port):
        expect(notice).to_have_count(0)
        settle(page)
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("mnist-5d")
