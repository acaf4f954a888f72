"""Draws, pixels and units, against numpy and scipy."""

import math

import numpy as np
import pytest
import torch
from scipy import special, stats
from torch.distributions import Bernoulli, Independent, Laplace

from vae.errors import ConfigError, DataError
from vae.model.distributions import (
    BinaryPixels,
    Share,
    bits_per_dimension,
    bits_per_pixel,
    diagonal_normal,
    draw,
    floored,
    generator,
    pixel_deviation,
    prepare_pixels,
    softplus,
    standard_normal,
    unchecked,
)
from vae.settings.config import LIKELIHOODS

MEAN = torch.tensor([[-1.0, 0.5, 3.0], [0.0, 10.0, -4.0]])
LOG_VARIANCE = torch.tensor([[0.0, 2.0, -3.0], [1.0, -1.0, 0.5]])
ALL_GREYS = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16)


def test_diagonal_normal_takes_log_variances():
    x = torch.tensor([[0.3, -2.0, 2.9], [1.0, 9.0, -4.5]])
    truth = stats.norm(MEAN.numpy(), np.exp(LOG_VARIANCE.double().numpy() / 2)).logpdf(x.numpy()).sum(1)
    # float32 sums of three terms of order 1 to 10 are good to about 1e-6 of themselves
    np.testing.assert_allclose(diagonal_normal(MEAN, LOG_VARIANCE).log_prob(x), truth, rtol=1e-5)
    deviation = pixel_deviation(diagonal_normal(MEAN, LOG_VARIANCE))
    np.testing.assert_allclose(deviation, np.exp(LOG_VARIANCE.numpy() / 2), rtol=1e-6)


def test_the_prior_is_standard():
    p = standard_normal(3)
    assert p.event_shape == (3,) and p.batch_shape == ()
    np.testing.assert_allclose(p.log_prob(MEAN), stats.norm.logpdf(MEAN.numpy()).sum(1), rtol=1e-5)


def test_an_expanded_normal_is_the_same_for_each():
    p = diagonal_normal(MEAN[0], LOG_VARIANCE[0])
    many = p.expand((4,))
    assert many.batch_shape == (4,) and many.event_shape == (3,)
    assert torch.equal(many.log_prob(MEAN[1]), p.log_prob(MEAN[1]).expand(4))
    assert torch.equal(many.stddev, p.stddev.expand(4, 3))


def test_a_normal_refuses_what_is_not_a_number():
    with pytest.raises(ValueError, match="log_variance"):
        diagonal_normal(MEAN, LOG_VARIANCE * math.nan)
    with pytest.raises(ValueError, match="support"):
        diagonal_normal(MEAN, LOG_VARIANCE).log_prob(MEAN * math.nan)


def test_draws_of_a_normal_have_its_moments():
    count = 40_000
    z = draw(diagonal_normal(MEAN, LOG_VARIANCE), generator(3), (count,)).double()
    variance = LOG_VARIANCE.double().exp()
    assert z.shape == (count, 2, 3)
    # five standard errors: sigma / sqrt(n) of a mean, sigma^2 sqrt(2 / n) of a variance
    assert ((z.mean(0) - MEAN).abs() < 5 * (variance / count).sqrt()).all()
    assert ((z.var(0) - variance).abs() < 5 * variance * math.sqrt(2 / count)).all()
    assert stats.kstest(z[:, 0, 2].numpy(), stats.norm(3, math.exp(-1.5)).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(z[:, 0, 0], z[:, 1, 0])[0, 1]) < 5 / math.sqrt(count)


def test_draws_of_a_bernoulli_have_its_mean_and_are_binary():
    p = torch.tensor([[0.0, 0.1, 0.5, 0.9, 1.0]])
    x = draw(Independent(Bernoulli(p), 1), generator(0), (40_000,))
    assert x.shape == (40_000, 1, 5) and set(x.unique().tolist()) == {0.0, 1.0}
    assert ((x.mean(0) - p).abs() <= 5 * (p * (1 - p) / 40_000).sqrt()).all()


@pytest.mark.parametrize("p", [diagonal_normal(MEAN, LOG_VARIANCE), Independent(Bernoulli(logits=MEAN), 1)])
def test_draws_follow_their_generator_and_leave_the_global_one_alone(p):
    before = torch.get_rng_state()
    first, again, other = (draw(p, generator(seed), (50,)) for seed in (7, 7, 8))
    assert torch.equal(first, again) and not torch.equal(first, other)
    stream = generator(7)
    assert not torch.equal(draw(p, stream, (50,)), draw(p, stream, (50,)))
    assert torch.equal(before, torch.get_rng_state())


