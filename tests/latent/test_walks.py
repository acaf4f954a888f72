"""Walks, differences of means and neighbours, against closed forms and brute force."""

import numpy as np
import pytest

from vae.errors import ConfigError, DataError
from vae.latent.walks import Difference, difference, neighbours, spherical, straight, traversals

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("walk", [straight, spherical])
@pytest.mark.parametrize("size", [1, 2, 5, 64])
def test_a_walk_starts_and_ends_where_it_should(walk, size):
    a, b = RNG.standard_normal((2, size)).astype(np.float32)
    path = walk(a, b, 7)
    assert path.shape == (7, size) and path.dtype == np.float32
    assert np.array_equal(path[0], a) and np.array_equal(path[-1], b)


def test_a_straight_walk_has_equal_steps():
    a, b = RNG.standard_normal((2, 5))
    np.testing.assert_allclose(np.diff(straight(a, b, 6), axis=0), np.tile((b - a) / 5, (5, 1)), atol=1e-6)


@pytest.mark.parametrize("size", [2, 3, 20])
def test_a_spherical_walk_is_shoemakes_formula_where_the_ends_are_as_long(size):
    a, b = RNG.standard_normal((2, size))
    a, b = 3 * a / np.linalg.norm(a), 3 * b / np.linalg.norm(b)
    w = np.arccos(a @ b / 9)
    truth = [(np.sin((1 - t) * w) * a + np.sin(t * w) * b) / np.sin(w) for t in np.linspace(0, 1, 9)]
    np.testing.assert_allclose(spherical(a, b, 9), truth, atol=1e-5)


def test_a_spherical_walk_turns_evenly_and_changes_its_length_evenly():
    a, b = RNG.standard_normal((2, 10))
    b *= 4
    path = spherical(a, b, 11).astype(float)
    lengths = np.linalg.norm(path, axis=1)
    np.testing.assert_allclose(np.diff(lengths), (lengths[-1] - lengths[0]) / 10, rtol=1e-3)
    units = path / lengths[:, None]
    angles = np.arccos(np.clip((units[1:] * units[:-1]).sum(1), -1, 1))
    np.testing.assert_allclose(angles, angles.mean(), rtol=1e-3)
    np.testing.assert_allclose(angles.sum(), np.arccos(units[0] @ units[-1]), rtol=1e-5)


def test_ends_that_are_equal_give_a_walk_that_stays():
    a = RNG.standard_normal(6).astype(np.float32)
    assert np.array_equal(spherical(a, a, 5), np.tile(a, (5, 1)))
    assert np.array_equal(spherical(0 * a, 0 * a, 5), np.zeros((5, 6)))


def test_from_or_to_the_origin_and_along_a_ray_the_walk_is_straight():
    a = RNG.standard_normal(4)
    for ends in ((a, 0 * a), (0 * a, a), (a, 3 * a)):
        assert np.array_equal(spherical(*ends, 5), straight(*ends, 5))


@pytest.mark.parametrize("size", [2, 3, 20])
@pytest.mark.parametrize("nudge", [0, 1e-12, 1e-5])
def test_opposite_ends_go_around_the_origin(size, nudge):
    a = RNG.standard_normal(size)
    b = -a
    b[0] += nudge
    path = spherical(a, b, 9)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), np.linalg.norm(a), rtol=1e-4)
    np.testing.assert_allclose(path[4] @ a, 0, atol=1e-3)  # half the way is a right angle
    assert np.array_equal(path, spherical(a, b, 9))


def test_opposite_ends_on_a_line_go_through_the_origin():
    np.testing.assert_allclose(spherical(np.array([2.0]), np.array([-2.0]), 5)[:, 0], [2, 1, 0, -1, -2])


@pytest.mark.parametrize(
    ("a", "b", "steps"),
    [
        (np.zeros(2), np.zeros(3), 5), (np.zeros((1, 2)), np.zeros((1, 2)), 5), (np.zeros(2), np.array([0, np.nan]), 5),
        (np.zeros(2), np.ones(2), 1), (np.zeros(2), np.ones(2), 2.5), (np.zeros(2), np.ones(2), 0),
    ],
)  # fmt: skip
def test_what_is_no_walk_is_refused(a, b, steps):
    for walk in (straight, spherical):
        with pytest.raises(ConfigError):
            walk(a, b, steps)


