"""A lecturer and two students, each in a browser of their own, on two servers of one class: following, and the poll."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import running_app, settle
from tests.waiting import HANG

pytestmark = pytest.mark.slow

LECTURER, ANNA, BEN = "lecturer-lecturer", "anna-anna-anna-anna", "ben-ben-ben-ben-ben"


@pytest.fixture
def classroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The addresses of two servers for one class."""
    (tmp_path / "class").mkdir()
    content = {"lecturer": hashlib.sha256(LECTURER.encode()).hexdigest(), "address": "http://127.0.0.1"}
    (tmp_path / "class" / "class.json").write_text(json.dumps(content))
    monkeypatch.setenv("VAE_CLASSROOM", str(tmp_path / "class"))
    (tmp_path / "other").mkdir()
    with running_app(tmp_path) as one, running_app(tmp_path / "other") as other:
        yield one, other


@pytest.fixture
def visit(new_context: Callable[..., BrowserContext], classroom: tuple[str, str]) -> Callable[[str], Page]:
    def opened(key: str) -> Page:
        page = new_context().new_page()
        page.set_default_timeout(1000 * HANG)
        page.goto(f"{classroom[key == BEN]}/samples?key={key}")
        heading(page, "Samples")
        settle(page)
        return page

    return opened


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", name=text, exact=True)).to_be_visible()


def go(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    heading(page, name)
    settle(page)


def choose_chapter(page: Page, number: str) -> None:
    page.get_by_test_id("stMain").get_by_test_id("stButtonGroup").first.get_by_text(number, exact=True).click()
    settle(page)


def commit(page: Page, option: int) -> None:
    page.locator("[data-testid=stMain] [data-testid=stRadio] label:has(input)").nth(option).click()
    settle(page)
    page.locator("[class*=st-key-lesson-commit] button").click()
    page.locator("[class*=st-key-lesson-again] button").wait_for()


def test_a_class_follows_lets_go_and_answers(visit: Callable[[str], Page]) -> None:
    lecturer, anna, ben = visit(LECTURER), visit(ANNA), visit(BEN)
    lecturer.get_by_text("Follow me", exact=True).click()
    for student in (anna, ben):
        expect(student.get_by_text("This screen is following the lecturer.")).to_be_visible()

    go(lecturer, "Lesson")
    choose_chapter(lecturer, "2")
    for student in (anna, ben):
        heading(student, "2  The likelihood is an integral")
        student.wait_for_url("**/lesson?*chapter=2*")
        assert "key=" in student.url and LECTURER not in student.url

    settle(ben)
    let_go = ben.get_by_role("button", name="Stop following")
    let_go.focus()
    ben.keyboard.press("Enter")
    follow_again = ben.get_by_role("button", name="Follow again")
    expect(follow_again).to_be_visible()
    expect(lecturer.get_by_text("Student answers: 0")).to_be_visible()
    commit(anna, 0)
    commit(ben, 1)
    expect(lecturer.get_by_text("Student answers: 2")).to_be_visible()  # live: nobody has touched the page
    expect(lecturer.locator("[class*=st-key-poll-chart]")).to_have_count(0)  # it may be projected
    lecturer.get_by_text("Show results", exact=True).click()
    bars = lecturer.locator("[class*=st-key-poll-chart] .bars text, [class*=st-key-poll-chart] .barlayer text")
    expect(bars).to_have_text(["1", "1", "0"])
    expect(lecturer.locator("[class*=st-key-poll-chart]")).to_contain_text("From the prior")
    for student in (anna, ben):
        expect(student.get_by_text("Show results")).to_have_count(0)

    go(lecturer, "Decode")
    lecturer.wait_for_url("**/decode*")
    heading(anna, "Decode")
    heading(ben, "2  The likelihood is an integral")
    follow_again.click()
    heading(ben, "Decode")

    lecturer.get_by_text("Follow me", exact=True).click()
    for student in (anna, ben):
        expect(student.get_by_text("This screen is following the lecturer.")).to_have_count(0)
    settle(lecturer)
    go(lecturer, "Samples")
    anna.wait_for_timeout(2500)  # several questions of the browser
    heading(anna, "Decode")
