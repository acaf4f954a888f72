"""Figures of trainings: what they draw is what they were given, in order and in nats."""

import numpy as np
import pytest

from vae.figures.style import CLASSES
from vae.figures.trainings import COLUMNS, RUNS, Curve, codes, curves, kl_map, thinned

RNG = np.random.default_rng(0)


def test_joined_means_are_the_means_over_the_joined_time():
    ends = np.cumsum(RNG.integers(1, 60, 500)).astype(float)
    each = RNG.exponential(size=(500, 3))
    found_ends, found = thinned(ends, each, 40)
    assert len(found_ends) == len(found) == 40 and found_ends[-1] == ends[-1] and set(found_ends) <= set(ends)
    start = 0.0
    for end, mean in zip(found_ends, found, strict=True):
        inside = [i for i in range(500) if start < ends[i] <= end]
        weights = [ends[i] - (ends[i - 1] if i else 0) for i in inside]
        np.testing.assert_allclose(mean, sum(w * each[i] for w, i in zip(weights, inside, strict=True)) / sum(weights))
        start = end


@pytest.mark.parametrize("count", [1, 2, 40])
def test_few_means_stay_as_they_are(count):
    ends, each = np.arange(1.0, count + 1), RNG.random((count, 2))
    found_ends, found = thinned(ends, each, 40)
    assert np.array_equal(found_ends, ends)
    np.testing.assert_allclose(found, each, rtol=1e-15)


@pytest.mark.parametrize("size", [1, 2, 20, 300])
def test_the_map_has_a_row_for_each_dimension_in_the_order_asked_for(size):
    epochs, kl = np.linspace(0.1, 5, 50), RNG.exponential(size=(50, size)).astype(np.float32)
    order = np.argsort(-kl[-1]).tolist()
    names = [f"z{j}" for j in range(size)]
    figure = kl_map(epochs, kl, names, order, ("epoch", "KL"))
    (drawn,) = figure.data
    np.testing.assert_allclose(drawn.z, kl.T[order], rtol=1e-6)
    assert len(drawn.x) == 51 and drawn.x[0] == 0
    assert list(drawn.y) == [names[j] for j in order]
    axis = figure.layout.yaxis
    assert len(axis.tickvals) <= 20 and axis.tickvals[0] == names[order[0]]
    assert axis.range[0] > axis.range[1] and figure.layout.height <= 420  # the first on top


def test_the_map_of_a_long_training_stays_small():
    figure = kl_map(
        np.arange(1, 5001) / 10, np.ones((5000, 100)), [f"z{j}" for j in range(100)], list(range(100)), ("epoch", "KL")
    )
    assert figure.data[0].z.shape == (100, COLUMNS) and np.allclose(figure.data[0].z, 1)


def test_the_map_of_dimensions_that_all_sleep_is_pale():
    figure = kl_map(np.array([1.0, 2.0]), np.full((2, 3), 1e-5), ["a", "b", "c"], [0, 1, 2], ("epoch", "KL"))
    assert figure.data[0].zmax == 0.01


def test_each_training_has_its_line_and_no_two_look_the_same():
    runs = [Curve(f"run-{i}", np.arange(1.0, 4), np.array([-1e6, 100 + i, 200 + i])) for i in range(12)]
    figure = curves(runs, ("epoch", "ELBO"))
    assert [line.name for line in figure.data] == [run.name for run in runs]
    assert all(np.array_equal(line.y, run.values) for line, run in zip(figure.data, runs, strict=True))
    assert len({(line.line.color, line.line.dash) for line in figure.data}) == 12
    assert figure.layout.yaxis.range[1] > 211
    assert curves([], ("epoch", "ELBO")).data == () and not set(RUNS) & set(CLASSES)


def test_codes_are_drawn_in_their_classes_colours_and_named_in_their_middle():
    points, labels = RNG.standard_normal((60, 2)), np.array([0, 2, 3] * 20)
    figure = codes(points, labels, ("a", "b", "c", "d"), 4.0, ("z1", "z2"))
    dots, names = figure.data
    np.testing.assert_allclose(np.stack([dots.x, dots.y], 1), points, rtol=1e-6)
    assert list(dots.marker.color) == [CLASSES[label] for label in labels]
    assert list(names.text) == ["a", "c", "d"]
    np.testing.assert_allclose(names.x[1], np.median(points[labels == 2, 0]))
    assert figure.layout.xaxis.range == figure.layout.yaxis.range == (-4, 4)
