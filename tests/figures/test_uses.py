"""Figures of uses say what they were given, and draw it where it belongs."""

import math
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from vae.figures import uses as figures_uses
from vae.figures.uses import Curve, Estimates


def trace(figure, name):
    (found,) = [each for each in figure.data if each.name == name]
    return found


def test_distances_keep_the_true_number_where_the_axis_ends():
    figure = figures_uses.distances([Estimates("naive", "#aa0000", [0.0, 30.0])], ["A", "B"], "nats", "nats")
    assert list(trace(figure, "naive").y) == [0.01, 30.0] and list(trace(figure, "naive").customdata) == [0.0, 30.0]
    assert figure.layout.yaxis.type == "log"
    figure = figures_uses.distances([Estimates("naive", "#aa0000", [1, 2, 3])], ["A", "B", "C"], "nats", "nats", 2)
    (line,) = [each for each in figure.data if each.mode == "lines"]
    assert list(line.x) == ["A", "B"] and list(trace(figure, "naive").x) == ["A", "B", "C"]


def test_bars_below_one_half_have_another_colour():
    (bars,) = figures_uses.warnings(["worst", "best", "even"], [0.1, 1.0, 0.5], "AUROC").data
    assert list(bars.y) == ["best", "even", "worst"]
    best, even, worst = bars.marker.color
    assert best == even != worst


@pytest.mark.parametrize("percent", [True, False])
def test_lines_are_the_curves(percent):
    curves = [Curve("a", "#000000", [0, 1], [0.5, 0.25]), Curve("b", "#111111", [0, 1], [1.0, 1.0], "dash")]
    figure = figures_uses.lines(curves, ("x", "y"), percent=percent, categories=["J = 2", "J = 5"])
    assert list(trace(figure, "a").y) == [0.5, 0.25] and trace(figure, "a").mode == "lines+markers"
    assert list(figure.layout.xaxis.ticktext) == ["J = 2", "J = 5"]
    assert ("%" in trace(figure, "a").hovertemplate.replace("%{", "")) == percent


def test_what_is_no_part_of_a_row_is_not_joined_to_it():
    figure = figures_uses.lines([Curve("a", "#000000", [0, 1, 2], [0.1, 0.2, 0.3])], ("x", "y"), joined=2)
    assert [list(each.x) for each in figure.data] == [[0, 1], [2]]
    assert [each.showlegend for each in figure.data] == [True, False]


def test_the_ring_holds_as_much_of_the_prior_as_it_says():
    points = np.array([[0.0, 0.1], [0.1, 0.0], [9.0, 9.0]])
    figure = figures_uses.codes_and_prior(points, np.array([0, 0, 1]), ("near", "far"), ("u", "v"), "ring")
    ring = next(each for each in figure.data if each.name == "ring")
    draws = np.random.default_rng(0).standard_normal((20_000, 2))
    inside = np.hypot(*draws.T) < math.hypot(ring.x[0], ring.y[0])
    assert inside.mean() == pytest.approx(0.95, abs=0.006)  # four standard errors
    assert [each.text for each in figure.layout.annotations] == ["<b>far</b>"]  # the other would hide the ring


def test_shades_go_from_pale_to_the_colour_itself():
    shades = figures_uses.shades("#cc79a7", 3)
    assert shades[-1] == "#cc79a7" and len(set(shades)) == 3


def test_a_confusion_shades_what_is_off_its_diagonal() -> None:
    table = np.array([[8, 2, 0], [0, 5, 5], [1, 0, 9]])
    shades, words = figures_uses.confusion(table, ["a", "b", "c"], ("across", "down")).data
    assert np.isnan(np.diag(shades.z)).all()
    assert shades.z[0, 1] == pytest.approx(0.2) and shades.z[1, 2] == pytest.approx(0.5) and shades.zmax == 0.5
    said = {(down, across): text for across, down, text in zip(words.x, words.y, words.text, strict=True)}
    assert said["a", "b"] == "2" and said["b", "a"] == "" and said["c", "c"] == "9"
    assert shades.customdata[1, 2].tolist() == [5, 0.5]


def luminance(colour: np.ndarray) -> float:
    """Relative luminance of sRGB in [0, 1] (WCAG 2.2)."""
    return float(
        np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_of_a_confusion_can_be_read_on_every_shade(scheme: str) -> None:
    theme = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text())["theme"][scheme]
    paper, ink = (
        np.array([int(theme[name][i : i + 2], 16) for i in (1, 3, 5)]) / 255
        for name in ("backgroundColor", "textColor")
    )
    shades, _words = figures_uses.confusion(np.array([[1, 9], [0, 1]]), ["a", "b"], ("across", "down")).data
    *rgb, opacity = (float(each) for each in re.findall(r"[\d.]+", shades.colorscale[-1][1]))
    for share in np.linspace(0, 1, 11):
        ground = paper + share * opacity * (np.array(rgb) / 255 - paper)
        dark, bright = sorted((luminance(ground), luminance(ink)))
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, share
