"""The lesson's integral: its sum over a grid, its gradient, and its estimates, against the exact value and formulas."""

import copy

import numpy as np
import pytest
import torch

import vae
from tests.toys import float32_bound
from vae.derivation import integrand, planes
from vae.errors import ConfigError
from vae.evidence import exact, gaps
from vae.model.distributions import prepare_pixels

ROW = 4  # of the test images; a 4


@pytest.fixture(scope="module")
def bernoulli() -> tuple[vae.VAE, torch.Tensor, vae.Posterior]:
    return shipped("mnist-bernoulli-2d")


@pytest.fixture(scope="module")
def gaussian() -> tuple[vae.VAE, torch.Tensor, vae.Posterior]:
    return shipped("mnist-2d")


def shipped(name: str) -> tuple[vae.VAE, torch.Tensor, vae.Posterior]:
    model = vae.load(name)
    images = vae.load_dataset("mnist-sample").test.images[[ROW]]
    x = prepare_pixels(images, model.config.likelihood, vae.generator(0))
    return model, x, vae.posterior(model, x)


@pytest.mark.slow
def test_the_volume_under_the_integrand_is_p_of_x(bernoulli: tuple) -> None:
    model, x, found = bernoulli
    off = [abs(integrand.grid_evidence(model, x, side, 4.0) - found.log_p) for side in (10, 300)]
    assert off[1] < 1e-3 < off[0]


def test_a_grid_on_a_line() -> None:
    model = vae.build(vae.ModelConfig(latent=1, encoder_layers=(8,), decoder_layers=(8,), likelihood="bernoulli"))
    x = (torch.rand(1, 784, generator=vae.generator(1)) < 0.5).float()
    assert integrand.grid_evidence(model, x, 400, 8.0) == pytest.approx(float(exact.exact(model, x).value), abs=1e-3)


def test_a_grid_refuses_what_it_cannot_fill(bernoulli: tuple) -> None:
    with pytest.raises(ConfigError, match="J = 1 or 2"):
        model = vae.build(vae.ModelConfig(latent=3, encoder_layers=(8,), decoder_layers=(8,)))
        integrand.grid_evidence(model, torch.zeros(1, 784), 10, 4.0)
    with pytest.raises(ConfigError, match="cells"):
        integrand.grid_evidence(*bernoulli[:2], 0, 4.0)


@pytest.mark.slow
def test_the_gradient_of_log_p_is_the_posteriors_average(bernoulli: tuple) -> None:
    model, x, found = bernoulli
    slope = integrand.posterior_slope(model, x, found)
    for pixel in np.abs(slope).argsort()[[-1, -50, -200]]:
        sides, error = [], 0.0
        for shift in (0.05, -0.05):  # the evidence of another model, by a grid of its own
            moved = copy.deepcopy(model)
            with torch.no_grad():
                moved.decoder.location.bias[pixel] += shift
            each = exact.exact(moved, x)
            sides.append(float(each.value))
            error += float(each.error_bound)
        # differences of second order in 0.05, and what each value may be off
        assert (sides[0] - sides[1]) / 0.1 == pytest.approx(slope[pixel], abs=1e-3 + error / 0.1)


@pytest.mark.parametrize("name", ["gaussian", "bernoulli"])
@pytest.mark.slow
def test_what_the_lesson_measures_is_the_posteriors_average_and_not_the_priors(
    name: str, request: pytest.FixtureRequest
) -> None:
    model, x, found = request.getfixturevalue(name)
    right = integrand.posterior_slope(model, x, found)
    draws = np.random.default_rng(0).standard_normal((500, 2), np.float32)
    wrong = integrand.prior_slope(model, x, draws)
    pixel = int(np.abs(right - wrong).argmax())
    measured = integrand.bias_slope(model, x, found, pixel)
    assert measured == pytest.approx(right[pixel], rel=1e-4)
    assert abs(measured - wrong[pixel]) > 0.3 * abs(measured)


