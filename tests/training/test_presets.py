"""Presets and the estimate, whose clock is the tests' own."""

from dataclasses import replace

import pytest

from tests.toys import small_config, toy_dataset
from vae.errors import DataError
from vae.model.checkpoints import folders, read_record
from vae.model.vae import build
from vae.settings.config import ModelConfig, TrainConfig
from vae.training import presets
from vae.training.presets import PRESETS, estimate, fitted_to
from vae.training.trainer import Trainer

TOY = toy_dataset()
CONFIG = TrainConfig(epochs=7, batch_size=50)  # six steps per epoch


class Clock:
    """A clock that moves only when told."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Each step takes 0.02 s but for the first two, which take long; each score 0.3 s."""
    made = Clock()
    advance, score = Trainer.advance, Trainer.score

    def slow(self):
        made.now += 5.0 if self.step < 2 else 0.02
        return advance(self)

    def slow_score(self, images=2000):
        made.now += 0.3
        return score(self, images)

    monkeypatch.setattr(Trainer, "advance", slow)
    monkeypatch.setattr(Trainer, "score", slow_score)
    monkeypatch.setattr(presets, "time", made)
    return made


def test_an_estimate_is_measured_steps_and_scores(clock):
    assert estimate(small_config(), CONFIG, TOY) == pytest.approx(42 * 0.02 + 7 * 0.3)
    assert clock.now == pytest.approx(100 + 10 + 0.5 + 0.3, abs=0.03)  # two steps to warm up, half a second, a score
    assert estimate(small_config(), CONFIG, TOY, seconds=0) == pytest.approx(42 * 0.02 + 7 * 0.3)


def test_an_estimate_takes_at_least_a_step_however_slow(clock, monkeypatch):
    advance = Trainer.advance
    monkeypatch.setattr(Trainer, "advance", lambda self: (setattr(clock, "now", clock.now + 9), advance(self))[1])
    assert estimate(small_config(), CONFIG, TOY) == pytest.approx(42 * 9.02 + 7 * 0.3)


def test_an_estimate_goes_on_past_the_end_of_a_short_training():
    assert 0 < estimate(small_config(), TrainConfig(epochs=1, batch_size=256), TOY, seconds=0.01) < 10


def test_an_estimate_of_what_cannot_be_is_refused():
    with pytest.raises(DataError):
        estimate(small_config(image_shape=(5, 5)), CONFIG, TOY)


def test_presets_of_shipped_models_are_how_these_were_trained(monkeypatch):
    monkeypatch.delenv("VAE_CHECKPOINTS", raising=False)
    shipped = [name for name in PRESETS if (folders()[0] / name).exists()]
    assert len(shipped) > 3
    for name in shipped:
        record = read_record(name)
        training = replace(PRESETS[name].training, precision="float32")  # there was no other yet
        assert (record.model, record.training) == (PRESETS[name].model, training)


@pytest.mark.parametrize(
    ("shape", "channels"),
    [
        ((28, 28), ()), ((64, 64), ()), ((65, 20), (32, 64, 128, 128)), ((128, 128), (32, 64, 128, 128)),
        ((100, 6), (32, 64)), ((20, 30), ()),
    ],
)  # fmt: skip
def test_a_model_is_fitted_to_images(shape, channels):
    model = fitted_to(ModelConfig(), shape)
    assert model.image_shape == shape and model.channels == channels
    build(model)  # which convolutions as many as these allow
    assert fitted_to(ModelConfig(), shape, keep_channels=True).channels == ()
    assert fitted_to(ModelConfig(channels=(4,)), shape).channels == (4,)
