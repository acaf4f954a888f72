"""KL against numerical integrals and scipy, and its two properties that the lesson names."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from vae.derivation.divergences import discrete_kl, normal_kl
from vae.errors import ConfigError


@pytest.mark.parametrize("p", [(0.0, 1.0), (1.5, 0.4), (-1.0, 2.0)])
@pytest.mark.parametrize("q", [(0.0, 1.0), (0.3, 0.8), (2.0, 3.0)])
def test_of_normals_is_the_integral(p, q):
    one, other = stats.norm(*p), stats.norm(*q)
    integral, _ = integrate.quad(
        lambda x: one.pdf(x) * (one.logpdf(x) - other.logpdf(x)), p[0] - 12 * p[1], p[0] + 12 * p[1]
    )
    assert normal_kl(*p, *q) == pytest.approx(integral, abs=1e-7)
    assert normal_kl(*p, *q) >= 0 and (normal_kl(*p, *q) == 0) == (p == q)


def test_of_discrete_ones_is_scipys():
    rng = np.random.default_rng(0)
    for _ in range(20):
        p, q = rng.uniform(0, 1, (2, 6))
        assert discrete_kl(p, q) == pytest.approx(stats.entropy(p, q), abs=1e-12)
        assert discrete_kl(p, q) > 0
        assert discrete_kl(p, 3 * p) == pytest.approx(0, abs=1e-15)
    assert discrete_kl([0, 1], [0.5, 0.5]) == pytest.approx(math.log(2))
    assert discrete_kl([0.5, 0.5], [0, 1]) == math.inf


def test_refusals():
    for p, q in (([1, 1], [1]), ([-1, 2], [1, 1]), ([0, 0], [1, 1])):
        with pytest.raises(ConfigError, match="weights"):
            discrete_kl(p, q)
    with pytest.raises(ConfigError, match="above 0"):
        normal_kl(0, 0, 0, 1)
