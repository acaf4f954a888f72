"""Both estimators of the gradient against differences of the exact expectation, and against closed forms."""

import math

import numpy as np
import pytest
import torch

import vae
from tests.toys import follows_its_generator, linear_model, numpy_encoder, numpy_log_likelihood, toy
from vae.derivation.gradients import ESTIMATORS, gradient_draws, true_gradient
from vae.errors import ConfigError, DataError
from vae.model.distributions import generator

DRAWS = 20_000


def numpy_elbo(model, x, mean, deviation):
    """By Gauss-Hermite with 60 nodes per axis, in float64."""
    latent = len(mean)
    line, mass = np.polynomial.hermite_e.hermegauss(60)
    nodes = np.stack(np.meshgrid(*[line] * latent), -1).reshape(-1, latent)
    weights = np.stack(np.meshgrid(*[mass] * latent), -1).reshape(-1, latent).prod(1) / math.sqrt(2 * math.pi) ** latent
    kl = 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation)).sum()
    return weights @ numpy_log_likelihood(model, mean + deviation * nodes, x.double().numpy()) - kl


def differences(model, x, step=1e-4):
    """The gradient of that in mu and sigma, (2, J), by central differences."""
    mean, deviation = (each[0] for each in numpy_encoder(model, x.double().numpy()))
    slopes = np.zeros((2, len(mean)))
    for j, along in enumerate(np.eye(len(mean)) * step):
        slopes[0, j] = numpy_elbo(model, x, mean + along, deviation) - numpy_elbo(model, x, mean - along, deviation)
        slopes[1, j] = numpy_elbo(model, x, mean, deviation + along) - numpy_elbo(model, x, mean, deviation - along)
    return slopes / (2 * step)


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared", "bernoulli"])
@pytest.mark.parametrize("latent", [1, 2])
def test_all_estimators_are_right_on_average(likelihood, latent):
    model, x = toy(1, latent=latent, likelihood=likelihood, activation="tanh", log_variance_floor=-2.0)
    truth = differences(model, x)
    assert np.allclose(true_gradient(model, x), truth, atol=1e-4)  # float32 in mu and sigma
    found = gradient_draws(model, x, DRAWS, generator(0))
    for name in ESTIMATORS:
        error = np.sqrt(found.variance(name) / DRAWS)
        assert (np.abs(getattr(found, name).mean(0) - truth) < 4 * error).all(), name
    # so they agree with each other too, closer than either score function's error: the draws are shared
    assert found.ratio("score") > 1


@pytest.mark.parametrize("latent", [2, 5])
def test_a_linear_model_has_the_gradient_and_variance_of_its_closed_form(latent):
    model, _, x = linear_model(latent, wide=1.3)
    x = x[:1]
    w, b = (getattr(model.decoder.location, name).detach().double().numpy() for name in ("weight", "bias"))
    precision = (w / np.exp(model.decoder.log_variance.detach().double().numpy())[:, None]).T  # (J, D)
    mean, deviation = (each[0] for each in numpy_encoder(model, x.double().numpy()))
    hessian = precision @ w
    slope = precision @ (x.double().numpy()[0] - b) - hessian @ mean
    exact = np.stack([slope - mean, -np.diag(hessian) * deviation + 1 / deviation - deviation])
    found = gradient_draws(model, x, DRAWS, generator(1))
    error = np.sqrt(found.variance("reparameterised") / DRAWS)
    assert (np.abs(found.reparameterised.mean(0) - exact) < 4 * error).all()
    # f' = slope - H sigma eps is normal: its variance in mu_j is sum_k H_jk^2 sigma_k^2, within its own sampling error
    expected = hessian**2 @ deviation**2
    assert np.allclose(found.variance("reparameterised")[0], expected, rtol=4 * math.sqrt(2 / DRAWS))


def test_running_means_end_at_the_mean_of_all_draws():
    found = gradient_draws(*toy(1), 500, generator(2))
    counts = np.array([2, 10, 500])
    for name in ESTIMATORS:
        values = getattr(found, name).astype(np.float64)
        mean, error = found.running(name, counts)
        assert np.allclose(mean, [values[:n].mean(0) for n in counts])
        expected = [values[:n].std(0, ddof=1) / math.sqrt(n) for n in counts]
        assert np.allclose(error, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", ["mnist-2d", "mnist-bernoulli-2d"])
@pytest.mark.slow
def test_on_a_shipped_model_the_score_function_is_right_too_but_far_noisier(name):
    model, images = vae.load(name), vae.load_dataset("mnist-sample", fetch=False).test.images[:1]
    x = model.pixels(images, generator(0))
    # kinks of a ReLU network cost the nodes of the truth up to a hundredth of it
    truth, found = true_gradient(model, x), gradient_draws(model, x, 2000, generator(0))
    for kind in ESTIMATORS:
        error = np.sqrt(found.variance(kind) / 2000)
        assert (np.abs(getattr(found, kind).mean(0) - truth) < 4 * error + 0.02 * np.abs(truth)).all(), kind
    assert found.ratio("score") > 100
    assert 1 < found.ratio("baseline") < found.ratio("score")


def test_weights_and_torchs_generator_are_left_alone():
    model, x = toy(1)
    follows_its_generator(lambda source: torch.from_numpy(gradient_draws(model, x, 4, source).score))
    with torch.inference_mode():  # whatever the caller is in
        gradient_draws(model, x, 4, generator(0))
        true_gradient(model, x)
    assert all(p.grad is None for p in model.parameters())


def test_refusals():
    model, x = toy(1)
    with pytest.raises(ConfigError, match="at least 2"):
        gradient_draws(model, x, 1)
    with pytest.raises(ConfigError, match="J = 3"):
        true_gradient(*toy(1, latent=3))
    with pytest.raises(DataError, match="a single image"):
        gradient_draws(*toy(2), 4)
