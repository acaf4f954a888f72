"""The menu "Download" under a visitor's hand: what is saved is what the page shows."""

import base64
import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

import vae
from tests.browser.axe import need_axe, violations
from tests.browser.conftest import ROOT, settle
from tests.browser.test_map import open_map

SVG = "{http://www.w3.org/2000/svg}"


def unfold(page: Page) -> None:
    page.get_by_test_id("stPopoverButton").first.click()
    page.locator(".takeaway .says").wait_for(state="attached")


def take(page: Page, name: str) -> tuple[str, bytes]:
    """Presses a button of the menu, and returns the name and the bytes of what the browser saved."""
    with page.expect_download() as download:
        page.locator(".takeaway").get_by_role("button", name=name, exact=True).first.click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def picture(content: bytes) -> Image.Image:
    """Decodes a PNG whole."""
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    image.load()
    return image.convert("RGB")


def colours(image: Image.Image) -> int:
    return len(image.getcolors(maxcolors=1 << 24))


def words(drawing: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in drawing.iter(f"{SVG}text")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chart(server: str, watched_page: Page, scheme: str) -> None:
    watched_page.emulate_media(color_scheme=scheme)
    watched_page.goto(f"{server}/lesson?chapter=3&image=4")  # a deep link
    chart = watched_page.locator(".js-plotly-plot").nth(1)
    chart.locator(".xtitle").wait_for()
    settle(watched_page)
    titles = [chart.locator(f".{axis}title").text_content() for axis in "xy"]
    box = chart.bounding_box()
    unfold(watched_page)
    name = watched_page.locator(".takeaway li > span").nth(1).inner_text()
    file, content = take(watched_page, f"{name} as PNG")
    assert re.fullmatch(r"mnist-2d-lesson-[a-z0-9-]+\.png", file)
    image = picture(content)
    assert image.width == pytest.approx(2 * box["width"], abs=2)
    assert image.height == pytest.approx(2 * box["height"], abs=2)
    assert colours(image) > 20
    assert (sum(image.getpixel((0, 0))) < 200) == (scheme == "dark")  # the page's background
    file, content = take(watched_page, f"{name} as SVG")
    assert file.endswith(".svg")
    drawing = ElementTree.fromstring(content)
    assert drawing.find(f"{SVG}title").text == name
    assert set(titles) <= set(words(drawing))
    assert b"font/woff2" in content  # the words are as wide as on the page


def test_the_map(server: str, watched_page: Page) -> None:
    open_map(watched_page, f"{server}/?image=3")
    settle(watched_page)
    unfold(watched_page)
    file, content = take(watched_page, "Latent map as PNG")
    assert file == "mnist-2d-latent-map.png"
    image = picture(content)
    box = watched_page.locator(".map .body").bounding_box()
    assert 2 * box["width"] - 40 < image.width < 2 * box["width"] + 60
    assert colours(image) > 500
    _file, content = take(watched_page, "Latent map as SVG")
    drawing = ElementTree.fromstring(content)
    said = words(drawing)
    assert {"z₁", "z₂", *"0123456789"} <= set(said)
    assert any(line.startswith("Test image 3") for line in said)
    assert not {"Points only", "Decoded plane", "+"} & set(said)  # controls
    shown = watched_page.locator(".map canvas").evaluate_all(
        "all => all.filter(each => each.checkVisibility()).map(each => each.toDataURL())"
    )
    assert [each.get("href") for each in drawing.iter(f"{SVG}image")] == shown


def test_a_table_and_one_that_appears_meanwhile(server: str, watched_page: Page) -> None:
    watched_page.goto(f"{server}/models?model=mnist-5d")
    watched_page.get_by_test_id("stTable").wait_for()
    settle(watched_page)
    unfold(watched_page)
    file, content = take(watched_page, "Models as CSV")
    assert file == "mnist-5d-models.csv"
    assert content.startswith("\ufeff".encode())
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert head[:2] == ["Model", "J"]
    elbos = {row[0]: row[head.index("Held-out ELBO, nats")] for row in rows}
    for record in vae.catalogue()[0]:
        if "elbo" in record.held_out:
            assert float(elbos[record.name]) == pytest.approx(record.held_out["elbo"], abs=0.05)

    open_map(watched_page, f"{server}/?image=3")
    settle(watched_page)
    watched_page.get_by_text("q(z|x) of test image 3").click()
    mean = watched_page.get_by_role("row").filter(has_text="mean").get_by_role("cell").all_inner_texts()
    unfold(watched_page)
    _file, content = take(watched_page, "Latent map 2 as CSV")
    assert mean in list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_names_of_classes_stand_in_a_table_as_they_are(server: str, watched_page: Page, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.zeros((9, 8, 8), np.uint8))
    names = ["*cat*", "$1$ or $2$", "[a](b)", "~~no~~ `so`", ":red[x] a_b_c", "- <b>b</b>", "---", "-2", "3. x"]
    (tmp_path / "labels.txt").write_text("\n".join(names) + "\n")
    watched_page.goto(f"{server}/data")
    inputs = watched_page.locator("[data-testid=stFileUploader] input[type=file]")
    inputs.nth(1).set_input_files(tmp_path / "labels.txt")
    settle(watched_page)
    inputs.nth(0).set_input_files(tmp_path / "images.npy")
    watched_page.get_by_test_id("stTable").wait_for()
    settle(watched_page)
    unfold(watched_page)
    _file, content = take(watched_page, "Your own images as CSV")
    _head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert sorted(rows) == sorted([name, "1"] for name in names)


FORMULA = '<span class="katex"><math>q</math><annotation>\\log q</annotation></span>'


@pytest.mark.parametrize(
    ("shown", "saved"),
    [
        ([[FORMULA, 'a, "b"'], ["−1,234.5", "1,2 − 3"]], [["\\log q", 'a, "b"'], ["-1234.5", "1,2 − 3"]]),
        (
            [["method", "nats", "sure", "right"], ["ELBO", "−1,234.5 ± 0.1", "20%", "80.1% ± 1.3%"],
             ["exact", "unknown", "9%", "7%"]],
            [["method", "nats", "nats (±)", "sure, %", "right, %", "right, % (±)"],
             ["ELBO", "-1234.5", "0.1", "20", "80.1", "1.3"], ["exact", "unknown", "", "9", "7", ""]],
        ),
        # a column of all sorts is left as it is
        ([["", "mine"], ["J", "2"], ["right", "20%"]], [["", "mine"], ["J", "2"], ["right", "20%"]]),
        ([["", "mine"], ["a", "1 ± 2"], ["b", "20%"]], [["", "mine"], ["a", "1 ± 2"], ["b", "20%"]]),
    ],
)  # fmt: skip
def test_numbers_and_formulas_in_a_table(page: Page, shown: list[list[str]], saved: list[list[str]]) -> None:
    module = base64.b64encode((ROOT / "pages/ui/browser/modules/csv.js").read_bytes()).decode()
    head, *body = ("".join(f"<td>{cell}</td>" for cell in row) for row in shown)
    rows = "".join(f"<tr>{row}</tr>" for row in body)
    page.set_content(f"<table><tr>{head.replace('td>', 'th>')}</tr>{rows}</table>")
    text = page.evaluate(
        "async (source) => (await import(source)).csv(document.querySelector('table'))",
        f"data:text/javascript;base64,{module}",
    )
    assert list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))) == saved


