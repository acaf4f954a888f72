"""What float32 did to an integral, against errors that the tests make themselves."""

import math

import numpy as np
import pytest
import torch

from vae.evidence.estimates import CHUNK
from vae.evidence.quadrature import Grid
from vae.evidence.rounding import MEASURED, rounding

STEP = 1 / 64  # so that float32 holds the nodes
NODES = (np.arange(-400, 400) + 0.5) * STEP
COUNT = len(NODES)


def normal(z, _rows):
    """Log density of a standard normal, (N,)."""
    return -0.5 * z[:, 0].square() - 0.5 * math.log(2 * math.pi)


def measured(error):
    """What is found where each node's log density is off by `error` (COUNT,), and what is right, nats."""
    true = normal(torch.from_numpy(NODES[:, None]), None).numpy()
    grid = Grid(NODES[:, None], true + error, STEP)
    shift, left = rounding(normal, [grid.by_mass(MEASURED)])
    return shift.item(), left.item(), math.log(np.exp(true).sum() / np.exp(true + error).sum())


def test_an_error_that_is_the_same_everywhere_is_taken_out():
    shift, left, right = measured(np.full(COUNT, 0.3))
    assert shift == pytest.approx(right, abs=1e-9) and shift == pytest.approx(-0.3, abs=1e-9) and left < 1e-9


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("size", [1e-5, 1e-2, 0.5])
def test_what_is_left_covers_errors_that_scatter(seed, size):
    # the heaviest nodes would not do: on the flat top these are the ones whose errors point up
    error = size * np.random.default_rng(seed).standard_normal(COUNT)
    shift, left, right = measured(error)
    assert abs(shift - right) < left < 4 * size


@pytest.mark.parametrize("place", [0.0, -1.5, 2.0])
def test_what_is_left_covers_an_error_in_one_place(place):
    shift, left, right = measured(np.where(np.abs(NODES - place) < 0.5, 0.01, 0.0))
    assert abs(shift - right) < left < 0.01 + 1e-3
    assert right != 0 and abs(shift - right) < 0.2 * abs(right) + 1e-4


def test_many_functions_of_which_some_have_no_nodes():
    nothing = Grid(np.zeros((0, 1)), np.zeros(0), math.nan)
    true = normal(torch.from_numpy(NODES[:, None]), None).numpy()
    count = 3 * CHUNK // MEASURED + 1
    grids = [Grid(NODES[:, None], true + row, STEP).by_mass(MEASURED) if row % 3 else nothing for row in range(count)]
    shift, left = rounding(lambda z, rows: normal(z, rows) + 0.5 * rows, grids)
    expected = [-0.5 * row if row % 3 else 0.0 for row in range(count)]
    np.testing.assert_allclose(shift, expected, atol=1e-9)
    assert shift.dtype == left.dtype == torch.float64 and (left < 1e-9).all()
    assert all(each.tolist() == [0, 0] for each in rounding(normal, [nothing] * 2))
