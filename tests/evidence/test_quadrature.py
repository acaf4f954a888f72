"""Adaptive quadrature against mixtures of normals and other densities whose normaliser is known."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch

from vae.evidence.quadrature import log_integrals

FLOAT32 = 3e-6  # nats: what a log density of order ten, kept in float32, loses


class Mixture:
    """Log densities of F mixtures of C isotropic normals, each times a constant of its own."""

    def __init__(self, weights, means, deviations, scale=0.0):
        self.log_w, self.mean, self.s = (torch.tensor(a).float() for a in (np.log(weights), means, deviations))
        self.scale = torch.as_tensor(scale).float().expand(len(self.mean))
        self.dims = self.mean.shape[-1]
        self.asked = 0

    def _log(self, z, rows):
        distance = ((z - self.mean[rows]) / self.s[rows][..., None]).square().sum(-1)
        peak = self.log_w[rows] - self.dims * (self.s[rows].log() + 0.5 * math.log(2 * math.pi))
        return torch.logsumexp(peak - 0.5 * distance, -1) + self.scale[rows]

    def paired(self, z, rows):
        return self._log(z[:, None], rows)

    def densities(self, z, rows):
        self.asked += len(z)
        return self._log(z[:, None, None], rows)

    def integrate(self, starts, tolerance=1e-4, radius=6.0, **options):
        return log_integrals(
            self.densities, self.paired, torch.tensor(starts).float(), radius, tolerance, **options
        )  # fmt: skip


def single(mean, deviation, scale=0.0):
    return Mixture([[1.0]], [[mean]], [[deviation]], scale)


class Function:
    """Any log density, as a function of (..., J)."""

    def __init__(self, log):
        self.log = log

    def integrate(self, start, tolerance=1e-4, **options):
        return log_integrals(
            lambda z, rows: self.log(z)[:, None].expand(-1, len(rows)).contiguous(),
            lambda z, rows: self.log(z),
            torch.tensor([start]).float(), 6.0, tolerance, **options,
        )  # fmt: skip


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("deviation", [3.0, 1.0, 0.1, 1e-2, 1e-3])
def test_one_normal(dims, deviation):
    found = single([0.3717] * dims, deviation).integrate([[0.37] * dims])
    assert abs(found.log_value[0]) < FLOAT32 + found.error[0] and found.error[0] <= 1e-4
    assert 0 <= found.edge[0] < 1e-4


@pytest.mark.parametrize("dims", [1, 2])
def test_a_constant_factor_of_any_size(dims):
    scales = [-20_000.0, -300.0, 0.0, 3000.0]
    mixture = Mixture([[1.0]] * 4, [[[0.2] * dims]] * 4, [[0.3]] * 4, scales)
    found = mixture.integrate([[0.0] * dims] * 4)
    # float32 keeps 20,000 to 1e-3
    np.testing.assert_allclose(found.log_value, scales, rtol=1.2e-7, atol=FLOAT32)


@pytest.mark.parametrize("dims", [1, 2])
def test_several_peaks_are_added_up(dims):
    places = np.array([[-2.5, 1.2], [0.0, 0.0], [3.1, -0.4], [1.0, 3.3]])[:, :dims]
    mixture = Mixture([[0.4, 0.3, 0.2, 0.1]], [places.tolist()], [[0.05, 0.3, 0.02, 0.6]])
    found = mixture.integrate([[3.0] * dims])
    assert abs(found.log_value[0]) < found.error[0] + FLOAT32 and found.error[0] <= 1e-4


@pytest.mark.parametrize("weight", [0.5, 0.99])
def test_a_sharp_peak_on_a_wide_plain_leaves_the_plain_its_share(weight):
    # the plain is 8 to 12 nats below the peak and holds a part of the mass; pruned by height alone it lost 3e-4
    mixture = Mixture([[1 - weight, weight]], [[[0.37, 0.37], [-2.7, -2.7]]], [[0.9, 0.02]])
    found = mixture.integrate([[-2.7, -2.7]])
    assert abs(found.log_value[0]) < found.error[0] + FLOAT32


@pytest.mark.parametrize("weight", [0.1, 0.9])
def test_a_very_sharp_peak_on_a_wide_plain_of_the_line(weight):
    mixture = Mixture([[1 - weight, weight]], [[[0.37], [-2.7]]], [[1.0, 1e-3]])
    found = mixture.integrate([[-2.7]])
    assert abs(found.log_value[0]) < found.error[0] + FLOAT32


@pytest.mark.parametrize("dims", [1, 2])
def test_a_peak_far_outside_the_survey_is_found_from_its_start(dims):
    found = single([25.3] * dims, 0.2).integrate([[25.0] * dims])
    assert abs(found.log_value[0]) < found.error[0] + 1e-5  # steps of float32 at z = 25 are 2e-6
    assert found.error[0] <= 1e-4


@pytest.mark.parametrize("dims", [1, 2])
def test_what_reaches_beyond_the_survey_is_covered(dims):
    found = single([5.5] * dims, 2.0).integrate([[5.0] * dims], radius=6.0)
    assert abs(found.log_value[0]) < found.error[0] + FLOAT32 and found.edge[0] < 1e-5


def test_a_banana():
    # u = z1, v = z2 - 2 u^2 + 1 has determinant 1, so the normaliser is that of two normals
    def log(z):
        u, v = z[..., 0], z[..., 1] - 2 * z[..., 0] ** 2 + 1
        return -0.5 * (u / 0.8) ** 2 - 0.5 * (v / 0.05) ** 2 - math.log(2 * math.pi * 0.8 * 0.05)

    found = Function(log).integrate([0.0, -1.0], tolerance=1e-3)
    assert abs(found.log_value[0]) < found.error[0] + FLOAT32 and found.error[0] <= 1e-3


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
def test_kinks_are_within_the_stated_error(tolerance):
    # exp(-|u| - |v|) turned and shifted, so that no kink lies on the grid; its integral is 4 / 5 / 3
    turn = torch.tensor([[0.8, 0.6], [-0.6, 0.8]])

    def log(z):
        return -((z - 0.123) @ turn).abs() @ torch.tensor([5.0, 3.0])

    found = Function(log).integrate([0.1, 0.1], tolerance=tolerance, kinks=True)
    assert found.error[0] <= tolerance and abs(found.log_value[0] - math.log(4 / 15)) < found.error[0] + FLOAT32


@pytest.mark.parametrize("seed", range(6))
def test_random_mixtures_are_within_the_stated_error(seed):
    rng = np.random.default_rng(seed)
    dims, count, parts = 1 + seed % 2, 12, 3
    means = rng.normal(0, 2, (count, parts, dims))
    deviations = np.exp(rng.uniform(np.log(0.05), np.log(1.0), (count, parts)))
    mixture = Mixture(rng.dirichlet([1] * parts, count), means.tolist(), deviations.tolist())
    found = mixture.integrate(means[:, 0].tolist(), tolerance=1e-3)
    assert (found.error <= 1e-3).all()
    assert (np.abs(found.log_value) < found.error + FLOAT32).all()


def test_functions_do_not_disturb_each_other():
    means, deviations = [[[-2.0, 1.0]], [[0.5, 0.5]], [[3.0, -3.0]]], [[0.01], [1.5], [0.2]]
    together = Mixture([[1.0]] * 3, means, deviations).integrate([m[0] for m in means], keep=None)
    for i in range(3):
        alone = Mixture([[1.0]], means[i : i + 1], deviations[i : i + 1]).integrate(means[i], keep=None)
        np.testing.assert_allclose(together.log_value[i], alone.log_value[0], rtol=0, atol=1e-6)
        assert together.grids[i].step == alone.grids[0].step


def test_a_point_is_decoded_once_for_all_functions():
    one = Mixture([[1.0]], [[[0.0, 0.0]]], [[0.2]])
    many = Mixture([[1.0]] * 5, [[[0.0, 0.0]]] * 5, [[0.2]] * 5)
    first, second = one.integrate([[0.0, 0.0]]), many.integrate([[0.0, 0.0]] * 5)
    assert first.evaluations == one.asked and second.evaluations == many.asked == one.asked


@pytest.mark.parametrize("dims", [1, 2])
def test_the_nodes_hold_the_integral_and_its_moments(dims):
    found = single([1.0] * dims, 0.3).integrate([[1.0] * dims], keep=None)
    z, log_density, step = found.grids[0]
    weight = np.exp(log_density.astype(float)) * step**dims
    assert math.log(weight.sum()) == pytest.approx(found.log_value[0], abs=1e-5)
    assert weight @ z == pytest.approx(np.full(dims, 1.0), abs=1e-4)
    assert weight @ (z - 1) ** 2 == pytest.approx(np.full(dims, 0.09), abs=1e-4)


@pytest.mark.parametrize("dims", [1, 2])
def test_nodes_by_mass_are_draws_at_even_steps(dims):
    # two peaks of which one holds 30 %, far below the other in height
    places = [[[-2.0] * dims, [2.0] * dims]]
    mixture = Mixture([[0.3, 0.7]], places, [[1.0, 0.1]])
    kept = mixture.integrate([[2.0] * dims], keep=1000).grids[0]
    every = mixture.integrate([[2.0] * dims], keep=None).grids[0]
    assert kept.z.shape == (1000, dims) and kept.log_density.shape == (1000,) and kept.step == every.step
    values = dict(zip(map(tuple, every.z), every.log_density, strict=True))
    assert all(values[tuple(z)] == height for z, height in zip(kept.z, kept.log_density, strict=True))
    counts = Counter(map(tuple, kept.z))
    weight = np.exp(every.log_density.astype(float) - every.log_density.max())
    expected = 1000 * weight / weight.sum()
    came = np.array([counts[tuple(z)] for z in every.z])
    assert (
        np.abs(came - expected) <= 1 + 1e-6
    ).all()  # even steps come to a node as often as its mass says, or once more
    assert abs((kept.z[:, 0] < 1.5).mean() - 0.3) < 0.01


@pytest.mark.parametrize("dims", [1, 2])
def test_what_no_grid_resolves_is_marked(dims):
    found = single([0.3717] * dims, 1e-7).integrate([[0.3717] * dims])
    assert np.isnan(found.log_value).all() and np.isposinf(found.error).all()


def test_what_does_not_converge_leaves_the_others_alone():
    mixture = Mixture([[1.0], [1.0]], [[[0.0]], [[0.5]]], [[1e-8], [0.5]])
    found = mixture.integrate([[0.0], [0.5]])
    assert np.isnan(found.log_value[0]) and np.isposinf(found.error[0])
    assert abs(found.log_value[1]) < found.error[1] + FLOAT32


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_density_that_is_no_number_is_marked(value):
    found = Function(lambda z: value - z.square().sum(-1)).integrate([0.0, 0.0])
    assert np.isnan(found.log_value).all() and np.isposinf(found.error).all()


def test_progress_is_told_and_stops():
    told = []
    mixture = Mixture([[1.0]] * 3, [[[0.0, 0.0]]] * 3, [[0.01], [0.2], [1.0]])
    mixture.integrate([[0.0, 0.0]] * 3, told=told.append)
    assert told == sorted(told) and told[-1] == 1 and 0 <= told[0] < 1 and len(set(told)) > 1

    def stop(share):
        raise KeyboardInterrupt

    before = mixture.asked
    with pytest.raises(KeyboardInterrupt):
        mixture.integrate([[0.0, 0.0]] * 3, told=stop)
    assert mixture.asked - before <= 4096  # one chunk


def test_starts_do_not_move_the_answer():
    mixture = Mixture([[0.5, 0.5]], [[[-1.0, 0.0], [1.0, 0.0]]], [[0.1, 0.1]])
    values = [
        mixture.integrate([list(start)]).log_value[0] for start in itertools.product((-3.0, 0.0, 1.0), (0.0, 2.0))
    ]
    np.testing.assert_allclose(values, 0, atol=1e-4)