@pytest.mark.parametrize("name", ["gaussian", "bernoulli"])
def test_slopes_are_what_calculus_says(name: str, request: pytest.FixtureRequest) -> None:
    model, x, _found = request.getfixturevalue(name)
    z = np.random.default_rng(0).standard_normal((20, 2), np.float32)
    with torch.no_grad():
        p = model.decoder(torch.from_numpy(z)).base_dist
        if name == "bernoulli":
            expected = x - p.probs
        else:  # through the sigmoid, whose derivative is mu (1 - mu)
            expected = (x - p.loc) / p.scale**2 * p.loc * (1 - p.loc)
    assert np.allclose(integrand.prior_slope(model, x, z), expected.mean(0), rtol=1e-3, atol=1e-4)


def test_the_running_estimate_is_the_mean_so_far() -> None:
    log_w = np.random.default_rng(0).normal(0, 5, (3, 200)).astype(np.float32) - 1000
    expected = [[np.log(np.exp(row[: n + 1] + 1000.0).mean()) - 1000 for n in range(200)] for row in log_w]
    assert np.allclose(integrand.running(log_w), expected, atol=1e-4)


def test_draws_come_with_their_likelihood(gaussian: tuple) -> None:
    model, x, found = gaussian
    run = integrand.stream(model, x, 700, vae.generator(3))
    with torch.no_grad():
        expected = copy.deepcopy(model.decoder).double()(torch.from_numpy(run.z).double()).log_prob(x.double())
        bound = float32_bound(model.decoder(torch.from_numpy(run.z)), x, likely=True)[:, 0]
    assert (np.abs(run.log_likelihood - expected.numpy()) < bound.numpy()).all()
    assert abs(run.z.mean()) < 0.15 and abs(run.z.std() - 1) < 0.1
    assert run.log_likelihood.max() < found.log_p + 30


def test_enough_is_the_first_draw_from_which_half_of_the_runs_stay_near() -> None:
    runs = np.array([[5, 0, 0, 0, 0], [5, 5, 5, 0, 0], [0, 5, 0, 0, 5]], float)
    assert integrand.enough(runs[:1], 0, 1) == 2
    assert integrand.enough(runs[:2], 0, 1) == 2
    assert integrand.enough(runs, 0, 1) == 4
    assert integrand.enough(runs[2:], 0, 1) is None


@pytest.mark.parametrize("name", ["gaussian", "bernoulli"])
def test_log_posterior_is_that_of_the_grid(name: str, request: pytest.FixtureRequest) -> None:
    model, x, found = request.getfixturevalue(name)
    heavy = found.weight > 1e-3 * found.weight.max()
    density = np.log(found.weight[heavy]) - 2 * np.log(found.step)
    here = planes.log_posterior(model, x, found.z[heavy].astype(np.float32), found.log_p)
    assert np.allclose(here, density, atol=0.02)


@pytest.mark.parametrize("name", ["gaussian", "bernoulli"])
@pytest.mark.slow
def test_what_q_misses_is_log_p_less_the_elbo(name: str, request: pytest.FixtureRequest) -> None:
    model, x, found = request.getfixturevalue(name)
    elbo = float(next(gaps.refine(model, x, generator=vae.generator(0))).elbo)
    line = np.linspace(-7, 7, 141)  # a trapezoid rule, against the Gauss-Hermite nodes of the ELBO
    unit = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    log_unit = -0.5 * (unit**2).sum(1) - np.log(2 * np.pi)
    with torch.no_grad():
        q = model.encoder(x)
    z = q.mean.numpy() + q.stddev.numpy() * unit
    log_q = log_unit - np.log(q.stddev.numpy()).sum()
    gain = log_q - planes.log_posterior(model, x, z.astype(np.float32), found.log_p)
    kl = float((np.exp(log_unit) * (line[1] - line[0]) ** 2) @ gain)
    assert kl == pytest.approx(found.log_p - elbo, abs=0.02)
