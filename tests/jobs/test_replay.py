"""Replays: what comes out is what the model was at the time, under a bounded size, whatever cuts the file short."""

import json

import numpy as np
import pytest
import torch

from tests.toys import small_model, toy_dataset
from vae.errors import CheckpointError, JobError
from vae.jobs import replay as module
from vae.jobs.replay import REPLAY_FILE, Recorder, balanced_rows, replay
from vae.latent.codes import coordinate_axes, encode, manifold
from vae.settings.config import TrainConfig
from vae.training.trainer import Trainer

TOY = toy_dataset()


def recorder(folder, model=None, **more) -> Recorder:
    return Recorder(folder, model or small_model(), TOY.test, 6, **more)


@pytest.mark.parametrize("latent", [1, 2, 5])
def test_a_frame_is_what_the_model_was(tmp_path, latent):
    trainer = Trainer(small_model(latent=latent), TOY, TrainConfig(epochs=2, batch_size=50, learning_rate=0.01))
    writer = recorder(tmp_path, trainer.model)
    truth = []
    for step in range(4):
        writer.record(step)
        codes = encode(trainer.model, TOY.test.images).mean
        axes = coordinate_axes(codes, *writer.axes)
        truth.append((codes, manifold(trainer.model, axes, module.SIDE), writer.axes))
        trainer.advance()
    found = replay(tmp_path)
    assert found.steps.tolist() == [0, 1, 2, 3] and found.epochs.tolist() == [0, 1 / 6, 2 / 6, 3 / 6]
    assert found.codes.dtype == np.float32 and found.manifolds.dtype == np.uint8
    assert found.rows.tolist() == list(range(64))
    for codes, drawn, plane, (mean, (ticks, means), axes) in zip(
        found.codes, found.manifolds, found.axes, truth, strict=True
    ):
        assert tuple(plane) == axes and (latent > 2 or axes == (0, latent - 1))
        np.testing.assert_allclose(codes, mean, rtol=1e-3, atol=1e-6)  # float16 has eleven bits
        if latent > 1:
            assert np.abs(drawn / 255 - means).max() < 0.6 / 255
        assert np.array_equal(found.ticks, ticks)
    assert not np.array_equal(found.codes[0], found.codes[3])


@pytest.mark.parametrize(("shape", "side"), [((28, 28, 3), 12), ((64, 64, 3), 6), ((128, 128), 5)])
def test_a_plane_of_large_images_has_fewer_of_them(tmp_path, shape, side):
    model = small_model(image_shape=shape)
    test = toy_dataset(1, 3, shape).test
    writer = Recorder(tmp_path, model, test, 6)
    writer.record(0)
    found = replay(tmp_path)
    assert found.manifolds.shape == (1, side, side, *shape) and len(found.ticks) == side
    _, means = manifold(model, coordinate_axes(encode(model, test.images).mean, *writer.axes), side)
    assert np.abs(found.manifolds[0] / 255 - means).max() < 0.6 / 255


def test_the_plane_is_that_of_the_two_coordinates_that_carry_most(tmp_path):
    model = small_model(latent=5)
    head, scale = model.encoder.head, torch.tensor([0, 0.2, 20.0, 0, 20.0])
    with torch.no_grad():  # means of dimensions 3 and 5 far apart, the others' near 0; all deviations 1
        head.weight[:5] *= scale[:, None]
        head.bias[:5] *= scale
        head.weight[5:] = head.bias[5:] = 0
    codes = encode(model, TOY.test.images).mean
    kl = 0.5 * (codes.astype(float) ** 2).mean(0)  # KL[N(mu, 1) || N(0, 1)]
    best = tuple(sorted(np.argsort(kl)[-2:].tolist()))
    assert best not in [(0, 1), (0, 2), (0, 4)] and sorted(kl)[-2] > 2 * sorted(kl)[-3]
    for by_variance in (False, True):
        folder = tmp_path / str(by_variance)
        folder.mkdir()
        recorder(folder, model, by_variance=by_variance).record(0)
        found = replay(folder)
        want = best if not by_variance else tuple(sorted(np.argsort(codes.var(0))[-2:].tolist()))
        assert tuple(found.axes[0]) == want
        _, means = manifold(model, coordinate_axes(codes, *want), module.SIDE)
        assert np.abs(found.manifolds[0] / 255 - means).max() < 0.6 / 255


def test_a_coordinate_keeps_its_place_until_another_carries_far_more(tmp_path):
    writer = recorder(tmp_path, small_model(latent=4))
    assert writer.axes == (0, 1)
    for carried, want in [
        ([1, 1, 1.4, 1.4], (0, 1)),  # not half as much again
        ([1, 1, 1.6, 1.4], (1, 2)),
        ([1.4, 1, 1, 1], (1, 2)),
        ([9, 0.1, 0.2, 8], (0, 3)),  # both at once
        ([0, 0, 0, 0], (0, 3)),
    ]:
        writer.axes = writer._plane(np.array(carried, float))
        assert writer.axes == want


def test_a_resumed_training_keeps_its_plane_and_gets_over_a_foreign_file(tmp_path):
    model = small_model(latent=4)
    writer = recorder(tmp_path, model)
    writer.axes = (1, 3)
    writer._plane = lambda carried: (1, 3)
    writer.record(0)
    assert recorder(tmp_path, model, step=1).axes == (1, 3)
    (tmp_path / REPLAY_FILE).write_bytes(b"no replay")
    recorder(tmp_path, model, step=1).record(1)
    assert replay(tmp_path).steps.tolist() == [1]


