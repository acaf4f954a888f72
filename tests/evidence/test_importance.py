"""Importance sampling against closed forms, numpy in float64, and arviz called by hand."""

import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp

from tests.toys import (
    follows_its_generator,
    linear_model,
    numpy_encoder,
    numpy_log_likelihood,
    small_model,
    toy,
    toy_split,
)
from vae.errors import ConfigError, DataError
from vae.evidence import importance
from vae.evidence.estimates import elbo
from vae.evidence.importance import importance_sampling, importance_sampling_path
from vae.evidence.tails import pareto_k
from vae.model.distributions import generator
from vae.settings.config import LIKELIHOODS

IMAGES = toy_split(4).images
FLOAT32 = 1e-4  # nats: in any order 24 roundings of terms that make up 60 nats, 24 * 60 * 2^-24 (toys.float32_bound)


def numpy_log_weights(model, x, samples, seed):
    """The log weights of the same draws, (K, B), from the encoder, decoder and prior in numpy."""
    mean, deviation = numpy_encoder(model, x.double().numpy())
    noise = torch.empty(samples, *mean.shape).normal_(generator=generator(seed)).double().numpy()
    z = mean + deviation * noise
    log_q = stats.norm(mean, deviation).logpdf(z).sum(-1)
    return numpy_log_likelihood(model, z, x.double().numpy()) + stats.norm.logpdf(z).sum(-1) - log_q


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
@pytest.mark.parametrize("latent", [5, 10, 20])
def test_many_samples_find_the_evidence_of_a_linear_model(likelihood, latent):
    # wider than the posterior, so that no weight is far above the others
    model, truth, x = linear_model(latent, likelihood, wide=1.15)
    estimate = importance_sampling(model, x, 20_000, generator(0))
    assert (estimate.standard_error < 0.05).all() and (estimate.k_hat < 0.7).all()
    assert (np.abs(estimate.value.numpy() - truth.logpdf(x)) < 4 * estimate.standard_error.numpy() + FLOAT32).all()
    assert (estimate.samples, estimate.decodes) == (20_000, 80_000)


@pytest.mark.parametrize("latent", [5, 20])
def test_the_bound_grows_from_the_elbo_to_the_evidence(latent):
    model, truth, x = linear_model(latent, wide=2)
    x = x[:2]
    many = x.repeat(500, 1)  # replicates
    sizes = (1, 8, 64)
    runs = [importance_sampling(model, many, size, generator(size)).value.view(500, 2) for size in sizes]
    bounds, errors = ([f(run) for run in runs] for f in (lambda r: r.mean(0), lambda r: r.std(0) / math.sqrt(500)))
    low = elbo(model, x, 20_000, generator(0))
    assert ((low.value - bounds[0]).abs() < 4 * (errors[0] + low.standard_error)).all()
    assert all((b - a > 4 * error).all() for a, b, error in zip(bounds, bounds[1:], errors, strict=False))
    exact = torch.from_numpy(truth.logpdf(x))
    assert (bounds[-1] < exact + 4 * errors[-1]).all() and (bounds[-1] - exact > (bounds[0] - exact) / 4).all()
    assert (bounds[1] < exact - 4 * errors[1]).all()


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_estimate_follows_from_its_weights(likelihood):
    model, x = toy(likelihood=likelihood)
    estimate = importance_sampling(model, x, 1000, generator(5))
    log_w = numpy_log_weights(model, x, 1000, 5)
    w = np.exp(log_w - log_w.max(0))
    np.testing.assert_allclose(estimate.value, logsumexp(log_w, 0) - math.log(1000), rtol=0, atol=FLOAT32)
    np.testing.assert_allclose(estimate.ess, w.sum(0) ** 2 / (w**2).sum(0), rtol=1e-3)
    np.testing.assert_allclose(
        estimate.standard_error, w.std(0, ddof=1) / w.mean(0) / math.sqrt(1000), rtol=1e-3, atol=0
    )


@pytest.mark.parametrize("samples", [1000, 12_000])
def test_k_hat_is_what_arviz_fits_to_the_weights(samples):
    from arviz_stats.base import array_stats

    model, x = toy()
    estimate = importance_sampling(model, x, samples, generator(5))
    log_w = numpy_log_weights(model, x, samples, 5)[: importance.MOST_FITTED]
    truth = np.array([array_stats.psislw(-weights)[1] for weights in log_w.T])
    # float32 log weights are off by 1e-5; they may swap neighbours at the cut-off of the tail
    np.testing.assert_allclose(estimate.k_hat, truth, rtol=0, atol=5e-3)


@pytest.mark.parametrize("shape", [0.3, 0.9])
def test_k_hat_finds_the_shape_of_a_pareto_tail(shape):
    log_w = torch.from_numpy(np.log(stats.genpareto(shape).rvs((10_000, 4), random_state=1)))
    # 300 draws in the tail give k to about (1 + k) / sqrt(300) = 0.1
    assert ((pareto_k(log_w) - shape).abs() < 0.3).all()