@pytest.mark.browser_context_args(locale="zh-CN")
def test_an_image_in_chinese_is_saved_as_it_is(server: str, watched_page: Page) -> None:
    watched_page.goto(f"{server}/samples?model=mnist-10d")
    shown = watched_page.locator("[data-testid=stImage] img").first
    shown.wait_for()
    settle(watched_page)
    unfold(watched_page)
    buttons = watched_page.locator(".takeaway li").first.get_by_role("button")
    with watched_page.expect_download() as download:
        buttons.nth(0).click()
    assert re.fullmatch(r"[\w-]+\.png", download.value.suggested_filename)
    content = download.value.path().read_bytes()
    assert base64.b64encode(content).decode() == shown.get_attribute("src").partition(",")[2]
    with watched_page.expect_download() as download:
        buttons.nth(1).click()
    (image,) = ElementTree.fromstring(download.value.path().read_bytes()).iter(f"{SVG}image")
    assert image.get("href") == shown.get_attribute("src")


def test_keys_and_that_nothing_runs_or_moves(server: str, watched_page: Page) -> None:
    page, sent = watched_page, []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{server}/samples")
    page.locator("[data-testid=stImage] img").first.wait_for()
    settle(page)
    page.wait_for_timeout(500)
    before, places = len(sent), "[...document.querySelectorAll('[data-testid=stMain] img')].map(i => i.offsetTop)"
    at = page.evaluate(places)
    opener = page.get_by_role("button", name="Download", exact=True)
    page.get_by_role("heading", name="Samples", level=1).click()  # where the keys start from
    for _ in range(5):
        page.keyboard.press("Tab")
        if opener.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    first = page.locator(".takeaway").get_by_role("button").first
    first.wait_for()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    with page.expect_download():
        page.keyboard.press("Enter")
    expect(page.locator(".takeaway .says")).to_have_text(re.compile(r"\.png was saved\.$"))
    assert page.evaluate(places) == at
    page.keyboard.press("Escape")
    expect(page.locator(".takeaway")).to_have_count(0)
    expect(opener).to_be_focused()
    assert len(sent) == before  # the server was told nothing, so a race goes on


