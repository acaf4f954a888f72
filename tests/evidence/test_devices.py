"""Every estimator where the model is: on a GPU that is not there (tests/pretend.py), and on a real one if there is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import vae
from tests.pretend import GPU, OnGPU, gpu, moved
from tests.toys import linear_model, small_model, toy_split
from vae import latent
from vae.evidence import comparison, gaps, races
from vae.evidence.evaluation import METHODS, evaluate, sandwich
from vae.evidence.exact import posterior, thermodynamic_path
from vae.model import devices

IMAGES = toy_split(3).images
BUDGET = comparison.Budget(naive=(10,), importance=(10,), chains=2, steps=4)
WORK: dict[str, Callable[[vae.VAE, torch.Tensor], Any]] = {
    **{
        method: lambda model, x, method=method: evaluate(
            model, x, method, samples=None if method == "exact" else 40, steps=8 if method == "ais" else None,
            jackknife=method == "importance", generator=vae.generator(1),
        )
        for method in METHODS
    },
    "sandwich": lambda model, x: sandwich(model, x, chains=4, steps=6, generator=vae.generator(1)),
    "posterior": lambda model, x: posterior(model, x[:1]).sample(5, vae.generator(0)),
    "thermodynamic path": lambda model, x: thermodynamic_path(model, x[:1], np.array([0.0, 0.5, 1.0])),
    "gaps": lambda model, x: list(gaps.refine(model, x, steps=3, generator=vae.generator(0))),
    "race": lambda model, x: [
        step.value for step in races.race(model, x, tuple(races.ESTIMATORS), 10, replicates=1)
    ],
    "compare": lambda model, x: (
        (found := comparison.compare(model, x, generator=vae.generator(0), budget=BUDGET)).encoder_kl,
        [each.value for each in found.estimates.values()],
    ),
    "codes": lambda model, x: latent.encode(model, IMAGES),
    "decoded": lambda model, x: latent.decode(model, np.zeros((3, 2))),
}  # fmt: skip


def numbers(found: Any) -> Iterator[np.ndarray]:
    """All arrays and tensors of a result, which have to be on the CPU; no times."""
    if isinstance(found, torch.Tensor):
        assert not isinstance(found, OnGPU) and found.device.type == "cpu"
        yield found.numpy()
    elif isinstance(found, np.ndarray):
        yield found
    elif dataclasses.is_dataclass(found) and not isinstance(found, type):
        yield from numbers(list(vars(found).values()))
    elif isinstance(found, tuple | list):
        for each in found:
            yield from numbers(each)


def both(likelihood: str, latent_size: int = 2) -> tuple[vae.VAE, torch.Tensor]:
    model = small_model(likelihood=likelihood, latent=latent_size)
    return model, model.pixels(IMAGES, vae.generator(0))


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared", "bernoulli"])
@pytest.mark.parametrize("work", WORK)
@pytest.mark.slow
def test_all_is_computed_where_the_model_is_and_comes_back(work: str, likelihood: str) -> None:
    model, x = both(likelihood)
    here = list(numbers(WORK[work](model, x)))
    with gpu():
        twin = moved(model)
        assert twin.device == GPU
        there = list(numbers(WORK[work](twin, x)))
    assert len(here) == len(there) > 0
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_linear_decoders_evidence_too() -> None:
    model, _, x = linear_model(5, "gaussian")
    x = torch.as_tensor(x, dtype=torch.float32)
    (here,) = evaluate(model, x, "exact")
    with gpu():
        (there,) = evaluate(moved(model), x, "exact")
    torch.testing.assert_close(here.value, there.value, rtol=0, atol=0)


def test_the_gpu_that_is_not_there_tells_the_devices_apart() -> None:
    with gpu():
        ones = torch.ones(3, device=GPU)
        assert (ones + 1).cpu().tolist() == [2, 2, 2]
        with pytest.raises(RuntimeError, match="meets one on the GPU"):
            ones + torch.ones(3)
        with pytest.raises(RuntimeError, match="subclass"):
            ones.numpy()


def test_memory_that_is_short_halves_what_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def work(count: int) -> str:
        asked.append(count)
        if count > 3:
            raise torch.OutOfMemoryError
        return "done"

    assert devices.shrinking(work, 13) == ("done", 3)
    assert asked == [13, 6, 3]
    with pytest.raises(torch.OutOfMemoryError):
        devices.shrinking(lambda count: work(count + 3), 8)

    # the draws that are counted are those that were made
    model, x = both("gaussian")
    decoder = model.decoder.forward

    def short(z: torch.Tensor) -> torch.distributions.Distribution:
        if z[..., 0].numel() > 50:
            raise torch.OutOfMemoryError
        return decoder(z)

    monkeypatch.setattr(model.decoder, "forward", short)
    for method in ("elbo", "naive", "importance"):
        (found,) = evaluate(model, x, method, samples=100, generator=vae.generator(0))
        assert bool(found.value.isfinite().all()) and found.samples == 100, method


def test_a_gpu_takes_as_much_at_once_as_its_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (8 * 10**9, 80 * 10**9))
    assert devices.room(torch.device("cpu"), 512, 1000) == 512
    assert devices.room(torch.device("cuda"), 512, 1000) == 10**6
    assert devices.room(torch.device("cuda"), 512, 10**9) == 512


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a GPU")
@pytest.mark.parametrize("method", METHODS)
def test_a_real_gpu_agrees(method: str) -> None:
    model, x = both("gaussian")
    options = {"samples": None if method == "exact" else 200, "steps": 20 if method == "ais" else None}
    (here,) = evaluate(model, x, method, generator=vae.generator(1), **options)
    (there,) = evaluate(model.cuda(), x, method, generator=vae.generator(1), **options)
    torch.testing.assert_close(here.value, there.value, rtol=0, atol=5e-3)
