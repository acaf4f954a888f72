"""Simple classifiers on data whose best accuracy is known, and the file that keeps what they reached."""

import json
import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.decomposition import PCA

from tests.toys import small_model, toy_split
from vae.cli.commands import main
from vae.data.datasets import Dataset, Split
from vae.errors import CheckpointError, ConfigError, DataError
from vae.evidence.comparison import checksum
from vae.model import checkpoints
from vae.settings.config import TrainConfig
from vae.uses import features

BOTH = (features.linear_accuracy, features.neighbour_accuracy)


def two(count, distance, size=3, seed=0):
    """Two Gaussians of unit variance at a distance along the first coordinate, and which one."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    points = random.standard_normal((count, size))
    points[:, 0] += distance * (labels - 0.5)
    return points.astype(np.float32), labels


@pytest.mark.parametrize("measure", BOTH)
def test_what_is_far_apart_is_told_apart(measure):
    assert measure(*two(200, 20), *two(300, 20, seed=1)) == 1


@pytest.mark.parametrize("measure", BOTH)
def test_what_is_the_same_is_not(measure):
    assert measure(*two(500, 0), *two(2000, 0, seed=1)) == pytest.approx(0.5, abs=0.05)


def test_a_linear_probe_comes_to_the_best_there_can_be():
    """For two Gaussians at a distance d the best classifier is linear, and right with probability Phi(d / 2)."""
    found = features.linear_accuracy(*two(5000, 2), *two(20_000, 2, seed=1))
    assert found == pytest.approx(stats.norm.cdf(1), abs=0.012)  # four standard errors, and what 5,000 images leave


def test_neighbours_see_a_ring_where_a_line_cannot():
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (3000, 2)).astype(np.float32)
    labels = ((points**2).sum(1) < 0.64).astype(int)
    split = points[:2000], labels[:2000], points[2000:], labels[2000:]
    assert features.neighbour_accuracy(*split) > 0.95
    assert features.linear_accuracy(*split) < 0.65


def test_neighbours_are_those_of_a_plain_count():
    train, labels = two(60, 1)
    test, test_labels = two(40, 1, seed=1)
    nearest = np.linalg.norm(test[:, None] - train, axis=-1).argsort(1)[:, : features.NEIGHBOURS]
    right = (labels[nearest].mean(1) > 0.5) == test_labels
    assert features.neighbour_accuracy(train, labels, test, test_labels) == right.mean()


def test_scale_and_place_of_a_feature_do_not_matter_to_a_linear_probe():
    (train, labels), (test, test_labels) = two(300, 1), two(500, 1, seed=1)
    scale, place = np.array([1e-3, 5, 80]), np.array([4, -100, 0])
    first, again = (
        features.linear_accuracy(train * s + p, labels, test * s + p, test_labels) for s, p in ((1, 0), (scale, place))
    )
    assert first == again
    constant = [np.concatenate([each, np.full((len(each), 1), 3.0)], 1) for each in (train, test)]
    assert features.linear_accuracy(constant[0], labels, constant[1], test_labels) == first


def test_principal_components_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    train = (random.standard_normal((300, 12)) @ random.standard_normal((12, 12))).astype(np.float32)
    test = train[:20] + 1
    reference = PCA(4, svd_solver="full").fit(train)
    for ours, theirs in zip(
        features.principal_components(train, test, 4),
        (reference.transform(train), reference.transform(test)),
        strict=True,
    ):
        np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-3)  # a direction has no sign
    for count in (0, 13):
        with pytest.raises(ConfigError, match="principal components"):
            features.principal_components(train, test, count)


@pytest.mark.parametrize("measure", BOTH)
def test_what_cannot_be_learned_from(measure):
    train, labels = two(20, 1)
    for bad in (
        (train, labels[:-1], train, labels), (train, labels, train[:, :2], labels),
        (train[:0], labels[:0], train, labels), (train * np.nan, labels, train, labels),
        (train, labels * 0, train, labels),
    ):  # fmt: skip
        with pytest.raises(DataError):
            measure(*bad)


# the file


def labelled(count, seed):
    """Soft blobs; the label says whether a blob is above or below the middle."""
    images = toy_split(count, seed=seed).images
    return Split(
        images, (images[:, :2].sum((1, 2), dtype=torch.long) > images[:, 2:].sum((1, 2), dtype=torch.long)).long()
    )


DATA = Dataset("mnist-sample", labelled(200, 1), labelled(80, 2), ("below", "above"), "")


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    record = checkpoints.Record(name="small", model=small_model().config, training=TrainConfig(data="mnist-sample"))
    checkpoints.save(small_model(latent=3), record)
    return tmp_path


def test_accuracies_are_kept_beside_the_model(models):
    assert features.kept_features("small", DATA) is None
    told = []
    made = features.make_features("small", DATA, progress=lambda share, kind: told.append((share, kind)))
    assert features.kept_features("small", DATA) == made
    assert made.labels == [100, 200] and len(made.accuracies) == 12
    assert [share for share, _ in told] == [i / 12 for i in range(12)]
    assert made.share("pixels", "linear", 200) > 0.9  # what the label says is a sum of pixels
    assert math.isnan(made.share("pixels", "linear", 60_000))
    assert made.standard_error(0.5) == pytest.approx(0.5 / math.sqrt(80))


def test_accuracies_on_pixels_are_measured_once_for_all_models(models, monkeypatch):
    made = features.make_features("small", DATA)
    checkpoints.save(
        small_model(seed=1), checkpoints.Record(name="other", model=small_model().config, training=TrainConfig())
    )
    seen = []
    for name in ("linear_accuracy", "neighbour_accuracy"):
        monkeypatch.setattr(features, name, lambda train, *rest: seen.append(train.shape[1]) or 0.5)
    other = features.make_features("other", DATA)
    assert seen == [2] * 8  # codes and principal components
    assert [each for each in other.accuracies if each.kind == "pixels"] == list(made.accuracies[8:])
    fewer = Dataset(DATA.name, DATA.train, labelled(79, 2), DATA.classes, "")
    assert features.make_features("other", fewer).share("pixels", "linear", 100) == 0.5  # of other test images


def test_only_images_that_are_measured_count_towards_the_memory(models, monkeypatch):
    used = 16 * (150 + 80)  # values of 150 training images, of 200, and of all test images
    monkeypatch.setattr(features, "LABELS", (100, 150))
    monkeypatch.setattr(features, "MOST_IN_ALL", used)
    assert features.make_features("small", DATA).labels == [100, 150]
    monkeypatch.setattr(features, "MOST_IN_ALL", used - 1)
    with pytest.raises(DataError, match="Use smaller or fewer images"):
        features.make_features("small", DATA)


def test_accuracies_of_another_model_or_data_set_do_not_count(models):
    features.make_features("small", DATA)
    assert features.kept_features("small", Dataset("mnist", DATA.train, DATA.test, DATA.classes, "")) is None
    checkpoints.save(small_model(seed=1, latent=3), checkpoints.read_record("small"), overwrite=True)
    assert features.kept_features("small", DATA) is None


def test_a_damaged_or_foreign_file_is_refused(models):
    path = features.features_file("small", "mnist-sample")
    with pytest.raises(CheckpointError, match="`vae features"):
        features.load_features(path)
    features.make_features("small", DATA)
    content = json.loads(path.read_text())
    first = content["accuracies"][0]
    for damaged in (
        path.read_bytes()[:-40], b"", b"[]", b"{}", b"\xff\xfe",
        *(json.dumps(content | change).encode() for change in (
            {"settings": content["settings"] | {"format": 2}}, {"settings": content["settings"] | {"images": 0}},
            {"accuracies": [first | {"share": 1.5}]}, {"accuracies": [first | {"kind": "smell"}]}, {"accuracies": [{}]},
        )),
    ):  # fmt: skip
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="not hold complete accuracies"):
            features.load_features(path)
        assert features.kept_features("small", DATA) is None


def test_a_model_that_is_not_there(models):
    for act in (features.make_features, features.kept_features):
        with pytest.raises(CheckpointError, match="nobody"):
            act("nobody", DATA)


def test_from_a_shell(models, monkeypatch, capsys):
    monkeypatch.setattr("vae.data.load_dataset", lambda name: DATA)
    assert main(["features", "small"]) == 0
    table = capsys.readouterr().out
    share = features.kept_features("small", DATA).share("codes", "neighbours", 100)
    assert "| 100 labels | 200 labels |" in table and f"| codes | neighbours | {share:.2%} |" in table


@pytest.mark.parametrize("name", ["mnist-2d", "mnist-5d", "mnist-10d", "mnist-20d"])
def test_what_ships_is_of_the_models_that_ship(name):
    found = features.load_features(features.features_file(name, "mnist"))
    assert found.settings["model"] == checksum(name)
    assert found.labels == list(features.LABELS) and len(found.accuracies) == 24
    # more labels never hurt by more than the test images' noise
    for kind in ("codes", "components", "pixels"):
        for probe in ("linear", "neighbours"):
            assert found.share(kind, probe, 60_000) > found.share(kind, probe, 100)