def test_without_a_generator_the_global_one_is_used():
    draw(standard_normal(3), None)
    after = torch.get_rng_state()
    torch.manual_seed(0)
    assert not torch.equal(after, torch.get_rng_state())


def test_draw_is_reparameterised():
    mean, log_variance = MEAN.clone().requires_grad_(), LOG_VARIANCE.clone().requires_grad_()
    weights = torch.linspace(-1, 2, 24).reshape(4, 2, 3)
    z = draw(diagonal_normal(mean, log_variance), generator(5), (4,))
    (weights * z).sum().backward()
    eps = (z.detach() - MEAN) / (LOG_VARIANCE / 2).exp()
    assert eps.abs().max() < 5  # the noise itself, whatever mu and sigma
    # z = mu + exp(v / 2) eps, so dz/dmu = 1 and dz/dv = sigma eps / 2; eps taken back from z loses a few float32 digits
    torch.testing.assert_close(mean.grad, weights.sum(0))
    torch.testing.assert_close(
        log_variance.grad, (weights * eps).sum(0) * (LOG_VARIANCE / 2).exp() / 2, rtol=1e-4, atol=1e-5
    )


def test_draw_refuses_what_it_does_not_know():
    with pytest.raises(ConfigError, match="Laplace"):
        draw(Laplace(torch.zeros(2), torch.ones(2)), generator(0))


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ConfigError, match="seed"):
        generator(seed)


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
def test_dequantised_pixels_stay_within_their_grey(likelihood):
    # 256 greys 8,000 times: the noise that float32 would round into the next grey comes once in 2^17
    u = ALL_GREYS.expand(8000, 16, 16)
    x = prepare_pixels(u, likelihood, generator(1))
    assert x.shape == (8000, 256) and x.dtype == torch.float32
    assert torch.equal((256 * x).floor(), u.flatten(1).float())
    noise = (256 * x.double() - u.flatten(1)).flatten()
    assert stats.kstest(noise[::16].numpy(), "uniform").pvalue > 1e-3


