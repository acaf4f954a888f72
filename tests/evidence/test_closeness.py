"""Which estimate is nearer: by hand, and on the comparisons that ship."""

import math

import pytest
import torch

from vae.errors import ConfigError
from vae.evidence.closeness import closeness
from vae.evidence.comparison import comparison_file, load_comparison


def numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_by_hand():
    truth = numbers(0, 0, 0, 0, math.nan, 0)
    first, second = numbers(1, -1, -3, 2, 0, math.nan), numbers(-2, 1, 1, -4, 0, 0)
    found = closeness(first, second, truth)
    assert found == (4, 7 / 4, 8 / 4, 2.5 / 4)  # nearer twice, farther once, once the same
    assert closeness(second, first, truth).share == 1.5 / 4


def test_where_nothing_is_known():
    with pytest.raises(ConfigError, match="there are none"):
        closeness(numbers(1), numbers(1), numbers(math.nan))


@pytest.mark.parametrize("name", ["mnist-2d", "mnist-5d", "mnist-10d", "mnist-20d", "mnist-bernoulli-2d"])
def test_more_draws_bring_the_naive_estimate_nearer_on_what_ships(name):
    found = load_comparison(comparison_file(name, "mnist"))
    truth, bound = found.reference()[0], found.estimates["elbo"].value
    results = [closeness(found.estimates[f"naive_{10**power}"].value, bound, truth) for power in (3, 4, 5, 6)]
    errors, shares = [each.first for each in results], [each.share for each in results]
    assert errors == sorted(errors, reverse=True) and shares == sorted(shares)
    assert len({each.second for each in results}) == 1
    # the bound is nearer to the truth the more dimensions a naive draw has to hit by chance
    assert (shares[1] > 0.5) == (name in ("mnist-2d", "mnist-bernoulli-2d"))
