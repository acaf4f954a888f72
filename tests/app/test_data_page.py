"""The page Data: images are looked at before they are kept, and what cannot be kept is said."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

import vae
from tests.app.test_pages import through_frame
from vae.data import stored
from vae.errors import DataError

pytestmark = pytest.mark.slow

PATH = "pages/train/data.py"


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    st.cache_resource.clear()


def png(value: int, size: tuple[int, int] = (9, 8), colour: bool = False) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((*size, 3) if colour else size, value, np.uint8)).save(content, "PNG")
    return content.getvalue()


def archive(size: tuple[int, int] = (9, 8), colour: bool = False) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for i in range(20):
            file.writestr(f"shapes/{'ab'[i % 2]}/{i}.png", png(10 * i, size, colour))
    return content.getvalue()


def uploaded(*files: tuple[str, bytes, str]) -> AppTest:
    app = through_frame(PATH, "mnist-2d")
    app.file_uploader(key="data.files0").set_value(list(files)).run()
    return app


def words(app: AppTest) -> str:
    return " ".join(str(each.value) for kind in (app.markdown, app.caption, app.success) for each in kind)


def keep(app: AppTest, name: str) -> AppTest:
    app.text_input(key="data.name").set_value(name).run()
    (button,) = (each for each in app.main.button if each.label == "Save as data set")
    return button.click().run()


def test_a_zip_archive_is_looked_at_and_kept() -> None:
    app = uploaded(("shapes.zip", archive(), "application/zip"))
    assert not app.exception and not app.error
    assert "**18** training images and **2** held-out images, 9 × 8 pixels, greyscale" in words(app)
    assert app.table[0].value.to_dict("list") == {"Class": ["a", "b"], "Images": [10, 10]}
    assert not stored.cards()[0]  # nothing is kept before it is asked for
    app.toggle(key="data.invert").set_value(True).run()
    assert "Light and dark are swapped." in words(app)
    app = keep(app, "shapes")
    assert not app.exception and not app.error and "shapes was saved" in words(app)
    found = vae.load_dataset("shapes")
    assert len(found.train) == 18 and found.classes == ("a", "b")
    assert 255 - int(found.train.images.min()) in range(180, 200)
    assert app.session_state["train.data"] == "shapes"
    app.run()
    assert "is kept" not in words(app) and "(`shapes`)" in words(app)
    card = stored.read_card("shapes")
    assert card is not None and card.checksum[:16] in words(app) and all(step in words(app) for step in card.steps)
    (remove,) = (each for each in app.main.button if each.key == "data.remove.shapes")
    remove.click().run()
    assert not app.exception and not stored.cards()[0] and "(`shapes`)" not in words(app)


def test_colour_stays_or_becomes_grey_and_sizes_are_made_one() -> None:
    app = uploaded(("shapes.zip", archive((90, 70), colour=True), "application/zip"))
    assert not app.exception and "64" in app.error[0].value  # too large for colour
    app.toggle(key="data.resize").set_value(True).run()
    assert "28 × 28 pixels, colour" in words(app)
    app.toggle(key="data.grey").set_value(True).run()
    assert "28 × 28 pixels, greyscale" in words(app) and "Colour is converted to grey." in words(app)


def test_image_files_are_a_set_without_labels() -> None:
    app = uploaded(*((f"{i}.png", png(i), "image/png") for i in range(5)))
    assert not app.exception and not app.error
    assert "The images have no labels" in words(app)


def test_labels_may_come_in_a_file() -> None:
    content = io.BytesIO()
    np.save(content, np.zeros((4, 8, 8), np.uint8))
    app = uploaded(("x.npy", content.getvalue(), "application/octet-stream"))
    app.file_uploader(key="data.labels0").set_value(("y.txt", b"cat\ndog\ncat\ndog\n", "text/plain")).run()
    assert not app.exception and not app.error
    assert app.table[0].value["Class"].tolist() == ["cat", "dog"]


def test_held_out_images_may_be_in_separate_files() -> None:
    app = uploaded(("shapes.zip", archive(), "application/zip"))
    held = [(f"{i}.png", png(i), "image/png") for i in range(3)]
    app.file_uploader(key="data.test0").set_value(held).run()
    assert not app.exception and not app.error and "data.held_out" not in [each.key for each in app.slider]
    assert "**20** training images and **3** held-out images" in words(app)
    assert "The labels of one split are ignored, since the other has none." in words(app)
    labels = ("y.csv", b"0.png,a\n1.png,b\n2.png,a\n", "text/csv")
    app.file_uploader(key="data.test_labels0").set_value(labels).run()
    assert app.table[0].value.to_dict("list") == {"Class": ["a", "b"], "Images": [12, 11]}
    keep(app, "shapes")
    found = vae.load_dataset("shapes")
    assert (len(found.train), found.test.labels.tolist()) == (20, [0, 1, 0])
    app = uploaded(("shapes.zip", archive(), "application/zip"))
    app.file_uploader(key="data.test0").set_value([("b.png", png(2)[:45], "image/png")]).run()
    assert app.error[0].value.startswith("b.png in the uploaded files cannot be read")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([("a.zip", b"PK nothing", "application/zip")], "zip"),
        ([("a.npy", b"nothing", "application/octet-stream")], "npy"),
        ([("a.png", png(1), "image/png")], "at least two images"),
        ([("a.png", png(1), "image/png"), ("a.png", png(2), "image/png")], "uploaded twice"),
        ([("a.png", png(1), "image/png"), ("b.png", png(2)[:45], "image/png")], "b.png"),
        ([("a.png", png(1), "image/png"), ("b.png", png(1, (5, 5)), "image/png")], "one size"),
    ],
)
def test_what_cannot_be_kept_is_said(files: list[tuple[str, bytes, str]], says: str) -> None:
    app = uploaded(*files)
    if says == "one size":
        app.toggle(key="data.resize").set_value(False).run()
    assert not app.exception
    assert says in app.error[0].value and "vae-upload" not in app.error[0].value


def test_files_go_by_the_names_that_they_came_under() -> None:
    app = uploaded(("a.zip", b"PK nothing", "application/zip"))
    assert app.error[0].value.startswith("a.zip cannot be read")
    app = uploaded(("a.png", png(1), "image/png"), ("b.png", png(2)[:45], "image/png"))
    assert app.error[0].value.startswith("b.png in the uploaded files cannot be read")
    app = uploaded(("images.zip", archive(), "application/zip"))
    app.file_uploader(key="data.labels0").set_value(("y.txt", b"cat\ndog\n", "text/plain")).run()
    assert "the labels in y.txt are 2" in app.error[0].value
    keep(uploaded(("images.zip", archive((9, 8), colour=True), "application/zip")), "shapes")
    keep(uploaded(*((f"{i}.png", png(i), "image/png") for i in range(5))), "five")
    sources = {card.name: card.source for card in stored.cards()[0]}
    assert sources == {"shapes": "images.zip", "five": "5 uploaded files"}
    assert "18 training and 2 held-out images of 9 × 8 in colour, 2 classes" in words(through_frame(PATH, "mnist-2d"))


def test_a_switch_skips_damaged_images() -> None:
    good = [(f"{i}.png", png(i), "image/png") for i in range(5)]
    app = uploaded(*good, ("b.png", png(2)[:45], "image/png"))
    assert app.error[0].value.endswith("You can also skip all damaged images with the switch above.")
    app.toggle(key="data.skip_bad").set_value(True).run()
    assert not app.exception and not app.error
    assert "Images that cannot be read are skipped: 1 of 6 (b.png)." in words(app)
    app = keep(app, "some")
    assert not app.error and stored.read_card("some").train + stored.read_card("some").test == 5


def test_arrays_have_no_images_to_skip() -> None:
    content = io.BytesIO()
    np.save(content, np.random.default_rng(0).integers(0, 255, (4, 8, 8), np.uint8))
    app = uploaded(("x.npy", content.getvalue(), "application/octet-stream"))
    assert "data.skip_bad" not in [each.key for each in app.toggle] and not app.warning


def test_the_preview_and_the_card_warn_of_identical_images() -> None:
    app = uploaded(*((f"{i}.png", png(0), "image/png") for i in range(5)))
    assert not app.error and "All 5 images that were read are identical" in app.warning[0].value
    app = keep(app, "black")
    assert stored.read_card("black").warnings == (app.warning[0].value,)


@pytest.mark.parametrize(("name", "says"), [("mnist", "taken"), ("No Name", "lower-case")])
def test_a_name_that_may_not_be_is_said(name: str, says: str) -> None:
    app = keep(uploaded(("shapes.zip", archive(), "application/zip")), name)
    assert not app.exception and says in app.error[0].value
    assert not stored.cards()[0]


def test_a_set_that_cannot_be_removed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    app = keep(uploaded(("shapes.zip", archive(), "application/zip")), "shapes")

    def refuse(name: str) -> None:
        raise DataError(f"The set {name!r} could not be removed (Permission denied).")

    monkeypatch.setattr(stored, "remove", refuse)
    (remove,) = (each for each in app.main.button if each.key == "data.remove.shapes")
    remove.click().run()
    assert not app.exception and "'shapes' could not be removed" in app.error[0].value
    assert not app.run().error