def test_a_traversal_changes_one_coordinate():
    z = RNG.standard_normal(5).astype(np.float32)
    table = traversals(z, [3, 0], np.array([-2, 0, 2]))
    assert table.shape == (2, 3, 5) and table.dtype == np.float32
    for row, j in enumerate((3, 0)):
        for column, value in enumerate((-2, 0, 2)):
            truth = z.copy()
            truth[j] = value
            assert np.array_equal(table[row, column], truth)
    assert traversals(z, [1, 2], np.array([[1, 2], [3, 4]]))[1, :, 2].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("dimensions", "values"),
    [([5], np.ones(3)), ([-1], np.ones(3)), ([0], np.full(1, np.inf)), ([0, 1], np.ones((3, 2))), ([0], np.ones(()))],
)  # fmt: skip
def test_a_traversal_that_cannot_be_is_refused(dimensions, values):
    with pytest.raises(ConfigError):
        traversals(np.zeros(5), dimensions, values)


def test_a_difference_is_that_of_the_means():
    of, minus = RNG.standard_normal((40, 3)) + 2, RNG.standard_normal((60, 3))
    found = difference(of, minus, 50)
    np.testing.assert_allclose(found.mean, of.mean(0) - minus.mean(0), rtol=1e-6)
    assert found.resampled.shape == (50, 3)
    assert np.array_equal(found.resampled, difference(of, minus, 50).resampled)
    assert not np.array_equal(found.resampled, difference(of, minus, 50, seed=1).resampled)


def test_resamples_spread_as_the_standard_error_says():
    of, minus = RNG.standard_normal((400, 3)) * [1, 2, 3], RNG.standard_normal((100, 3))
    found = difference(of, minus, 2000)
    truth = np.sqrt(of.var(0) / 400 + minus.var(0) / 100)
    # the spread of a spread over R resamples is 1 / sqrt(2 R) = 1.6 %; five of them
    np.testing.assert_allclose(found.resampled.std(0), truth, rtol=0.08)
    np.testing.assert_allclose(found.resampled.mean(0), found.mean, atol=5 * truth.max() / np.sqrt(2000))


def test_angles_and_lengths_of_a_difference():
    found = Difference(np.array([2.0, 0.0]), np.array([[3.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found.angle, [0, 90, 180, 45, 90], atol=1e-5)
    np.testing.assert_allclose(found.length, [3, 1, 1, np.sqrt(2), 0])


def test_one_latent_in_each_set_has_no_spread():
    found = difference(np.ones((1, 2)), np.zeros((1, 2)), 5)
    assert found.resampled.tolist() == [[1, 1]] * 5


@pytest.mark.parametrize(("of", "minus"), [((0, 2), (3, 2)), ((3, 2), (3, 3)), ((3,), (3, 2))])
def test_sets_that_have_no_difference_are_refused(of, minus):
    with pytest.raises(DataError):
        difference(np.zeros(of), np.zeros(minus))


def test_neighbours_are_the_nearest_by_brute_force():
    points = RNG.standard_normal((500, 7)).astype(np.float32)
    found = neighbours(points[3], points, 6)
    distance = np.array(
        [np.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(points[3], p, strict=True))) for p in points]
    )
    assert found.rows.tolist() == distance.argsort()[:6].tolist()
    np.testing.assert_allclose(found.distance, np.sort(distance)[:6], rtol=1e-6)
    assert found.rows[0] == 3 and found.distance[0] == 0


def test_neighbours_of_an_image_are_on_the_pixel_scale_and_do_not_wrap_around():
    images = np.zeros((3, 2, 2), np.uint8)
    images[1, 0, 0] = 255
    images[2] = 1
    found = neighbours(images[0], images, 10)
    assert found.rows.tolist() == [0, 2, 1]
    np.testing.assert_allclose(found.distance, [0, 2 / 255, 1])


@pytest.mark.parametrize(
    "points", [np.zeros((0, 2)), np.zeros((4, 3)), np.zeros((4, 2), np.uint8)], ids=["none", "shape", "type"]
)
def test_neighbours_of_another_kind_are_refused(points):
    with pytest.raises(DataError):
        neighbours(np.zeros(2), points, 1)
