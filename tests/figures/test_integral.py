"""The lesson's first figures: what is drawn where."""

import numpy as np

from vae.derivation.planes import Plane
from vae.figures import integral as figures_integral

LINE = np.linspace(-4, 4, 9)
FINE = np.linspace(0.9, 1.1, 9)
SHAPE = -((LINE - 1) ** 2) - (LINE[:, None] + 2) ** 2
VIEW = Plane(
    LINE, LINE, 50 * SHAPE, FINE, FINE, 50 * SHAPE, SHAPE, (-3.0, -2.0, -1.0), np.zeros(2), np.ones(2),
    np.zeros((3, 2)), np.array([False, True, False]), 0.1, 2.0,
)  # fmt: skip


def test_the_hill_has_its_peak_where_the_integrand_has() -> None:
    far, near = figures_integral.hill(VIEW, False), figures_integral.hill(VIEW, True)
    prior = -0.5 * (LINE**2 + LINE[:, None] ** 2)
    assert np.asarray(far.data[0].z).argmax() == (50 * SHAPE + prior).argmax()
    assert np.asarray(near.data[0].z).max() == 1
    assert np.allclose(near.data[0].z, np.exp(SHAPE - SHAPE.max()), atol=1e-6)
    frame = far.layout.shapes[0]
    assert frame.x0 < 0.95 and frame.x1 > 1.05


def test_draws_that_hit_stand_out() -> None:
    figure = figures_integral.scattered(VIEW, np.eye(3, 2), np.array([False, True, False]), ("", ""), ("a", "b"))
    assert [len(trace.x) for trace in figure.data[1:]] == [2, 1]
    assert figure.data[2].x[0] == 0 and figure.data[2].y[0] == 1


def test_the_line_of_the_estimate_keeps_first_last_and_jumps() -> None:
    estimate = np.full(5000, -10.0)
    estimate[3210:] = 5.0
    hidden = figures_integral.creep(estimate, None, ("", ""), ("a", "b"))
    assert len(hidden.data) == 1
    x = np.asarray(hidden.data[0].x)
    assert {1, 3210, 3211, 5000} <= set(x.tolist())
    told = figures_integral.creep(estimate, 7.0, ("", ""), ("a", "b"))
    assert list(told.data[1].y) == [7.0, 7.0]
    low, high = told.layout.yaxis.range
    assert low <= -10 and high > 7


def test_slopes_are_blue_above_and_orange_below() -> None:
    image = figures_integral.slope(np.array([[0.0, 2.0], [-2.0, 9.0]]), 2.0)
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[0, 1, 2] > image[0, 1, 0]
    assert image[1, 0, 0] > image[1, 0, 2]
    assert image[1, 1].tolist() == image[0, 1].tolist()