def test_k_hat_where_there_is_no_tail_to_fit():
    rng = np.random.default_rng(0)
    assert pareto_k(torch.zeros(1000, 2)).isnan().all()
    tied = torch.cat([torch.zeros(900, 1), torch.ones(100, 1)])  # the largest are all the same
    assert pareto_k(tied).isnan().all()
    assert pareto_k(torch.from_numpy(rng.standard_normal((24, 2)))).isnan().all()
    assert pareto_k(torch.from_numpy(rng.standard_normal((25, 2)))).isfinite().all()
    # weights of which float64 cannot hold two at once; arviz warns and says 0.016
    assert pareto_k(torch.from_numpy(rng.standard_normal((1000, 2)) * 2000)).isposinf().all()


@pytest.mark.parametrize("samples", [2, 3, 30, 32, 33, 34, 200])
def test_the_jackknife_is_that_of_leaving_each_draw_out(samples):
    model, x = toy()
    estimate = importance_sampling(model, x, samples, generator(5), jackknife=True)
    log_w = numpy_log_weights(model, x, samples, 5)
    bound = logsumexp(log_w, 0) - math.log(samples)
    left = [logsumexp(np.delete(log_w, i, 0), 0) - math.log(samples - 1) for i in range(samples)]
    # the slopes of the jackknife in the log weights sum to 1, their magnitudes to less than 3
    truth = samples * bound - (samples - 1) * np.mean(left, 0)
    np.testing.assert_allclose(estimate.value, truth, rtol=0, atol=3 * FLOAT32)
    assert (estimate.value.numpy() > bound).all()


@pytest.mark.parametrize("spread", [0.0, 1.0, 5.0, 40.0, 3000.0])
def test_the_jackknife_adds_up_what_is_left_without_cancellation(spread):
    # in chunks of uneven size, against numpy with all weights at hand
    log_w = np.random.default_rng(0).standard_normal((1000, 3)) * spread
    state = importance.Jackknife(3)
    for part in torch.from_numpy(log_w).split([1, 30, 3, 500, 466]):
        state.add(part)
    log_sum = logsumexp(log_w, 0)
    # of the largest the sum of the others; of the others, at most half the sum, log1p is exact
    order = np.sort(log_w, 0)[::-1]
    truth = logsumexp(order[1:], 0) - log_sum + np.log1p(-np.exp(order[1:] - log_sum)).sum(0)
    np.testing.assert_allclose(state.log_shares_left(torch.from_numpy(log_sum)), truth, rtol=1e-12, atol=1e-12)


def test_the_jackknife_corrects_the_bias():
    model, truth, x = linear_model(5, wide=1.15)
    many = x[:1].repeat(4000, 1)
    bound, corrected = (
        importance_sampling(model, many, 8, generator(1), jackknife=jack).value for jack in (False, True)
    )
    exact = float(truth.logpdf(x)[0])
    assert abs(float(corrected.mean()) - exact) < 0.4 * abs(float(bound.mean()) - exact)
    assert float(bound.mean()) < exact - 4 * float(bound.std()) / math.sqrt(4000)


def test_the_jackknife_needs_two():
    model, x = toy()
    with pytest.raises(ConfigError, match="at least 2"):
        importance_sampling(model, x, 1, generator(0), jackknife=True)


def test_standard_errors_are_the_spread_of_repeated_estimates():
    model, _, x = linear_model(5, wide=1.2)
    repeats = importance_sampling(model, x.repeat(400, 1), 200, generator(0))
    spread = repeats.value.view(400, 4).std(0)
    said = repeats.standard_error.view(400, 4).square().mean(0).sqrt()
    # a deviation of 400 draws is known to 1 / sqrt(800) = 3.5 %; the delta method adds some per cent
    assert ((said / spread - 1).abs() < 0.15).all() and (spread > 0.005).all()


def test_one_draw_tells_no_error():
    model, x = toy()
    estimate = importance_sampling(model, x, 1, generator(0))
    assert estimate.standard_error.isinf().all() and estimate.value.isfinite().all()
    assert (estimate.ess == 1).all() and estimate.k_hat.isnan().all()


@pytest.mark.parametrize("jackknife", [False, True])
def test_chunks_do_not_change_the_value(jackknife, monkeypatch):
    model, x = toy()
    whole = importance_sampling(model, x, 960, generator(2), jackknife=jackknife)
    # a chunk draws a whole number of torch's blocks of 16 normals, so that the stream of draws is the same
    monkeypatch.setattr(importance, "CHUNK", 64)
    chunked = importance_sampling(model, x, 960, generator(2), jackknife=jackknife)
    torch.testing.assert_close(chunked.value, whole.value, rtol=0, atol=FLOAT32)  # other sizes, other orders of sums
    torch.testing.assert_close(chunked.ess, whole.ess, rtol=1e-4, atol=0)
    torch.testing.assert_close(chunked.k_hat, whole.k_hat, rtol=0, atol=5e-3)


