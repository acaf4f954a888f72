"""The aggregate posterior against scipy and numerical integration, and holes in one that is known."""

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from vae.errors import ConfigError
from vae.latent import aggregate
from vae.latent.codes import Axes, Codes, coordinate_axes, principal_axes

RNG = np.random.default_rng(0)


def codes(mean, deviation):
    mean, deviation = np.asarray(mean, np.float32), np.asarray(deviation, np.float32)
    return Codes(mean, deviation, np.zeros_like(mean))


def some(count=300, latent=3, narrow=0.05):
    return codes(RNG.standard_normal((count, latent)) * 2 + 3, narrow * np.exp(RNG.standard_normal((count, latent))))


def brute(each, z):
    """log 1/N sum_n of scipy's own densities."""
    terms = stats.norm(each.mean.astype(float), each.deviation.astype(float)).logpdf(z[:, None]).sum(-1)
    return special.logsumexp(terms, axis=1) - np.log(len(each.mean))


@pytest.mark.parametrize("latent", [1, 2, 20])
@pytest.mark.parametrize("count", [1, 300, 5000])  # the last takes several blocks
def test_log_density_is_that_of_the_mixture(latent, count):
    each = some(count, latent)
    z = np.concatenate([each.mean[:5], RNG.standard_normal((300 if count < 5000 else 10, latent))])
    found = aggregate.log_density(each, z)
    assert found.shape == (len(z),) and found.dtype == np.float64
    # exponents reach -1e6 here, where float64 products keep 1e-9 of it
    np.testing.assert_allclose(found, brute(each, z), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("count", [1, 5000])  # the last takes several blocks
def test_a_grid_has_the_density_of_each_of_its_places(count):
    each = some(count, 2, narrow=0.3)
    x, y = np.linspace(1, 5, 7), np.linspace(0, 6, 5)
    found = aggregate.grid_log_density(each, x, y)
    places = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    truth = np.maximum(brute(each, places), np.log(np.finfo(float).tiny))
    np.testing.assert_allclose(found.ravel(), truth, rtol=1e-9, atol=1e-9)
    with pytest.raises(ConfigError, match="needs J = 2"):
        aggregate.grid_log_density(some(3, 3), x, y)


def test_far_away_the_density_is_small_and_not_lost():
    each = some(10, 2)
    z = np.array([[1e4, -1e4]])
    np.testing.assert_allclose(aggregate.log_density(each, z), brute(each, z), rtol=1e-9)


def plane(latent, seed=1):
    directions = np.linalg.qr(np.random.default_rng(seed).standard_normal((latent, 2)))[0].T
    return Axes(RNG.standard_normal(latent).astype(np.float32), directions.astype(np.float32), np.zeros(2))


def test_the_marginal_on_a_plane_is_the_density_summed_along_what_is_left_out():
    each, axes = some(20, 3, 0.5), plane(3)
    across = np.cross(*axes.directions.astype(float))
    points = axes.project(each.mean)[:4] + 0.2
    steps = np.linspace(-25, 25, 20_001)  # the narrowest Gaussian is far wider than a step
    for point, found in zip(points, aggregate.plane_log_density(each, axes, points), strict=True):
        line = axes.lift(point[None]).astype(float) + steps[:, None] * across
        density = np.exp(brute(each, line))
        assert found == pytest.approx(np.log(integrate.simpson(density, x=steps)), abs=1e-4)  # axes are float32


def test_the_marginal_on_two_coordinates_is_that_of_the_two():
    each = some(50, 5)
    axes = coordinate_axes(each.mean, 3, 1)
    points = axes.project(each.mean)[:20] + 0.1
    two = codes(each.mean[:, [3, 1]], each.deviation[:, [3, 1]])
    np.testing.assert_allclose(
        aggregate.plane_log_density(each, axes, points), brute(two, points), rtol=1e-6, atol=1e-6
    )


@pytest.mark.slow
def test_the_marginal_integrates_to_one():
    each, axes = some(30, 4, 0.5), plane(4)
    steps = np.linspace(-60, 60, 1201)
    cells = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    total = np.exp(aggregate.plane_log_density(each, axes, cells)).sum() * 0.1**2
    assert total == pytest.approx(1, abs=1e-3)


def test_the_prior_is_scipys():
    z = RNG.standard_normal((10, 7))
    np.testing.assert_allclose(aggregate.prior_log_density(z), stats.multivariate_normal(np.zeros(7)).logpdf(z))


@pytest.mark.parametrize("z", [np.zeros((3, 2)), np.zeros(3), np.full((1, 3), np.nan)])
def test_what_is_no_point_is_refused(z):
    with pytest.raises(ConfigError):
        aggregate.log_density(some(5, 3), z)


def test_a_line_is_no_plane():
    each = some(5, 1)
    with pytest.raises(ConfigError, match="two orthogonal directions"):
        aggregate.plane_log_density(each, coordinate_axes(each.mean, 0, 0), np.zeros((1, 2)))


def test_where_the_codes_are_the_prior_there_is_no_hole():
    each = codes(np.zeros((4, 2)), np.ones((4, 2)))
    found = aggregate.holes(each, coordinate_axes(each.mean, 0, 1), 61)
    assert not found.hole.any() and found.share == 0 and len(found.places) == 0
    np.testing.assert_allclose(found.log_q, found.log_p, atol=1e-9)
    np.testing.assert_allclose(found.log_p[30, 30], -np.log(2 * np.pi), atol=1e-9)  # the middle cell is the origin
    draws = aggregate.prior_draws(each, 100)
    np.testing.assert_allclose(draws.log_ratio, 0, atol=1e-6)
    assert draws.share == draws.standard_error == 0


@pytest.mark.slow
def test_an_empty_half_plane_is_a_hole_of_half_the_mass():
    # Gaussians that fill the right half evenly: a grid of step 0.1 and width 0.1
    right = np.stack(np.meshgrid(np.arange(0.3, 4, 0.1), np.arange(-4, 4, 0.1)), -1).reshape(-1, 2)
    each = codes(right, np.full_like(right, 0.1))
    found = aggregate.holes(each, coordinate_axes(each.mean, 0, 1), 161)
    x, y = np.meshgrid(found.x, found.y)
    inside = x**2 + y**2 <= stats.chi2(2).ppf(0.95)
    assert (found.hole <= inside).all()
    assert found.hole[inside & (x < -0.3)].all() and not found.hole[inside & (x > 0.3)].any()
    # where the mixture falls to 1 % of the prior, between 0 and 0.1 to the left of the outermost Gaussians' middles
    edges = [stats.norm.cdf(0.3 - 0.1 * far) for far in (3.5, 2.0)]
    assert edges[0] - 0.05 < found.share < edges[1]
    share = aggregate.prior_draws(each, 4000)
    assert share.standard_error == pytest.approx(np.sqrt(share.share * (1 - share.share) / 4000))
    # the draws count what lies beyond the 95 % too: half of the 5 % left, and more at the far right
    assert found.share - 5 * share.standard_error < share.share < found.share + 0.05 + 5 * share.standard_error
    first = found.places[0]
    assert first[0] < -0.3 and (np.linalg.norm(np.diff(found.places, axis=0), axis=1) > 0.59).all()


def test_holes_on_a_line():
    each = codes([[-1.0], [1.0]], [[0.1], [0.1]])
    found = aggregate.holes(each, coordinate_axes(each.mean, 0, 0), 400)
    assert found.hole.shape == (1, 400) and found.y.tolist() == [0]
    ratio = np.exp(brute(each, found.x[:, None])) / stats.norm.pdf(found.x)
    inside = np.abs(found.x) <= stats.norm.ppf(0.975)
    assert np.array_equal(found.hole[0], inside & (ratio < 0.01))
    assert found.share == pytest.approx(stats.norm.pdf(found.x[found.hole[0]]).sum() * (found.x[1] - found.x[0]))
    assert abs(found.places[0, 0]) < 0.02 and found.places[0, 1] == 0  # the middle is the deepest


def test_the_prior_on_a_plane_is_where_the_plane_sees_it():
    each = some(50, 4)
    axes = principal_axes(each.mean)
    found = aggregate.holes(each, axes, 61)
    row, column = np.unravel_index(found.log_p.argmax(), found.log_p.shape)
    nearest = axes.project(np.zeros((1, 4)))[0]  # the origin falls there
    assert np.abs(nearest - [found.x[column], found.y[row]]).max() <= (found.x[1] - found.x[0]) / 2


def test_draws_from_the_prior_follow_their_seed():
    each = some(50, 3)
    before = torch.get_rng_state()
    first, again = (aggregate.prior_draws(each, 500) for _ in range(2))
    assert np.array_equal(first.z, again.z) and np.array_equal(first.log_ratio, again.log_ratio)
    np.testing.assert_allclose(
        first.log_ratio, brute(each, first.z.astype(float)) - stats.norm.logpdf(first.z.astype(float)).sum(1), rtol=1e-6
    )
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(ConfigError):
        aggregate.prior_draws(each, 0)


def test_active_units():
    means = np.stack([np.tile([0.0, 1.0], 50), np.tile([0.0, 0.19], 50), np.tile([0.0, 0.21], 50)], 1)
    assert aggregate.active_units(means).tolist() == [True, False, True]  # variances 0.25, 0.009, 0.011
    assert aggregate.active_units(means, 0.2).tolist() == [True, False, False]
