"""The lines of the derivation against closed forms of a linear model, and against brute sums in numpy."""

import math

import numpy as np
import pytest
import torch

import vae
from tests.toys import follows_its_generator, linear_model, numpy_encoder, numpy_log_likelihood, toy
from vae.derivation import bound as derivation
from vae.derivation.bound import derive
from vae.errors import ConfigError, DataError
from vae.model.distributions import generator

pytestmark = pytest.mark.slow

FLOAT32 = 2e-3  # nats: mu and sigma of q come from the encoder in float32


def closed_form(model, x):
    """Posterior mean (J,) and covariance of a linear model in numpy, and mu and sigma of its encoder."""
    w, b = (getattr(model.decoder.location, name).detach().double().numpy() for name in ("weight", "bias"))
    psi = np.broadcast_to(np.exp(model.decoder.log_variance.detach().double().numpy()), len(b))
    covariance = np.linalg.inv(np.eye(w.shape[1]) + (w / psi[:, None]).T @ w)
    mean, deviation = numpy_encoder(model, x.double().numpy())
    return (x.double().numpy()[0] - b) @ (w / psi[:, None]) @ covariance, covariance, mean[0], deviation[0]


def gaussian_kl(mean, covariance, other_mean, other_covariance):
    """Between two Gaussians of any covariance, in float64."""
    inverse, off = np.linalg.inv(other_covariance), other_mean - mean
    determinants = np.linalg.slogdet(other_covariance)[1] - np.linalg.slogdet(covariance)[1]
    return 0.5 * (np.trace(inverse @ covariance) + off @ inverse @ off - len(mean) + determinants)


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
@pytest.mark.parametrize("latent", [1, 2])
@pytest.mark.parametrize("wide", [0.7, 1.0, 1.6])
def test_every_line_of_a_linear_model_is_its_closed_form(likelihood, latent, wide):
    model, truth, x = linear_model(latent, likelihood, wide)
    with torch.no_grad():
        model.encoder.head.bias[:latent] += 0.3  # or q would have the posterior's mean
    x = x[:1]
    found = derive(model, x, generator=generator(0))
    mean, covariance, mu, sigma = closed_form(model, x)
    q = mu, np.diag(sigma**2)
    log_p, gap = truth.logpdf(x.double().numpy()[0]), gaussian_kl(*q, mean, covariance)
    regulariser = gaussian_kl(*q, np.zeros(latent), np.eye(latent))
    assert found.log_p.value == pytest.approx(log_p, abs=FLOAT32)
    assert found.mass.value == pytest.approx(1, abs=1e-8)
    assert found.bound.value == pytest.approx(log_p - gap, abs=FLOAT32)
    assert found.gap.value == pytest.approx(gap, abs=FLOAT32)
    assert found.regulariser == pytest.approx(regulariser, abs=FLOAT32)
    assert found.reconstruction.value == pytest.approx(log_p - gap + regulariser, abs=FLOAT32)
    assert gap > 0.01  # there is something to find


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("latent", [1, 2])
def test_the_terms_of_a_network_are_those_of_brute_sums_in_numpy(likelihood, latent):
    model, x = toy(1, latent=latent, likelihood=likelihood, activation="tanh")
    found = derive(model, x, generator=generator(0))
    mu, sigma = numpy_encoder(model, x.double().numpy())
    line = np.linspace(-9, 9, 241)
    z = np.stack(np.meshgrid(*[line] * latent), -1).reshape(-1, latent)
    cell = (line[1] - line[0]) ** latent
    likelihoods = numpy_log_likelihood(model, z, x.double().numpy())
    prior = -0.5 * (z**2).sum(1) - latent / 2 * math.log(2 * math.pi)
    q = -0.5 * (((z - mu) / sigma) ** 2).sum(1) - np.log(sigma).sum() - latent / 2 * math.log(2 * math.pi)
    log_p = np.log(np.exp(likelihoods + prior).sum() * cell)
    weight = np.exp(q) * cell
    assert found.log_p.value == pytest.approx(log_p, abs=FLOAT32)
    assert found.reconstruction.value == pytest.approx(weight @ likelihoods, abs=FLOAT32)
    assert found.bound.value == pytest.approx(weight @ (likelihoods + prior - q), abs=FLOAT32)
    assert found.gap.value == pytest.approx(weight @ (q - likelihoods - prior + log_p), abs=FLOAT32)
    assert found.regulariser == pytest.approx(weight @ (q - prior), abs=FLOAT32)


