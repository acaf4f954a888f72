"""What the pages show at once of the models that ship comes from files; what was worked out here is kept on disk."""

import inspect
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st

import vae
from pages import cache
from pages.cache import disk, kept
from pages.ui import examples, state
from tests.app.test_pages import SHIPPED, through_frame
from tests.visits import VISITS
from vae.cli import main

pytestmark = pytest.mark.slow
FEW = ("mnist-2d", "mnist-20d", "mnist-autoencoder-2d")
MODEL, DATA = "mnist-bernoulli-2d", "mnist-sample"


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server that has nothing yet."""
    monkeypatch.setenv("VAE_CACHE", str(tmp_path / "cache"))
    st.cache_resource.clear()
    yield tmp_path / "cache"
    st.cache_resource.clear()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The values that were asked for and did not ship."""
    asked: list[str] = []
    monkeypatch.setattr(disk, "read", lambda *key: asked.append(str(key)))
    return asked


@pytest.mark.parametrize("model", SHIPPED)
def test_a_first_visit_finds_all_that_is_slow(model: str, computed: list[str], thorough: bool) -> None:
    """Where this fails, a page computes something else than it did: run python -m tests.visits."""
    if not thorough and model not in FEW:
        pytest.skip("--thorough")
    for page, link in VISITS:
        assert not through_frame(page, model, **link).exception
        assert not computed, (page, link)


def equal(one: Any, other: Any) -> bool:
    """Whether two values of the same type are the same but for the order in which a processor sums."""
    if isinstance(one, np.ndarray | float | int):
        return bool(np.allclose(one, other, rtol=1e-3, atol=1e-3, equal_nan=True))
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    return bool(one == other)


@pytest.mark.parametrize(
    ("found", "arguments"),
    [
        (cache.posterior_plane, (0, 1000)),
        (cache.evidence_of, ((0,),)),
        (cache.needed, (0,)),
        (cache.models._codes, ()),
        (cache.latent.mean_kl, ()),
        (cache.latent.prior_draws, ()),
        (cache.uses.contest, (19,)),
        (cache.bound.reconstruction, (19,)),
    ],
)
def test_what_ships_is_what_is_computed(
    found: Any, arguments: tuple[Any, ...], computed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path))  # the sample alone, also where the whole of MNIST is on disk
    model = cache.model_id(MODEL)
    shipped = found(model, DATA, *arguments)
    assert not computed
    assert equal(shipped, inspect.unwrap(found)(model, DATA, *arguments))


def test_the_race_of_each_model_ships_and_can_be_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path))
    for name in SHIPPED:
        raced = cache.streams.raced(cache.model_id(name), DATA, 0)
        assert (raced is None) == ("autoencoder" in name)
    assert cache.streams.raced(cache.model_id(MODEL), DATA, 1) is None
    offered = examples.rows(cache.model_id(state.DEFAULT_MODEL)).values()
    assert len(offered) == 10
    for row in offered:
        assert cache.streams.raced(cache.model_id(state.DEFAULT_MODEL), DATA, row) is not None
    monkeypatch.setattr(cache.streams, "FAR", {"naive": 100, "others": 100})  # which a longer race begins with
    for name, row in ((MODEL, 0), (state.DEFAULT_MODEL, max(offered))):
        model = cache.model_id(name)
        shipped, short = (
            found(model, DATA, row) for found in (cache.streams.raced, inspect.unwrap(cache.streams.raced))
        )
        for track, again in zip(shipped, short, strict=True):
            count = len(again.samples)
            assert track.runner == again.runner
            assert equal(track.samples[:count], again.samples)
            assert equal(track.value[:, :count], again.value)


def test_what_ships_is_of_the_models_and_the_images_that_ship() -> None:
    for model in SHIPPED:
        with zipfile.ZipFile(vae.paths.SHIPPED / "checkpoints" / model / disk.visits_file(DATA)) as archive:
            assert json.loads(archive.comment) == disk.about(cache.model_id(model), DATA)
            assert archive.testzip() is None


# what was worked out here


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "SLOW", 0.0)


def kl(row: int) -> float:
    st.cache_resource.clear()
    return cache.needed(cache.model_id(MODEL), DATA, row)


def test_a_value_is_found_again_by_another_server(fresh: Path, slow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kl(3)
    assert list(fresh.glob("*.npz"))
    monkeypatch.setattr(cache.models, "posterior", lambda *_: pytest.fail("was computed again"))
    assert kl(3) == first


def test_a_damaged_file_is_worked_out_again(fresh: Path, slow: None) -> None:
    first = kl(3)
    for file in fresh.glob("*.npz"):
        file.write_bytes(file.read_bytes()[:100])
    assert kl(3) == first


def test_other_code_computes_anew(fresh: Path, slow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    kl(3)
    count = len(list(fresh.glob("*.npz")))
    monkeypatch.setattr(disk, "_code", lambda: "other")
    kl(3)
    assert len(list(fresh.glob("*.npz"))) > count


def test_the_oldest_go_when_the_folder_is_full(fresh: Path, slow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    kl(3)
    for file in fresh.glob("*.npz"):
        os.utime(file, (0, 0))
    old = set(fresh.glob("*.npz"))
    monkeypatch.setattr(disk, "MOST", int(1.5 * sum(file.stat().st_size for file in old)))
    kl(4)
    left = set(fresh.glob("*.npz"))
    assert left - old and old - left


def test_a_folder_that_nobody_may_make_costs_the_file_alone(
    tmp_path: Path, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VAE_CACHE", str(tmp_path / "file" / "cache"))
    assert np.isfinite(kl(3))


def test_drawings_are_not_kept(fresh: Path, slow: None) -> None:
    drawn = cache.drawing(np.full((28, 28), 100, np.uint8))
    cache.needed(cache.model_id(MODEL), drawn.name, 0)
    assert not fresh.exists()


def test_what_ships_for_other_images_is_not_taken(computed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sample = vae.load_dataset(DATA)
    other = vae.Dataset(DATA, sample.train, vae.Split(sample.test.images.flip(0)), sample.classes, "other")
    monkeypatch.setattr(vae, "load_dataset", lambda *_, **__: other)
    assert np.isfinite(kl(0)) and computed


def test_a_set_that_another_process_replaces_is_read_anew(
    tmp_path: Path, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)

    def imported(pixels: np.ndarray) -> None:
        np.save(tmp_path / "images.npy", pixels)
        main(["data", "import", str(tmp_path / "images.npy"), "--name", "mine"])

    imported(images)
    model = cache.model_id(MODEL)
    before, checksum = cache.models._codes(model, "mine"), cache.dataset("mine").checksum
    main(["data", "remove", "mine", "--yes"])
    imported(255 - images)
    assert cache.dataset("mine").checksum != checksum
    assert not np.array_equal(cache.models._codes(model, "mine").mean, before.mean)


def test_draws_of_a_model_that_was_trained_again_are_others() -> None:
    first = cache.sets.stand_in("draws-of-a-1.0", np.zeros((2, 4, 4), np.uint8))
    again = cache.sets.stand_in("draws-of-a-1.0", np.ones((2, 4, 4), np.uint8))
    assert cache.dataset("draws-of-a-1.0") is again is not first
