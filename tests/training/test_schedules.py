"""Schedules: against torch's own one-cycle, and formulas."""

import math

import pytest
import torch

from vae.settings.config import TrainConfig
from vae.training.schedules import rates


@pytest.mark.parametrize(("epochs", "an_epoch"), [(1, 1), (1, 2), (2, 5), (7, 13)])
def test_a_one_cycle_is_that_of_torch_to_the_last_bit(epochs, an_epoch):
    steps = epochs * an_epoch
    optimiser = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=max(2, steps))
    config = TrainConfig(epochs=epochs, learning_rate=0.01)
    for step in range(steps):
        now, group = rates(config, step, an_epoch), optimiser.param_groups[0]
        assert (now.learning_rate, now.momentum) == (group["lr"], group["betas"][0])
        optimiser.step()
        schedule.step()


def test_a_constant_rate_rises_in_its_warmup_and_stays():
    config = TrainConfig(schedule="constant", warmup=0.5, epochs=3, learning_rate=0.1, adam_beta1=0.5)
    found = [rates(config, step, 8) for step in range(24)]
    assert [now.learning_rate for now in found] == pytest.approx([0.025, 0.05, 0.075] + [0.1] * 21)
    assert {now.momentum for now in found} == {0.5}


@pytest.mark.parametrize("warmup", [0.0, 1.0, 5.0])
def test_a_cosine_falls_to_nothing(warmup):
    config = TrainConfig(schedule="cosine", warmup=warmup, epochs=3, learning_rate=0.1)
    found = [rates(config, step, 10).learning_rate for step in range(30)]
    for step, rate in enumerate(found):
        rise = int(10 * warmup)
        share = (step + 1) / rise if step < rise else (1 + math.cos(math.pi * (step - rise) / (30 - rise))) / 2
        assert rate == pytest.approx(0.1 * share)


def test_beta_rises_in_its_warmup():
    config = TrainConfig(beta=4, beta_warmup=0.5, epochs=1)
    assert [rates(config, step, 8).beta for step in range(8)] == [0, 1, 2, 3, 4, 4, 4, 4]
    assert rates(TrainConfig(beta=0.5), 0, 8).beta == 0.5
