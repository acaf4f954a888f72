"""k-means: groups that are apart are found, the largest first, the same each time; what cannot be grouped is said."""

import sys

import numpy as np
import pytest

from vae.errors import ConfigError, DataError, VAEError
from vae.latent import k_means, typical

SIZES = (30, 50, 20)
CORNERS = np.array([[0.0, 0.0, 9.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
OWN = np.repeat(np.arange(3), SIZES)
CODES = (CORNERS[OWN] + 0.3 * np.random.default_rng(0).standard_normal((100, 3))).astype(np.float32)


def test_groups_that_are_apart_are_found_the_largest_first() -> None:
    found = k_means(CODES, 3)
    assert found.labels.tolist() == np.array([1, 0, 2])[OWN].tolist()
    means = np.stack([CODES[each == OWN].mean(0) for each in (1, 0, 2)])
    np.testing.assert_allclose(found.centres, means, atol=1e-4)


def test_each_code_is_in_the_group_of_its_nearest_centre_and_each_centre_is_the_mean_of_its_group() -> None:
    found = k_means(CODES, 7)
    distance = ((CODES[:, None] - found.centres) ** 2).sum(2)
    assert (found.labels == distance.argmin(1)).all()
    np.testing.assert_allclose(
        found.centres, np.stack([CODES[found.labels == number].mean(0) for number in range(7)]), atol=1e-4
    )
    sizes = np.bincount(found.labels)
    assert (np.diff(sizes) <= 0).all()


def test_the_same_seed_gives_the_same_groups() -> None:
    first, second = k_means(CODES, 5), k_means(CODES, 5)
    assert (first.labels == second.labels).all()
    assert (first.centres == second.centres).all()


def test_typical_codes_are_the_nearest_of_their_own_group() -> None:
    found = k_means(CODES, 3)
    rows = typical(CODES, found)
    assert OWN[rows].tolist() == [1, 0, 2]
    for number, row in enumerate(rows):
        nearest = min(
            np.flatnonzero((1, 0, 2)[number] == OWN), key=lambda n: np.linalg.norm(CODES[n] - found.centres[number])
        )
        assert row == nearest


def test_there_are_no_more_groups_than_codes_that_differ() -> None:
    found = k_means(np.repeat(CORNERS[:2], [1, 4], 0), 10)
    assert found.labels.tolist() == [1, 0, 0, 0, 0]
    assert found.centres.tolist() == CORNERS[[1, 0]].tolist()
    assert typical(np.repeat(CORNERS[:2], [1, 4], 0), found).tolist() == [1, 0]


@pytest.mark.parametrize("codes", [np.zeros((0, 2)), np.zeros(3), np.array([[0.0, np.nan]])])
def test_codes_that_cannot_be_grouped(codes: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"must have shape \(N, J\) and be finite"):
        k_means(codes, 2)


@pytest.mark.parametrize("count", [0, 1001, 2.0])
def test_counts_that_make_no_sense(count: int) -> None:
    with pytest.raises(ConfigError, match="from 1 to 1,000"):
        k_means(CODES, count)


def test_without_scikit_learn_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(VAEError, match="pip install scikit-learn"):
        k_means(CODES, 2)
