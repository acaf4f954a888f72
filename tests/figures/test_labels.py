"""Labels of charts stand where they belong, or near there, and never on one another."""

from itertools import combinations

import numpy as np
import pytest

from vae.figures import latent as figures_latent
from vae.figures.labels import offsets, width

RNG = np.random.default_rng(3)


def test_labels_with_room_stay() -> None:
    anchors = np.array([[50.0, 50.0], [150.0, 50.0], [50.0, 80.0]])
    assert not offsets(anchors, np.full((3, 2), 20.0), (300, 200)).any()
    assert offsets(np.empty((0, 2)), np.empty((0, 2)), (300, 200)).shape == (0, 2)


@pytest.mark.parametrize("scale", [1.0, 1.4, 1.8])
def test_labels_of_a_crowd_stand_side_by_side_on_charts_of_every_size(scale: float) -> None:
    anchors = 150 + 12 * RNG.standard_normal((10, 2))
    sizes = np.stack([RNG.uniform(15, 60, 10), np.full(10, 22.0)], 1)
    moved = offsets(anchors, sizes, (300, 300))
    np.testing.assert_array_equal(moved, offsets(anchors, sizes, (300, 300)))
    places = scale * anchors + moved
    for i, j in combinations(range(10), 2):
        assert (np.abs(places[i] - places[j]) >= (sizes[i] + sizes[j]) / 2).any()
    inside = anchors + moved
    assert (inside >= sizes / 2).all() and (inside <= 300 - sizes / 2).all()
    assert np.linalg.norm(moved, axis=1).min() == 0


def test_wide_letters_take_more_room() -> None:
    assert width("运动鞋", 14) == 42 and width("sneaker", 14) < width("ankle boot", 14) < 100


def test_the_names_of_a_projection_do_not_cover_one_another() -> None:
    points = RNG.standard_normal((400, 2)) * [3, 1]
    labels = np.arange(400) % 8
    figure = figures_latent.projected(points, labels, [f"class {k}" for k in range(8)], None)
    notes = figure.layout.annotations
    assert len(notes) == 8
    for k, note in enumerate(notes):
        np.testing.assert_allclose((note.x, note.y), np.median(points[labels == k], 0))
    scale = 300 / np.ptp(points[:, 0])
    places = np.array([[scale * note.x + note.ax, scale * note.y - note.ay] for note in notes])
    for one, other in combinations(places, 2):
        across, up = np.abs(one - other)
        assert across >= width("class 0", 14) or up >= 18
    assert all(note.showarrow == bool(note.ax or note.ay) for note in notes)
