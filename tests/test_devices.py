"""Devices and precisions: what auto means where, and that only products are ever coarse."""

import pytest
import torch
from torch import nn

from tests.toys import small_model, toy_dataset
from vae.config import LIKELIHOODS, TrainConfig
from vae.devices import best_device, multiplies_bfloat16, settled
from vae.objectives import ELBO
from vae.training import Trainer, fit, score

TOY = toy_dataset()
CPU = torch.device("cpu")


def config(**changes) -> TrainConfig:
    return TrainConfig(**{"epochs": 2, "batch_size": 100, "learning_rate": 0.01, **changes})


def has(monkeypatch: pytest.MonkeyPatch, **flags: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)


@pytest.mark.parametrize(("flags", "quick"), [
    ({}, False), ({"avx512_f": True}, False), ({"avx512_bf16": False}, False),
    ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True),
])  # fmt: skip
def test_a_cpu_says_whether_it_multiplies_bfloat16(monkeypatch: pytest.MonkeyPatch, flags, quick):
    has(monkeypatch, **flags)
    assert multiplies_bfloat16(CPU) == quick
    for likelihood in LIKELIHOODS:
        precision = settled(config(), small_model(likelihood=likelihood)).precision
        assert precision == ("bfloat16" if quick and likelihood == "bernoulli" else "float32")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_precision_that_was_chosen_stays(monkeypatch: pytest.MonkeyPatch, precision):
    has(monkeypatch, avx512_bf16=precision == "float32")
    assert settled(config(precision=precision), small_model()).precision == precision


def test_this_machines_flags_are_read():
    assert multiplies_bfloat16(CPU) in (True, False)
    assert best_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_a_trainer_keeps_what_auto_came_to(monkeypatch: pytest.MonkeyPatch):
    has(monkeypatch, avx512_bf16=True)
    first = Trainer(small_model(likelihood="bernoulli"), TOY, config())
    first.advance()
    tensors, facts = first.state()
    has(monkeypatch)  # and goes on with it on another machine
    again = Trainer(small_model(likelihood="bernoulli"), TOY, config())
    assert (first.config.precision, again.config.precision) == ("bfloat16", "float32")
    again.restore(tensors, facts)
    assert again.config.precision == "bfloat16"


@pytest.mark.parametrize("channels", [(), (3,)])
def test_bfloat16_is_for_the_products_of_training_alone(channels):
    model = small_model(likelihood="bernoulli", channels=channels)
    seen: dict[bool, set[torch.dtype]] = {True: set(), False: set()}
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(lambda layer, _, result: seen[layer.training].add(result.dtype))
    trainer = Trainer(model, TOY, config(precision="bfloat16"))
    terms = trainer.advance()
    score(model, TOY.test.images, ELBO())
    assert seen == {True: {torch.bfloat16}, False: {torch.float32}}
    assert {term.dtype for term in terms} == {torch.float32}
    assert {p.dtype for p in model.parameters()} == {p.grad.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_bfloat16_learns_about_the_same(likelihood):
    bounds = []
    for precision in ("float32", "bfloat16"):
        model = small_model(likelihood=likelihood)
        list(fit(model, TOY, config(epochs=30, precision=precision)))
        reconstruction, kl = score(model, TOY.test.images, ELBO(10))
        bounds.append(reconstruction - kl)
    assert bounds[0] != bounds[1]
    # 16 pixels; the bounds themselves have moved by 1.5 to 20 nats from where they began
    assert bounds[0] == pytest.approx(bounds[1], abs=0.3)
