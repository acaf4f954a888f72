"""Every page, alone and in the frame that app.py serves, on the models that ship."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import vae
from pages.ui import sidebar
from tests.waiting import HANG

ROOT = Path(__file__).parents[2]
PAGES = {
    "pages/learn/lesson.py": "Lesson",
    "pages/explore/latent_map.py": "Latent map",
    "pages/explore/decode.py": "Decode",
    "pages/explore/draw.py": "Draw",
    "pages/explore/samples.py": "Samples",
    "pages/explore/views.py": "Views",
    "pages/explore/probe.py": "Probe",
    "pages/train/train.py": "Train",
    "pages/train/data.py": "Data",
    "pages/train/models.py": "Models",
    "pages/measure/likelihood.py": "Likelihood",
    "pages/measure/variance.py": "Decoder variance",
    "pages/measure/report.py": "Report",
}
STEPS = {
    "pages/explore/views.py": ("codes", "prior", "dimensions"),
    "pages/measure/likelihood.py": ("race", "mass", "gap", "dimensions", "area", "trust"),
    "pages/measure/variance.py": ("score", "map", "nats", "calibration", "distance", "floor"),
}  # of the pages that show one thing at a time, by what the link calls them
QUICKLY = [
    pytest.param(path, marks=[pytest.mark.slow] if "measure" in path else []) for path in PAGES
]  # those that measure take seconds
SHIPPED = (
    "mnist-2d", "mnist-5d", "mnist-10d", "mnist-20d", "mnist-bernoulli-2d", "mnist-shared-variance-2d",
    "mnist-free-variance-2d", "mnist-autoencoder-2d", "mnist-beta-0-2d", "mnist-beta-1-2d", "mnist-beta-1000-2d",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Models that a test makes go to a folder of its own."""
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    return tmp_path / "models"


def opened(path: str = "pages/ui/frame.py") -> AppTest:
    return AppTest.from_file(str(ROOT / path), default_timeout=HANG)


def through_frame(page: str, model: str = "mnist-2d", **query: str) -> AppTest:
    """Opens a page of a fresh session as a link does; in the names of its query a double underscore is a dot."""
    app = opened()
    app.query_params.update({"model": model} | {name.replace("__", "."): text for name, text in query.items()})
    app.run()
    return app.switch_page(str(ROOT / page)).run()


def links(page: str) -> list[dict[str, str]]:
    """The links to what a page shows one at a time: to each of its steps, or the bare one."""
    name = Path(page).stem
    return [{f"{name}__step": step} for step in STEPS[page]] if page in STEPS else [{}]


def said(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind)


@pytest.mark.slow
@pytest.mark.parametrize("path", STEPS)
def test_steps_are_in_the_link(path: str) -> None:
    name = Path(path).stem
    app = through_frame(path, "mnist-bernoulli-2d" if name == "likelihood" else "mnist-2d")
    first, *others = STEPS[path]
    assert app.session_state[f"{name}.step"] == first and f"{name}.step" not in app.query_params
    titles = {app.subheader[0].value}
    for step in others:
        app.segmented_control(key=f"{name}.step").set_value(step).run()
        assert not app.exception and not app.error
        assert app.query_params[f"{name}.step"] in (step, [step])
        titles.add(app.subheader[0].value)
    assert len(titles) == len(STEPS[path])
    again = through_frame(path, "mnist-2d", **{f"{name}__step": others[0]})
    assert again.subheader[0].value in titles - {app.subheader[0].value}


@pytest.mark.parametrize("path", QUICKLY)
@pytest.mark.slow
def test_page_alone(path: str) -> None:
    app = opened(path).run()
    assert not app.exception
    assert not app.error
    assert len(said(app)) > 100


@pytest.mark.parametrize("path", PAGES)
def test_page_through_the_frame(path: str) -> None:
    app = through_frame(path, "mnist-5d")
    assert not app.exception
    assert not app.error
    assert app.title[0].value == PAGES[path]
    assert app.sidebar.selectbox[0].value == "mnist-5d"


@pytest.mark.slow
def test_choice_of_model_survives_page_changes() -> None:
    app = opened().run()
    assert app.sidebar.selectbox[0].value == "mnist-2d"
    app.sidebar.selectbox[0].select("mnist-10d").run()
    for page in PAGES:
        app.switch_page(str(ROOT / page)).run()
        assert app.sidebar.selectbox[0].value == "mnist-10d"
    assert any("J = 10" in caption.value for caption in app.sidebar.caption)


SIZE = "model.size.mnist"


def test_models_that_differ_in_size_alone_are_one_click_apart(own_folder: Path) -> None:
    app = opened().run()
    control = app.sidebar.segmented_control(key=SIZE)
    assert (control.options, control.value) == (["2", "5", "10", "20"], 2)
    control.set_value(20).run()
    assert not app.exception and app.sidebar.selectbox(key="model").value == "mnist-20d"
    assert app.query_params["model"] == "mnist-20d"
    app.sidebar.selectbox(key="model").select("mnist-5d").run()
    assert app.sidebar.segmented_control(key=SIZE).value == 5
    app.sidebar.selectbox(key="model").select("mnist-bernoulli-2d").run()  # which comes in one size alone
    assert not [each for each in app.sidebar.segmented_control if each.key == SIZE]
    app.sidebar.selectbox(key="model").select("mnist-2d").run()
    assert app.sidebar.segmented_control(key=SIZE).value == 2


