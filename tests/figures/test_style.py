"""Pictures of images in grey and in colour, value by value."""

import numpy as np
import pytest

from vae import figures
from vae.figures.style import tiled

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 3)])
def test_a_picture_is_the_image_blown_up(shape: tuple[int, ...]) -> None:
    values = RNG.uniform(-0.1, 1.1, shape)
    drawn = figures.picture(values, 3)
    want = (values.clip(0, 1) * 255).round()
    assert drawn.dtype == np.uint8 and drawn.shape == (12, 3 * shape[1], *shape[2:])
    for i, j in np.ndindex(3, 3):
        np.testing.assert_array_equal(drawn[i::3, j::3], want)


def test_the_deviation_in_colour_is_the_mean_over_the_three() -> None:
    deviation = RNG.random((4, 5, 3))
    mean = np.stack([deviation[..., c] for c in range(3)]).sum(0) / 3
    np.testing.assert_allclose(figures.over_colours(deviation), mean)
    np.testing.assert_array_equal(figures.picture(deviation, 1, 0.8), figures.picture(mean, 1, 0.8))
    assert figures.over_colours(mean) is mean


@pytest.mark.parametrize("colours", [(), (3,)])
def test_images_are_tiled_row_by_row(colours: tuple[int, ...]) -> None:
    images = RNG.random((2, 3, 4, 5, *colours))
    whole = tiled(images)
    for row, column in np.ndindex(2, 3):
        np.testing.assert_array_equal(whole[4 * row : 4 * row + 4, 5 * column : 5 * column + 5], images[row, column])
    np.testing.assert_array_equal(
        figures.contact_sheet(images.reshape(6, 4, 5, *colours), 3, 1), (whole * 255).round().astype(np.uint8)
    )


@pytest.mark.parametrize(("size", "scale"), [((28, 28), 6), ((8, 12), 6), ((20, 30), 5), ((64, 64), 2), ((128, 9), 1)])
def test_a_scale_for_mnist_is_less_for_larger_images(size: tuple[int, int], scale: int) -> None:
    assert figures.fitted(6, *size) == scale
