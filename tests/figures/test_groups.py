"""Colours of groups stay apart, levels follow their quantity, and names are drawn where there is room for them."""

import colorsys

import numpy as np
import pytest

from vae.figures import LEVELS, group_colours, levels
from vae.figures import latent as figures_latent
from vae.figures.groups import groups, named
from vae.figures.style import CLASSES

POINTS = np.random.default_rng(0).standard_normal((40, 2))


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def luminance(colour: str) -> float:
    """Relative, as WCAG 2 defines it."""
    parts = rgb(colour)
    return float(np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_ten_groups_have_the_ten_colours_and_more_have_as_many_as_they_are() -> None:
    assert group_colours(2) == group_colours(10) == CLASSES
    for count in (11, 26, 47, 200):
        colours = group_colours(count)
        assert len(colours) == len(set(colours)) == count
        hues = np.array([colorsys.rgb_to_hls(*rgb(colour))[0] for colour in colours])
        turn = np.abs(np.diff(hues))
        assert (np.minimum(turn, 1 - turn) > 0.3).all()  # neighbours in number are far apart on the circle


@pytest.mark.parametrize("colour", [*group_colours(47), *LEVELS])
def test_points_are_seen_on_light_and_dark_pages(colour: str) -> None:
    for ground in ("#ffffff", "#0e1117"):
        bright, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) > 1.5


def test_levels_are_equal_steps_of_the_quantity_and_what_lies_far_out_takes_none() -> None:
    values = np.concatenate([np.linspace(0, 100, 1001), [1e9, -1e9]])
    found, (low, high) = levels(values)
    assert low == pytest.approx(2, abs=0.2) and high == pytest.approx(98, abs=0.2)
    assert found[0] == found[-1] == 0 and found[1000] == found[-2] == len(LEVELS) - 1
    np.testing.assert_allclose(found[200:800], (values[200:800] - low) / (high - low) * (len(LEVELS) - 1), atol=0.51)
    assert set(levels(np.full(5, 3.0))[0]) == {0}
    assert set(levels(3 + np.linspace(0, 1e-9, 5))[0]) == {0}  # rounding is no difference


def test_without_names_all_points_are_one_trace_coloured_by_level() -> None:
    labels = np.arange(40, dtype=np.uint8) % 32
    (group,) = groups(labels, ())
    assert group.rows.tolist() == list(range(40)) and group.name == ""
    assert group.marker["color"].tolist() == labels.tolist()
    assert [colour for _place, colour in group.marker["colorscale"]] == list(LEVELS)
    figure = figures_latent.projected(POINTS, labels, (), None)
    assert len(figure.data) == 1 and not figure.layout.annotations
    np.testing.assert_allclose(figure.data[0].x, POINTS[:, 0], rtol=1e-6)


def test_names_for_which_there_is_no_room_are_told_under_the_pointer_alone() -> None:
    labels = np.arange(40) % 26
    long = [f"the name of class number {number}" for number in range(26)]
    assert not named(long) and named([chr(ord("a") + number) for number in range(26)])
    figure = figures_latent.projected(POINTS, labels, long, None)
    assert not figure.layout.annotations
    assert all(name in trace.hovertemplate for name, trace in zip(long, figure.data, strict=True))
