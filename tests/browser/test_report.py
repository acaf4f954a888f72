"""What is taken away from a report: pictures with a ground, names that say what they show, tables of numbers."""

import csv
import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

import vae
from tests.browser.conftest import settle
from tests.browser.test_takeaway import take, unfold
from vae import report

pytestmark = pytest.mark.slow
NAME = "to-report"
CHARTS = [
    "what-each-dimension-carries",
    "the-codes-as-a-whole-against-the-prior",
    "calibration-of-the-standard-deviation",
]


@pytest.fixture(scope="module")
def made(models: Path) -> report.Report:
    """A report that the server finds beside a model."""
    config = vae.ModelConfig(encoder_layers=(8,), decoder_layers=(8,), latent=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_CHECKPOINTS", str(models))
        training = vae.TrainConfig(data="mnist-sample")
        vae.save(vae.build(config), vae.Record(name=NAME, model=config, training=training), overwrite=True)
        return report.make_report(NAME, vae.load_dataset("mnist-sample"))


def opaque(content: bytes) -> tuple[int, ...]:
    """Returns the colour of a corner of a picture that hides what lies under it."""
    image = Image.open(io.BytesIO(content)).convert("RGBA")
    assert image.getextrema()[3] == (255, 255)
    return image.getpixel((0, 0))[:3]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_menu_of_the_page(server: str, made: report.Report, watched_page: Page, scheme: str) -> None:
    watched_page.emulate_media(color_scheme=scheme)
    watched_page.goto(f"{server}/report?model={NAME}")
    watched_page.get_by_role("heading", name="Odd images").wait_for()
    watched_page.locator(".js-plotly-plot .main-svg").nth(2).wait_for()
    settle(watched_page)
    unfold(watched_page)
    names = watched_page.locator(".takeaway ul.shown li > span").all_inner_texts()
    captions = [caption for part in made.parts for _, caption in (*part.pictures, *part.figures)]
    assert set(captions) < set(names) and len(set(names)) == len(names) > len(captions) > 8
    files = []
    for part in made.parts:
        for _, shows in part.figures:
            file, content = take(watched_page, f"{shows} as PNG")
            files.append(file)
            assert (sum(opaque(content)) < 200) == (scheme == "dark")
    first, *others = CHARTS  # the page also offers the table of the first, under the same words
    assert files == [f"{NAME}-report-{chart}.png" for chart in (f"{first}-2", *others)]
    file, content = take(watched_page, "Evidence as CSV")
    assert file == f"{NAME}-report-evidence.csv"
    head, elbo, *_ = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert head[:3] == ["method", "nats per image", "nats per image (±)"]
    said = made.numbers()["Evidence"]
    assert [float(cell) for cell in elbo[1:3]] == pytest.approx([said["elbo"], said["elbo_standard_error"]], abs=0.06)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_figure_of_the_file(made: report.Report, watched_page: Page, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(report.page([made]), encoding="utf-8")
    watched_page.emulate_media(color_scheme=scheme)
    watched_page.goto(path.as_uri())
    charts = watched_page.locator("[data-figure]")
    files = []
    for i in range(charts.count()):
        charts.nth(i).hover()
        with watched_page.expect_download() as download:
            charts.nth(i).locator("[data-title^='Download plot']").click()
        files.append(download.value.suggested_filename)
        assert (sum(opaque(download.value.path().read_bytes())) < 200) == (scheme == "dark")
    assert files == [f"{NAME}-{chart}.png" for chart in CHARTS]
    watched_page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")  # the figures follow
    ground = re.findall(r"\d+", watched_page.evaluate("getComputedStyle(document.body).backgroundColor"))
    paper = watched_page.locator("[data-figure] .main-svg").first.evaluate("svg => svg.style.background")
    assert re.findall(r"\d+", paper)[:3] == ground
