"""A climb takes the trainer's own steps, one at a time, and says of its image what formulas say."""

import numpy as np
import torch

from tests.toys import small_config, toy_dataset
from vae.derivation.climb import Climb
from vae.evidence.gaps import refine
from vae.model.distributions import generator
from vae.model.vae import build
from vae.settings.config import TrainConfig
from vae.training.trainer import Trainer

DATA = toy_dataset()
CONFIG = TrainConfig(data=DATA.name, epochs=20, batch_size=32, learning_rate=5e-3, schedule="constant", seed=3)


def climb() -> Climb:
    config = small_config(log_variance_floor=-3.0)
    return Climb(config, DATA, CONFIG, build(config).pixels(DATA.test.images[:1], generator(0)))


def test_takes_exactly_the_steps_of_a_trainer() -> None:
    slow, plain = climb(), Trainer(build(small_config(log_variance_floor=-3.0), CONFIG.seed), DATA, CONFIG)
    for steps in (1, 1, 5):
        slow.go(steps)
        for _ in range(steps):
            plain.advance()
        assert slow.trainer.step == plain.step
        assert slow.last is not None and int(slow.last.step) == plain.step
        others = plain.model.state_dict()
        assert all(torch.equal(value, others[name]) for name, value in slow.trainer.model.state_dict().items())
    assert [look.step for look in slow.looks] == [0, 1, 2, 7]


def test_looks_disturb_nothing_and_are_near_the_bound_of_a_quadrature() -> None:
    seen, unseen = climb(), climb()
    seen._look()
    for each in (seen, unseen):
        each.go(40)
    assert seen.looks[-1][:3] == unseen.looks[-1][:3]
    truth = float(next(refine(seen.trainer.model, seen.x)).elbo[0])  # Gauss-Hermite
    assert abs(seen.looks[-1].elbo - truth) < 2
    assert seen.looks[-1].elbo > seen.looks[0].elbo + 1  # it climbs, on an image that it does not learn from
    assert seen.looks[-1].decoded.shape == (4, 4) and np.isfinite(seen.looks[-1].decoded).all()
