"""The figures of the decoder's variance say what their arrays say."""

import numpy as np

from vae.figures import variance as figures_variance
from vae.uses.variance import ByDistance, Calibration


def test_cells_of_the_map_stand_where_they_are_drawn() -> None:
    across, up = np.array([-1.0, 0.0, 1.0]), np.array([-2.0, 2.0])
    deviation = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    figure = figures_variance.deviation_map(
        (across, up), deviation, np.zeros((4, 2)), np.array([0.5, 1.5]), (0.05, 0.5), ("a", "b")
    )
    picture, codes, cross, cells = figure.data
    np.testing.assert_allclose(picture.z, np.log10(deviation), rtol=1e-6)
    assert (cross.x[0], cross.y[0]) == (0.5, 1.5)
    assert len(codes.x) == 4
    for x, y, cell, value in zip(cells.x, cells.y, cells.customdata, cells.text, strict=True):
        row, column = divmod(int(cell), len(across))
        assert (across[column], up[row], deviation[row, column]) == (x, y, float(value))
    assert figure.layout.xaxis.range == (-1.5, 1.5)
    assert figure.layout.yaxis.range == (-4, 4)


def test_the_line_of_the_border_runs_between_the_pixels() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    figure = figures_variance.nats_picture(np.arange(12.0).reshape(3, 4), mask, 5, ("a", "b"))
    picture, line = figure.data
    assert (picture.zmin, picture.zmax) == (-5, 5)
    corners = {(x, y) for x, y in zip(line.x, line.y, strict=True) if not np.isnan(x)}
    assert corners == {(1.5, 0.5), (2.5, 0.5), (1.5, 1.5), (2.5, 1.5)}
    assert figure.layout.yaxis.range == (2.5, -0.5)  # row 0 on top


def test_residuals_beyond_the_axes_are_drawn_at_their_edge() -> None:
    inside = Calibration(*np.array([[1e-6, 0.1], [0.05, 99], [0.5, 0.5]]))
    figure = figures_variance.calibrated(inside, None, (1e-3, 10), ("a", "b"), ("in", "out", "equal"))
    assert [trace.name for trace in figure.data] == ["equal", "in"]
    np.testing.assert_allclose(figure.data[1].x, [1e-3, 0.1])
    np.testing.assert_allclose(figure.data[1].y, [0.05, 10])
    np.testing.assert_allclose(figure.data[1].customdata[:, 0], [1e-6, 0.1])  # as they are, for the mouse
    assert tuple(figure.layout.xaxis.ticktext) == ("0.001", "0.01", "0.1", "1", "10")
    both = figures_variance.calibrated(inside, inside, (1e-3, 10), ("a", "b"), ("in", "out", "equal"))
    assert [trace.name for trace in both.data] == ["equal", "in", "out"]


def test_sigma_and_residuals_keep_their_colours() -> None:
    curve = ByDistance(*np.array([[0.0, 1], [0.2, 0.1], [0.2, 0.3], [1, 3], [5, 5]]))
    figure = figures_variance.by_distance(curve, (0.01, 1), ("a", "b"), ("sigma", "residual"))
    assert [trace.line.color for trace in figure.data] == [figures_variance.SIGMA, figures_variance.RESIDUAL]
    np.testing.assert_allclose([trace.y for trace in figure.data], [curve.deviation, curve.residual])


def test_the_chosen_floor_is_marked_on_the_curve() -> None:
    places, nats = np.array([-4.0, -2.0, 0.0]), np.array([-1e9, 50.0, 20.0])
    mark = figures_variance.floors(places, nats, -2, 100, ("a", "b"), "ceiling").data[-1]
    assert (mark.x[0], mark.y[0]) == (-2, 50)
    low = figures_variance.floors(places, nats, -4, 100, ("a", "b"), "ceiling")
    assert low.data[-1].y[0] == low.layout.yaxis.range[0]  # too far down to be seen


def test_gradient_runs_as_the_figures_do() -> None:
    shades = figures_variance.gradient(figures_variance.NATS).astype(int)
    (red, _, blue), (red_end, _, blue_end) = shades[0, 0], shades[0, -1]
    assert red > blue
    assert blue_end > red_end
