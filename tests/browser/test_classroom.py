"""A class in three browsers: the lecturer, and two students of whom neither can touch what the other has."""

import hashlib
import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import running_app, settle
from tests.waiting import HANG

KEY = "the-key-of-the-lecturer"


@pytest.fixture
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server for a class."""
    folder = tmp_path_factory.mktemp("classroom")
    says = {"lecturer": hashlib.sha256(KEY.encode()).hexdigest(), "address": "http://192.0.2.7:8501"}
    (folder / "class.json").write_text(json.dumps(says))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_CLASSROOM", str(folder))
        with running_app(folder) as url:
            yield url


def link_key(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query).get("key", [])


def chosen(page: Page, name: str) -> None:
    """Waits until the page Models is about a model."""
    expect(page.get_by_role("combobox", name="Model to inspect")).to_have_value(name)
    settle(page)


def test_a_lecturer_and_two_students(classroom: str, new_context: Callable[..., BrowserContext]) -> None:
    lecturer, anna, ben = (new_context().new_page() for _ in range(3))
    for page in (lecturer, anna, ben):
        page.set_default_timeout(1000 * HANG)

    anna.goto(f"{classroom}/models")
    chosen(anna, "mnist-2d")
    anna.get_by_role("tab", name="Rename, copy, delete").click()
    anna.get_by_role("textbox", name="New name").fill("annas")
    anna.get_by_role("textbox", name="New name").press("Tab")
    anna.get_by_role("button", name="Copy", exact=True).click()
    expect(anna.get_by_role("cell", name="you", exact=True)).to_be_visible()
    assert len(link_key(anna)) == 1

    ben.goto(f"{classroom}/models?model=annas")
    chosen(ben, "annas")
    ben.get_by_role("tab", name="Rename, copy, delete").click()
    expect(ben.get_by_text("annas belongs to someone else")).to_be_visible()
    expect(ben.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
    expect(ben.get_by_role("link", name="Class", exact=True)).to_have_count(0)
    assert len(link_key(ben)) == 1 and link_key(ben) != link_key(anna)

    anna.goto(f"{classroom}/models?model=annas&key={link_key(anna)[0]}")  # as from a bookmark: a new session
    chosen(anna, "annas")
    anna.get_by_role("tab", name="Rename, copy, delete").click()
    expect(anna.get_by_role("button", name="Delete", exact=True)).to_be_enabled()

    lecturer.goto(f"{classroom}/classroom?key={KEY}")
    expect(lecturer.get_by_role("img", name="QR code of http://192.0.2.7:8501")).to_be_visible()
    expect(lecturer.get_by_role("cell", name="annas", exact=True)).to_be_visible()
    lecturer.goto(f"{classroom}/models?model=annas&key={KEY}")
    chosen(lecturer, "annas")
    lecturer.get_by_role("tab", name="Rename, copy, delete").click()
    lecturer.get_by_role("button", name="Delete", exact=True).click()
    expect(lecturer.get_by_text("annas was deleted.")).to_be_visible()
    ben.reload()
    chosen(ben, "mnist-2d")
    expect(ben.get_by_role("cell", name="annas", exact=True)).to_have_count(0)
