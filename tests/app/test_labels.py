"""Every page for images without labels, of many classes with long names, and of classes that no test image is of."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

import vae
from pages import cache
from pages.ui import colours, examples, words
from tests.app.test_pages import PAGES, ROOT, STEPS, opened, own_folder, said
from tests.toys import toy_split
from vae import data, latent
from vae.jobs import keeper, replay
from vae.jobs.runs import run
from vae.latent import aggregate

pytestmark = pytest.mark.slow

__all__ = ["own_folder"]  # a fixture

LISTS = ("pages/train/data.py", "pages/train/models.py")  # which name all sets and models that there are
SHAPE = (12, 12)
LESSON = "pages/learn/lesson.py"
CHAPTERS = [*map(str, range(1, 15)), "slips"]
PANELS = ("sliders", "traversals", "interpolation", "arithmetic", "neighbours")
NAMES = tuple(f"class {letter}, whose name is long enough for two lines" for letter in string.ascii_lowercase)


def labelled(split: vae.Split, labels: torch.Tensor) -> vae.Split:
    return vae.Split(split.images, labels)


def made() -> dict[str, vae.Dataset]:
    """Data sets by name: blobs, whose place stands for their class where they have one."""
    train, test = toy_split(300, SHAPE, 1), toy_split(120, SHAPE, 2)
    own = [torch.arange(len(split)) for split in (train, test)]
    return {
        "shapes": vae.Dataset("shapes", vae.Split(train.images), vae.Split(test.images), (), "1"),
        "letters": vae.Dataset(
            "letters", *(labelled(*pair) for pair in zip((train, test), (n % 26 for n in own), strict=True)), NAMES, "2"
        ),
        "gaps": vae.Dataset(
            "gaps", labelled(train, own[0] % 4), labelled(test, own[1] % 2 * 2), ("a", "b", "c", "d"), "3"
        ),
        "alone": vae.Dataset("alone", labelled(train, 0 * own[0]), labelled(test, 0 * own[1]), ("one", "two"), "4"),
    }


@pytest.fixture(autouse=True)
def sets(monkeypatch: pytest.MonkeyPatch, own_folder: Path) -> Iterator[dict[str, vae.Dataset]]:
    """Sets that are known by their names, and a model of each, trained for one epoch."""
    found, load, available = made(), vae.load_dataset, data.available
    monkeypatch.setattr(data, "names", lambda: (*data.NAMES, *found))
    monkeypatch.setattr(data, "available", lambda name: name in found or available(name))
    monkeypatch.setattr(vae, "load_dataset", lambda name, **more: found.get(name) or load(name, **more))
    for kept in (st.cache_resource, st.cache_data):
        kept.clear()
    for name in found:
        trained(found[name])
    yield found
    for kept in (st.cache_resource, st.cache_data):
        kept.clear()


def trained(dataset: vae.Dataset, name: str | None = None, latent: int = 2, **how: str) -> None:
    config = vae.ModelConfig(encoder_layers=(16,), decoder_layers=(16,), image_shape=SHAPE, latent=latent)
    model, training = vae.build(config), vae.TrainConfig(data=dataset.name, epochs=1, **how)
    list(vae.fit(model, dataset, training))
    vae.save(model, vae.Record(name=name or f"of-{dataset.name}", model=config, training=training))


def shown(page: str, model: str, **link: str) -> AppTest:
    app = opened()
    app.query_params.update({"model": model, "hide": "code", **link})
    app.run().switch_page(str(ROOT / page)).run()
    assert not app.exception and not app.error, (page, model, link)
    return app


def infos(app: AppTest) -> str:
    return " ".join(each.value for each in app.main.info)


def strings(message: Message) -> Iterator[str]:
    """All texts in a message; bytes are numbers and pictures."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            yield from [value] if isinstance(value, str) else value
        elif field.type == field.TYPE_MESSAGE:
            inner = [value] if isinstance(value, Message) else value.values() if hasattr(value, "values") else value
            for each in inner:
                yield from strings(each) if isinstance(each, Message) else [str(each)]


def texts(app: AppTest) -> str:
    """All that a page sends to the browser, but for pictures."""
    nodes, found = [app.main, app.sidebar], []
    while nodes:
        node = nodes.pop()
        nodes += getattr(node, "children", {}).values()
        if isinstance(proto := getattr(node, "proto", None), Message):
            found += strings(proto)
    return re.sub(r"data:image/\w+;base64,[\w+/=]+", "", "\n".join(found))


