"""Images unlike any that the shipped models learned from: every estimator answers, and so does the encoder."""

import pytest
import torch

import vae
from vae.evidence.evaluation import evaluate
from vae.model.distributions import generator

IMAGES = {
    "blank": torch.zeros(28, 28, dtype=torch.uint8),
    "saturated": torch.full((28, 28), 255, dtype=torch.uint8),
    "noise": torch.randint(0, 256, (28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
}
MODELS = ("mnist-2d", "mnist-10d", "mnist-free-variance-2d", "mnist-shared-variance-2d")


@pytest.mark.parametrize("name", MODELS)
def test_every_estimator_gives_a_number(name: str) -> None:
    model = vae.load(name)
    x = model.pixels(torch.stack(list(IMAGES.values())), generator(0))
    assert vae.encode(model, torch.stack(list(IMAGES.values()))).kl.min() >= 0
    for method, given in {"elbo": {}, "naive": {}, "importance": {}, "ais": {"steps": 5, "samples": 2}}.items():
        (estimate,) = evaluate(model, x, method, **({"samples": 20} | given), generator=generator(1))
        assert estimate.value.isfinite().all(), (method, estimate.value)


@pytest.mark.parametrize("name", ["mnist-bernoulli-2d", "mnist-free-variance-2d"])
def test_the_exact_method_answers_or_says_that_it_cannot(name: str) -> None:
    model = vae.load(name)
    x = model.pixels(torch.stack(list(IMAGES.values())), generator(0))
    (estimate,) = evaluate(model, x, "exact")
    known = estimate.value.isfinite()
    assert (estimate.error_bound[known] < 0.1).all()
    assert estimate.error_bound[~known].isinf().all()
    (bound,) = evaluate(model, x, "elbo", samples=200, generator=generator(1))
    assert (bound.value < estimate.value + 4 * bound.standard_error)[known].all()
