"""Projections: who is near stays near, results are kept with what they depend on, and what is missing is said."""

import json
import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from tests.toys import small_model, toy_dataset
from vae.cli.commands import main
from vae.errors import CheckpointError, ConfigError, DataError, VAEError
from vae.latent import projections
from vae.model import checkpoints
from vae.settings.config import TrainConfig

RNG = np.random.default_rng(0)
CLUSTERS = np.repeat(8 * RNG.standard_normal((4, 10)), 40, 0)
CODES = (CLUSTERS + RNG.standard_normal(CLUSTERS.shape)).astype(np.float32)
DATA = toy_dataset(test=130)


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    record = checkpoints.Record(name="small", model=small_model().config, training=TrainConfig(data="mnist-sample"))
    checkpoints.save(small_model(latent=4), record)
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """A projection that takes no time, and counts how often it is asked for."""
    asked = []

    def first_two(means, method, *, seed=0):
        asked.append((method, seed))
        return means[:, :2] * (1 + seed)

    monkeypatch.setattr(projections, "project", first_two)
    return asked


@pytest.mark.slow
@pytest.mark.parametrize("method", projections.METHODS)
def test_who_is_near_stays_near(method):
    if method == "umap":
        pytest.importorskip("umap", reason="umap-learn (requirements-extra.txt)", exc_type=ImportError)
    points = projections.project(CODES, method)
    assert points.shape == (160, 2) and points.dtype == np.float32
    distance = np.linalg.norm(points[:, None] - points, axis=-1) + np.diag(np.full(160, np.inf))
    assert (distance.argmin(1) // 40 == np.arange(160) // 40).all()
    # 1 says that no point has a new neighbour; a plane that knows nothing of the codes has 0.5
    assert trustworthiness(CODES, points, n_neighbors=10) > 0.9
    assert trustworthiness(CODES, RNG.standard_normal((160, 2)), n_neighbors=10) < 0.6


def test_tsne_follows_its_seed():
    first, again = (projections.project(CODES[:100], "tsne", seed=3) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize(
    ("means", "method"),
    [(CODES, "pca"), (CODES[:99], "tsne"), (CODES[:, :1], "tsne"), (CODES[:, 0], "umap")],
)
def test_what_cannot_be_projected(means, method):
    with pytest.raises(ConfigError):
        projections.project(means, method)


@pytest.mark.parametrize("means", [np.ones((200, 3)), np.full((200, 3), np.nan)])
def test_codes_that_say_nothing(means):
    with pytest.raises(DataError, match="finite and not all equal"):
        projections.project(means, "tsne")


@pytest.mark.parametrize(
    ("method", "package", "file"),
    [("tsne", "sklearn.manifold", "scikit-learn"), ("umap", "umap", "umap-learn")],
)
def test_a_package_that_is_missing_is_named_with_the_command(monkeypatch, method, package, file):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(VAEError, match=f"python -m pip install {file}"):
        projections.project(CODES, method)


def test_a_result_is_kept_beside_the_model(quick, models):
    assert projections.kept_projection("small", DATA, "tsne") is None
    made = projections.make_projection("small", DATA, "tsne")
    kept = projections.kept_projection("small", DATA, "tsne")
    assert len(quick) == 1 and made.points.shape == (130, 2)
    assert np.array_equal(kept.points, made.points) and kept.settings == made.settings
    assert [path.name for path in sorted((models / "small").iterdir())] == [
        "model.safetensors", "projection-mnist-sample-tsne.npz",
    ]  # fmt: skip
    assert kept.settings["images"] == 130 and kept.settings["perplexity"] == 30


def test_a_result_of_other_settings_or_another_model_does_not_count(quick):
    projections.make_projection("small", DATA, "tsne")
    assert projections.kept_projection("small", DATA, "tsne", seed=1) is None
    assert projections.kept_projection("small", DATA, "tsne", images=120) is None
    assert projections.kept_projection("small", DATA, "umap") is None
    assert projections.kept_projection("small", toy_dataset(test=130, name="mnist"), "tsne") is None
    record = checkpoints.read_record("small")
    checkpoints.save(small_model(seed=1, latent=4), record, overwrite=True)
    assert projections.kept_projection("small", DATA, "tsne") is None


def test_a_damaged_result_does_not_count(quick):
    projections.make_projection("small", DATA, "tsne")
    path = projections.projection_file("small", DATA.name, "tsne")
    content = path.read_bytes()
    for damaged in (content[:-40], b"", b"not a zip", content[:100] + b"\0" * 60 + content[160:]):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="not a complete projection"):
            projections.load_projection(path)
        assert projections.kept_projection("small", DATA, "tsne") is None


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"images": 129}, {"points": np.zeros((130, 3), np.float32)}, {"points": np.zeros((130, 2))}],
)
def test_a_foreign_result_is_refused(quick, change):
    made = projections.make_projection("small", DATA, "tsne")
    path = projections.projection_file("small", DATA.name, "tsne")
    points = change.pop("points", made.points)
    np.savez(path, points=points, settings=np.array(json.dumps({**made.settings, **change})))
    with pytest.raises(CheckpointError, match="not a complete projection"):
        projections.load_projection(path)


def test_a_model_that_is_not_there(quick):
    for act in (projections.make_projection, projections.kept_projection):
        with pytest.raises(CheckpointError, match="nobody"):
            act("nobody", DATA, "tsne")
    with pytest.raises(CheckpointError, match="`vae project"):
        projections.load_projection(projections.projection_file("small", DATA.name, "umap"))


def test_from_a_shell(quick, models, monkeypatch, capsys):
    monkeypatch.setattr("vae.data.load_dataset", lambda name: DATA)
    assert main(["project", "small", "--method", "umap", "--images", "120", "--seed", "2"]) == 0
    assert capsys.readouterr().out == f"{models / 'small' / 'projection-mnist-sample-umap.npz'}\n"
    assert quick == [("umap", 2)]
    assert projections.kept_projection("small", DATA, "umap", images=120, seed=2) is not None
    assert main(["project", "small", "--images", "5"]) == 2
    assert "at least 100" in capsys.readouterr().err


@pytest.mark.parametrize("data_name", ["mnist", "mnist-sample"])
@pytest.mark.parametrize("name", ["mnist-5d", "mnist-10d", "mnist-20d"])
@pytest.mark.parametrize("method", projections.METHODS)
def test_what_ships_is_of_the_models_that_ship(name, data_name, method):
    found = projections.load_projection(projections.projection_file(name, data_name, method))
    dataset = toy_dataset(test=2000, name=data_name)
    assert found.points.shape == (2000, 2)
    assert found.settings == projections.kept_projection(name, dataset, method).settings