# Names of models that ship, and of data sets that one may choose: these are what they are whatever is in use.
OWN_NAMES = re.compile(r"(fashion-)?mnist(-[a-z0-9]+)*|A sample of MNIST")
SAYS = {  # where a page means the digits of a number, or a data set that can be had
    "pages/train/train.py": ("Use lower-case letters, digits and hyphens.", "To download Fashion-MNIST, run"),
}


def of_digits(page: str, app: AppTest) -> list[str]:
    """What a page says of digits or of MNIST, but for these."""
    found = texts(app)
    for sentence in SAYS.get(page, ()):
        found = found.replace(sentence, "")
    return re.findall(r".{0,40}(?:digit|mnist).{0,40}", OWN_NAMES.sub("", found), re.IGNORECASE)


@pytest.mark.parametrize("name", ["shapes", "letters", "gaps", "alone"])
def test_every_page(name: str) -> None:
    for page in PAGES:
        assert said(shown(page, f"of-{name}"))


@pytest.mark.parametrize("size", [1, 64])
def test_every_page_on_a_line_and_on_many_dimensions(size: int, sets: dict[str, vae.Dataset]) -> None:
    trained(sets["shapes"], "sized", size)
    for page in PAGES:
        assert said(shown(page, "sized"))
    for panel in PANELS:
        shown("pages/explore/decode.py", "sized", **{"decode.panel": panel})


@pytest.mark.parametrize("name", ["shapes", "letters", "gaps", "alone"])
def test_every_way_to_look_at_a_decoded_place(name: str) -> None:
    for panel in PANELS:
        shown("pages/explore/decode.py", f"of-{name}", **{"decode.panel": panel})


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_asked_and_answered(chapter: str) -> None:
    for answers in ("", f"{chapter}a" if chapter != "slips" else ""):
        assert not of_digits(LESSON, shown(LESSON, "of-shapes", chapter=chapter, answers=answers))


def test_features_of_images_without_labels_are_not_measured() -> None:
    app = shown(LESSON, "of-shapes", chapter="12", **{"uses.part": "2"})
    assert "the images of of-shapes have none" in infos(app)
    assert not any(button.key == "lesson.measure" for button in app.button)


@pytest.mark.parametrize("path", PAGES)
def test_an_autoencoder_has_clusters_since_it_has_no_density(path: str, sets: dict[str, vae.Dataset]) -> None:
    trained(sets["shapes"], "plain", 3, objective="autoencoder")
    app = shown(path, "plain")
    assert "q(z) at each code" not in said(app)
    if path in ("pages/explore/latent_map.py", "pages/explore/views.py"):
        assert "k-means clusters of the codes" in said(app)


@pytest.mark.parametrize("path", [path for path in PAGES if path not in LISTS])
@pytest.mark.parametrize("model", ["of-shapes", "of-letters"])
def test_no_page_speaks_of_digits_where_there_are_none(path: str, model: str) -> None:
    links = [{"decode.panel": panel} for panel in PANELS] if path == "pages/explore/decode.py" else [{}]
    if path == "pages/explore/views.py":
        links = [{"views.step": step} for step in STEPS[path]]
    for link in links:
        assert not of_digits(path, shown(path, model, **link)), link


def test_the_map_is_coloured_by_the_density_at_each_code(sets: dict[str, vae.Dataset]) -> None:
    app = shown("pages/explore/latent_map.py", "of-shapes")
    model = cache.model_id("of-shapes")
    found = cache.latent.colouring(model)
    assert found.kind == "density" and colours.names(sets["shapes"], found) == ()
    net = vae.load("of-shapes")
    train, test = (vae.encode(net, split.images) for split in (sets["shapes"].train, sets["shapes"].test))
    density = aggregate.log_density(train, test.mean)
    order = np.argsort(density)
    assert (np.diff(found.labels[order].astype(int)) >= 0).all()
    assert len(set(found.labels.tolist())) > 10
    low, high = words.span(*found.reach)
    assert f"{low} nats (dark) to {high} nats (bright)" in said(app)
    assert density.min() <= found.reach[0] < found.reach[1] <= density.max()


