"""Estimators of log p(x) against closed forms, brute quadrature in numpy, and their own spread."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from torch.distributions import Bernoulli, Independent

from tests.toys import float32_bound, follows_its_generator, numpy_encoder, numpy_log_likelihood, small_model, toy_split
from vae.errors import ConfigError, DataError
from vae.evidence import estimates as evidence
from vae.evidence.estimates import elbo, naive_monte_carlo, naive_monte_carlo_path, pairwise_log_prob
from vae.model.distributions import diagonal_normal, generator
from vae.settings.config import LIKELIHOODS

IMAGES = toy_split(4).images
FLOAT32 = 1e-4  # nats: in any order 24 roundings of terms that make up 60 nats, 24 * 60 * 2^-24 (toys.float32_bound)


def bent_model(likelihood):
    """A decoder that bends the plane, its weights three times the initial ones; tanh, so that a grid converges fast."""
    model = small_model(likelihood=likelihood, activation="tanh", log_variance_floor=-2.0)
    with torch.no_grad():
        for weight in model.decoder.parameters():
            weight.mul_(3)
    return model


def linear_model(likelihood, latent):
    """A linear decoder with orthogonal columns, so that the posterior is diagonal, and an encoder that is it."""
    linear = {"encoder_layers": (), "decoder_layers": (), "log_variance_floor": None}
    model = small_model(likelihood=likelihood, latent=latent, **linear)
    rng = np.random.default_rng(latent)
    spread = 3.0 if likelihood == "gaussian-shared" else rng.uniform(2, 4, 16)  # -log variance
    psi = np.exp(-np.broadcast_to(spread, 16))
    columns = np.linalg.qr(rng.standard_normal((16, latent)))[0] * np.array([0.5, 0.3])[:latent]
    w = columns * np.sqrt(psi)[:, None] * 4  # W^T Psi^-1 W = 16 columns^T columns is diagonal
    b = rng.uniform(0, 1, 16)
    precision = 1 + np.diag(w.T @ np.diag(1 / psi) @ w)
    to_mean = (w / psi[:, None]).T / precision[:, None]
    with torch.no_grad():
        model.decoder.location.weight.copy_(torch.from_numpy(w))
        model.decoder.location.bias.copy_(torch.from_numpy(b))
        model.decoder.log_variance.copy_(torch.from_numpy(-np.broadcast_to(spread, model.decoder.log_variance.shape)))
        model.encoder.head.weight.zero_()[:latent].copy_(torch.from_numpy(to_mean))
        model.encoder.head.bias.copy_(torch.from_numpy(np.concatenate([-to_mean @ b, -np.log(precision)])))
    truth = stats.multivariate_normal(b, w @ w.T + np.diag(psi))
    return model, truth


def draws_of(truth, count=4):
    return torch.from_numpy(truth.rvs(count, random_state=3)).float()


class Grid:
    """p(x|z) on a grid of the plane: where a smooth integrand is zero at the ends, its sum converges exponentially."""

    def __init__(self, model, x, steps=201, end=6.0):
        line = np.linspace(-end, end, steps)
        self.cell = 2 * math.log(line[1] - line[0])
        self.z = np.stack(np.meshgrid(line, line), -1).reshape(-1, 1, 2)
        self.log_p = numpy_log_likelihood(model, self.z, x.numpy())
        self.log_prior = stats.norm.logpdf(self.z).sum(-1)
        mean, deviation = numpy_encoder(model, x.numpy())
        self.log_q = stats.norm(mean, deviation).logpdf(self.z).sum(-1)

    @property
    def evidence(self):
        return logsumexp(self.log_p + self.log_prior + self.cell, 0)

    @property
    def elbo(self):
        return (np.exp(self.log_q + self.cell) * (self.log_p + self.log_prior - self.log_q)).sum(0)

    @property
    def gap(self):
        """KL[q || posterior]."""
        log_posterior = self.log_p + self.log_prior - self.evidence
        return (np.exp(self.log_q + self.cell) * (self.log_q - log_posterior)).sum(0)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_matrix_products_give_the_density(likelihood):
    model = small_model(likelihood=likelihood).double()
    x = model.pixels(toy_split(50).images, generator(0)).double()
    with torch.no_grad():
        p = model.decoder(torch.randn(30, 2, dtype=torch.float64))
        product = pairwise_log_prob(p, x)
        truth = torch.stack([p.log_prob(image) for image in x], 1)
    assert product.shape == (30, 50)
    torch.testing.assert_close(product, truth, rtol=1e-12, atol=1e-12)


def test_matrix_products_in_float32_lose_little_at_the_floor_that_ships():
    # means anywhere in [0, 1], sigma from 0.05 (a floor of -6) to 0.37: harder than digits, mostly near 0
    g = generator(0)
    mean, log_variance = torch.rand(50, 784, generator=g), -6 + 4 * torch.rand(50, 784, generator=g)
    x = (mean[:20] + torch.randn(20, 784, generator=g) * (log_variance[:20] / 2).exp()).clamp(0, 1)
    p = diagonal_normal(mean, log_variance)
    product = pairwise_log_prob(p, x)
    truth = diagonal_normal(mean.double()[:, None], log_variance.double()[:, None]).log_prob(x.double())
    # each of the three sums is some 3e4 nats, and cancels against the others
    bound = float32_bound(p, x, likely=True)
    assert ((product.double() - truth).abs() < bound).all() and bound.max() < 1


def test_matrix_products_of_a_bernoulli_survive_certain_pixels():
    p = Independent(Bernoulli(logits=torch.tensor([[500.0, -500.0]])), 1)
    product = pairwise_log_prob(p, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    torch.testing.assert_close(product, torch.tensor([[0.0, -500.0]]))


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
@pytest.mark.parametrize("latent", [1, 2])
def test_naive_monte_carlo_finds_the_evidence_of_a_linear_model(likelihood, latent):
    model, truth = linear_model(likelihood, latent)
    x = draws_of(truth)
    estimate = naive_monte_carlo(model, x, 50_000, generator(0))
    assert estimate.value.shape == estimate.standard_error.shape == (4,) and estimate.value.dtype == torch.float64
    assert (estimate.standard_error < 0.05).all()
    assert (np.abs(estimate.value.numpy() - truth.logpdf(x)) < 4 * estimate.standard_error.numpy() + FLOAT32).all()
    assert (estimate.samples, estimate.decodes) == (50_000, 50_000) and 0 < estimate.seconds < 60


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_naive_monte_carlo_finds_the_evidence_of_a_bent_model(likelihood):
    model = bent_model(likelihood)
    x = model.pixels(IMAGES, generator(0))
    grid = Grid(model, x)
    estimate = naive_monte_carlo(model, x, 50_000, generator(0))
    assert (estimate.standard_error < 0.05).all()
    assert (np.abs(estimate.value.numpy() - grid.evidence) < 4 * estimate.standard_error.numpy() + FLOAT32).all()


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_elbo_is_that_of_quadrature_and_below_the_evidence_by_the_gap(likelihood):
    model = bent_model(likelihood)
    x = model.pixels(IMAGES, generator(0))
    grid = Grid(model, x)
    estimate = elbo(model, x, 5000, generator(0))
    error = 4 * estimate.standard_error.numpy() + FLOAT32
    assert (error < grid.gap / 5).all()  # so that bound and evidence can be told apart
    assert (np.abs(estimate.value.numpy() - grid.elbo) < error).all()
    assert (np.abs(grid.evidence - grid.gap - estimate.value.numpy()) < error).all()
    assert (estimate.samples, estimate.decodes) == (5000, 20_000)


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
@pytest.mark.parametrize("latent", [1, 2])
def test_the_bound_is_tight_when_q_is_the_posterior(likelihood, latent):
    model, truth = linear_model(likelihood, latent)
    x = draws_of(truth)
    estimate = elbo(model, x, 20_000, generator(0))
    assert (estimate.standard_error < 0.02).all()
    assert (np.abs(estimate.value.numpy() - truth.logpdf(x)) < 4 * estimate.standard_error.numpy() + FLOAT32).all()


@pytest.mark.parametrize(("estimator", "samples"), [(naive_monte_carlo, 400), (elbo, 25)])
def test_standard_errors_are_the_spread_of_repeated_estimates(estimator, samples):
    model, truth = linear_model("gaussian", 1)
    x, noise = draws_of(truth), generator(0)
    repeats = [estimator(model, x, samples, noise) for _ in range(400)]
    spread = torch.stack([estimate.value for estimate in repeats]).std(0)
    said = torch.stack([estimate.standard_error for estimate in repeats]).square().mean(0).sqrt()
    # a deviation of 400 draws is known to 1 / sqrt(800) = 3.5 %; the delta method adds some per cent
    assert ((said / spread - 1).abs() < 0.15).all() and (spread > 0.01).all()


@torch.no_grad()
def test_the_naive_estimate_and_its_error_follow_from_its_weights():
    model = bent_model("gaussian")
    x = model.pixels(IMAGES, generator(0))
    estimate = naive_monte_carlo(model, x, 1000, generator(5))
    z = torch.empty(1000, 2).normal_(generator=generator(5))
    w = np.exp(numpy_log_likelihood(model, z.numpy()[:, None], x.numpy()))
    np.testing.assert_allclose(estimate.value, np.log(w.mean(0)), rtol=0, atol=FLOAT32)
    np.testing.assert_allclose(estimate.standard_error, w.std(0) / w.mean(0) / math.sqrt(1000), rtol=1e-3)


@torch.no_grad()
def test_the_elbo_and_its_error_follow_from_its_draws():
    model = bent_model("gaussian")
    x = model.pixels(IMAGES, generator(0))
    estimate = elbo(model, x, 500, generator(5))
    mean, deviation = numpy_encoder(model, x.numpy())
    z = mean + deviation * torch.empty(500, 4, 2).normal_(generator=generator(5)).numpy()
    log_p = numpy_log_likelihood(model, z, x.numpy())
    kl = 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation)).sum(1)
    np.testing.assert_allclose(estimate.value, log_p.mean(0) - kl, rtol=0, atol=FLOAT32)
    np.testing.assert_allclose(estimate.standard_error, log_p.std(0, ddof=1) / math.sqrt(500), rtol=1e-3)


@pytest.mark.parametrize("estimator", [naive_monte_carlo, elbo])
def test_one_draw_tells_no_error(estimator):
    model = bent_model("gaussian")
    estimate = estimator(model, model.pixels(IMAGES, generator(0)), 1, generator(0))
    assert estimate.standard_error.isinf().all() and estimate.value.isfinite().all()


@pytest.mark.parametrize("estimator", [naive_monte_carlo, elbo])
def test_chunks_do_not_change_the_value(estimator, monkeypatch):
    model = bent_model("gaussian")
    x = model.pixels(IMAGES, generator(0))
    whole = estimator(model, x, 960, generator(2))
    # a chunk draws a whole number of torch's blocks of 16 normals, so that the stream of draws is the same
    monkeypatch.setattr(evidence, "CHUNK", 64)
    chunked = estimator(model, x, 960, generator(2))
    torch.testing.assert_close(chunked.value, whole.value, rtol=0, atol=FLOAT32)  # other sizes, other orders of sums
    torch.testing.assert_close(chunked.standard_error, whole.standard_error, rtol=1e-4, atol=0)


def test_the_elbo_of_more_images_than_a_chunk(monkeypatch):
    model = bent_model("gaussian")
    x = model.pixels(toy_split(50).images, generator(0))
    whole = elbo(model, x, 400, generator(2))
    monkeypatch.setattr(evidence, "CHUNK", 16)
    parts = elbo(model, x, 400, generator(3))
    error = (whole.standard_error.square() + parts.standard_error.square()).sqrt()
    assert parts.value.shape == (50,) and ((parts.value - whole.value).abs() < 4.5 * error).all()


@pytest.mark.parametrize("estimator", [naive_monte_carlo, elbo])
@pytest.mark.parametrize("images", [1, 5])
def test_memory_does_not_grow_with_the_samples(estimator, images):
    model = bent_model("gaussian")
    decoded = []
    model.decoder.register_forward_pre_hook(lambda module, arguments: decoded.append(arguments[0][..., 0].numel()))
    x = model.pixels(toy_split(images).images, generator(0))
    estimate = estimator(model, x, 20_001, generator(0))
    assert max(decoded) <= evidence.CHUNK and sum(decoded) == estimate.decodes
    assert estimate.decodes == 20_001 * (images if estimator is elbo else 1)


def test_a_path_is_one_stream_that_ends_like_a_single_run():
    model = bent_model("gaussian")
    x = model.pixels(IMAGES, generator(0))
    sizes = (16, 64, 4096, 5000)
    path = list(naive_monte_carlo_path(model, x, sizes, generator(2)))
    assert tuple(estimate.samples for estimate in path) == tuple(estimate.decodes for estimate in path) == sizes
    for estimate, size in zip(path, sizes, strict=True):
        single = naive_monte_carlo(model, x, size, generator(2))
        torch.testing.assert_close(estimate.value, single.value, rtol=0, atol=FLOAT32)
        torch.testing.assert_close(estimate.standard_error, single.standard_error, rtol=1e-4, atol=0)
    assert all(a.seconds < b.seconds for a, b in pairwise(path))


@pytest.mark.parametrize("estimator", [naive_monte_carlo, elbo])
def test_estimates_follow_their_generator_and_leave_the_global_one_alone(estimator):
    model = bent_model("gaussian")
    x = model.pixels(IMAGES, generator(0))
    follows_its_generator(lambda noise: estimator(model, x, 100, noise).value)


def test_far_too_few_draws_stay_finite_and_below():
    model = small_model(log_variance_floor=-16.0, image_shape=(28, 28))
    with torch.no_grad():
        model.decoder.log_variance.bias.fill_(-15)
    x = torch.rand(3, 784)
    estimate = naive_monte_carlo(model, x, 100, generator(0))
    assert estimate.value.isfinite().all() and estimate.standard_error.isfinite().all()
    assert (estimate.value < -1e6).all()  # exp of which is 0 in float64 too


@pytest.mark.parametrize("estimator", [naive_monte_carlo, elbo])
@pytest.mark.parametrize("samples", [0, -1, 2.5, 10.0, "10", None, True, 10**9 + 1, 10**30])
def test_a_wrong_number_of_samples_is_refused(estimator, samples):
    with pytest.raises(ConfigError, match=r"from 1 to 1,000,000,000; it is"):
        estimator(small_model(), torch.rand(2, 16), samples)


@pytest.mark.parametrize("estimator", [naive_monte_carlo, elbo])
@pytest.mark.parametrize("x", [
    torch.rand(16), torch.rand(2, 15), torch.rand(2, 4, 4), torch.rand(0, 16), torch.tensor(0.5),
    torch.full((2, 16), float("nan")), torch.full((2, 16), float("inf")),
    torch.rand(2, 16).double(), torch.ones(2, 16).byte(),
])  # fmt: skip
def test_wrong_pixels_are_refused(estimator, x):
    with pytest.raises(DataError, match="must"):
        estimator(small_model(), x, 10)


@pytest.mark.parametrize("estimator", [naive_monte_carlo, elbo])
def test_grey_pixels_are_refused_by_a_bernoulli(estimator):
    with pytest.raises(DataError, match="grey"):
        estimator(small_model(likelihood="bernoulli"), torch.full((2, 16), 0.5), 10)


@pytest.mark.parametrize("sizes", [(10, 10), (20, 10), (10, 0), (1.5,)])
def test_a_wrong_path_is_refused(sizes):
    with pytest.raises(ConfigError):
        list(naive_monte_carlo_path(small_model(), torch.rand(2, 16), sizes))


def test_the_sampled_divergence_agrees_with_the_closed_form():
    model = small_model()
    x = model.pixels(IMAGES, generator(0))
    analytic = elbo(model, x, 20_000, generator(1))
    sampled = elbo(model, x, 20_000, generator(2), kl="sampled")
    error = (analytic.standard_error.square() + sampled.standard_error.square()).sqrt()
    assert ((analytic.value - sampled.value).abs() < 4 * error).all()
    assert not torch.equal(analytic.value, sampled.value)


def test_the_effective_sample_size_is_that_of_the_weights():
    model = small_model()
    x = model.pixels(IMAGES, generator(0))
    found = naive_monte_carlo(model, x, 500, generator(1))
    z = torch.empty(500, 2).normal_(generator=generator(1)).double().numpy()
    log_w = numpy_log_likelihood(model, z[:, None], x.double().numpy())
    truth = np.exp(2 * logsumexp(log_w, 0) - logsumexp(2 * log_w, 0))
    assert found.ess.numpy() == pytest.approx(truth, rel=1e-3)  # float32 weights of some ten nats


@pytest.mark.parametrize("estimator", [naive_monte_carlo, elbo])
def test_progress_rises_to_the_end_and_what_it_raises_stops(estimator):
    model = small_model()
    x = model.pixels(IMAGES, generator(0))
    told = []
    estimator(model, x, 20_000, generator(1), progress=told.append)
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == 1

    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        estimator(model, x, 10**8, generator(1), progress=stop)
