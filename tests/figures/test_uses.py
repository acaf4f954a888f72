"""Figures of uses say what they were given, and draw it where it belongs."""

import math

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
