"""The nearest place of another class: a known projection where decoder and classifier are linear, brute force else."""

import itertools
import math

import numpy as np
import pytest
import torch

from tests.toys import linear_model, small_model
from vae.errors import ConfigError
from vae.latent import coordinate_axes
from vae.uses import classifier, flips, probe

STEPS = np.linspace(-3, 3, 81)


def linear_judge(classes: int, pixels: int, seed: int = 0) -> probe.Judge:
    random = np.random.default_rng(seed)
    weight = torch.from_numpy(random.standard_normal((pixels, classes))).float()
    bias = torch.from_numpy(random.standard_normal(classes)).float()
    return lambda x: x @ weight + bias


def scores_of(model: torch.nn.Module, judge: probe.Judge) -> tuple[np.ndarray, np.ndarray]:
    """The slope (K, J) and the value (K,) at z = 0 of the scores, which are linear in z."""
    size = model.config.latent
    with torch.no_grad():
        values = judge(model.decoder(torch.cat([torch.zeros(1, size), torch.eye(size)])).mean).double().numpy()
    return (values[1:] - values[0]).T, values[0]


def nearest(model: torch.nn.Module, judge: probe.Judge, z: np.ndarray, to: int | None = None) -> float:
    """The distance from z to the nearest of the planes that bound the region of its class."""
    slope, value = scores_of(model, judge)
    scores = slope @ z + value
    mine = scores.argmax()
    others = [k for k in range(len(scores)) if k != mine and to in (None, k)]
    return min((scores[mine] - scores[k]) / np.linalg.norm(slope[mine] - slope[k]) for k in others)


@pytest.mark.parametrize("latent", [1, 2, 3, 10])
@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_finds_the_foot_of_the_perpendicular(latent: int, seed: int) -> None:
    model, judge = linear_model(latent)[0], linear_judge(4, 25, seed)
    z = np.random.default_rng(seed).standard_normal(latent).astype(np.float32)
    found = flips.by_gradient(model, judge, z)
    assert found is not None and found.start != found.end
    assert found.distance == pytest.approx(nearest(model, judge, z), rel=2e-3)
    assert found.length == pytest.approx(found.distance)
    np.testing.assert_array_equal(found.path[0], z)
    classes = probe.decoded_log_probabilities(model, judge, found.path[[0, -1]]).argmax(1)
    assert classes.tolist() == [found.start, found.end]


def test_the_lattice_finds_it_too() -> None:
    model, judge = linear_model(2)[0], linear_judge(4, 25)
    axes = coordinate_axes(np.zeros((2, 2)), 0, 1)
    lattice = probe.lattice(model, judge, axes, STEPS, STEPS)
    z = np.array([0.4, -0.3], np.float32)
    found = flips.straight(model, judge, lattice, axes, z)
    assert found is not None
    assert found.distance == pytest.approx(nearest(model, judge, z), abs=0.04)


def test_a_wanted_class_may_be_farther() -> None:
    model, judge = linear_model(2)[0], linear_judge(3, 25, 4)
    axes = coordinate_axes(np.zeros((2, 2)), 0, 1)
    lattice = probe.lattice(model, judge, axes, STEPS, STEPS)
    z = np.zeros(2, np.float32)
    mine = int(probe.decoded_log_probabilities(model, judge, z[None]).argmax())
    for to in set(np.unique(lattice.winner).tolist()) - {mine}:
        places = lattice.places[lattice.winner.ravel() == to]
        found = flips.straight(model, judge, lattice, axes, z, to)
        assert found is not None and found.end == to
        assert found.distance == pytest.approx(np.linalg.norm(places - z, axis=1).min(), abs=0.11)
    assert flips.straight(model, judge, lattice, axes, z, mine) is None
    assert flips.by_gradient(model, judge, z, mine) is None


def test_of_curved_nets_the_gradient_is_no_farther_than_a_fine_lattice() -> None:
    model = small_model(3)
    with torch.no_grad():
        model.decoder.location.weight.mul_(6)  # an untrained decoder is nearly flat
    judge = classifier.Classifier(16, 3, (8,)).requires_grad_(False)
    noise = torch.Generator().manual_seed(2)
    for values in judge.parameters():
        values.normal_(0, 1.5, generator=noise)
    axes = coordinate_axes(np.zeros((2, 2)), 0, 1)
    steps = np.linspace(-4, 4, 161)
    lattice = probe.lattice(model, judge, axes, steps, steps)
    assert len(np.unique(lattice.winner)) > 1
    for z in np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32):
        mine = int(probe.decoded_log_probabilities(model, judge, z[None]).argmax())
        brute = np.linalg.norm(lattice.places[lattice.winner.ravel() != mine] - z, axis=1).min()
        found = flips.by_gradient(model, judge, z)
        assert found is not None and found.end != mine
        assert found.distance < 1.3 * brute + 0.05
        assert found.distance > brute - 0.05


