"""What the slips of the source would do, against torch's divergences."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vae.derivation import slips

MEAN, DEVIATION = np.array([0.5, -1.0, 0.0]), np.array([0.1, 0.5, 1.0])
PARTS = kl_divergence(Normal(torch.from_numpy(MEAN), torch.from_numpy(DEVIATION)), Normal(0.0, 1.0)).numpy()


def test_kl_to_the_prior() -> None:
    assert slips.kl_to_prior(MEAN, DEVIATION) == pytest.approx(PARTS.sum(), abs=1e-12)


@pytest.mark.parametrize("j", range(3))
def test_an_integral_needs_its_width(j: int) -> None:
    mean, deviation = float(MEAN[j]), float(DEVIATION[j])
    coarse, fine = (slips.heights(mean, deviation, deviation / parts) for parts in (10, 20))
    assert coarse * deviation / 10 == pytest.approx(PARTS[j], abs=1e-9)
    assert fine == pytest.approx(2 * coarse, abs=1e-7)
