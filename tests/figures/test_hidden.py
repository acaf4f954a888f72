"""Figures of what the bound hides: bars as long as what they are of, and diagonals that are of one ELBO."""

import numpy as np
import pytest

from vae.figures import hidden as figures_hidden
from vae.figures.hidden import Point
from vae.latent.surgery import Surgery

FOUND = [Surgery(10, 6.0, 2.0, 0.01, 4.0, 0.02), Surgery(1000, 7.0, 5.0, 0.05, 2.0, 0.02)]


def trace(figure, name):
    (found,) = [each for each in figure.data if each.name == name]
    return found


def test_both_bars_of_the_mean_kl_are_as_long():
    figure = figures_hidden.split(FOUND[1], ("mean", "information", "marginal"), "nats")
    ends = np.sum([each.x for each in figure.data], 0)
    assert ends[0] == ends[1] == 7
    assert figure.layout.barmode == "stack"


def test_growth_lies_under_its_ceilings():
    figure = figures_hidden.growth(FOUND, ("information", "log N", "mean"), ("N", "nats"))
    np.testing.assert_allclose(trace(figure, "log N").y, np.log([10, 1000]))
    assert list(trace(figure, "information").y) == [2, 5] and list(trace(figure, "mean").y) == [6, 7]
    assert list(trace(figure, "information").error_y.array) == [0.02, 0.1]


def test_models_on_one_diagonal_have_one_elbo():
    points = [Point("one", 10, -990), Point("other", 30, -1010, True), Point("better", 20, -1100)]
    figure = figures_hidden.rate_distortion(points, ("R", "D"), "ELBO {elbo}")
    diagonals = [each for each in figure.data if each.mode == "lines"]
    assert len(diagonals) >= 3
    for each in diagonals:
        assert each.x[0] + each.y[0] == pytest.approx(each.x[1] + each.y[1])  # R + D
    labels = [(each.y + each.x, each.text) for each in figure.layout.annotations]
    assert labels and all(text == f"ELBO {-sum_:,.0f}" for sum_, text in labels)
    (models,) = [each for each in figure.data if each.mode != "lines"]
    assert list(models.customdata) == [980, 980, 1080] and list(models.text) == ["one", "other", "better"]
    assert len(set(models.marker.size)) == 2


def test_one_model_alone_can_be_drawn():
    figure = figures_hidden.rate_distortion([Point("alone", 6.5, 134.0)], ("R", "D"), "{elbo}")
    low, high = figure.layout.yaxis.range
    assert low < 134 < high
