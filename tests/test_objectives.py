"""The ELBO and the autoencoder's objective, against numpy, Monte Carlo and finite differences."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from tests.toys import numpy_encoder, numpy_log_likelihood, small_model, toy_split
from vae.config import LIKELIHOODS, TrainConfig
from vae.distributions import generator
from vae.errors import ConfigError
from vae.objectives import ELBO, Autoencoder, Terms, objective_of

IMAGES = toy_split(6).images


def random_model(**changes):
    """Weights three times the initial ones, so that q is far from the prior and images differ."""
    model = small_model(**changes)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return model


def test_terms_subtract_the_kl():
    assert Terms(torch.tensor([5.0, -1.0]), torch.tensor([2.0, 3.0])).elbo.tolist() == [3.0, -4.0]


@torch.no_grad()
def test_the_kl_is_the_closed_form():
    model = random_model(latent=3)
    x = model.pixels(IMAGES, generator(0))
    kl = ELBO()(model, x, generator(0)).kl
    mean, deviation = numpy_encoder(model, x.numpy())
    truth = 0.5 * (mean**2 + deviation**2 - 1 - np.log(deviation**2)).sum(1)
    assert truth.min() > 0.3  # there is something to compare
    np.testing.assert_allclose(kl, truth, rtol=1e-5)


@torch.no_grad()
def test_the_kl_is_the_mean_log_ratio_of_densities():
    model = random_model()
    x = model.pixels(IMAGES, generator(0))
    kl = ELBO()(model, x, generator(0)).kl.numpy()
    mean, deviation = numpy_encoder(model, x.numpy())
    z = mean + deviation * np.random.default_rng(0).standard_normal((20_000, *mean.shape))
    ratio = (stats.norm(mean, deviation).logpdf(z) - stats.norm.logpdf(z)).sum(-1)
    assert (np.abs(ratio.mean(0) - kl) < 5 * ratio.std(0) / math.sqrt(len(z))).all()  # five standard errors


@torch.no_grad()
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("samples", [1, 5])
def test_the_elbo_is_the_one_computed_in_numpy_with_the_same_noise(likelihood, samples):
    model = random_model(likelihood=likelihood, log_variance_floor=-2.0)
    x = model.pixels(IMAGES, generator(0))
    terms = ELBO(samples)(model, x, generator(9))
    mean, deviation = numpy_encoder(model, x.numpy())
    eps = torch.empty(samples, 6, 2).normal_(generator=generator(9)).numpy()
    truth = numpy_log_likelihood(model, mean + deviation * eps, x.numpy()).mean(0)
    assert terms.reconstruction.shape == terms.kl.shape == terms.elbo.shape == (6,)
    np.testing.assert_allclose(terms.reconstruction, truth, rtol=1e-4)  # float32 sums over 16 pixels
    np.testing.assert_allclose(terms.elbo, terms.reconstruction - terms.kl, rtol=1e-6)


@torch.no_grad()
def test_more_samples_change_the_noise_and_not_the_mean():
    model = random_model()
    x, noise = model.pixels(IMAGES, generator(0)).repeat(1500, 1), generator(1)
    few, many = (ELBO(samples)(model, x, noise).elbo.reshape(1500, 6) for samples in (1, 5))
    error = ((few.var(0) + many.var(0)) / 1500).sqrt()
    assert ((few.mean(0) - many.mean(0)).abs() < 5 * error).all()
    # the variance falls as 1 / L; a ratio of two variances of 1500 draws is known to some 10 %, heavy tails to 30 %
    assert ((few.var(0) / many.var(0) > 3.3) & (few.var(0) / many.var(0) < 7.5)).all()


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("objective", [ELBO(1), ELBO(3), Autoencoder()])
def test_the_gradient_is_that_of_finite_differences(likelihood, objective):
    model = small_model(likelihood=likelihood, activation="tanh").double()
    x = model.pixels(IMAGES, generator(0)).double()

    def value():
        return objective(model, x, generator(4)).elbo.mean()

    value().backward()
    weights = list(model.parameters())
    directions = [torch.randn(weight.shape, dtype=torch.float64) for weight in weights]
    slope = sum((weight.grad * way).sum() for weight, way in zip(weights, directions, strict=True))
    ends = []
    for step in (1e-5, -2e-5):  # there, and to the other side
        with torch.no_grad():
            for weight, way in zip(weights, directions, strict=True):
                weight.add_(way, alpha=step)
            ends.append(value())
    # central differences in float64: an error of h^2 = 1e-10 times third derivatives, and 1e-16 / h = 1e-11
    torch.testing.assert_close((ends[0] - ends[1]) / 2e-5, slope, rtol=1e-6, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_an_autoencoder_decodes_the_mean_and_has_no_kl(likelihood):
    model = random_model(likelihood=likelihood, log_variance_floor=-2.0)
    x = model.pixels(IMAGES, generator(0))
    terms = Autoencoder()(model, x, generator(1))
    truth = numpy_log_likelihood(model, numpy_encoder(model, x.numpy())[0], x.numpy())
    np.testing.assert_allclose(terms.reconstruction, truth, rtol=1e-4)
    assert terms.kl.shape == (6,) and not terms.kl.any() and torch.equal(terms.elbo, terms.reconstruction)


@torch.no_grad()
@pytest.mark.parametrize("objective", [ELBO(2), Autoencoder()])
def test_noise_comes_from_the_generator_alone(objective):
    model = random_model()
    x = model.pixels(IMAGES, generator(0))
    before = torch.get_rng_state()
    first, again, other = (objective(model, x, generator(seed)).elbo for seed in (5, 5, 6))
    assert torch.equal(first, again) and torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, other) == isinstance(objective, Autoencoder)


def test_a_config_names_its_objective():
    assert objective_of(TrainConfig(samples=7)) == ELBO(7)
    assert objective_of(TrainConfig(objective="autoencoder")) == Autoencoder()


@pytest.mark.parametrize("samples", [0, -1, 2.5, None, True])
def test_an_elbo_needs_a_sample(samples):
    with pytest.raises(ConfigError, match="samples"):
        ELBO(samples)
