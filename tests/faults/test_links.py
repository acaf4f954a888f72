"""Links with parameters of every wrong kind, on every page and chapter: what makes no sense there is passed over."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_pages import PAGES, ROOT
from tests.waiting import HANG

SHARED = ("model", "lang", "image", "z", "seed", "hide", "present", "chapter", "answers")
OF_PAGES = {
    "lesson": (
        "uses.classifier", "uses.labels", "uses.part", "naive.draws", "generating.show", "generating.step",
        "integral.side", "hidden.part", "hidden.group", "bound.step", "5.q",
    ),
    "latent_map": ("map.colours", "map.clusters", "map.plane", "map.first"),
    "decode": ("decode.panel", "decode.walk.to"),
    "views": ("views.step", "map.colours", "map.clusters"),
    "probe": ("probe.part", "probe.class", "probe.to", "probe.threshold"),
    "train": ("train.preset", "train.view", "job", "train.data"),
    "models": ("models.one",),
    "likelihood": ("likelihood.step",),
    "variance": ("variance.step", "variance.nats", "variance.floor"),
}  # fmt: skip
WRONG: dict[str, str | list[str]] = {
    "empty": "",
    "not a number": "nan",
    "infinite": "-inf",
    "negative": "-7",
    "large": "99999999999999999999",
    "larger than a float": "1e999",
    "digits without end": "9" * 5000,
    "an answer of digits without end": "9" * 5000 + "a",
    "a fraction": "0.5",
    "other digits": "٣",
    "a superscript": "²b",
    "half a list": "1,,2",
    "a list of many": ",".join(["1"] * 1000),
    "many answers": ".".join(f"{number}z" for number in range(40)),
    "a path": "../../etc/passwd",
    "nul": "a\0b",
    "no UTF-8": "\ufffd",
    "markup": "<img src=x onerror=alert(1)>",
    "a formula": "$\\frac{1}{0}$ `x` :material/x: {0} %s",
    "long": "x" * 100_000,
    "twice": ["1", "mnist-5d"],
    "none": "None",
    "true": "True",
}
CHAPTERS = [*map(str, range(1, 15)), "slips"]
PLACES = [(page, "") for page in PAGES if "lesson" not in page] + [("pages/learn/lesson.py", it) for it in CHAPTERS]


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{Path(place[0]).stem}{place[1]}")
def test_a_link_of_any_kind_opens_its_page(place: tuple[str, str], thorough: bool) -> None:
    """All parameters are wrong at once; `make faults` gives each page every kind, and each parameter alone too."""
    page, chapter = place
    names = [name for name in SHARED + OF_PAGES.get(Path(page).stem, ()) if not (chapter and name == "chapter")]
    kinds, at = list(WRONG), PLACES.index(place)
    few = [kinds[(3 * at + step) % len(kinds)] for step in range(len(kinds) if thorough else 2)]
    links = [{name: WRONG[kind] for name in names} for kind in few]
    if thorough:
        links += [{name: WRONG[kinds[(at + step) % len(kinds)]]} for step, name in enumerate(names)]
    first = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG).run()
    for link in links:
        app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG)
        app._registered_pages = first._registered_pages
        app.query_params.update(link | ({"chapter": chapter} if chapter else {}))
        app.switch_page(str(ROOT / page)).run()
        shown = urlencode(link, doseq=True)[:300]
        assert not app.exception, f"{shown}\n{app.exception[0].value}"
        assert not app.error, f"{shown}\n{app.error[0].value}"
        assert app.title[0].value == PAGES[page]
    print(f"{len(links)} links")