def test_binarised_pixels_are_drawn_by_their_grey():
    count = 8000
    x = prepare_pixels(ALL_GREYS.expand(count, 16, 16), "bernoulli", generator(1))
    p = torch.arange(256) / 255
    assert x.shape == (count, 256) and set(x.unique().tolist()) == {0.0, 1.0}
    assert x[:, 0].max() == 0 and x[:, 255].min() == 1
    # 5 standard errors sqrt(p (1 - p) / n), 256 times: fails by chance once in 7,000 seeds, and the seed is fixed
    assert ((x.mean(0) - p).abs() <= 5 * (p * (1 - p) / count).sqrt()).all()


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_pixels_follow_their_generator_and_leave_the_global_one_alone(likelihood):
    before = torch.get_rng_state()
    first, again, other = (prepare_pixels(ALL_GREYS, likelihood, generator(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("images", [torch.rand(2, 4, 4), torch.zeros(2, 4, 4, dtype=torch.int64)])
def test_images_must_be_bytes(images):
    with pytest.raises(DataError, match="uint8"):
        prepare_pixels(images, "gaussian", generator(0))


def test_binary_pixels_have_the_density_and_gradient_of_a_bernoulli():
    logits = torch.tensor([-200.0, -30, -16, -1, -1e-9, 0, 1e-9, 1, 16, 30, 200], requires_grad=True)
    for x in (torch.zeros(11), torch.ones(11)):
        log_p = BinaryPixels(logits=logits).log_prob(x)
        signed = (2 * x - 1).double().numpy() * logits.detach().double().numpy()
        # 1 + exp(-|l|) is rounded once, the sum with |l| to a float32 of its size
        np.testing.assert_allclose(log_p.detach(), -np.logaddexp(0, -signed), rtol=1.2e-7, atol=1.2e-7)
        (gradient,) = torch.autograd.grad(log_p.sum(), logits)
        np.testing.assert_allclose(gradient, x.numpy() - special.expit(logits.detach().double().numpy()), atol=1e-6)
    assert BinaryPixels(logits=logits.double()).log_prob(x).dtype == torch.float64
    batches = Independent(BinaryPixels(logits=torch.randn(3, 1, 11)), 1)
    assert batches.log_prob(torch.zeros(2, 11)).shape == (3, 2) and batches.expand((3, 2)).mean.shape == (3, 2, 11)


def test_binary_pixels_have_derivatives_in_pixels_and_logits_however_they_are_broadcast():
    def log_prob(x, logits):
        return BinaryPixels(logits=logits).log_prob(x)

    source = torch.Generator().manual_seed(0)
    shapes = ((2, 5), (3, 1, 5)), ((3, 2, 5), (2, 1)), ((5,), (4, 5))
    for shape, other in shapes:
        x, logits = (torch.randn(*each, generator=source, dtype=torch.float64) for each in (shape, other))
        inputs = (x.requires_grad_(), logits.requires_grad_())
        with unchecked():  # pixels a little off 0 and 1, for differences
            assert torch.autograd.gradcheck(log_prob, inputs) and torch.autograd.gradgradcheck(log_prob, inputs)
    with pytest.raises(ValueError, match="support"):
        log_prob(x, logits)  # outside, they are checked again


@pytest.mark.parametrize("kind", [Bernoulli, BinaryPixels])
def test_grey_pixels_have_no_bernoulli_likelihood(kind):
    with pytest.raises(ValueError, match="support"):
        Independent(kind(logits=torch.zeros(3)), 1).log_prob(torch.tensor([0.0, 0.5, 1.0]))


def test_the_floor_is_smooth_and_a_floor():
    v = torch.linspace(-60, 30, 901)
    low = floored(v, -6.0)
    assert (low >= -6).all() and (low.diff() >= 0).all() and torch.isfinite(low).all()
    np.testing.assert_allclose(low, -6 + np.logaddexp(0, v.double().numpy() + 6), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(low[v > 11], v[v > 11], rtol=1e-6, atol=1e-6)  # softplus(17) - 17 = 4e-8
    assert torch.equal(floored(v, None), v)
    assert floored(torch.tensor([-1e3, 1e3]), None).tolist() == [-80, 80]  # what float32 can hold


def test_softplus_loses_no_small_numbers():
    v = torch.linspace(-90, 90, 200_001)
    exact = np.logaddexp(0, v.double().numpy())
    # float32 rounds the argument of exp, by up to 2^-24 of 90; below -87 the result is next to its smallest number
    np.testing.assert_allclose(softplus(v)[v > -87], exact[v > -87], rtol=6e-6)
    assert softplus(torch.tensor([-500.0, 500.0])).tolist() == [0, 500]


def test_bits_per_dimension_go_by_their_older_name_too():
    assert bits_per_pixel is bits_per_dimension


def test_bits_per_dimension():
    # a uniform density on [0, 1]^D is 0 nats, and codes a pixel of 8 bits by 8 bits
    assert bits_per_dimension(0.0, "gaussian", 784) == pytest.approx(8, abs=1e-12)
    assert bits_per_dimension(784 * math.log(2), "gaussian-shared", 784) == pytest.approx(7, abs=1e-12)
    # a fair coin for each binary pixel is one bit
    assert bits_per_dimension(-10 * math.log(2), "bernoulli", 10) == pytest.approx(1, abs=1e-12)
    # by hand: (16 log 256 - 20) / (16 log 2) = 8 - 20 / (16 * 0.693147)
    assert bits_per_dimension(20.0, "gaussian", 16) == pytest.approx(8 - 1.8033688, abs=1e-6)


@pytest.mark.parametrize("of", [1, 2, 3])
def test_shares_of_a_batch_have_the_noise_of_the_whole(of):
    images = torch.randint(0, 256, (7, 4, 5), dtype=torch.uint8)
    mean, deviation = torch.randn(7, 3), torch.rand(7, 3) + 0.1
    plain = generator(5)
    whole = [prepare_pixels(images, likelihood, plain) for likelihood in LIKELIHOODS]
    whole_z = draw(diagonal_normal(mean, deviation.log() * 2), plain, (6,))
    after = torch.rand(3, generator=plain)
    for place in range(of):
        share = Share()
        share.manual_seed(5)
        share.place, share.of, share.images = place, of, 7
        for likelihood, pixels in zip(LIKELIHOODS, whole, strict=True):
            assert torch.equal(prepare_pixels(images[place::of], likelihood, share), pixels[place::of])
        z = draw(diagonal_normal(mean[place::of], deviation[place::of].log() * 2), share, (6,))
        assert torch.equal(z, whole_z[:, place::of])
        assert torch.equal(torch.rand(3, generator=share), after)  # and all go on from the same place
