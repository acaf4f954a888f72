"""The figures of the evidence show the numbers they are given."""

import numpy as np
import pytest

from vae.derivation.planes import Plane
from vae.figures import evidence as figures_evidence
from vae.figures.style import COLOURS, clear, paler


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_a_race_shows_the_median_and_the_band_of_what_has_been_run() -> None:
    y = np.array([[1.0, 2, 3], [3, 4, np.nan], [2, 9, np.nan]])
    curves = [
        figures_evidence.Curve("naive", "naive", np.array([1, 10, 100]), y),
        figures_evidence.Curve("nothing yet", "elbo", np.array([]), np.zeros((0, 0))),
    ]
    figure = figures_evidence.race(curves, {"truth": ("exact", 10.0)}, ("L", "nats"), -5)
    (line,), (level,) = (traces(figure, name) for name in ("naive", "truth"))
    assert list(line.y) == [2, 4, 3]
    low, high = (trace for trace in figure.data if trace.name is None)
    assert (list(low.y), list(high.y)) == ([1, 2, 3], [3, 9, 3])
    assert (list(level.x), list(level.y)) == ([1, 100], [10, 10])
    assert level.line.color == COLOURS["exact"]
    assert not traces(figure, "nothing yet")
    bottom, top = figure.layout.yaxis.range
    assert bottom == -5
    assert top > 10
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("L", "nats")


def test_an_empty_race_can_be_drawn() -> None:
    assert not figures_evidence.race([], {}, ("L", "nats"), -1).data


def test_the_gap_is_split_once_the_best_is_known() -> None:
    names = ("ELBO", "amortisation", "approximation", "KL", "log p")
    whole = figures_evidence.gap(90, None, 100, names, "nats")
    assert [(bar.name, bar.x[0], bar.base[0]) for bar in whole.data[1:]] == [("KL", 10, 90)]
    split = figures_evidence.gap(90, 97, 100, names, "nats")
    assert [(bar.name, bar.x[0], bar.base[0]) for bar in split.data[1:]] == [
        ("amortisation", 7, 90),
        ("approximation", 3, 97),
    ]
    assert split.layout.shapes[0].x0 == 100
    assert "100.00" in split.layout.annotations[0].text


def test_the_bars_of_the_area_are_the_left_sum_of_the_curve() -> None:
    betas = np.linspace(0, 1, 5)
    figure = figures_evidence.area(
        betas, 10 * betas, np.array([0, 0.25, 1]), {"ELBO": ("elbo", 1.0)}, ("beta", "nats"), ("curve", "AIS"), -20
    )
    (bars,) = traces(figure, "AIS")
    heights = np.array(bars.y) + np.array(bars.base)
    assert sum(heights * np.array(bars.width)) == pytest.approx(0.25 * 0 + 0.75 * 2.5)


def test_the_shortfall_keeps_its_order_on_its_axis() -> None:
    figure = figures_evidence.shortfall(
        np.array([10, 100]), {"J = 2": np.array([5.0, 0.0]), "J = 20": np.array([2000.0, 900.0])}, ("L", "nats")
    )
    small, large = figure.data
    assert large.y[0] > large.y[1] > small.y[0] > small.y[1] == 0
    ticks = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True))
    assert ticks["0"] == 0
    assert small.y[0] < ticks["10"]
    assert large.y[0] > ticks["1,000"]


@pytest.mark.parametrize("near", [False, True])
def test_the_plane_has_all_there_is_to_see_to_scale(near: bool) -> None:
    steps, fine = np.linspace(-4, 4, 9), np.linspace(0.9, 1.1, 5)
    samples = np.array([[0.0, 0], [1, 1], [2, 2]])
    view = Plane(
        steps, steps, np.arange(81.0).reshape(9, 9), fine, fine, np.arange(25.0).reshape(5, 5) + 70,
        -np.ones((5, 5)), (-5.0, -3.0, -1.0), np.array([1.0, 1.0]), np.array([0.1, 0.05]), samples,
        np.array([False, True, False]), 0.01, 4.6,
    )  # fmt: skip
    names = {"likelihood": "log p", "posterior": "post", "encoder": "q", "samples": "draws", "hits": "hits"}
    figure = figures_evidence.plane(
        view, near, 50, ("z1", "z2"), names, samples, np.array([0, 1, 1]), ("zero", "one")
    )  # fmt: skip
    heat = figure.data[0]
    assert len(heat.x) == (5 if near else 9)
    assert heat.zmax - heat.zmin == (18 if near else 50)  # of 24 and 80 nats: the best three quarters, at most 50
    assert [len(trace.x) for trace in traces(figure, "draws") + traces(figure, "hits")] == [2, 1]
    assert [trace.contours.start for trace in traces(figure, "post")] == [-5, -3, -1]
    one, two = traces(figure, "q")
    assert max(one.x) - 1 == pytest.approx(0.1, rel=1e-3)
    assert max(two.y) - 1 == pytest.approx(0.1, rel=1e-2)
    assert [list(trace.customdata) for trace in traces(figure, "zero") + traces(figure, "one")] == [[0], [1, 2]]
    assert figure.layout.yaxis.scaleanchor == "x"
    assert tuple(figure.layout.xaxis.range) == ((0.9, 1.1) if near else (-4, 4))


def test_paler_mixes_with_white() -> None:
    assert paler("#0a141e", 1) == "#0a141e" and paler("#0a141e", 0) == "#ffffff"
    assert paler("#0a1400", 0.4) == "#9da199"  # 255 - 0.4 x 245, x 235, x 255


def test_clear_keeps_the_colour() -> None:
    assert clear("#0a141e", 0.5) == "rgba(10, 20, 30, 0.5)"