def test_a_way_flips_where_it_crosses_the_boundary() -> None:
    model = linear_model(2)[0]
    judge = linear_judge(2, 25)
    slope, value = scores_of(model, judge)
    normal, offset = slope[0] - slope[1], value[0] - value[1]
    foot = -offset * normal / (normal @ normal)
    sideways = np.array([-normal[1], normal[0]]) / np.linalg.norm(normal)
    unit = normal / np.linalg.norm(normal)
    path = np.stack([foot - unit, foot - unit + 2 * sideways, foot + 2 * sideways + unit]).astype(np.float32)
    found = flips.along(model, judge, path)
    assert found is not None and len(found.path) == 3
    np.testing.assert_allclose(found.z, foot + 2 * sideways, atol=1e-3)
    assert found.length == pytest.approx(3, abs=2e-3) and found.distance == pytest.approx(math.hypot(1, 2), abs=2e-3)
    assert flips.along(model, judge, path[:2]) is None


def cheapest(winner: np.ndarray, log_q: np.ndarray, first: tuple[int, int], step: float) -> float:
    """Bellman and Ford: the cost of the cheapest way to another class, edge after edge until nothing changes."""
    price = 1 + log_q.max() - log_q
    cost = np.full(winner.shape, np.inf)
    cost[first] = 0
    moves = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if math.gcd(i, j) == 1]
    for _ in range(winner.size):
        before = cost.copy()
        for (i, j), total in np.ndenumerate(before):
            for down, right in moves:
                u, v = i + down, j + right
                if 0 <= u < len(cost) and 0 <= v < len(cost[0]):
                    edge = step * math.hypot(down, right) * (price[i, j] + price[u, v]) / 2
                    cost[u, v] = min(cost[u, v], total + edge)
        if np.array_equal(before, cost):
            break
    return float(cost[winner != winner[first]].min())


def test_the_way_over_the_density_is_the_cheapest() -> None:
    model, judge = linear_model(2)[0], linear_judge(2, 25)
    axes = coordinate_axes(np.zeros((2, 2)), 0, 1)
    steps = np.linspace(-2, 2, 9)
    lattice = probe.lattice(model, judge, axes, steps, steps)
    log_q = np.random.default_rng(0).uniform(-8, 0, (9, 9))
    mine = lattice.winner[4, 4]
    found = flips.over_density(model, judge, lattice, axes, log_q, np.zeros(2, np.float32))
    assert found is not None and (found.start, found.end) == (mine, 1 - mine)
    corners = np.rint((found.path[:-1] + 2) / 0.5).astype(int)  # the last one is between two
    price = 1 + log_q.max() - log_q
    spent = sum(
        0.5 * math.dist(a, b) * (price[a[1], a[0]] + price[b[1], b[0]]) / 2 for a, b in itertools.pairwise(corners)
    )
    best = cheapest(lattice.winner, log_q, (4, 4), 0.5)
    assert spent <= best + 1e-6
    last = corners[-1]
    ends = [
        spent + 0.5 * math.dist(last, (v, u)) * (price[last[1], last[0]] + price[u, v]) / 2
        for u, v in zip(*np.nonzero(lattice.winner != mine), strict=True)
        if math.gcd(abs(int(u - last[1])), abs(int(v - last[0]))) == 1 and max(abs(u - last[1]), abs(v - last[0])) < 3
    ]
    assert min(ends) == pytest.approx(best)


def test_where_all_densities_are_the_same_the_way_is_nearly_straight() -> None:
    model, judge = linear_model(2)[0], linear_judge(4, 25)
    axes = coordinate_axes(np.zeros((2, 2)), 0, 1)
    lattice = probe.lattice(model, judge, axes, STEPS, STEPS)
    z = np.array([0.4, -0.3], np.float32)
    found = flips.over_density(model, judge, lattice, axes, np.zeros((81, 81)), z)
    assert found is not None
    assert found.length == pytest.approx(nearest(model, judge, z), rel=0.03, abs=0.08)
    with pytest.raises(ConfigError, match="a density for each point"):
        flips.over_density(model, judge, lattice, axes, np.zeros((3, 3)), z)


def test_a_plane_of_one_class_has_no_flip() -> None:
    model = linear_model(2)[0]
    axes = coordinate_axes(np.zeros((2, 2)), 0, 1)

    def judge(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, 0] * 0 + 5, x[:, 0] * 0], 1)

    lattice, z = probe.lattice(model, judge, axes, STEPS, STEPS), np.zeros(2, np.float32)
    assert flips.straight(model, judge, lattice, axes, z) is None
    assert flips.over_density(model, judge, lattice, axes, np.zeros((81, 81)), z) is None
    assert flips.by_gradient(model, judge, z) is None
