"""Devices and precisions: what auto means where, and that only products are ever coarse."""

import re

import pytest
import torch
from torch import nn

from tests.toys import small_model, toy_dataset
from vae.errors import ConfigError
from vae.model import devices, load
from vae.model.devices import best_device, multiplies_bfloat16, quick_products, settled
from vae.model.objectives import ELBO
from vae.settings.config import LIKELIHOODS, TrainConfig
from vae.training.scores import score
from vae.training.trainer import Trainer, fit

pytestmark = pytest.mark.slow

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


@pytest.mark.parametrize(("asked", "environment", "rank", "gpus", "expected"), [
    (None, "", "0", 0, "cpu"), ("auto", "cpu", "0", 2, "cuda:0"), (None, "cpu", "0", 2, "cpu"),
    (None, "", "1", 2, "cuda:1"), ("cuda", "", "1", 2, "cuda:1"), ("cuda:0", "", "1", 1, "cuda:0"),
    ("cpu", "", "0", 1, "cpu"),
])  # fmt: skip
def test_a_device_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch, asked, environment, rank, gpus, expected):
    monkeypatch.setenv("VAE_DEVICE", environment)
    monkeypatch.setenv("LOCAL_RANK", rank)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert best_device(asked) == torch.device(expected)


@pytest.mark.parametrize(("asked", "rank", "gpus", "says"), [
    ("tpu", "0", 1, "device must be auto, cpu, cuda"), ("cuda:", "0", 1, "device must be"),
    ("cuda:x", "0", 1, "device must be"),
    ("cuda", "0", 0, "PyTorch finds 0 here; cuda:0 was requested. Choose auto or cpu."),
    ("cuda:2", "0", 2, "PyTorch finds 2 here; cuda:2 was requested."),
    ("auto", "1", 1, "finds 1 here; cuda:1 was requested. Start fewer processes, or name one GPU for all of them"),
    ("mps", "0", 0, "it needs a Mac"),
])  # fmt: skip
def test_a_device_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, asked, rank, gpus, says):
    monkeypatch.setenv("LOCAL_RANK", rank)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=re.escape(says)):
        best_device(asked)
    with pytest.raises(ConfigError, match=re.escape(says)):
        load("mnist-2d", asked)


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


def test_quick_products_are_those_of_float32():
    with quick_products():
        for m, k, n in ((128, 784, 400), (784, 128, 400), (1000, 20, 30), (7, 3, 5)):
            a, b = torch.randn(m, k), torch.randn(k, n)
            # float32 sums of 784 products of order one; in bfloat16 they would be off by more than 0.1
            torch.testing.assert_close(a @ b, (a.double() @ b.double()).float(), rtol=0, atol=1e-3)


@pytest.mark.parametrize("exact", [True, False])
def test_quick_products_leave_the_setting_as_it_was(monkeypatch: pytest.MonkeyPatch, exact):
    monkeypatch.setattr(devices, "_onednn_is_exact", lambda: exact)
    before = torch.backends.mkldnn.matmul.fp32_precision
    with pytest.raises(KeyError), quick_products():
        assert (torch.backends.mkldnn.matmul.fp32_precision == "bf16") == exact
        raise KeyError
    assert torch.backends.mkldnn.matmul.fp32_precision == before


@pytest.mark.parametrize("flags", [{}, {"avx512_f": True}, {"avx512_bf16": True, "amx_bf16": True}])
def test_quick_products_are_not_asked_of_a_cpu_that_would_round(monkeypatch: pytest.MonkeyPatch, flags):
    has(monkeypatch, **flags)
    assert not devices._onednn_is_exact.__wrapped__()
