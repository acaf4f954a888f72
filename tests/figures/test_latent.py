"""Pictures of the latent space: what stands in them, pixel by pixel and trace by trace."""

import io

import numpy as np
import pytest
from PIL import Image

from vae.errors import ConfigError
from vae.figures import latent as figures_latent
from vae.figures.style import CLASSES
from vae.latent import aggregate
from vae.latent.codes import Codes, coordinate_axes

RNG = np.random.default_rng(0)
NAMES = ("aggregate posterior", "prior", "hole")


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_sheet_has_every_picture_in_its_place():
    images = RNG.random((2, 3, 4, 5))
    drawn = np.array(opened(figures_latent.sheet(images, scale=2)))
    assert drawn.shape == (2 * 4 * 2, 3 * 5 * 2, 4)
    assert (drawn[..., 3] == 255).all()
    for row, column in np.ndindex(2, 3):
        tile = drawn[row * 8 : row * 8 + 8, column * 10 : column * 10 + 10, 0]
        np.testing.assert_array_equal(tile[::2, ::2], (images[row, column] * 255).round())
        np.testing.assert_array_equal(tile[::2, ::2], tile[1::2, 1::2])


def test_a_sheet_in_colour_has_every_picture_in_its_place():
    images = RNG.random((2, 3, 4, 5, 3))
    drawn = np.array(opened(figures_latent.sheet(images, scale=2)))
    assert drawn.shape == (2 * 4 * 2, 3 * 5 * 2, 4)
    for row, column in np.ndindex(2, 3):
        tile = drawn[row * 8 : row * 8 + 8, column * 10 : column * 10 + 10, :3]
        np.testing.assert_array_equal(tile[::2, ::2], (images[row, column] * 255).round())


def test_large_pictures_are_blown_up_less():
    assert np.array(opened(figures_latent.sheet(np.zeros((1, 2, 64, 50)), scale=4))).shape[:2] == (64, 100)


def test_an_animation_in_colour_keeps_the_colours_of_each_frame():
    frames = np.zeros((3, 6, 7, 3))
    for i in range(3):
        frames[i, ..., i] = 1
    with opened(figures_latent.animation(frames, scale=2)) as gif:
        for i in range(3):
            gif.seek(i)
            np.testing.assert_array_equal(np.array(gif.convert("RGB"))[4, 4], [255 * (j == i) for j in range(3)])


def test_labels_stand_beside_the_pictures_and_not_over_them():
    images = np.ones((2, 3, 28, 28))
    drawn = np.array(opened(figures_latent.sheet(images, ["z1", "z2, 3.1 nats"], ["-1", "0", "1"])))
    top, left = drawn.shape[0] - 2 * 56, drawn.shape[1] - 3 * 56
    assert top > 10 and left > 40
    assert (drawn[top:, left:, :3] == 255).all()
    assert (drawn[:top, left:, 3] > 0).any() and (drawn[top:, :left, 3] > 0).any()
    for row in range(2):  # each row has its own words
        assert (drawn[top + 56 * row : top + 56 * (row + 1), :left, 3] > 0).any()
    assert (drawn[:, 0, 3] == 0).all() and (drawn[0, :, 3] == 0).all()  # nothing is cut off


def test_the_chosen_picture_of_a_row_has_a_frame():
    drawn = np.array(opened(figures_latent.sheet(np.zeros((2, 3, 28, 28)), chosen=[1, -1])))
    coloured = drawn[..., 0] != drawn[..., 2]
    assert coloured[:56, 56:112].any() and coloured.sum() == 56**2 - 52**2


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="a label for each"):
        figures_latent.sheet(np.zeros((2, 3, 4, 4)), rows=["one"])


