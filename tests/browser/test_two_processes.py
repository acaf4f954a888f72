"""Two processes of the app over one folder of models, behind nginx as deploy/nginx.conf sets it up."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import free_port, launched, settle, trainings_ended
from tests.deploy import nginx
from tests.waiting import HANG, wait_for

pytestmark = pytest.mark.slow


class Site(NamedTuple):
    """The proxy's address, the cookies of two visitors who come to different processes, the processes, their folder."""

    url: str
    visitors: list[str]
    processes: list
    folder: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, (port, *ports) = tmp_path_factory.mktemp("site"), [free_port() for _ in range(3)]
    place = folder / "nginx"
    with (
        nginx.before(place, port, ports) as url,
        trainings_ended(folder),
        launched(folder, ports[0]) as one,
        launched(folder, ports[1]) as two,
    ):
        came = {nginx.answered(url, place, f"visitor-{number}"): f"visitor-{number}" for number in range(40)}
        assert set(came) == set(ports)
        assert all(nginx.answered(url, place, came[each]) == each for each in ports for _ in range(3))
        yield Site(url, [came[each] for each in ports], [one, two], folder)


def visitors(browser: Browser, site: Site) -> Iterator[tuple[BrowserContext, Page]]:
    """Two visitors, each of another process."""
    for visitor in site.visitors:
        context = browser.new_context(locale="en-GB")
        context.set_default_timeout(1000 * HANG)
        context.add_cookies([{"name": "vae_visitor", "value": visitor, "url": site.url}])
        yield context, context.new_page()


def visit(page: Page, url: str) -> None:
    page.goto(url)
    settle(page)


def models(page: Page) -> str:
    return page.get_by_test_id("stTable").first.inner_text()


def train(page: Page, url: str, name: str) -> None:
    """Trains a model on the page Train, and waits for it."""
    visit(page, f"{url}/train")
    page.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="mnist-sample").click()
    settle(page)
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("spinbutton", name="Epochs").fill("1")
    settle(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Use this model").wait_for()


def test_a_stranger_is_given_a_cookie_and_comes_back_to_the_same_process(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}/health", timeout=HANG) as answer:
        cookie, _, rest = answer.headers["Set-Cookie"].partition(";")
        assert json.load(answer)["status"] == "ok" and "HttpOnly" in rest
    came = {nginx.answered(site.url, site.folder / "nginx", cookie.partition("=")[2]) for _ in range(5)}
    assert len(came) == 1


def test_what_one_process_trains_and_deletes_the_other_sees(site: Site, browser: Browser) -> None:
    (mine, one), (other, two) = visitors(browser, site)
    visit(two, f"{site.url}/models")
    assert "by-one" not in models(two)
    train(one, site.url, "by-one")
    visit(two, f"{site.url}/models?model=by-one")
    assert "by-one" in models(two)
    expect(two.get_by_role("combobox", name="Model", exact=True)).to_have_value("by-one")  # it is in use there too
    visit(one, f"{site.url}/models?model=by-one")
    one.get_by_role("combobox", name="Model to inspect").click()
    one.get_by_role("option", name="by-one", exact=True).click()
    settle(one)
    one.get_by_role("tab", name="Rename, copy, delete").click()
    one.get_by_role("button", name="Delete").click()
    expect(one.get_by_text("by-one was deleted.")).to_be_visible()
    two.get_by_role("link", name="Samples").click()  # in the session that has it in use
    settle(two)
    expect(two.get_by_role("combobox", name="Model", exact=True)).to_have_value("mnist-2d")
    visit(two, f"{site.url}/models")
    assert "by-one" not in models(two)
    mine.close()
    other.close()


def test_visitors_of_a_process_that_ends_go_on_with_the_other(site: Site, browser: Browser, tmp_path: Path) -> None:
    """Their link has what was in use, and they may upload with the cookie that the first process gave them."""
    images = tmp_path / "images.npy"
    np.save(images, np.random.default_rng(0).integers(0, 256, (30, 8, 8), np.uint8))
    (mine, one), (other, two) = visitors(browser, site)
    for page in (one, two):
        visit(page, f"{site.url}/data?model=mnist-5d")
    site.processes[0].terminate()
    site.processes[0].wait(HANG)
    wait_for(lambda: nginx.answered(site.url, site.folder / "nginx", site.visitors[0]))
    one.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]").wait_for(state="attached")
    for page in (one, two):
        settle(page)
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("mnist-5d")
        page.locator("input[type=file]").first.set_input_files(images)
        expect(page.get_by_test_id("stMain")).to_contain_text("27 training images and 3 held-out images")
    mine.close()
    other.close()
