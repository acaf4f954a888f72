"""The notebook of each page: valid, it runs, and its numbers are those of the page."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

import vae
from pages import cache
from pages.takeaway.notebooks import notebook
from pages.takeaway.templates import PAGES
from pages.takeaway.view import View
from tests.app.test_colour import trained
from tests.app.test_pages import own_folder
from tests.notebook_format import checked
from vae.model import ModelConfig, TrainConfig

pytestmark = pytest.mark.slow

__all__ = ["own_folder", "trained"]  # fixtures

SMOOTH = "mnist-bernoulli-2d"
SLOW = {"measure/likelihood", "measure/report", "train/train"}


def view(name: str = SMOOTH, **changes: Any) -> View:
    """What is in use when somebody has just come to a model, and chosen test image 4."""
    model = cache.model_id(name)
    plane = (0, min(1, cache.record(name).model.latent - 1))
    seen = View(model, cache.images(model).name, 4, None, plane, 0, None, False, None, (False, False), "1", None)
    return seen._replace(**changes)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Callable[..., dict[str, Any]]:
    """Makes a notebook, holds it against the format, and runs it; returns its names, and the figures as "shown"."""

    def run(page: str, seen: View) -> dict[str, Any]:
        shown: list[go.Figure] = []
        monkeypatch.setattr(go.Figure, "show", lambda figure: shown.append(figure))
        monkeypatch.chdir(tmp_path)
        found = checked(notebook(page, seen))
        names: dict[str, Any] = {"__name__": "notebook"}
        for number, cell in enumerate(found["cells"]):
            assert cell["cell_type"] == ("code" if number else "markdown")
            if number:
                exec(compile("".join(cell["source"]), f"{page}, cell {number}", "exec"), names)  # cells of our own
        return names | {"shown": shown, "head": "".join(found["cells"][0]["source"])}

    return run


def of_page(seen: View) -> tuple[cache.Model, str, tuple[int]]:
    """What cached functions take."""
    return seen.model, seen.data, (seen.row,)


@pytest.mark.parametrize("z", [None, (0.5, -1.25)])
@pytest.mark.parametrize("path", ["explore/latent_map", "explore/decode"])
def test_the_z_in_use_is_decoded(ran, path: str, z: tuple[float, ...] | None) -> None:
    seen = view("mnist-2d", z=z, seed=3, to=9)
    names = ran(path, seen)
    used = z or tuple(cache.codes(seen.model).mean[4].tolist())
    for ours, theirs in zip(cache.decode(seen.model, used, 3), names["decoded"], strict=True):
        assert np.array_equal(ours, theirs)
    if path == "explore/latent_map":
        (figure,) = names["shown"]
        assert [trace.name for trace in figure.data] == list("0123456789")
        assert sum(len(trace.x) for trace in figure.data) == len(cache.codes(seen.model).mean)
        assert figure.layout.xaxis.title.text == "z1"
    else:
        assert np.array_equal(names["end"], cache.codes(seen.model).mean[9])


@pytest.mark.parametrize("name", [SMOOTH, "mnist-20d"])
def test_the_image_in_use_has_the_elbo_that_it_has_in_the_explorer(ran, name: str) -> None:
    seen = view(name)
    names = ran("explore/draw", seen)
    value, error = cache.elbo(*of_page(seen), 100)
    assert (names["bound"].value.item(), names["bound"].standard_error.item()) == (value[0], error[0])
    assert names["kl"] == pytest.approx(float(vae.ELBO()(cache.load(seen.model), names["x"]).kl), rel=1e-5)


def test_a_drawing_is_in_its_notebook(ran) -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    seen = view(drawing=image, drawing_asked=True)
    names = ran("explore/draw", seen)
    assert np.array_equal(names["image"], image)
    assert np.array_equal(names["x"], cache.pixels(seen.model, cache.drawing(image).name, (0,)))


def test_samples_are_those_of_the_page(ran) -> None:
    names = ran("explore/samples", view(seed=5))
    for ours, theirs in zip(cache.samples(cache.model_id(SMOOTH), 64, 5), names["decoded"], strict=True):
        assert np.array_equal(ours, theirs)


def test_views_has_the_active_units(ran) -> None:
    seen = view("mnist-20d")
    names = ran("explore/views", seen)
    codes, bars = cache.codes(seen.model), names["shown"][1].data[0]
    assert names["active"].sum() == (codes.mean.var(0, dtype=np.float64) > 0.01).sum()
    np.testing.assert_allclose(bars.y, np.sort(cache.carried(seen.model)[0])[::-1])


def test_probe_finds_what_the_page_says(ran, capsys: pytest.CaptureFixture[str]) -> None:
    seen = view("mnist-2d")
    names = ran("explore/probe", seen)
    judge = cache.probe.shipped(seen.model)
    assert judge is not None
    found = cache.probe.agreement(seen.model, seen.data, judge)
    assert names["found"].accuracy_decoded == pytest.approx(found.accuracy_decoded, abs=1e-3)
    ways = cache.flips.ways(seen.model, seen.data, judge, tuple(names["z"][0].tolist()), None).ways
    assert names["flip"].distance == pytest.approx(ways["straight"].distance, rel=0.1)
    assert "from" in capsys.readouterr().out


@pytest.mark.slow
def test_the_estimates_are_those_of_the_library(ran) -> None:
    seen = view(data="mnist-sample")  # whose image importance sampling is not above log p(x) of, as it may be by chance
    names = ran("measure/likelihood", seen)
    estimates = {name.partition(",")[0]: float(each.value[0]) for name, each in names["estimates"].items()}
    exact = cache.evidence_of(*of_page(seen))[0][0]
    assert estimates["exact"] == pytest.approx(exact, abs=1e-4)  # which is read from the results that ship
    assert estimates["ELBO"] == cache.elbo(*of_page(seen), 100)[0][0]
    ordered = [estimates[name] for name in ("ELBO", "importance sampling", "exact")]
    assert ordered == sorted(ordered)
    (figure,) = names["shown"]
    assert [trace.name for trace in figure.data if trace.name] == [
        "naive",
        "elbo",
        "importance",
        "ais",
        "log p(x), exact",
    ]
    steps = names["steps"]
    for name, curve in zip(names["runners"], names["curves"], strict=True):
        last = [s for s in steps if s.runner == name][-1]
        assert curve.x[-1] == last.samples and curve.y[last.replicate, -1] == float(last.value[0])
        assert not np.isnan(curve.y).any()


@pytest.mark.parametrize(("name", "of"), [("mnist-free-variance-2d", "mnist-free-variance-2d"), (SMOOTH, "mnist-2d")])
def test_the_variance_is_that_of_the_page(ran, name: str, of: str) -> None:
    seen = view(name)
    names = ran("measure/variance", seen)
    model = cache.model_id(of)
    steps, deviation = cache.variance.variance_plane(model, seen.data, (0, 1))
    assert np.array_equal(names["steps"], steps) and np.array_equal(names["deviation"], deviation)
    assert np.array_equal(names["nats"], cache.variance.nats_by_pixel(model, seen.data, range(4, 5)))
    floors = tuple(names["floors"].tolist())
    assert np.array_equal(names["path"], cache.variance.floor_path(model, seen.data, 4, floors))
    assert len(names["shown"]) == 2


def test_data_and_models_are_listed(ran, capsys: pytest.CaptureFixture[str]) -> None:
    ran("train/data", view())
    printed = capsys.readouterr().out
    assert "mnist-sample" in printed and cache.images(cache.model_id(SMOOTH)).describe() in printed
    ran("train/models", view())
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("mnist-20d", repr(cache.record(SMOOTH).model)))


@pytest.mark.slow
def test_a_training_is_the_one_that_was_chosen(ran) -> None:
    config = ModelConfig(latent=3, encoder_layers=(8,), decoder_layers=(8,), log_variance_floor=None)
    training = TrainConfig(data="mnist-sample", epochs=1, share=0.1, seed=7)
    names = ran("train/train", view(plan=vae.Preset(config, training)))
    assert (names["config"], names["training"]) == (config, training)
    model = vae.build(config, 7)
    last = list(vae.fit(model, vae.load_dataset("mnist-sample"), training))[-1]
    assert names["reports"][-1].held_out_kl == last.held_out_kl
    assert len(names["shown"]) == 1


@pytest.mark.slow
def test_a_report_is_made_and_written(ran, trained, tmp_path) -> None:
    trained((12, 10))
    made = ran("measure/report", view("of-mine"))["made"]
    written = (tmp_path / "of-mine-report.html").read_text(encoding="utf-8")
    assert made.parts and all(part.title in written for part in made.parts)


LESSONS = {
    "1": "background", "2": "posterior", "3": "estimate", "4": "best", "5": "found", "6": "bound", "7": "found",
    "8": "found", "9": "bound", "10": "bound", "11": "bound", "12": "scores", "13": "bound", "14": "found",
    "slips": "bound",
}  # fmt: skip


@pytest.mark.parametrize(
    "chapter", [pytest.param(each, marks=[pytest.mark.slow] if each in ("4", "5", "14") else []) for each in LESSONS]
)
def test_each_chapter_is_computed(ran, chapter: str) -> None:
    seen = view(chapter=chapter)
    names = ran("learn/lesson", seen)
    assert LESSONS[chapter] in names
    assert np.array_equal(names["x"], cache.pixels(*of_page(seen)))
    if chapter == "1":
        told = names["background"], names["edges"], names["ink"]
        assert told == cache.integral.deviation_by_level(seen.model, seen.data, 4)
    if chapter == "2":
        assert names["posterior"].log_p == cache.integral.posterior(seen.model, seen.data, 4).log_p
    if chapter == "5":
        assert names["found"].bound == cache.bound.derived(seen.model, seen.data, 4).bound


@pytest.mark.slow
def test_a_chapter_takes_mnist_2d_where_it_has_to(ran) -> None:
    assert ran("learn/lesson", view("mnist-20d", chapter="5"))["model"].config.latent == 2
    assert ran("learn/lesson", view("mnist-20d", chapter="7"))["model"].config.latent == 20
    assert "mnist-2d" in ran("learn/lesson", view("mnist-autoencoder-2d", chapter="6"))["head"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "changes"),
    [((12, 10, 3), {"latent": 1}), ((12, 10), {"latent": 64}), ((9, 9), {"latent": 1, "likelihood": "bernoulli"})],
    ids=str,
)
def test_every_notebook_of_other_models(ran, trained, shape: tuple[int, ...], changes: dict[str, Any]) -> None:
    trained(shape, **changes)
    seen = view("of-mine", plane=(0, 0) if changes["latent"] == 1 else None)
    for page in PAGES.keys() - SLOW:
        head = ran(page, seen)["head"]
        title = head.partition("\n")[0]  # which names the model in it: mnist-2d may have taken this one's place
        other = page in ("measure/variance", "explore/probe")
        own = title.endswith("of-mine") if other else page != "train/data" or "of-mine" in head
        assert ("VAE_CHECKPOINTS" in head) == own


@pytest.mark.parametrize("path", ["explore/latent_map", "explore/decode", "explore/draw", "explore/views"])
def test_a_plain_autoencoder_has_no_elbo(ran, path: str) -> None:
    names = ran(path, view("mnist-autoencoder-2d"))
    assert "bound" not in names and "ELBO" not in names["head"]


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["elbo", "autoencoder"])
def test_points_without_labels_have_the_colours_of_the_map(ran, trained, objective: str) -> None:
    mine = trained((12, 10))
    mine.train.labelled = mine.test.labelled = False
    model = cache.model_id("of-mine")
    record = dataclasses.replace(cache.record("of-mine"), training=TrainConfig(data=mine.name, objective=objective))
    vae.save(cache.load(model), record, overwrite=True)
    names = ran("explore/latent_map", view("of-mine"))
    painted = cache.latent.colouring(cache.model_id("of-mine"))
    assert np.array_equal(names["labels"], painted.labels)
    assert len(names["names"]) == painted.groups


def test_draws_stand_in_for_images_that_are_not_here(ran, own_folder) -> None:
    config = ModelConfig(image_shape=(12, 10), encoder_layers=(8,), decoder_layers=(8,), latent=3)
    vae.save(vae.build(config), vae.Record(name="mine", model=config, training=TrainConfig(data="gone")))
    seen = view("mine")
    names = ran("explore/draw", seen)
    assert torch.equal(names["dataset"].test.images, cache.dataset(seen.data).test.images)
    assert names["bound"].value.item() == cache.elbo(*of_page(seen), 100)[0][0]
    assert "`mine` is a model of your own" in names["head"]


def test_an_image_far_down_a_large_set_has_the_pixels_of_the_explorer(ran, monkeypatch) -> None:
    monkeypatch.setattr(cache.models, "_VALUES", 7 * 784)
    cache.models._pixels_of_piece.clear()
    seen = view(row=23)
    assert np.array_equal(ran("explore/draw", seen)["x"], cache.pixels(*of_page(seen)))
    cache.models._pixels_of_piece.clear()
