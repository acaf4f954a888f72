"""Newton's climb against peaks that are known."""

import math

import numpy as np
import pytest
import torch

from vae.evidence.modes import climb


def normals(mean, covariance, height=0.0):
    """The log density of one bent normal, and its truth: mode, height, least deviation, log integral."""
    mean, covariance = np.array(mean), np.array(covariance)
    precision = torch.tensor(np.linalg.inv(covariance)).float()

    def paired(z, rows):
        away = z - torch.tensor(mean).float()
        return height - 0.5 * ((away @ precision) * away).sum(-1)

    variances = np.linalg.eigvalsh(covariance)
    mass = height + 0.5 * len(mean) * math.log(2 * math.pi) + 0.5 * np.log(variances).sum()
    return paired, mean, math.sqrt(variances[0]), mass


@pytest.mark.parametrize("covariance", [[[1.0]], [[1e-6]], [[0.5, 0.2], [0.2, 0.3]], [[1.0, 0.099], [0.099, 0.01]]])
def test_a_normal_is_climbed_to_its_top(covariance):
    paired, mean, width, mass = normals([0.7, -0.4][: len(covariance)], covariance, height=12.0)
    starts = torch.tensor(mean + width * np.array([[3.0], [-2.0], [0.0]])).float()
    z, height, least, total = climb(paired, starts, torch.arange(3))
    np.testing.assert_allclose(z, np.broadcast_to(mean, z.shape), atol=0.02 * width + 1e-6)
    np.testing.assert_allclose(height, 12, atol=1e-3)
    np.testing.assert_allclose(least, width, rtol=1e-3)
    np.testing.assert_allclose(total, mass, atol=2e-3)


def test_each_point_climbs_its_own_function():
    centres = torch.tensor([-2.0, 0.5, 3.0])
    z, height, width, _ = climb(
        lambda z, rows: -50 * (z[:, 0] - centres[rows]).square(), torch.tensor([[2.9], [-1.9], [0.4], [3.3]]),
        torch.tensor([2, 0, 1, 2]),
    )  # fmt: skip
    np.testing.assert_allclose(z[:, 0], [3, -2, 0.5, 3], atol=1e-4)
    np.testing.assert_allclose(height, 0, atol=1e-5)
    np.testing.assert_allclose(width, 0.1, rtol=1e-4)


def test_a_climb_never_ends_lower_than_it_began():
    def paired(z, rows):  # ripples: concave here, convex there
        return torch.cos(7 * z).sum(-1) - 0.5 * z.square().sum(-1)

    starts = torch.randn(200, 2, generator=torch.Generator().manual_seed(0)) * 2
    rows = torch.zeros(200, dtype=torch.long)
    z, height, _, _ = climb(paired, starts, rows)
    assert (height >= paired(starts, rows).numpy()).all()
    slope = -7 * np.sin(7 * z) - z
    assert (np.abs(slope).max(1) < 1e-2).mean() > 0.8  # twelve steps, of which some only find the right damping


def test_at_a_kink_the_slope_tells_the_width():
    _, _, width, _ = climb(lambda z, rows: -100 * z.abs().sum(-1) - 0.5 * z.square().sum(-1),
                           torch.tensor([[0.3]]), torch.tensor([0]))  # fmt: skip
    assert 0.005 < width[0] < 0.02  # exp(-100 |z|) falls to 1/e at 0.01


def test_where_the_density_is_no_number_there_is_nothing_to_climb():
    z, height, _, _ = climb(lambda z, rows: torch.nan * z.square().sum(-1), torch.ones(2, 2), torch.tensor([0, 1]))
    assert (z == 1).all() and np.isnan(height).all()