def test_a_choice_of_size_that_is_no_longer_shown_changes_nothing(own_folder: Path) -> None:
    app = opened().run()
    control = app.sidebar.segmented_control(key=SIZE)._widget_state
    app.sidebar.selectbox(key="model").select("mnist-bernoulli-2d").run()
    late = app._tree.get_widget_states()  # as a browser sends them that still shows the previous page in part
    late.widgets.append(control)
    app._run(late)
    assert not app.exception and app.sidebar.selectbox(key="model").value == "mnist-bernoulli-2d"


def test_sizes_are_those_of_models_of_one_name_and_one_kind() -> None:
    def record(name: str, latent: int, **kind: str) -> vae.Record:
        model = vae.ModelConfig(latent=latent, likelihood=kind.get("likelihood", "bernoulli"))
        return vae.Record(name=name, model=model, training=vae.TrainConfig(data=kind.get("data", "mnist")))

    records = [
        record("mine-10d", 10), record("mine-2d", 2), record("mine-3d", 5), record("mine-20d", 20, data="kmnist"),
        record("mine-5d", 5, likelihood="gaussian"), record("other-4d", 4), record("mine", 8),
    ]  # fmt: skip
    assert sidebar.siblings("mine-2d", records) == {2: "mine-2d", 10: "mine-10d"}
    assert list(sidebar.siblings("mine-2d", records)) == [2, 10]
    assert sidebar.siblings("mine", records) == sidebar.siblings("nobody-2d", records) == {}


def test_a_browser_that_comes_late_with_its_link_loses_nothing() -> None:
    app = opened()
    app.query_params.update({"model": "mnist-5d", "image": "4", "hide": "code"})
    app.run().switch_page(str(ROOT / "pages/explore/samples.py")).run()
    before = dict(app.query_params)
    for _ in range(2):  # a page's own address has no link, and a second click may come before it has one
        app.query_params.clear()
        app.switch_page(str(ROOT / "pages/explore/decode.py")).run()
        assert not app.exception and dict(app.query_params) == before
    assert app.sidebar.selectbox(key="model").value == "mnist-5d"


def test_unknown_model_in_the_link_gives_the_default() -> None:
    app = opened()
    app.query_params["model"] = "nobody"
    app.run()
    assert not app.exception
    assert app.sidebar.selectbox[0].value == "mnist-2d"


def test_says_in_plain_sight_which_images_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path))
    st.cache_resource.clear()  # of what other tests read elsewhere
    app = opened().run()
    st.cache_resource.clear()
    assert not app.exception
    assert "A sample of MNIST: 10,000 training and 2,000 test images" in app.sidebar.info[0].value
    assert "`vae data mnist`" in app.sidebar.info[0].value


def test_damaged_model_is_named_and_the_others_work(own_folder: Path) -> None:
    (own_folder / "broken").mkdir(parents=True)
    (own_folder / "broken" / "model.safetensors").write_bytes(b"nothing")
    app = opened().run()
    assert not app.exception
    assert "broken" not in app.sidebar.selectbox[0].options
    assert any("broken" in caption.value for caption in app.sidebar.caption)


def test_model_that_is_deleted_meanwhile_gives_way(own_folder: Path) -> None:
    config = vae.ModelConfig()
    record = vae.Record(name="mine", model=config, training=vae.TrainConfig(data="mnist-sample"))
    path = vae.save(vae.build(config), record)
    app = opened()
    app.query_params["model"] = "mine"
    app.run()
    assert app.sidebar.selectbox[0].value == "mine"
    path.unlink()
    app.run()
    assert not app.exception
    assert app.sidebar.selectbox[0].value != "mine"


def test_map_of_many_dimensions_lets_one_choose_the_plane() -> None:
    app = through_frame("pages/explore/latent_map.py", "mnist-20d")
    assert "variance of the means" in said(app)
    app.session_state["map.plane"] = "two"
    app.run()
    assert not app.exception
    across, up = app.main.selectbox
    assert len(across.options) == 20
    assert len(up.options) == 19


@pytest.mark.parametrize("path", QUICKLY)
@pytest.mark.parametrize(
    ("model", "training"),
    [
        ({"latent": 1}, {}),
        ({"latent": 64}, {}),
        ({"latent": 64, "likelihood": "gaussian-shared", "decoder_layers": ()}, {}),
        ({"latent": 3, "log_variance_floor": None}, {"objective": "autoencoder"}),
        ({"likelihood": "bernoulli"}, {}),
    ],
    ids=["one dimension", "64 dimensions", "linear of 64", "autoencoder of 3", "bernoulli"],
)
@pytest.mark.slow
def test_models_of_every_kind(path: str, model: dict, training: dict) -> None:
    config = vae.ModelConfig(**{"encoder_layers": (8,), "decoder_layers": (8,), **model})
    record = vae.Record(name="odd", model=config, training=vae.TrainConfig(data="mnist-sample", **training))
    vae.save(vae.build(config), record)
    for link in links(path):
        app = through_frame(path, "odd", **link)
        assert not app.exception
        assert not app.error
        if "objective" in training:
            assert "nats per image" not in said(app)
            assert "KL, nats" not in said(app)
