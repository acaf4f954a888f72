"""The page Probe: all its parts on models of every kind, one's own classifier, and numbers that are the library's."""

import io
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import vae
from pages import cache
from tests.app.test_lesson import value
from tests.app.test_pages import ROOT, opened, own_folder, said  # noqa: F401 - a fixture that applies by itself
from tests.onnx_files import network, weights
from vae.latent import aggregate
from vae.uses import probe

pytestmark = pytest.mark.slow
PATH = "pages/explore/probe.py"
PARTS = ("map", "doubt", "flip", "classes")


def visited(model: str = "mnist-2d", **link: str) -> AppTest:
    app = opened()
    app.query_params.update({"model": model, **{name.replace("__", "."): text for name, text in link.items()}})
    return app.run().switch_page(str(ROOT / PATH)).run()


def sent(app: AppTest) -> dict:
    """What the component of the plane was told."""
    found = [
        json.loads(each.proto.mixed.json) for each in app.get("bidi_component") if '"grid"' in each.proto.mixed.json
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("model", ["mnist-2d", "mnist-5d", "mnist-autoencoder-2d"])
def test_every_part_of_every_kind_of_model(model: str, part: str) -> None:
    app = visited(model, probe__part=part)
    assert not app.exception and not app.error
    assert "decoded means, not on data" in said(app)
    if part == "classes":
        assert len(app.get("plotly_chart")) == 1
    elif part == "doubt":
        assert ("doubt" in sent(app)) == ("autoencoder" not in model)
    elif part == "flip":
        ways = {way["name"] for way in sent(app)["ways"]}
        assert ways == ({"straight"} if "autoencoder" in model else {"straight", "density"})


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "changes", [{"latent": 1}, {"latent": 64, "likelihood": "gaussian-shared", "decoder_layers": ()}],
    ids=["one dimension", "linear of 64"],
)  # fmt: skip
def test_every_part_of_odd_models(changes: dict, part: str) -> None:
    config = vae.ModelConfig(**{"encoder_layers": (8,), "decoder_layers": (8,), **changes})
    vae.save(vae.build(config), vae.Record(name="odd", model=config, training=vae.TrainConfig(data="mnist-sample")))
    app = visited("odd", probe__part=part)
    assert not app.exception and not app.error
    assert "decoded means, not on data" in said(app)


def test_what_it_says_of_reconstructions_is_counted() -> None:
    app, model = visited(probe__part="classes"), cache.model_id("mnist-2d")
    data, judge = cache.images(model), cache.probe.shipped(model)
    assert judge is not None
    images = data.test.images.flatten(1).float() / 255
    decoded = vae.decode(vae.load("mnist-2d"), vae.encode(vae.load("mnist-2d"), data.test.images).mean).mean
    seen, again = (
        judge.judge(each).argmax(1).numpy() for each in (images, images.new_tensor(decoded.reshape(len(images), -1)))
    )
    labels = data.test.labels.numpy()
    for share in ((seen == labels).mean(), (again == labels).mean(), (seen == again).mean()):
        assert f"{share:.1%}" in said(app)


def test_doubt_is_that_of_the_plane() -> None:
    """The shares that the page has are those of a coarser quadrature, made here of single places."""
    told = sent(visited(probe__part="doubt"))["doubt"]
    model, name = cache.model_id("mnist-2d"), "mnist-2d"
    judge = cache.probe.shipped(model)
    assert judge is not None
    steps = (np.arange(60) - 29.5) * 0.15
    z = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    highest = np.exp(probe.decoded_log_probabilities(vae.load(name), judge.judge, z).max(1))
    log_p = aggregate.prior_log_density(z)
    codes = vae.encode(vae.load(name), cache.images(model).train.images)
    bare = aggregate.log_density(codes, z) < log_p + np.log(0.01)
    mass, at = np.exp(log_p) * 0.15**2, told["at"]
    threshold = told["thresholds"][at]
    assert threshold == pytest.approx(0.95, abs=0.005)
    assert told["unsure"][at] == pytest.approx(mass[highest < threshold].sum(), abs=0.02)
    assert told["astray"][at] == pytest.approx(mass[(highest >= threshold) & bare].sum(), abs=0.02)


def test_a_way_goes_from_the_place_in_use_to_another_class() -> None:
    app = visited(probe__part="flip", z="0.5,-0.5")
    way = next(each for each in sent(app)["ways"] if each["name"] == "straight")
    path = np.array(way["path"], np.float32).reshape(-1, 2)
    np.testing.assert_allclose(path[0], [0.5, -0.5])
    judge = cache.probe.shipped(cache.model_id("mnist-2d"))
    assert judge is not None
    start, end = probe.decoded_log_probabilities(vae.load("mnist-2d"), judge.judge, path[[0, -1]]).argmax(1)
    assert start != end and way["short"].startswith(f"{start} → {end}")
    app.selectbox(key="probe.to").select(int((end + 5) % 10) if (end + 5) % 10 != start else int((end + 4) % 10)).run()
    assert not app.exception and not app.error