def offered(page: Page, server: str) -> Locator:
    """Opens the menu of a page as if it came with these four files."""
    page.goto(f"{server}/samples")
    page.locator("[data-testid=stImage] img").first.wait_for()
    settle(page)
    unfold(page)
    menu = page.locator(".takeaway")
    menu.evaluate(
        """root => root.menu.show({ ...root.menu.data, offers: ["slow", "refused", "busy", "lost"].map(
           name => ({ label: name, file: `${name}.txt`, icon: ":material/table_chart:", at: `takeaway/x/${name}.txt` })
        ) })"""
    )
    return menu


def test_a_file_of_the_servers_is_waited_for(server: str, watched_page: Page) -> None:
    asked: list[Route] = []
    watched_page.route("**/takeaway/x/slow.txt", lambda route: asked.append(route))
    menu = offered(watched_page, server)
    slow, says = menu.get_by_role("button", name="slow"), menu.get_by_role("status")
    with watched_page.expect_download() as download:
        slow.click()
        expect(slow).to_have_attribute("aria-busy", "true")
        expect(says).to_have_text("Preparing slow.txt …")
        slow.click()  # which starts nothing a second time
        watched_page.wait_for_timeout(1200)  # the page is looked through meanwhile
        expect(slow).to_have_attribute("aria-busy", "true")
        asked[0].fulfill(status=200, body="at last")
    assert len(asked) == 1
    assert (download.value.suggested_filename, download.value.path().read_text()) == ("slow.txt", "at last")
    expect(says).to_have_text("slow.txt was saved.")
    expect(slow).not_to_have_attribute("aria-busy", "true")


def test_what_cannot_be_made_is_said(server: str, page: Page) -> None:
    page.route("**/takeaway/x/refused.txt", lambda route: route.fulfill(status=422, body="Zero is not one."))
    page.route("**/takeaway/x/busy.txt", lambda route: route.fulfill(status=429, body="Try again in a moment."))
    page.route("**/takeaway/x/lost.txt", lambda route: route.abort())
    menu = offered(page, server)
    for name, sentence in (
        ("refused", "Zero is not one."),
        ("busy", "Try again in a moment."),
        ("lost", "lost.txt could not be prepared. The server did not respond, or it reported an error."),
        ("slow", "The page has changed. Close this menu and open it again."),  # nobody has such an address
    ):
        menu.get_by_role("button", name=name).click()
        expect(menu.get_by_role("status")).to_have_text(sentence)


@pytest.mark.parametrize("width", [1920, 1280, 390])
def test_it_fits_the_window_and_can_be_read_aloud(server: str, watched_page: Page, width: int) -> None:
    need_axe()
    watched_page.set_viewport_size({"width": width, "height": 800})
    watched_page.goto(f"{server}/variance?variance.step=map")
    watched_page.locator(".js-plotly-plot .main-svg").first.wait_for()
    settle(watched_page)
    title, opener = (
        watched_page.get_by_role(role, name=name, exact=True).bounding_box()
        for role, name in (("heading", "Decoder variance"), ("button", "Download"))
    )
    assert opener["y"] <= title["y"] + title["height"] / 2 <= opener["y"] + opener["height"]
    unfold(watched_page)
    box = watched_page.get_by_test_id("stPopoverBody").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= 800
    assert violations(watched_page) == []
