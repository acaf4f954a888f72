"""The panels that walk through latent space, each alone: every kind of model, and the numbers that they say."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import vae
from pages.ui.state import Drawing
from tests.app.test_pages import SHIPPED, own_folder, said  # noqa: F401 - a fixture that applies by itself
from tests.waiting import HANG
from vae import data, latent
from vae.latent import aggregate, walks

pytestmark = pytest.mark.slow

PANELS = ("traversals", "interpolation", "arithmetic", "neighbours")
DATA = vae.load_dataset("mnist" if data.available("mnist") else "mnist-sample", fetch=False)
ODD = {
    "one dimension": ({"latent": 1}, {}),
    "linear of 64": ({"latent": 64, "likelihood": "gaussian-shared", "decoder_layers": ()}, {}),
    "autoencoder of 3": ({"latent": 3, "log_variance_floor": None}, {"objective": "autoencoder"}),
    "bernoulli": ({"likelihood": "bernoulli"}, {}),
}


def shown(panel: str, model: str = "mnist-2d", **state: object) -> AppTest:
    """A page that has the panel and nothing else."""
    lines = [
        f"from pages.explore.panels import {panel}",
        "from pages import cache",
        "from pages.ui import state",
        f"{panel}.show(cache.model_id(state.model()))",
    ]
    app = AppTest.from_string("\n".join(lines), default_timeout=HANG)
    app.session_state["model"] = model
    for name, value in state.items():
        app.session_state[name] = value
    return app.run()


def save_odd(model: dict, training: dict) -> None:
    config = vae.ModelConfig(**{"encoder_layers": (8,), "decoder_layers": (8,), **model})
    record = vae.Record(name="odd", model=config, training=vae.TrainConfig(data="mnist-sample", **training))
    vae.save(vae.build(config), record)


def images(app: AppTest) -> list[tuple[str, Image.Image]]:
    """Alternative text and picture of each."""
    found = []
    for element in app.get("image"):
        for image in element.proto.imgs:
            kind, content = image.url.split(",", 1)
            assert kind in ("data:image/png;base64", "data:image/gif;base64")
            found.append((image.alt, Image.open(io.BytesIO(base64.b64decode(content)))))
    return found


def means(model: str) -> np.ndarray:
    return vae.encode(vae.load(model), DATA.test.images).mean


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("model", SHIPPED)
def test_every_shipped_model(panel: str, model: str) -> None:
    app = shown(panel, model)
    assert not app.exception and not app.error
    assert images(app)


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("kind", ODD)
def test_models_of_every_kind(panel: str, kind: str) -> None:
    save_odd(*ODD[kind])
    app = shown(panel, "odd", image=3)
    assert not app.exception and not app.error
    assert images(app)
    if kind.startswith("autoencoder"):
        assert "nats" not in said(app)


@pytest.mark.parametrize("panel", PANELS)
def test_a_latent_that_was_chosen_by_hand(panel: str) -> None:
    app = shown(panel, z=(0.5, -1.0))
    assert not app.exception
    assert any("current z" in words for words in [said(app), *(alt for alt, _ in images(app))])


@pytest.mark.parametrize("panel", PANELS)
def test_a_drawing_can_be_taken_where_there_is_one(panel: str) -> None:
    assert not any(
        "drawing" in option for each in shown(panel).get("button_group") for option in str(each.proto).split("\n")
    )
    drawing = DATA.test.images[11].numpy()
    app = shown(panel, drawing=Drawing(drawing, "1", [], None))
    (choice,) = [each for each in app.button_group if each.key.endswith(".start") and "to" not in each.key]
    choice.set_value("drawing").run()
    assert not app.exception
    assert any("your drawing" in words for words in [said(app), *(alt for alt, _ in images(app))])


def test_a_drawing_of_another_size_is_not_offered() -> None:
    app = shown("neighbours", drawing=Drawing(np.zeros((8, 8), np.uint8), "1", [], None))
    assert not app.exception and not app.button_group


def test_the_walk_goes_to_another_class_and_the_strip_changes_where() -> None:
    app = shown("interpolation", image=0)
    end = app.number_input(key="decode.walk.to")
    assert DATA.test.labels[end.value] != DATA.test.labels[0]
    app.button(key="decode.walk.to.class.3").click().run()
    assert DATA.test.labels[app.number_input(key="decode.walk.to").value] == 3
    app.number_input(key="decode.walk.from").set_value(9).run()
    assert app.session_state["image"] == 9
    assert any(alt.startswith("From test image 9, ") for alt, _ in images(app))


def test_the_walk_says_what_the_library_says() -> None:
    app = shown("interpolation", "mnist-5d", image=4)
    model, to = vae.load("mnist-5d"), app.number_input(key="decode.walk.to").value
    codes = vae.encode(model, DATA.train.images)
    here = means("mnist-5d")
    numbers = re.search(
        r"log q/p is (\S+) and (\S+) nats at the two ends; its minimum is (\S+) on .* and (\S+) on", said(app)
    )
    ratios = []
    for walk in (walks.straight, walks.spherical):
        path = walk(here[4], here[to], 13)
        ratios.append(aggregate.log_density(codes, path) - aggregate.prior_log_density(path))
    truth = ratios[0][0], ratios[0][-1], ratios[0].min(), ratios[1].min()
    assert [float(number) for number in numbers.groups()] == pytest.approx(truth, abs=0.06)
    strip = next(picture for alt, picture in images(app) if "spherical" in alt)
    last = np.array(strip.convert("L"))[::4, -28 * 4 :: 4]
    np.testing.assert_array_equal(last, (latent.decode(model, here[[to]]).mean[0].clip(0, 1) * 255).round())


def test_the_animation_waits_until_it_is_asked_for() -> None:
    app = shown("interpolation")
    assert not any(picture.format == "GIF" for _, picture in images(app))
    app.toggle(key="decode.walk.play").set_value(True).run()
    (gif,) = [picture for _, picture in images(app) if picture.format == "GIF"]
    assert gif.n_frames == 48 and gif.size == (2 * 28 * 6, 28 * 6)


def test_traversals_put_what_carries_most_on_top_and_fold_the_unused_away() -> None:
    app = shown("traversals", "mnist-20d")
    kl = vae.encode(vae.load("mnist-20d"), DATA.test.images).kl.mean(0)
    assert app.multiselect[0].value == kl.argsort()[::-1][:8].tolist()
    assert "carry less than 0.01 nats" in said(app)
    app.multiselect[0].set_value([0]).run()
    assert not app.exception
    height = images(app)[0][1].size[1]
    app.multiselect[0].set_value([0, 1]).run()
    assert images(app)[0][1].size[1] - height == 28 * 3


def test_neighbours_are_those_of_the_library() -> None:
    app = shown("neighbours", image=21)
    found = walks.neighbours(means("mnist-2d")[21], means("mnist-2d"), 9)
    alts = [alt for alt, _ in images(app)][1:9]
    assert [int(alt.split()[2].strip(",")) for alt in alts] == [row for row in found.rows if row != 21][:8]
    pixels = walks.neighbours(DATA.test.images[21].numpy(), DATA.test.images.numpy(), 9)
    alts = [alt for alt, _ in images(app)][9:]
    assert [int(alt.split()[2].strip(",")) for alt in alts] == [row for row in pixels.rows if row != 21][:8]


def test_arithmetic_starts_with_the_class_of_the_image_and_another() -> None:
    app = shown("arithmetic", image=0)
    own = int(DATA.test.labels[0])
    assert app.selectbox(key="decode.arithmetic.minus").value == own
    of = app.selectbox(key="decode.arithmetic.of").value
    assert of != own
    labels, here = DATA.test.labels.numpy(), means("mnist-2d")
    found = walks.difference(here[labels == of][:20], here[labels == own][:20])
    assert f"has length {np.linalg.norm(found.mean):.2f}." in said(app)
    app.slider(key="decode.arithmetic.strength").set_value(0.0).run()
    start, added = (np.array(picture) for _, picture in images(app)[1:3])
    assert np.array_equal(start, added)
