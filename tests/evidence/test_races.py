"""The race runs the estimators themselves, in turn."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.toys import small_model
from vae.errors import ConfigError, DataError
from vae.evidence.estimates import naive_monte_carlo_path
from vae.evidence.importance import importance_sampling_path
from vae.evidence.races import ESTIMATORS, Step, arrival, medians, race, tracks
from vae.model.distributions import generator

X = torch.rand(3, 16, generator=torch.Generator().manual_seed(1))


def test_each_step_is_the_estimator_at_that_size() -> None:
    model = small_model()
    steps = list(race(model, X, ("naive", "importance"), 100, replicates=2, seed=5))
    assert [step.samples for step in steps if step.runner == "naive" and not step.replicate] == [
        1,
        2,
        5,
        10,
        20,
        50,
        100,
    ]
    sizes = [1, 2, 5, 10, 20, 50, 100]
    for i in range(2):
        alone = {
            "naive": naive_monte_carlo_path(model, X, sizes, generator(5 + i)),
            "importance": importance_sampling_path(model, X, sizes, generator(5 + i)),
        }
        for runner, path in alone.items():
            mine = [step.value for step in steps if step.runner == runner and step.replicate == i]
            assert all(torch.equal(a, b.value) for a, b in zip(mine, path, strict=True))
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_estimators_take_turns_and_far_sizes_have_fewer_replicates() -> None:
    steps = list(race(small_model(), X[:1], ("naive", "elbo"), 20_000, replicates=5))
    assert [(s.runner, s.replicate) for s in steps[:10]] == [(r, i) for r in ("naive", "elbo") for i in range(5)]
    assert sum(step.samples == 20_000 for step in steps) == 3
    assert max(step.samples for step in steps if step.runner == "elbo") == 1000


def test_all_estimators_run_and_say_their_cost() -> None:
    steps = list(race(small_model(), X[:2], ESTIMATORS, 10, replicates=1))
    assert {step.runner for step in steps} == set(ESTIMATORS)
    for runner in ESTIMATORS:
        mine = [step for step in steps if step.runner == runner]
        assert all(step.seconds > 0 for step in mine)
        assert all(bool(step.value.isfinite().all()) for step in mine)
    assert min(step.samples for step in steps if step.runner == "ais") > 10  # decoder evaluations, not temperatures


def test_the_same_seed_gives_the_same_race() -> None:
    one, two = (
        [step.value for step in race(small_model(), X, ("naive", "jackknife"), 20, replicates=2, seed=3)] for _ in "ab"
    )
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_tracks_are_the_steps_as_tables() -> None:
    steps = [
        Step("naive", 0, 1, 0.1, torch.tensor([1.0, 3.0]), 0.2),
        Step("naive", 1, 1, 0.3, torch.tensor([4.0, 6.0]), 0.4),
        Step("elbo", 0, 1, 0.2, torch.tensor([7.0, 7.0]), 0.6),
        Step("naive", 0, 2, 0.5, torch.tensor([0.0, 8.0]), 0.8),
    ]
    naive, bound = tracks(steps)
    assert (naive.runner, bound.runner) == ("naive", "elbo")
    assert naive.samples.tolist() == [1, 2]
    np.testing.assert_allclose(naive.seconds, [0.2, 0.5])
    np.testing.assert_array_equal(naive.value, [[2, 4], [5, np.nan]])
    assert naive.median.tolist() == [3.5, 4]
    assert not tracks([])


@pytest.mark.parametrize(
    ("median", "place"),
    [
        ([7.0, 9.5, 10.2, 9.1], 1),  # from the second on
        ([9.5, 5.0, 9.0, 11.0], 2),  # the first was luck
        ([10.0, 10.0], 0),
        ([10.0, 12.0], None),  # it left again
        ([5.0, 5.0, 10.0], None),  # which may be luck too
        ([10.0], None),
        ([np.nan, 10.0, 10.0], 1),
        ([np.nan, 10.0], None),
        ([10.0, 10.0, np.inf], None),
        ([-np.inf, 3.0], None),
        ([], None),
    ],
)
def test_an_estimator_has_arrived_when_it_stays(median: list[float], place: int | None) -> None:
    assert arrival(np.array(median), 10.0) == place


@pytest.mark.parametrize(
    ("median", "place"),
    [
        ([7.0, 9.5, 13.0, 15.0], 1),  # log p(x) may be there as well
        ([7.0, 8.0, 12.0], None),
        ([9.5, 12.0, 8.0], None),
        ([10.0, 10.0, np.inf], None),
    ],
)
def test_above_a_lower_bound_is_as_near_as_close_to_it(median: list[float], place: int | None) -> None:
    assert arrival(np.array(median), 10.0, bound=True) == place


def test_medians_leave_out_what_is_not_a_number() -> None:
    found = medians(np.array([[1.0, np.nan, np.nan, -np.inf], [3.0, 5.0, np.nan, 2.0], [9.0, 6.0, np.nan, 4.0]]))
    np.testing.assert_array_equal(found, [3, 5.5, np.nan, 2])


def test_progress_can_stop_a_race() -> None:
    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(race(small_model(), X, ("naive",), 10**6, progress=stop))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"runners": ("magic",)}, "magic is unknown"),
        ({"most": 0}, "number of samples must be"),
        ({"most": -5}, "number of samples must be"),
        ({"replicates": 0}, "number of replicates must be"),
    ],
)
def test_what_cannot_be_run_is_said(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        list(race(**{"model": small_model(), "x": X, "runners": ("naive",), "most": 10} | changes))
    with pytest.raises(DataError, match="must have shape"):
        list(race(small_model(), X[:, :5], ("naive",), 10))
