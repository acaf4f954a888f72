"""The page Models in a real browser: a model is brought, seen where one looks, and led on from."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import running_app, settle
from tests.browser.test_own_data import enter
from tests.onnx_files import network, weights


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server with a folder of models of its own, to which the test adds."""
    with running_app(tmp_path_factory.mktemp("own-models")) as url:
        yield url


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def bring(page: Page, *files: Path) -> None:
    open_tab(page, "Import a model")
    page.locator("input[type=file]").set_input_files(files)
    settle(page)


@pytest.mark.slow
def test_a_model_is_brought_and_led_on_from(own_server: str, watched_page: Page, tmp_path: Path) -> None:
    page = watched_page
    files = {
        "net.pt": b"not looked at", "my-encoder.onnx": network(784, 4),
        "my-decoder.onnx": network(2, 784, sigmoid=True, beside="my-decoder.onnx.data"),
        "my-decoder.onnx.data": weights(2, 784).tobytes(),
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{own_server}/models")
    page.get_by_test_id("stTable").wait_for()
    bring(page, tmp_path / "net.pt")
    expect(page.get_by_test_id("stAlertContentError")).to_contain_text("can contain code")
    page.reload()
    page.get_by_test_id("stTable").wait_for()
    bring(page, *(tmp_path / name for name in files if name != "net.pt"))
    expect(page.get_by_text("An encoder and a decoder in ONNX, J = 2")).to_be_visible()
    enter(page.get_by_role("textbox", name="Name", exact=True), "theirs")
    page.get_by_role("button", name="Save", exact=True).click()
    told = page.get_by_test_id("stAlertContentSuccess")
    expect(told).to_contain_text("theirs was saved.")
    settle(page)
    expect(told).to_be_in_viewport()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_count(0)
    expect(page.locator("tbody tr").first).to_contain_text("theirs")
    page.locator(".st-key-models-kept-explore-latent_map button").click()
    expect(page.get_by_role("heading", name="Latent map", level=1)).to_be_visible()
    expect(page).to_have_url(re.compile("model=theirs$"))
    page.locator(".map .pictures canvas").first.wait_for()
    settle(page)


@pytest.mark.slow
def test_nothing_is_cut_or_wrapped(own_server: str, watched_page: Page) -> None:
    page = watched_page
    page.goto(f"{own_server}/models")
    page.get_by_test_id("stTable").wait_for()
    settle(page)
    open_tab(page, "Rename, copy, delete")
    for width in (1920, 1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        cut = page.locator(".st-key-models *").evaluate_all(
            "all => all.filter(each => each.clientWidth && each.scrollWidth > each.clientWidth).length"
        )
        assert cut == 0, width
        buttons = [page.locator(f".st-key-models-{name} button").bounding_box() for name in ("copy", "delete")]
        assert width == 390 or buttons[0]["y"] == buttons[1]["y"], width