@pytest.mark.parametrize("name", ["mnist-2d", "mnist-bernoulli-2d"])
def test_the_lines_agree_on_a_shipped_model_within_the_errors_they_state(name):
    model, images = vae.load(name), vae.load_dataset("mnist-sample", fetch=False).test.images[:1]
    found = derive(model, model.pixels(images, generator(0)), generator=generator(0))
    error = found.log_p.error + found.bound.error + found.gap.error + found.normaliser.error + 1e-6
    assert error < 0.1
    assert found.bound.value + found.gap.value == pytest.approx(found.log_p.value, abs=error)
    parts = found.reconstruction.value - found.regulariser
    assert parts == pytest.approx(found.bound.value, abs=found.reconstruction.error + found.bound.error + 1e-6)
    assert found.gap.value > 0 and found.regulariser > 0
    # the ratio of Bayes, whose posterior is normalised on other nodes, is log p(x) at each draw
    assert found.normaliser.value == pytest.approx(found.log_p.value, abs=error)
    assert np.allclose(found.log_joint - found.log_posterior, found.log_p.value, atol=error)
    likelihood = numpy_log_likelihood(model, found.z, model.pixels(images, generator(0)).double().numpy())
    assert np.allclose(found.log_likelihood, likelihood, atol=1e-6)


def test_what_stands_below_log_p_x_does_not_come_from_it(monkeypatch):
    model, truth, x = linear_model(2)
    known = derivation.exact_evidence

    def shifted(*given):
        found = known(*given)
        return found._replace(value=found.value + 100)

    monkeypatch.setattr(derivation, "exact_evidence", shifted)
    found = derive(model, x[:1], generator=generator(0))
    log_p = truth.logpdf(x[:1].double().numpy()[0])
    assert found.log_p.value == pytest.approx(log_p + 100, abs=FLOAT32)
    assert found.bound.value + found.gap.value == pytest.approx(log_p, abs=FLOAT32)
    assert np.allclose(found.log_joint - found.log_posterior, log_p, atol=FLOAT32)


@pytest.mark.parametrize("latent", [1, 2])
def test_with_the_prior_as_q_the_lines_hold_too(latent):
    model, truth, x = linear_model(latent)
    x = x[:1]
    found = derive(model, x, generator=generator(0), base="prior")
    mean, covariance, *_ = closed_form(model, x)
    gap = gaussian_kl(np.zeros(latent), np.eye(latent), mean, covariance)
    assert found.regulariser == 0
    assert found.gap.value == pytest.approx(gap, abs=FLOAT32)
    assert found.bound.value == pytest.approx(truth.logpdf(x.double().numpy()[0]) - gap, abs=FLOAT32)
    assert found.reconstruction.value == pytest.approx(found.bound.value, abs=FLOAT32)
    assert np.abs(derive(model, x, 4000, generator(0), base="prior").z.std(0) - 1).max() < 5 / 8000**0.5


def test_draws_are_from_q_and_follow_their_generator():
    model, x = toy(1)
    follows_its_generator(lambda source: torch.from_numpy(derive(model, x, 5, source).z))
    found = derive(model, x, 4000, generator(0))
    mean, deviation = numpy_encoder(model, x.double().numpy())
    assert np.allclose(found.z.mean(0), mean[0], atol=5 * deviation / 4000**0.5)
    assert np.allclose(found.z.std(0), deviation[0], rtol=5 / 8000**0.5)


def test_refuses_what_has_no_exact_value():
    model, x = toy(1, latent=3)
    with pytest.raises(ConfigError, match="J = 1 or 2"):
        derive(model, x)
    with pytest.raises(DataError, match="a single image"):
        derive(*toy(2))
    with pytest.raises(ConfigError, match="number of samples"):
        derive(*toy(1), draws=0)