def test_the_last_frames_can_be_had_alone(tmp_path):
    writer = recorder(tmp_path)
    assert replay(tmp_path).codes.shape == (0, 64, 2) and replay(tmp_path / "none") is None
    for step in (1, 2, 3):
        writer.record(step)
    assert [replay(tmp_path, last).steps.tolist() for last in (0, 1, 2, 9)] == [[], [3], [2, 3], [1, 2, 3]]


def test_recording_changes_nothing_of_the_training(tmp_path):
    config = TrainConfig(epochs=2, batch_size=50, learning_rate=0.01)
    watched, alone = (Trainer(small_model(), TOY, config) for _ in range(2))
    writer = recorder(tmp_path, watched.model)
    before = torch.get_rng_state()
    while not alone.done:
        alone.advance()
        watched.advance()
        writer.record(watched.step)
    assert torch.equal(before, torch.get_rng_state())
    for key, weight in alone.model.state_dict().items():
        assert torch.equal(weight, watched.model.state_dict()[key])


def test_frames_are_dense_at_the_start(tmp_path):
    writer = recorder(tmp_path)
    steps = [step for step in range(201) if writer.due(step)]
    assert steps == [0, 1, 2, 3, 5, 8, 11, 17, 26, 38, 50, 100, 150, 200]


def test_a_long_training_is_thinned_out_and_keeps_its_start_and_its_pace(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FRAMES", 40)
    monkeypatch.setattr(module, "EVERY", 8)
    writer = recorder(tmp_path)
    for step in range(5000):
        if writer.due(step):
            writer.record(step)
    steps = replay(tmp_path).steps
    assert 20 <= len(steps) <= 40 and steps[:5].tolist() == [0, 1, 2, 3, 5] and steps[-1] > 4700
    assert set(np.diff(steps[steps >= 8])) == {writer.says["every"]} and writer.says["every"] == 256


def test_a_file_stays_under_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 20_000)
    writer = recorder(tmp_path)
    for step in range(0, 50_000, 50):
        if writer.due(step):
            writer.record(step)
        assert (tmp_path / REPLAY_FILE).stat().st_size == writer.size <= 20_000
    assert len(replay(tmp_path).steps) > 5


def test_the_bounds_hold_for_twenty_megabytes():
    # a thinner file is at most as large as the one it replaces, and both stand on the disk for a moment
    assert 2 * module.MOST_BYTES < 20e6
    assert module.MOST_CODES * 2 + module.MOST_VALUES < module.MOST_BYTES / 10


def test_a_resumed_training_takes_up_where_its_state_was(tmp_path):
    model = small_model()
    writer = recorder(tmp_path, model)
    for step in (0, 50, 100, 150):
        writer.record(step)
    before = replay(tmp_path)
    again = recorder(tmp_path, model, step=120)
    assert again.steps == [0, 50, 100]
    again.record(100)  # which is there
    again.record(150)
    after = replay(tmp_path)
    assert after.steps.tolist() == [0, 50, 100, 150] and np.array_equal(before.codes, after.codes)


def test_a_frame_that_was_cut_short_is_passed_over_and_cut_off(tmp_path):
    writer = recorder(tmp_path)
    for step in (0, 50, 100):
        writer.record(step)
    path = tmp_path / REPLAY_FILE
    content = path.read_bytes()
    for cut in (1, 10, 300):
        path.write_bytes(content[:-cut])
        assert replay(tmp_path).steps.tolist() == [0, 50]
    path.write_bytes(content[:-300])
    again = recorder(tmp_path, step=100)
    again.record(100)
    assert replay(tmp_path).steps.tolist() == [0, 50, 100]
    flipped = bytearray(content)
    flipped[-20] ^= 1
    path.write_bytes(bytes(flipped))
    assert replay(tmp_path).steps.tolist() == [0, 50]


@pytest.mark.parametrize("content", [
    b"", b"{}", b"[]\n", b"\xff\n", b"null\n",
    json.dumps({"format": 1}).encode() + b"\n", json.dumps({"format": 2, "every": 0}).encode() + b"\n",
    json.dumps({"format": 3}).encode() + b"\n",
])  # fmt: skip
def test_a_foreign_file_is_refused(tmp_path, content):
    (tmp_path / REPLAY_FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match="not a replay of this version"):
        replay(tmp_path)


def test_a_full_disk_keeps_the_frames_before(tmp_path, monkeypatch):
    writer = recorder(tmp_path)
    writer.record(0)

    def full(path, content):
        raise JobError("No space left on device")

    monkeypatch.setattr(module, "append", full)
    with pytest.raises(JobError):
        writer.record(1)
    assert replay(tmp_path).steps.tolist() == [0]


def test_weights_that_are_no_numbers_make_no_frame(tmp_path):
    model = small_model()
    writer = recorder(tmp_path, model)
    with torch.no_grad():
        model.decoder.location.weight.fill_(float("nan"))
    writer.record(1)
    assert replay(tmp_path).steps.tolist() == []


def test_many_dimensions_leave_fewer_images(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_CODES", 50)
    recorder(tmp_path, small_model(latent=5)).record(0)
    assert replay(tmp_path).codes.shape == (1, 10, 5)


def test_rows_are_balanced():
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 2, 0, 1, 2, 2, 2])
    rows = balanced_rows(labels, 6)
    assert labels[rows].bincount().tolist() == [2, 2, 2] and rows.tolist() == sorted(rows.tolist())
    assert balanced_rows(labels, 100).tolist() == list(range(12))
    assert labels[balanced_rows(labels, 11)].bincount().tolist() == [4, 3, 4]
