"""The figures of the chapters on the bound show the numbers they are given."""

import numpy as np
import pytest

from vae.figures import bound as figures_bound
from vae.figures.style import COLOURS


def named(figure, name):
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def test_each_draw_has_a_point_and_a_bar_up_to_the_total() -> None:
    part = np.array([8.0, 11.0, 9.5])
    figure = figures_bound.split(10, part, ("elbo", "kl"), ("total", "first", "rest", "mean"), ("draw", "nats"))
    bars, points = named(figure, "rest"), named(figure, "first")
    assert list(points.y) == list(part)
    assert np.allclose(np.array(bars.base) + np.array(bars.y), 10)
    assert list(named(figure, "total").y) == [10, 10]
    assert named(figure, "mean").y[0] == pytest.approx(9.5)
    assert points.marker.color == COLOURS["elbo"]
    low, high = figure.layout.yaxis.range
    assert low < 8 and high > 11


def test_without_a_part_the_total_stands_alone() -> None:
    figure = figures_bound.split(10, None, ("elbo", "kl"), ("total", "", "", ""), ("draw", "nats"))
    assert [trace.name for trace in figure.data] == ["total"]


def test_the_waterfall_goes_from_the_reconstruction_to_log_p() -> None:
    figure = figures_bound.waterfall(1047.2, 8.4, 0.4, ("a", "b", "c", "d", "e"), "nats")
    tops = {bar.x[0]: bar.base[0] + bar.y[0] for bar in figure.data}
    assert tops == pytest.approx({"a": 1047.2, "b": 1047.2, "c": 1038.8, "d": 1039.2, "e": 1039.2})
    feet = {bar.x[0]: bar.base[0] for bar in figure.data}
    assert (feet["b"], feet["d"]) == pytest.approx((1038.8, 1038.8))
    assert [bar.text[0] for bar in figure.data] == ["1,047.20", "−8.40", "1,038.80", "+0.40", "1,039.20"]


def test_codes_come_by_class_with_the_priors_circles() -> None:
    points, labels = np.array([[0.0, 1], [2, 3], [4, 5]]), np.array([0, 1, 1])
    figure = figures_bound.codes(points, labels, ("no", "yes"), 7, "prior")
    assert list(named(figure, "yes").x) == [2, 4]
    circles = [trace for trace in figure.data if trace.name == "prior"]
    assert [round(float(np.hypot(c.x[5], c.y[5])), 6) for c in circles] == [2, 3]
    assert figure.layout.yaxis.scaleanchor == "x"  # or circles were none


def test_errors_run_and_bars_keep_their_numbers() -> None:
    counts = np.array([4, 10])
    figure = figures_bound.errors(counts, {"one": ("elbo", np.array([3.0, 2.0]))}, 5.0, ("size", "draws", "error"))
    assert (list(named(figure, "one").y), list(named(figure, "size").y)) == ([3, 2], [5, 5])
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    bars = figures_bound.bars(np.array([0.1, 2]), np.array([3.0, 1]), ("z1", "z2"), ("place", "width"), "nats")
    assert (list(named(bars, "place").y), list(named(bars, "width").y)) == ([0.1, 2], [3, 1])
    assert bars.layout.barmode == "stack"


def test_an_estimate_runs_in_a_band_of_two_errors_towards_the_truth() -> None:
    counts = np.array([2, 5, 10, 20])
    value, error = np.array([3.0, 2.5, 2.2, 2.1]), np.array([1.0, 0.5, 0.3, 0.2])
    figure = figures_bound.running(counts, value, error, 2.0, ("drawn", "closed"), ("draws", "nats"))
    low, high = figure.data[:2]
    assert np.allclose(np.array(high.y) - np.array(low.y), 4 * error)
    assert (list(named(figure, "drawn").y), list(named(figure, "closed").y)) == (list(value), [2, 2])


def test_a_climb_shows_both_parts() -> None:
    figure = figures_bound.climb(
        np.array([0, 1]), np.array([5.0, 7]), np.array([4.0, 5]), ("l1", "l"), ("step", "nats")
    )
    assert (list(named(figure, "l1").y), list(named(figure, "l").y)) == ([5, 7], [4, 5])
