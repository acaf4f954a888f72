"""The classifier learns what it is shown, says how sure it is, and its file is read back as it was written."""

import json

import numpy as np
import pytest
import safetensors
import torch
from safetensors.torch import save_file

from vae.cli.commands import main
from vae.data.datasets import Dataset, Split, load_dataset
from vae.errors import CheckpointError, DataError
from vae.settings.config import TrainConfig
from vae.uses import classifier


def halves(count: int, seed: int) -> Split:
    """Images that are bright above (class 0) or below (class 1), with noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    images = random.integers(0, 60, (count, 4, 4))
    for label in (0, 1):
        images[labels == label, 2 * label : 2 * label + 2] += 150
    return Split(torch.from_numpy(images.astype(np.uint8)), torch.from_numpy(labels))


DATA = Dataset("mnist-sample", halves(400, 0), halves(200, 1), ("above", "below"), "")


@pytest.fixture(scope="module")
def net():
    return classifier.train_classifier(DATA, config=TrainConfig(epochs=4, learning_rate=1e-2))


def test_what_can_be_told_apart_is(net):
    skill = net.skill
    assert skill.images == 200 and skill.accuracy == 1
    assert 0.9 < skill.confidence <= 1
    sure = DATA.test.images.numpy() / 255
    highest, chosen = classifier.confidences(net, sure)
    assert (chosen == DATA.test.labels.numpy()).all()
    assert skill.confidence == pytest.approx(highest.mean(), abs=1e-6)
    assert skill.sure == pytest.approx((highest > classifier.SURE).mean())


def test_of_what_is_half_of_each_it_is_not_as_sure(net):
    even = np.full((1, 4, 4), 0.4)
    assert (
        classifier.confidences(net, even)[0][0] < classifier.confidences(net, DATA.test.images.numpy() / 255)[0].min()
    )


def test_labels_that_mean_nothing_cannot_be_learned():
    random = np.random.default_rng(2)
    splits = [
        Split(each.images, torch.from_numpy(random.integers(0, 2, len(each)))) for each in (DATA.train, DATA.test)
    ]
    skill = classifier.train_classifier(Dataset("mnist-sample", *splits, ("a", "b"), "")).skill
    assert skill.accuracy == pytest.approx(0.5, abs=0.15)  # four standard errors of 200 coins


def test_training_follows_its_seed_and_leaves_torch_alone():
    before = torch.get_rng_state()
    first, again, other = (classifier.train_classifier(DATA, seed=seed).head.weight for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_images_of_one_class_teach_nothing():
    one = Split(DATA.train.images, torch.zeros(len(DATA.train), dtype=torch.long))
    with pytest.raises(DataError, match="all belong to one"):
        classifier.train_classifier(Dataset("mnist-sample", one, one, ("a", "b"), ""))


@pytest.mark.parametrize("images", [np.zeros((2, 5, 5)), np.zeros((2, 16))])
def test_images_of_another_size(net, images):
    with pytest.raises(DataError, match="16 pixels"):
        classifier.confidences(net, images)


def test_shares_over_thresholds_are_those_counted_one_by_one():
    confidence = np.array([0.5, 0.7, 0.7, 0.9, 1.0])
    thresholds = np.array([0.4, 0.5, 0.7, 0.8, 0.99, 1.0])
    expected = [(confidence > threshold).mean() for threshold in thresholds]
    np.testing.assert_allclose(classifier.share_sure(confidence, thresholds), expected)


def test_what_is_kept_is_what_was_trained(net, tmp_path):
    path = tmp_path / "classifier-toy.safetensors"
    classifier.save_classifier(path, net, "toy")
    found = classifier.load_classifier(path)
    assert found.skill == net.skill and found.layers == net.layers
    images = DATA.test.images.numpy() / 255
    for kept, own in zip(classifier.confidences(found, images), classifier.confidences(net, images), strict=True):
        assert np.array_equal(kept, own)


def test_a_damaged_or_foreign_file_is_refused(net, tmp_path):
    path = tmp_path / "classifier-toy.safetensors"
    with pytest.raises(CheckpointError, match="`vae classifier"):
        classifier.load_classifier(path)
    classifier.save_classifier(path, net, "toy")
    content = path.read_bytes()
    with safetensors.safe_open(path, "pt") as file:
        says = json.loads(file.metadata()["classifier"])
    weights = {key: value.half() for key, value in net.state_dict().items()}
    for damaged in (content[:-10], b"", b"no tensors"):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="not a complete classifier"):
            classifier.load_classifier(path)
    for change in (
        {"format": 2},
        {"pixels": 17},
        {"layers": [9]},
        {"skill": {"no": 1}},
        {"skill": 3},
        {"classes": "x"},
    ):
        save_file(weights, path, {"classifier": json.dumps(says | change)})
        with pytest.raises(CheckpointError, match="not a complete classifier"):
            classifier.load_classifier(path)
    save_file(weights, path)
    with pytest.raises(CheckpointError, match="not a complete classifier"):
        classifier.load_classifier(path)
    save_file({**weights, "head.bias": torch.full((2,), torch.nan)}, path, {"classifier": json.dumps(says)})
    with pytest.raises(CheckpointError, match="not all finite"):
        classifier.load_classifier(path)


def test_from_a_shell(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr("vae.data.load_dataset", lambda name: DATA)
    assert main(["classifier", "mnist-sample"]) == 0
    path = tmp_path / "classifier-mnist-sample.safetensors"
    assert capsys.readouterr().out.startswith(f"{path}: correct on ")
    assert classifier.load_classifier(path).skill.images == 200
    assert classifier.classifier_file("fashion-mnist").parent == tmp_path


def test_what_ships_tells_the_digits_of_the_sample_apart():
    sample = load_dataset("mnist-sample", fetch=False)
    path = classifier.classifier_file("mnist-sample")
    assert path == classifier.classifier_file("mnist")
    net = classifier.load_classifier(path)
    highest, chosen = classifier.confidences(net, sample.test.images.numpy() / 255)
    accuracy = (chosen == sample.test.labels.numpy()).mean()
    error = np.sqrt(accuracy * (1 - accuracy) / len(chosen))
    assert accuracy == pytest.approx(net.skill.accuracy, abs=4 * error)
    assert (highest > classifier.SURE).mean() == pytest.approx(net.skill.sure, abs=0.04)