def test_clusters_are_chosen_and_their_number_is_in_the_link() -> None:
    app = shown("pages/explore/latent_map.py", "of-shapes")
    app.segmented_control(key="map.colours").set_value("clusters").run()
    app.slider(key="map.clusters").set_value(4).run()
    assert not app.exception
    assert "k-means clusters of the codes" in said(app)
    assert app.query_params["map.colours"] == "clusters" and app.query_params["map.clusters"] == "4"
    again = shown("pages/explore/latent_map.py", "of-shapes", **{"map.colours": "clusters", "map.clusters": "4"})
    assert again.slider(key="map.clusters").value == 4
    truth = latent.k_means(cache.codes(cache.model_id("of-shapes")).mean, 4)
    assert (cache.latent.colouring(cache.model_id("of-shapes"), 4).labels == truth.labels).all()


def test_labels_leave_nothing_to_choose() -> None:
    app = shown("pages/explore/latent_map.py", "of-letters")
    assert not any(each.key == "map.colours" for each in app.button_group)
    assert "no labels" not in said(app)


def test_one_of_each_class_where_there_are_few_and_varied_images_else(sets: dict[str, vae.Dataset]) -> None:
    gaps, letters, shapes = (cache.model_id(f"of-{name}") for name in ("gaps", "letters", "shapes"))
    assert examples.rows(gaps) == {0: 0, 2: 1}  # nothing of the classes without test images
    assert examples.rows(gaps, 3) == {0: 4, 2: 5}
    assert examples.rows(gaps, 10**6) == {0: 118, 2: 119}
    for model in (letters, shapes):
        assert not examples.by_class(model)
        assert len(set(examples.rows(model).values())) == 10
    app = shown("pages/explore/decode.py", "of-letters", **{"decode.panel": "interpolation"})
    app.selectbox(key="decode.walk.to.class.of").set_value(7).run()
    assert sets["letters"].test.labels[app.number_input(key="decode.walk.to").value] == 7


def test_a_walk_without_labels_goes_to_an_image_that_is_far() -> None:
    app = shown("pages/explore/decode.py", "of-shapes", **{"decode.panel": "interpolation"})
    model = cache.model_id("of-shapes")
    end, means = app.number_input(key="decode.walk.to").value, cache.codes(model).mean
    others = cache.latent.varied(model)
    assert end in others
    assert np.linalg.norm(means[end] - means[0]) == max(np.linalg.norm(means[row] - means[0]) for row in others)


def test_a_training_is_coloured_by_the_clusters_of_its_end(
    sets: dict[str, vae.Dataset], own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "load_dataset", sets.__getitem__)
    config = vae.ModelConfig(encoder_layers=(16,), decoder_layers=(16,), image_shape=SHAPE)
    for seed, name in enumerate(("formed", "formed-again")):
        list(run(name, config, vae.TrainConfig(data="shapes", epochs=1, seed=seed)))
    over, live = (cache.training.formed("formed", "shapes", live=each) for each in (False, True))
    assert over is not None and live is not None
    codes = replay.replay(own_folder / "formed").codes[-1]
    assert over["labels"].tolist() == latent.k_means(codes, 10).labels.tolist()
    assert set(live["labels"].tolist()) == {0}
    app = shown("pages/train/train.py", "formed", job="formed")
    assert "k-means clusters of their codes at the end" in said(app)
    app = shown("pages/train/train.py", "formed", job="formed", **{"train.view": "seeds"})
    assert "k-means clusters of the codes on the left" in said(app)


@pytest.mark.parametrize("name", ["shapes", "alone"])
def test_arithmetic_needs_two_classes(name: str) -> None:
    app = shown("pages/explore/decode.py", f"of-{name}", **{"decode.panel": "arithmetic"})
    assert "do not have two classes" in infos(app)


def test_large_images_are_not_drawn(own_folder: Path) -> None:
    config = vae.ModelConfig(encoder_layers=(8,), decoder_layers=(8,), image_shape=(80, 80))
    vae.save(vae.build(config), vae.Record(name="large", model=config, training=vae.TrainConfig(data="gone")))
    app = shown("pages/explore/draw.py", "large")
    assert "Drawing is available for greyscale images of up to 64 × 64 pixels" in infos(app)


def test_digits_are_drawn_as_digits() -> None:
    assert "**Draw a digit.**" in said(shown("pages/explore/draw.py", "mnist-2d"))
    assert "**Draw.**" in said(shown("pages/explore/draw.py", "of-shapes"))


def test_what_a_page_says_of_digits_is_found() -> None:
    said_there = texts(shown("pages/explore/draw.py", "mnist-2d"))
    assert "Draw a digit with a mouse, pen or finger." in said_there  # in a component
    assert "Upload a photograph or a scan of a digit" in said_there  # on an expander
    assert "One digit, dark on light" in said_there  # on a control
    assert "**Draw a digit.**" in said_there