def test_ones_own_classifier_is_probed_in_its_place() -> None:
    app = visited()
    (uploader,) = app.file_uploader
    uploader.set_value([("mine.onnx", network(784, 10), "application/octet-stream")]).run()
    assert not app.exception and not app.error
    data = cache.images(cache.model_id("mnist-2d"))
    images = data.test.images.flatten(1).numpy() / 255
    share = (images @ weights(784, 10)).argmax(1) == data.test.labels.numpy()
    assert f"{share.mean():.1%} of test images" in said(app)
    for part in PARTS[1:]:
        app.session_state["probe.part"] = part
        app.run()
        assert not app.exception and not app.error, part


@pytest.mark.parametrize(
    ("content", "says"), [(b"nothing", "ONNX"), (network(100, 10), "must take images of 28 x 28 pixels, 784 numbers")]
)
def test_what_is_no_classifier_is_refused(content: bytes, says: str) -> None:
    app = visited()
    (uploader,) = app.file_uploader
    uploader.set_value([("mine.onnx", content, "application/octet-stream")]).run()
    assert not app.exception
    assert says in app.error[0].value
    assert "decoded means" in said(app)  # of the one that ships


@pytest.mark.parametrize("shape", [(9, 12), (8, 8, 3)])
@pytest.mark.parametrize("part", PARTS)
def test_images_without_a_classifier_say_so_and_take_ones_own(shape: tuple[int, ...], part: str) -> None:
    config = vae.ModelConfig(encoder_layers=(8,), decoder_layers=(8,), image_shape=shape, likelihood="bernoulli")
    vae.save(vae.build(config), vae.Record(name="odd", model=config, training=vae.TrainConfig(data="gone")))
    app = visited("odd", probe__part=part)
    assert not app.exception and not app.error
    assert "Upload your own" in app.info[0].value
    (uploader,) = app.file_uploader
    content = network(int(np.prod(shape)), 3)
    uploader.set_value([("mine.onnx", io.BytesIO(content).getvalue(), "application/octet-stream")]).run()
    assert not app.exception and not app.error
    assert "its accuracy is unknown" in said(app)


def test_the_target_and_the_threshold_stand_in_the_link() -> None:
    app = visited(probe__part="flip", probe__to="6")
    assert app.selectbox(key="probe.to").value == 6
    assert ["to 6" in way["says"] for way in sent(app)["ways"]] == [True, True]
    app.selectbox(key="probe.to").select(3).run()
    assert value(app, "probe.to") == "3"
    app.selectbox(key="probe.to").select(None).run()
    assert "probe.to" not in app.query_params
    app = visited(probe__part="doubt", probe__threshold="0.8")
    told = sent(app)["doubt"]
    assert told["thresholds"][told["at"]] == pytest.approx(0.8)
    assert value(app, "probe.threshold") == "0.800"
    assert "probe.threshold" not in visited(probe__part="doubt").query_params


def test_the_distance_of_a_flip_found_by_gradient_is_an_upper_bound() -> None:
    for model, bound in (("mnist-2d", False), ("mnist-5d", True)):
        for way in sent(visited(model, probe__part="flip"))["ways"]:
            straight = way["name"] == "straight"
            assert ("is at most" in way["says"]) == ("≤" in way["short"]) == (bound and straight), (model, way["name"])


def test_the_name_of_a_class_stands_well_inside_its_largest_region() -> None:
    winner = np.zeros((30, 40), int)
    winner[10:22, 4:14] = winner[2:6, 2:38] = 1  # a block, and a larger strip in which a name has no room
    winner[12:28, 20:36] = 2

    def rooms() -> dict[int, list[float]]:
        log_probability = np.log(0.01 + np.eye(4)[winner]).astype(np.float32)
        found = probe.Lattice(np.arange(40) * 0.5, np.arange(30) * 0.5, log_probability)
        return {label: place for label, *place in cache.probe._rooms(found)}

    found = rooms()
    assert found.keys() == {0, 1, 2}
    assert found[1][0] in (4.0, 4.5) and 7 <= found[1][1] <= 8.5 and found[1][2] == 2.5
    assert found[2][0] in (13.5, 14.0) and found[2][1] in (9.5, 10.0) and found[2][2] == 4
    winner[6:8, 2:38] = 1
    assert rooms()[1][1] in (2.0, 2.5) and rooms()[1][2] == 1.5
    winner[0, 0] = 3
    assert 3 not in rooms()


@pytest.mark.parametrize("wrong", ["nan", "-inf", "7", "-1", "1e999", "9" * 5000, "x", "½"])
def test_a_target_or_threshold_that_makes_no_sense_is_passed_over(wrong: str) -> None:
    app = visited(probe__part="doubt", probe__threshold=wrong)
    assert not app.exception and not app.error
    told = sent(app)["doubt"]
    assert told["thresholds"][told["at"]] == pytest.approx(0.95)
    if wrong != "7":  # which is a class
        app = visited(probe__part="flip", probe__to=wrong)
        assert not app.exception and not app.error
        assert app.selectbox(key="probe.to").value is None
