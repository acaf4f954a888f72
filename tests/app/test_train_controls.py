"""The controls of the Train page: presets, what can be changed, what has no effect, what is said, what is started."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import vae
from pages import cache
from tests.app.test_pages import opened, own_folder, said, through_frame  # noqa: F401
from tests.own_images import small_images, write_npy
from tests.toys import toy_dataset
from vae import PRESETS, Preset, data, jobs
from vae.errors import JobError
from vae.jobs import processes
from vae.settings.config import ModelConfig, TrainConfig
from vae.training import presets

pytestmark = pytest.mark.slow

PAGE = "pages/train/train.py"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ModelConfig, TrainConfig]]:
    """What was started, in place of starting it; all data sets are on disk."""
    found: list[tuple[str, ModelConfig, TrainConfig]] = []
    for place in (jobs, processes):
        monkeypatch.setattr(place, "start", lambda *given: found.append(given))
    monkeypatch.setattr(data, "available", lambda name: True)
    return found


def train(app: AppTest) -> AppTest:
    return app.button(key="train.start").click().run()


def errors(app: AppTest) -> str:
    assert not app.exception
    return " ".join(error.value for error in app.error)


def test_every_preset_fills_in_all_controls_and_can_be_started(started: list) -> None:
    app = through_frame(PAGE)
    offered = app.selectbox(key="train.preset").options
    assert offered == list(PRESETS)  # none is left out, so none is without its line of words
    for name in offered:
        app.selectbox(key="train.preset").set_value(name).run()
        train(app)
        assert not errors(app)
        _, model, training = started[-1]
        of_the_data = replace(PRESETS[name].model, image_shape=(28, 28))  # whatever size the preset is meant for
        assert Preset(model, training) == Preset(of_the_data, PRESETS[name].training), name
    assert len(started) == len(PRESETS)
    assert len({name for name, *_ in started}) == len(PRESETS)  # a name of its own for each


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_takes_steps(name: str) -> None:
    model, training = PRESETS[name]
    tiny = toy_dataset(8, 8, model.image_shape)
    assert presets.estimate(model, replace(training, epochs=3), tiny, seconds=0) > 0


def test_every_field_of_the_configs_has_a_control(started: list) -> None:
    """Each is changed by hand to what no preset has, and all of it arrives."""
    app = through_frame(PAGE)
    model = ModelConfig(
        latent=7, likelihood="gaussian-shared", log_variance_floor=-3.0, encoder_layers=(64, 32), decoder_layers=(),
        activation="tanh",
    )  # fmt: skip
    training = TrainConfig(
        data="mnist-sample", share=0.25, objective="elbo", samples=3, beta=0.5, beta_warmup=2.0, free_bits=0.1,
        epochs=3, batch_size=99, learning_rate=3e-3, schedule="cosine", warmup=0.5, weight_decay=0.2, adam_beta1=0.8,
        adam_beta2=0.95, adam_epsilon=1e-6, precision="float32", seed=11, initial="mean-image",
    )  # fmt: skip
    app.selectbox(key="train.schedule").set_value("cosine").run()
    for key, text in (("encoder", "64, 32"), ("decoder", "")):
        app.text_input(key=f"train.{key}").set_value(text)
    for key in ("data", "objective", "precision", "initial"):
        app.selectbox(key=f"train.{key}").set_value(getattr(training, key))
    for key in ("likelihood", "activation"):
        app.selectbox(key=f"train.{key}").set_value(getattr(model, key))
    numbers = (
        "samples", "beta", "beta_warmup", "free_bits", "epochs", "batch_size", "learning_rate", "warmup",
        "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon", "seed",
    )  # fmt: skip
    for key in numbers:
        app.number_input(key=f"train.{key}").set_value(getattr(training, key))
    app.number_input(key="train.latent").set_value(7)
    app.number_input(key="train.floor").set_value(-3.0)
    app.number_input(key="train.percent").set_value(25.0)
    app.text_input(key="train.name").set_value("mine").run()
    train(app)
    assert not errors(app)
    assert started == [("mine", model, training)]
    for given, default in ((model, ModelConfig()), (training, TrainConfig())):
        same = {f.name for f in fields(given) if getattr(given, f.name) == getattr(default, f.name)}
        assert same <= {"image_shape", "objective", "channels"}  # these two are in the tests below


def test_what_has_no_effect_is_disabled_with_the_reason_and_left_out(started: list) -> None:
    app = through_frame(PAGE)
    app.number_input(key="train.beta").set_value(4.0)
    app.number_input(key="train.free_bits").set_value(0.5).run()
    app.selectbox(key="train.objective").set_value("autoencoder").run()
    for key in ("beta", "beta_warmup", "free_bits", "samples"):
        control = app.number_input(key=f"train.{key}")
        assert control.disabled and "autoencoder" in control.help
    assert app.number_input(key="train.warmup").disabled  # one-cycle has its own
    assert not app.number_input(key="train.floor").disabled
    train(app)
    assert (started[-1][2].objective, started[-1][2].beta, started[-1][2].free_bits) == ("autoencoder", 1, 0)

    app.selectbox(key="train.objective").set_value("iwae").run()
    assert app.number_input(key="train.free_bits").disabled and not app.number_input(key="train.beta").disabled
    app.selectbox(key="train.likelihood").set_value("bernoulli").run()
    assert app.number_input(key="train.floor").disabled and app.toggle(key="train.floored").disabled
    train(app)
    assert (started[-1][2].objective, started[-1][2].beta, started[-1][2].free_bits) == ("iwae", 4, 0)

    app.selectbox(key="train.objective").set_value("elbo")
    app.selectbox(key="train.likelihood").set_value("gaussian").run()
    app.toggle(key="train.floored").set_value(False).run()
    assert app.number_input(key="train.floor").disabled and app.text_input(key="train.channels").disabled
    train(app)
    assert (started[-1][1].log_variance_floor, started[-1][2].free_bits) == (None, 0.5)  # it was only set aside
    assert not errors(app)


@pytest.mark.parametrize(("key", "text", "words"), [
    ("encoder", "512, wide", "whole numbers"),
    ("encoder", "0", "encoder_layers"),
    ("decoder", "99999", "decoder_layers"),
    ("decoder", "-3", "decoder_layers"),
    ("encoder", "1.5", "whole numbers"),
])  # fmt: skip
def test_odd_input_is_said_at_once_and_kept(started: list, key: str, text: str, words: str) -> None:
    app = through_frame(PAGE)
    app.text_input(key=f"train.{key}").set_value(text)
    train(app)  # at once, before the page could disable it
    assert words in errors(app) and app.button(key="train.start").disabled
    assert app.text_input(key=f"train.{key}").value == text
    assert not started


@pytest.mark.parametrize(("key", "value", "words"), [
    ("epochs", -3, "epochs must be a whole number from 1 to 100000; it is -3."),
    ("learning_rate", 50.0, "learning_rate must be above 0 and at most 1; it is 50.0."),
    ("latent", 0, "latent must be"),
    ("percent", 150.0, "share must be"),
    ("adam_beta1", 1.5, "adam_beta1 must be"),
])  # fmt: skip
def test_a_number_outside_its_range_is_said_and_nothing_starts(
    started: list, key: str, value: float, words: str
) -> None:
    app = through_frame(PAGE)
    kept = app.number_input(key=f"train.{key}").value
    app.number_input(key=f"train.{key}").set_value(value)
    train(app)  # at once, before the page could disable it
    assert words in errors(app) and app.button(key="train.start").disabled and not started
    assert app.number_input(key=f"train.{key}").value == value  # what is on the screen is what is judged
    app.number_input(key=f"train.{key}").set_value(kept).run()
    assert not errors(app) and not app.button(key="train.start").disabled


def test_no_number_has_bounds() -> None:
    """Beyond one the browser shows what was typed, while the page goes on with the value before."""
    app = through_frame(PAGE)
    numbers = [each.proto for each in app.number_input if each.key and each.key.startswith("train.")]
    assert len(numbers) > 10
    assert not [each.label for each in numbers if each.min > -1e15 or each.max < 1e15]


def test_convolutions_are_switched_on_and_off(started: list) -> None:
    app = through_frame(PAGE)
    app.segmented_control(key="train.convolutional").set_value(True).run()
    app.text_input(key="train.channels").set_value("4 8").run()
    assert app.selectbox(key="train.initial").disabled  # for perceptrons alone
    train(app)
    assert started[-1][1].channels == (4, 8) and not errors(app)
    app.segmented_control(key="train.convolutional").set_value(False).run()
    train(app)
    assert started[-1][1].channels == ()


def test_more_convolutions_than_halvings_are_refused_in_words(started: list) -> None:
    app = through_frame(PAGE)
    app.segmented_control(key="train.convolutional").set_value(True).run()
    app.text_input(key="train.channels").set_value("4, 4, 4, 4, 4, 4").run()
    assert "channels must be at most 4" in errors(app)
    app.selectbox(key="train.preset").set_value("quick-20d").run()  # a preset mends all
    assert not errors(app)


@pytest.mark.parametrize("name", ["../evil", "Großes", "", "a" * 200])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    app = through_frame(PAGE)
    app.text_input(key="train.name").set_value(name)
    train(app)
    assert "lower-case letters" in errors(app)
    assert app.text_input(key="train.name").value == name
    assert jobs.latest() is None


def test_a_name_that_is_busy_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*given: object) -> None:
        raise JobError("Only one training of a name may run at a time; 'other' is busy. Choose another name.")

    monkeypatch.setattr(jobs, "start", busy)
    assert "'other' is busy" in errors(train(through_frame(PAGE)))


def test_one_click_starts_several_seeds(started: list) -> None:
    app = through_frame(PAGE)
    app.text_input(key="train.name").set_value("twins")
    app.number_input(key="train.seed").set_value(3)
    app.segmented_control(key="train.seeds").set_value(2).run()
    train(app)
    assert [(name, training.seed) for name, _, training in started] == [("twins-s3", 3), ("twins-s4", 4)]


def test_a_preset_in_the_link_fills_the_controls_and_a_change_is_said() -> None:
    app = opened()
    app.query_params["train.preset"] = "beta-10d"
    app.run()
    app.switch_page(str(Path(PAGE).resolve())).run()
    assert app.number_input(key="train.latent").value == 10 and app.number_input(key="train.beta").value == 4
    assert "have been changed" not in said(app)
    app.number_input(key="train.beta").set_value(2.0).run()
    assert "have been changed" in said(app) and app.query_params["train.preset"] == "beta-10d"


def test_settings_survive_a_change_of_page() -> None:
    app = through_frame(PAGE)
    app.number_input(key="train.beta").set_value(2.5)
    app.text_input(key="train.encoder").set_value("77").run()
    app.switch_page(str(Path("pages/explore/samples.py").resolve())).run()
    app.switch_page(str(Path(PAGE).resolve())).run()
    assert app.number_input(key="train.beta").value == 2.5 and app.text_input(key="train.encoder").value == "77"


def test_the_time_is_said_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_resource.clear()
    asked = []
    monkeypatch.setattr(jobs, "measure", lambda *plan: asked.append(plan) or 2.0)
    app = through_frame(PAGE)
    app.run()
    assert "about 20 s on this machine" in said(app)  # ten epochs
    app.number_input(key="train.epochs").set_value(30)
    app.number_input(key="train.learning_rate").set_value(0.01).run()
    app.segmented_control(key="train.seeds").set_value(3).run()
    assert "about 3 min on this machine" in said(app)  # 180 s
    assert len(asked) == 1  # nothing changed that makes a step longer
    app.number_input(key="train.samples").set_value(5).run()
    app.run()
    assert len(asked) == 2 and asked[1][1].samples == 5


def test_an_estimate_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*plan: object) -> float:
        raise JobError("The images must be 28 x 28 pixels.")

    st.cache_resource.clear()
    monkeypatch.setattr(jobs, "measure", refuse)
    app = through_frame(PAGE)
    app.run()
    assert "The images must be 28 x 28 pixels." in said(app)
    st.cache_resource.clear()


def with_images_of(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> tuple[AppTest, vae.Dataset]:
    """The page where a data set has images of a shape."""
    load = vae.load_dataset
    mine = toy_dataset(8, 8, shape, "fashion-mnist")
    monkeypatch.setattr(vae, "load_dataset", lambda name, **how: mine if name == mine.name else load(name, **how))
    st.cache_resource.clear()
    return through_frame(PAGE), mine


@pytest.mark.parametrize("shape", [(6, 5, 3), (20, 30)])
def test_a_model_has_the_size_of_its_images(
    started: list, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    app, mine = with_images_of(shape, monkeypatch)
    app.selectbox(key="train.data").set_value(mine.name).run()
    train(app)
    assert not errors(app) and started[-1][1].image_shape == shape
    app.selectbox(key="train.preset").set_value("colour-28").run()
    assert app.selectbox(key="train.data").value == mine.name  # a preset for any size leaves the data as they are
    assert "have been changed" not in " ".join(caption.value for caption in app.caption)
    train(app)
    assert started[-1][1] == replace(PRESETS["colour-28"].model, image_shape=shape)
    st.cache_resource.clear()


@pytest.mark.parametrize(
    ("shape", "says", "channels"),
    [
        ((128, 128), "The images are 128 × 128, so the network is convolutional.", "32, 64, 128, 128"),
        ((48, 40, 3), "The images are 48 × 40 in colour, so the network is convolutional.", "32, 64, 128"),
    ],
)
def test_large_images_get_convolutions_until_another_choice(
    started: list, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], says: str, channels: str
) -> None:
    app, mine = with_images_of(shape, monkeypatch)
    assert "is convolutional" not in said(app) and not app.segmented_control(key="train.convolutional").value
    app.selectbox(key="train.data").set_value(mine.name).run()
    assert says in said(app)
    assert app.segmented_control(key="train.convolutional").value is True
    assert app.text_input(key="train.channels").value == channels
    train(app)
    assert not errors(app) and started[-1][1].channels == tuple(map(int, channels.split(",")))

    app.segmented_control(key="train.convolutional").set_value(False).run()  # by hand, which holds
    train(app)
    assert not errors(app) and started[-1][1].channels == () and says not in said(app)
    app.selectbox(key="train.preset").set_value("quick-20d").run()  # on MNIST, from the mean image
    assert started and not app.segmented_control(key="train.convolutional").value
    app.selectbox(key="train.data").set_value(mine.name).run()
    train(app)
    assert not errors(app) and started[-1][1].channels and started[-1][2].initial == "random"
    app.selectbox(key="train.data").set_value("mnist-sample").run()
    assert not app.segmented_control(key="train.convolutional").value and says not in said(app)
    st.cache_resource.clear()


def test_a_set_that_was_imported_or_removed_before_the_first_visit(started: list) -> None:
    for first, chosen in (("mnist-sample", "mnist-sample"), ("gone", "mnist")):
        app = opened().run()
        app.session_state["train.data"] = first
        app.switch_page(str(Path(PAGE).resolve())).run()
        assert not errors(app) and app.selectbox(key="train.data").value == chosen


def test_a_set_that_is_removed_meanwhile_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    source, _more = write_npy(tmp_path, *small_images(20, (9, 8)))
    data.imports.keep(data.imports.open_source(source), "mine", "Mine")
    app = through_frame(PAGE)
    app.selectbox(key="train.data").set_value("mine").run()
    assert not errors(app) and app.selectbox(key="train.data").value == "mine"
    data.stored.remove("mine")
    cache.forget_datasets()
    app.run()
    assert not errors(app) and app.selectbox(key="train.data").value == "mnist-sample"
    cache.forget_datasets()
