"""Images of one's own in a real browser: uploaded, kept, learned from, and looked at on the pages that measure."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import READY, running_app, settle
from tests.own_images import NAMES, Written, write_npy, write_npz, write_zip
from tests.toys import toy_split

COUNT = 300


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server with a folder of data sets of its own."""
    folder = tmp_path_factory.mktemp("own-data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_DATA", str(folder / "data"))
        with running_app(folder) as url:
            yield url


def go(page: Page, name: str) -> None:
    """Follows a link of the sidebar, as a visitor does who stays in the session."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def enter(field: Locator, text: str) -> None:
    """Types into a field, and leaves it, which is when Streamlit takes what is there."""
    field.fill(text)
    field.press("Tab")


def no_error(page: Page) -> None:
    """Waits until the page has run to its end, and checks that it has no box with an error."""
    settle(page)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape", "labelled", "write"),
    [
        ("colours", (28, 28, 3), True, write_zip),
        ("unlabelled", (28, 28), False, write_npy),
        ("wide", (20, 30), True, write_npz),
    ],
)
def test_from_an_upload_to_the_report(
    own_server: str,
    watched_page: Page,
    tmp_path: Path,
    name: str,
    shape: tuple[int, ...],
    labelled: bool,
    write: Callable[..., Written],
) -> None:
    page = watched_page
    labels = [NAMES[i % 3] for i in range(COUNT)] if labelled else None
    source, _more = write(tmp_path, toy_split(COUNT, shape).images.numpy(), labels)

    page.goto(f"{own_server}/data")
    page.locator("input[type=file]").first.set_input_files(source)
    kind = "colour" if len(shape) == 3 else "greyscale"
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text(f"270 training images and 30 held-out images, {shape[0]} × {shape[1]} pixels, {kind}.")
    expect(page.get_by_text("The images have no labels")).to_have_count(0 if labelled else 1)
    enter(page.get_by_role("textbox", name="Name"), name)
    page.get_by_role("button", name="Save as data set").click()
    expect(page.get_by_text(f"{name} was saved.")).to_be_visible()
    no_error(page)

    go(page, "Train")
    expect(page.get_by_role("combobox", name="Data set")).to_have_value(name)
    enter(page.get_by_role("spinbutton", name="Epochs"), "1")
    page.get_by_role("button", name="Network").click()
    for part in ("encoder", "decoder"):
        enter(page.get_by_role("textbox", name=f"Hidden layers of the {part}"), "16")
    page.keyboard.press("Escape")
    enter(page.get_by_role("textbox", name="Name"), f"of-{name}")
    page.get_by_role("button", name="Train", exact=True).click()
    use = page.get_by_role("button", name="Use this model")
    expect(page.get_by_text(f"of-{name} has been trained")).to_be_visible()  # not the training before it
    no_error(page)
    use.click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value(f"of-{name}")

    go(page, "Latent map")
    page.locator(".map .pictures canvas").first.wait_for()
    expect(page.get_by_test_id("stSidebar")).not_to_contain_text("is not available")
    no_error(page)

    go(page, "Likelihood")
    page.locator(".race svg .curve").first.wait_for()
    expect(page.locator(".race .keys span", has_text="ELBO")).to_have_count(1)
    no_error(page)

    go(page, "Report")
    page.get_by_role("button", name="Make the report").click()
    page.get_by_role("button", name="HTML").wait_for()
    page.locator(READY).wait_for(state="attached")
    assert page.get_by_test_id("stPlotlyChart").count() and page.get_by_test_id("stImage").count()
    no_error(page)
