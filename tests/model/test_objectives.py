"""The ELBO, the IWAE bound and the autoencoder's objective, against numpy, Monte Carlo and finite differences."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from tests.toys import numpy_encoder, numpy_log_likelihood, small_model, toy_split
from vae.errors import ConfigError
from vae.model.distributions import generator
from vae.model.objectives import ELBO, IWAE, Autoencoder, Terms, objective_of
from vae.settings.config import LIKELIHOODS, TrainConfig

IMAGES = toy_split(6).images


def random_model(**changes):
    """Weights three times the initial ones, so that q is far from the prior and images differ."""
    model = small_model(**changes)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return model


def test_terms_subtract_the_kl():
    kl = torch.tensor([[2.0], [3.0]])
    assert Terms(torch.tensor([5.0, -1.0]), kl[:, 0], kl, kl[:, 0]).elbo.tolist() == [3.0, -4.0]


@torch.no_grad()
def test_the_kl_is_the_closed_form():
    model = random_model(latent=3)
    x = model.pixels(IMAGES, generator(0))
    mean, deviation = numpy_encoder(model, x.numpy())
    truth = 0.5 * (mean**2 + deviation**2 - 1 - np.log(deviation**2))
    assert truth.sum(1).min() > 0.3  # there is something to compare
    for objective in (ELBO(), IWAE(3)):
        terms = objective(model, x, generator(0))
        np.testing.assert_allclose(terms.kl, truth.sum(1), rtol=1e-5)
        np.testing.assert_allclose(terms.kl_by_dimension, truth, rtol=1e-4, atol=1e-6)  # of differences of float32


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
    assert torch.equal(terms.objective, terms.elbo)


@torch.no_grad()
def test_more_samples_change_the_noise_and_not_the_mean():
    model = random_model()
    x, noise = model.pixels(IMAGES, generator(0)).repeat(1500, 1), generator(1)
    few, many = (ELBO(samples)(model, x, noise).elbo.reshape(1500, 6) for samples in (1, 5))
    error = ((few.var(0) + many.var(0)) / 1500).sqrt()
    assert ((few.mean(0) - many.mean(0)).abs() < 5 * error).all()
    # the variance falls as 1 / L; a ratio of two variances of 1500 draws is known to some 10 %, heavy tails to 30 %
    assert ((few.var(0) / many.var(0) > 3.3) & (few.var(0) / many.var(0) < 7.5)).all()


def numpy_log_weights(model, x, k, beta=1.0, seed=9):
    """log w_i of the importance-weighted bound, (k, B), and the parts, in float64, with the noise of a seed."""
    mean, deviation = numpy_encoder(model, x.numpy())
    eps = torch.empty(k, *mean.shape).normal_(generator=generator(seed)).double().numpy()
    z = mean + deviation * eps
    log_likelihood = numpy_log_likelihood(model, z, x.numpy())
    log_ratio = (stats.norm.logpdf(z) - stats.norm(mean, deviation).logpdf(z)).sum(-1)
    return log_likelihood + beta * log_ratio, log_likelihood


@torch.no_grad()
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize(("k", "beta"), [(1, 1.0), (7, 1.0), (7, 0.3), (7, 0.0)])
def test_the_iwae_is_the_one_computed_in_numpy_with_the_same_noise(likelihood, k, beta):
    model = random_model(likelihood=likelihood, log_variance_floor=-2.0)
    x = model.pixels(IMAGES, generator(0))
    terms = IWAE(k, beta)(model, x, generator(9))
    weights, log_likelihood = numpy_log_weights(model, x, k, beta)
    np.testing.assert_allclose(terms.objective, np.logaddexp.reduce(weights, 0) - math.log(k), rtol=1e-4)
    np.testing.assert_allclose(terms.reconstruction, log_likelihood.mean(0), rtol=1e-4)


@torch.no_grad()
def test_with_one_sample_the_iwae_is_the_elbo_in_expectation_and_with_more_it_is_tighter():
    model = random_model()
    x, noise = model.pixels(IMAGES, generator(0)).repeat(3000, 1), generator(1)
    elbo = ELBO(1)(model, x, noise).objective.reshape(3000, 6)
    one, many = (IWAE(k)(model, x, noise).objective.reshape(3000, 6) for k in (1, 20))
    error = ((elbo.var(0) + one.var(0)) / 3000).sqrt()
    assert ((elbo.mean(0) - one.mean(0)).abs() < 5 * error).all()
    error = ((many.var(0) + one.var(0)) / 3000).sqrt()
    assert (many.mean(0) - one.mean(0) > 5 * error).all()


def test_the_gradient_of_the_iwae_weighs_draws_by_their_importance():
    # d/d theta log 1/k sum_i w_i = sum_i w~_i d log w_i / d theta, with w~ the normalised weights (Burda et al.)
    model = small_model(activation="tanh").double()
    x = model.pixels(IMAGES[:1], generator(0)).double()
    weight = model.decoder.location.weight
    q = model.encoder(x)
    z = q.mean + q.stddev * torch.empty(5, 1, 2, dtype=torch.float64).normal_(generator=generator(4))
    log_w = (model.decoder(z).log_prob(x) + model.prior.log_prob(z) - q.log_prob(z))[:, 0]
    each = [torch.autograd.grad(value, weight, retain_graph=True)[0] for value in log_w]
    truth = sum(share * gradient for share, gradient in zip(log_w.softmax(0), each, strict=True))
    IWAE(5)(model, x, generator(4)).objective.mean().backward()
    torch.testing.assert_close(weight.grad, truth)


@torch.no_grad()
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 4.0])
def test_beta_weighs_the_kl_and_leaves_the_parts_alone(beta):
    model = random_model()
    x = model.pixels(IMAGES, generator(0))
    plain, weighed = ELBO(2)(model, x, generator(3)), ELBO(2, beta)(model, x, generator(3))
    assert torch.equal(plain.elbo, weighed.elbo) and torch.equal(plain.kl, weighed.kl)
    truth = plain.reconstruction.double() - beta * plain.kl.double()
    np.testing.assert_allclose(weighed.objective, truth, rtol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("free", [0.05, 0.2, 50.0])
@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_free_bits_are_the_formula(free, beta):
    model = random_model(latent=3)
    x = model.pixels(IMAGES, generator(0))
    terms = ELBO(1, beta, free)(model, x, generator(3))
    mean, deviation = numpy_encoder(model, x.numpy())
    each = 0.5 * (mean**2 + deviation**2 - 1 - np.log(deviation**2))
    charged = np.maximum(free, each.mean(0)).sum()
    np.testing.assert_allclose(terms.objective, terms.reconstruction.double() - beta * charged, rtol=1e-5)
    np.testing.assert_allclose(terms.kl, each.sum(1), rtol=1e-5)  # which is reported as it is


def test_a_dimension_within_its_free_bits_has_no_gradient_from_its_kl():
    model = random_model(latent=3)
    x = model.pixels(IMAGES, generator(0))
    each = ELBO()(model, x, generator(3)).kl_by_dimension.mean(0).tolist()
    terms = ELBO(1, 1.0, sorted(each)[1] + 1e-4)(model, x, generator(3))  # between the second and the third
    (terms.objective - terms.reconstruction).mean().backward()
    moved = (model.encoder.head.weight.grad[:3] ** 2).sum(1).gt(0).tolist()
    assert moved == [value == max(each) for value in each]


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("objective", [ELBO(1), ELBO(3), ELBO(2, 0.5, 0.1), IWAE(4), Autoencoder()])
def test_the_gradient_is_that_of_finite_differences(likelihood, objective):
    model = small_model(likelihood=likelihood, activation="tanh").double()
    x = model.pixels(IMAGES, generator(0)).double()

    def value():
        return objective(model, x, generator(4)).objective.mean()

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
    assert not terms.kl_by_dimension.any() and torch.equal(terms.objective, terms.reconstruction)


@torch.no_grad()
@pytest.mark.parametrize("objective", [ELBO(2), IWAE(2), Autoencoder()])
def test_noise_comes_from_the_generator_alone(objective):
    model = random_model()
    x = model.pixels(IMAGES, generator(0))
    before = torch.get_rng_state()
    first, again, other = (objective(model, x, generator(seed)).objective for seed in (5, 5, 6))
    assert torch.equal(first, again) and torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, other) == isinstance(objective, Autoencoder)


def test_a_config_names_its_objective():
    assert objective_of(TrainConfig(samples=7)) == ELBO(7)
    assert objective_of(TrainConfig(samples=2, beta=4, free_bits=0.5)) == ELBO(2, 4, 0.5)
    assert objective_of(TrainConfig(beta=4, free_bits=0.5), 0.1) == ELBO(1, 0.1, 0.5)
    assert objective_of(TrainConfig(objective="iwae", samples=50), 0.5) == IWAE(50, 0.5)
    assert objective_of(TrainConfig(objective="autoencoder"), 0.5) == Autoencoder()


@pytest.mark.parametrize("samples", [0, -1, 2.5, None, True])
def test_a_bound_needs_a_sample(samples):
    for kind in (ELBO, IWAE):
        with pytest.raises(ConfigError, match="samples"):
            kind(samples)