def test_more_images_than_a_chunk_or_a_group(monkeypatch):
    model = small_model()
    x = model.pixels(toy_split(50).images, generator(0))
    whole = importance_sampling(model, x, 400, generator(2))
    monkeypatch.setattr(importance, "CHUNK", 16)
    monkeypatch.setattr(importance, "GROUP", 20)
    parts = importance_sampling(model, x, 400, generator(3))
    error = (whole.standard_error.square() + parts.standard_error.square()).sqrt()
    assert ((parts.value - whole.value).abs() < 4.5 * error).all()
    assert parts.ess.shape == parts.k_hat.shape == (50,)
    assert (parts.samples, parts.decodes) == (whole.samples, whole.decodes) == (400, 20_000)


@pytest.mark.parametrize("images", [1, 5])
def test_no_more_than_a_chunk_is_decoded_at_once(images):
    model = small_model()
    decoded = []
    model.decoder.register_forward_pre_hook(lambda module, arguments: decoded.append(arguments[0][..., 0].numel()))
    x = model.pixels(toy_split(images).images, generator(0))
    estimate = importance_sampling(model, x, 20_001, generator(0), jackknife=True)
    assert max(decoded) <= importance.CHUNK and sum(decoded) == estimate.decodes == 20_001 * images


def test_the_weights_kept_are_bounded(monkeypatch):
    seen = []
    monkeypatch.setattr(importance, "pareto_k", lambda weights: seen.append(weights.shape) or weights[0].double())
    model = small_model()
    x = model.pixels(toy_split(3).images, generator(0))
    list(importance_sampling_path(model, x, (100, 5000, 15_000, 30_000), generator(0)))
    assert seen == [(100, 3), (5000, 3), (10_000, 3)]


@pytest.mark.parametrize("jackknife", [False, True])
def test_a_path_is_one_stream_that_ends_like_a_single_run(jackknife):
    model, x = toy()
    sizes = (16, 64, 4096, 5000)
    path = list(importance_sampling_path(model, x, sizes, generator(2), jackknife=jackknife))
    assert tuple(estimate.samples for estimate in path) == sizes
    assert tuple(estimate.decodes for estimate in path) == tuple(4 * size for size in sizes)
    for estimate, size in zip(path, sizes, strict=True):
        single = importance_sampling(model, x, size, generator(2), jackknife=jackknife)
        torch.testing.assert_close(estimate.value, single.value, rtol=0, atol=FLOAT32)
        torch.testing.assert_close(estimate.k_hat, single.k_hat, rtol=0, atol=5e-3, equal_nan=True)
    assert all(a.seconds < b.seconds for a, b in pairwise(path))


def test_estimates_follow_their_generator_and_leave_the_global_one_alone():
    model, x = toy()
    follows_its_generator(lambda noise: importance_sampling(model, x, 100, noise).value)


def test_a_model_far_from_its_images_stays_finite_and_says_so():
    model = small_model(log_variance_floor=-16.0, image_shape=(28, 28))
    with torch.no_grad():
        model.decoder.log_variance.bias.fill_(-15)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = importance_sampling(model, torch.rand(3, 784), 100, generator(0), jackknife=True)
    assert estimate.value.isfinite().all() and (estimate.value < -1e6).all()  # exp of which is 0 in float64 too
    assert (estimate.k_hat > 0.7).all() and (estimate.ess < 1.5).all()


def test_progress_is_told_and_stops(monkeypatch):
    monkeypatch.setattr(importance, "GROUP", 3)
    monkeypatch.setattr(importance, "CHUNK", 300)
    model, x = toy()
    told = []
    importance_sampling(model, x, 1000, generator(0), progress=told.append)
    assert told == sorted(told) and len(told) > 10 and told[-1] == pytest.approx(1) and 0 < told[0] < 0.2

    class Stopped(Exception):
        pass

    def stop(share):
        raise Stopped

    with pytest.raises(Stopped):
        importance_sampling(model, x, 10**9, generator(0), progress=stop)


@pytest.mark.parametrize("samples", [0, -1, 1.5, 2.5, 10.0, "10", None, True, 10**9 + 1, 10**30])
def test_a_wrong_number_of_samples_is_refused(samples):
    with pytest.raises(ConfigError, match=r"from 1 to 1,000,000,000; it is"):
        importance_sampling(small_model(), torch.rand(2, 16), samples)


@pytest.mark.parametrize("sizes", [(10, 10), (20, 10), (10, 0), (1.5,)])
def test_a_wrong_path_is_refused(sizes):
    with pytest.raises(ConfigError):
        list(importance_sampling_path(small_model(), torch.rand(2, 16), sizes))


@pytest.mark.parametrize("x", [torch.rand(2, 15), torch.rand(0, 16), torch.full((2, 16), float("nan"))])
def test_wrong_pixels_are_refused(x):
    with pytest.raises(DataError, match="must"):
        importance_sampling(small_model(), x, 10)
