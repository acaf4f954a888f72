"""The two parts of the mean KL against closed forms, against quadrature, and against each other on models that ship."""

import math

import numpy as np
import pytest
from scipy import special, stats

from vae.data.datasets import load_dataset
from vae.errors import ConfigError, DataError
from vae.latent import surgery
from vae.latent.codes import Codes, encode
from vae.model import checkpoints


def codes(mean, deviation) -> Codes:
    mean, deviation = (np.asarray(each, np.float32) for each in np.broadcast_arrays(mean, deviation))
    return Codes(mean, deviation, 0.5 * (mean**2 + deviation**2 - 1) - np.log(deviation))


def test_codes_far_apart_say_which_image_they_are_of():
    places = 10 * np.stack(np.meshgrid(np.arange(4), np.arange(4)), -1).reshape(16, 2)
    found = surgery.surgery(codes(places, 0.1))
    assert found.mutual_information == pytest.approx(math.log(16), abs=1e-9)
    assert found.ceiling == pytest.approx(math.log(16)) and found.images == 16


def test_codes_that_are_the_prior_say_nothing():
    found = surgery.surgery(codes(np.zeros((50, 3)), 1.0))
    assert found[1:] == pytest.approx((0, 0, 0, 0, 0), abs=1e-6)


@pytest.mark.parametrize(("slope", "deviation"), [(1.5, 0.5), (0.8, 0.6), (0.3, 2.0)])
def test_the_parts_of_a_gaussian_are_those_in_closed_form(slope, deviation):
    """x ~ N(0, 1) and q(z|x) = N(slope x, deviation^2): I = 1/2 log(1 + slope^2 / deviation^2), q(z) a Gaussian."""
    x = stats.norm.ppf((np.arange(1000) + 0.5) / 1000)[:, None]  # equal shares, whose variance is within 0.4 % of 1
    found = surgery.surgery(codes(slope * x, deviation), draws=10_000)
    variance = slope**2 + deviation**2
    information, marginal = 0.5 * math.log1p(slope**2 / deviation**2), 0.5 * (variance - 1 - math.log(variance))
    assert found.mutual_information == pytest.approx(information, abs=4 * found.mutual_information_error + 2e-3)
    assert found.marginal_kl == pytest.approx(marginal, abs=4 * found.marginal_kl_error + 4e-3)
    assert max(found.mutual_information_error, found.marginal_kl_error) < 0.03


def by_quadrature(each: Codes, step: float = 0.2) -> tuple[float, float]:
    """I and KL[q || p] of J = 2 codes: the mean over images of sums on a grid about each, in its own deviations."""
    line = np.arange(-8, 8, step) + step / 2
    t = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    weight = step**2 * np.exp(stats.norm.logpdf(t).sum(1))
    mean, deviation = each.mean.astype(float), each.deviation.astype(float)
    mixture = stats.norm(mean, deviation)
    information, marginal = 0.0, 0.0
    for centre, spread in zip(mean, deviation, strict=True):
        z = centre + spread * t
        log_q = special.logsumexp(mixture.logpdf(z[:, None]).sum(-1), axis=1) - math.log(len(mean))
        information += weight @ (stats.norm(centre, spread).logpdf(z).sum(1) - log_q) / len(mean)
        marginal += weight @ (log_q - stats.norm.logpdf(z).sum(1)) / len(mean)
    return information, marginal


@pytest.fixture(scope="module")
def shipped():
    images = load_dataset("mnist-sample", fetch=False).test.images[:20]
    return {name: encode(checkpoints.load(name), images) for name in ("mnist-2d", "mnist-bernoulli-2d", "mnist-5d")}


@pytest.mark.parametrize("name", ["mnist-2d", "mnist-bernoulli-2d"])
def test_the_parts_of_a_shipped_model_are_those_of_quadrature(shipped, name):
    information, marginal = by_quadrature(shipped[name])
    assert by_quadrature(shipped[name], 0.4) == pytest.approx(
        (information, marginal), abs=1e-4
    )  # the grid is fine enough
    found = surgery.surgery(shipped[name], draws=5000)
    assert information + marginal == pytest.approx(found.mean_kl, abs=1e-3)
    assert found.mutual_information == pytest.approx(information, abs=4 * found.mutual_information_error + 1e-4)
    assert found.marginal_kl == pytest.approx(marginal, abs=4 * found.marginal_kl_error + 1e-4)


@pytest.mark.parametrize("name", ["mnist-2d", "mnist-bernoulli-2d", "mnist-5d"])
def test_the_parts_of_a_shipped_model_sum_to_its_mean_kl(shipped, name):
    found = surgery.surgery(shipped[name], draws=5000)
    error = 4 * (found.mutual_information_error + found.marginal_kl_error) + 1e-5
    assert found.mutual_information + found.marginal_kl == pytest.approx(found.mean_kl, abs=error)
    assert found.mutual_information <= found.ceiling + 4 * found.mutual_information_error + 1e-9
    assert found.marginal_kl > 0
    assert found.mean_kl == pytest.approx(shipped[name].kl.sum(1).mean(), rel=1e-6)


def test_more_images_can_be_told_apart_up_to_what_the_codes_hold():
    random = np.random.default_rng(0)
    all_codes = codes(random.standard_normal((3000, 1)), 0.1)
    found = surgery.growth(all_codes, (1, 10, 100, 3000, 10_000))
    assert [each.images for each in found] == [1, 10, 100, 3000]
    information = [each.mutual_information for each in found]
    assert information[0] == pytest.approx(0, abs=1e-9) and information == sorted(information)
    assert all(each.mutual_information <= each.ceiling + 1e-9 for each in found)
    assert information[-1] == pytest.approx(0.5 * math.log(101), abs=0.06)  # of infinitely many


def test_draws_follow_the_seed():
    each = codes(np.arange(20.0)[:, None], 0.7)
    assert surgery.surgery(each, seed=1) == surgery.surgery(each, seed=1) != surgery.surgery(each, seed=2)


def test_what_makes_no_sense():
    each = codes(np.zeros((3, 2)), 1.0)
    for draws in (0, 1, 10**6, 2.5):
        with pytest.raises(ConfigError, match="number of samples"):
            surgery.surgery(each, draws=draws)
    with pytest.raises(DataError, match="there are none"):
        surgery.surgery(codes(np.zeros((0, 2)), np.ones((0, 2))))