def test_an_animation_has_the_exact_frames_there_and_back_and_no_end():
    frames = RNG.random((5, 6, 7))
    frames[0, 0] = np.linspace(0, 1, 7)
    with opened(figures_latent.animation(frames, scale=3, seconds=0.08)) as gif:
        assert gif.info["loop"] == 0
        assert gif.n_frames == 8
        for place, truth in enumerate([0, 1, 2, 3, 4, 3, 2, 1]):
            gif.seek(place)
            assert gif.info["duration"] == (400 if truth in (0, 4) else 80)
            shown = np.array(gif.convert("L"))
            np.testing.assert_array_equal(shown[1::3, 1::3], (frames[truth] * 255).round())


def test_densities_stand_under_the_pictures_of_their_steps():
    curves = [("straight", "#112233", np.array([-3.0, -9.0, -4.0]), False), ("prior", "#445566", np.zeros(3), True)]
    figure = figures_latent.densities(curves, "step", "nats", -20)
    assert tuple(figure.layout.xaxis.range) == (-0.5, 2.5)
    assert [trace.y.tolist() for trace in figure.data] == [[-3, -9, -4], [0, 0, 0]]
    low, high = figure.layout.yaxis.range
    assert low < -20 and high > 0
    assert figure.layout.margin.l == figure.layout.margin.r == 0


def test_bars_of_units_that_are_not_active_are_pale():
    kl, variance = np.array([3.0, 0.001]), np.array([0.9, 0.001])
    figure = figures_latent.dimension_bars(["z1", "z2"], kl, variance, 0.01, ("nats", "variance"))
    assert [bar.y.tolist() for bar in figure.data] == [pytest.approx(kl), pytest.approx(variance)]
    assert all(bar.marker.opacity.tolist() == [1, 0.4] for bar in figure.data)
    alone = figures_latent.dimension_bars(["z1", "z2"], None, variance, 0.01, ("nats", "variance"))
    assert len(alone.data) == 1


def test_every_image_has_its_place_and_the_colour_of_its_class():
    points, labels = RNG.standard_normal((30, 2)), np.arange(30) % 3
    figure = figures_latent.projected(points, labels, ("a", "b", "c", "none"), None)
    for number, name in enumerate("abc"):
        trace = figure.data[number]
        assert trace.name == name and trace.marker.color == CLASSES[number]
        assert trace.customdata.tolist() == list(range(number, 30, 3))
        np.testing.assert_allclose(trace.x, points[number::3, 0], rtol=1e-6)
        note = figure.layout.annotations[number]
        assert (note.x, note.y) == tuple(np.median(points[number::3], 0)) and name in note.text
    assert len(figure.layout.annotations) == 3


def some_holes(latent):
    mean = RNG.standard_normal((40, latent)).astype(np.float32)
    codes = Codes(mean, np.full_like(mean, 0.05), mean)
    return aggregate.holes(codes, coordinate_axes(mean, 0, latent - 1), 41, places=3)


def test_the_plane_marks_the_holes_and_numbers_the_deepest():
    found = some_holes(2)
    figure = figures_latent.aggregate_plane(found, NAMES, ("z1", "z2"))
    density, marked = figure.data[:2]
    np.testing.assert_array_equal(np.isfinite(marked.z), found.hole)
    np.testing.assert_allclose(density.customdata, found.log_q - found.log_p, rtol=1e-6)
    words = [note.text for note in figure.layout.annotations]
    assert words == [f"<b>{i}</b>" for i in range(1, len(found.places) + 1)] and words
    rings = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines"]
    radii = [np.hypot(ring.x, ring.y).mean() for ring in rings]
    assert radii == pytest.approx([1.1774, 2.4477], rel=1e-3)  # chi-squared of 2, 50 and 95 %


def test_the_line_has_both_densities_and_shades_the_holes():
    found = some_holes(1)
    figure = figures_latent.aggregate_line(found, NAMES, ("z1", "density"))
    np.testing.assert_allclose(figure.data[0].y, np.exp(found.log_q[0]), rtol=1e-5, atol=1e-30)
    np.testing.assert_allclose(figure.data[1].y, np.exp(found.log_p[0]), rtol=1e-5)
    np.testing.assert_array_equal(np.isfinite(figure.data[2].y), found.hole[0])
