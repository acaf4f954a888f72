"""L2 in closed form against numerical integrals, and its estimate from draws against both."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

import vae
from tests.toys import follows_its_generator
from vae.derivation.regulariser import draw_deviation, paid, running_estimate
from vae.errors import ConfigError
from vae.latent.codes import encode
from vae.model.distributions import generator

CASES = [(0.0, 1.0), (1.2, 0.3), (-2.5, 0.02), (0.4, 1.7)]


@pytest.mark.parametrize(("mean", "deviation"), CASES)
def test_closed_form_is_the_integral(mean, deviation):
    q, p = stats.norm(mean, deviation), stats.norm()
    reach = mean - 12 * deviation, mean + 12 * deviation
    integral, _ = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), *reach, epsabs=1e-12)
    place, width = paid(np.array([mean]), np.array([deviation]))
    assert place[0] + width[0] == pytest.approx(integral, abs=1e-9)
    assert place[0] >= 0 and width[0] >= 0
    square, _ = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)) ** 2, *reach, epsabs=1e-12)
    assert draw_deviation(np.array([mean]), np.array([deviation])) == pytest.approx(
        math.sqrt(max(square - integral**2, 0)), abs=1e-6
    )


def test_draws_agree_with_it_within_their_error_and_say_the_error():
    mean, deviation = (np.array(column) for column in zip(*CASES, strict=True))
    closed = -sum(part.sum() for part in paid(mean, deviation))
    counts = np.array([2, 30, 1000, 20_000])
    off = []
    for seed in range(20):
        found = running_estimate(mean, deviation, counts, generator(seed))
        off.append((found.value[2:] - closed) / found.error[2:])
        assert found.error[-1] == pytest.approx(draw_deviation(mean, deviation) / math.sqrt(2e4), rel=0.05)
    off = np.array(off)
    assert (np.abs(off) < 4.5).all() and 0.7 < off.std() < 1.3  # standard normal, of 40 numbers


def test_the_estimate_follows_its_generator_and_counts():
    mean, deviation = np.array([0.3, -1.0]), np.array([0.5, 0.1])
    follows_its_generator(
        lambda source: torch.from_numpy(running_estimate(mean, deviation, np.array([2, 9]), source).value)
    )
    short, long = (
        running_estimate(mean, deviation, counts, generator(1)) for counts in (np.array([5]), np.array([5, 9]))
    )
    assert short.value[0] == long.value[0]
    for counts in (np.array([1, 5]), np.array([5, 5]), np.array([], int)):
        with pytest.raises(ConfigError, match="increasing"):
            running_estimate(mean, deviation, counts, generator(0))
    with pytest.raises(ConfigError, match="above 0"):
        paid(mean, np.array([0.0, 1.0]))


@pytest.mark.parametrize("name", ["mnist-2d", "mnist-20d", "mnist-bernoulli-2d"])
def test_on_shipped_models_the_three_ways_agree(name):
    model, images = vae.load(name), vae.load_dataset("mnist-sample", fetch=False).test.images[:3]
    codes = encode(model, images)
    for mean, deviation, kl in zip(*codes, strict=True):
        place, width = paid(mean, deviation)
        assert np.allclose(place + width, kl, atol=1e-5)  # of torch's kl_divergence in float32
        found = running_estimate(mean, deviation, np.array([20_000]), generator(0))
        assert abs(found.value[0] + kl.sum()) < 4.5 * found.error[0]
