"""The plane of one image, against a brute grid in numpy."""

import numpy as np
import pytest
import torch

from tests.toys import numpy_log_likelihood, small_model
from vae.derivation.planes import log_likelihood_plane, posterior_plane
from vae.errors import ConfigError

X = torch.rand(1, 16, generator=torch.Generator().manual_seed(1))


def test_the_plane_is_the_likelihood_row_by_row_from_the_bottom() -> None:
    model = small_model(activation="tanh")
    across, up = np.linspace(-2, 2, 5), np.linspace(-1, 3, 4)
    found = log_likelihood_plane(model, X, across, up)
    for i, second in enumerate(up):
        for j, first in enumerate(across):
            truth = numpy_log_likelihood(model, np.array([first, second]), X[0].double().numpy())
            assert found[i, j] == pytest.approx(truth, abs=1e-4)  # 24 roundings of 60 nats, 24 * 60 * 2^-24


@pytest.mark.slow
def test_contours_hits_and_divergence_agree_with_a_brute_grid() -> None:
    model = small_model(3, activation="tanh", log_variance_floor=-3.0)
    with torch.no_grad():
        model.decoder.location.weight.mul_(6)  # so that the image says something about z
    plane = posterior_plane(model, X, 5, 4000, torch.Generator().manual_seed(2))
    steps = np.arange(-8, 8, 0.02) + 0.01
    z = np.stack(np.meshgrid(steps, steps), -1)
    log_prior = -0.5 * (z**2).sum(-1) - np.log(2 * np.pi)
    log_joint = numpy_log_likelihood(model, z, X[0].double().numpy()) + log_prior
    log_p = np.log(np.exp(log_joint - log_joint.max()).sum() * 0.02**2) + log_joint.max()
    weight = np.exp(log_joint - log_p) * 0.02**2
    assert plane.kl == pytest.approx((weight * (log_joint - log_p - log_prior)).sum(), abs=2e-3)
    for level, share in zip(plane.levels, (0.99, 0.9, 0.5), strict=True):
        # the library's own grid is as coarse as a quarter of the posterior, so a contour's mass is off by a few cells
        assert weight[log_joint - log_p >= level].sum() == pytest.approx(share, abs=0.06)
    inside = log_joint - log_p >= plane.levels[0]
    assert plane.share == pytest.approx((np.exp(log_prior) * inside).sum() * 0.02**2, abs=0.05)
    assert plane.hit.mean() == pytest.approx(plane.share, abs=0.05)
    truth = numpy_log_likelihood(model, plane.samples, X[0].double().numpy())
    density = truth - 0.5 * (plane.samples**2).sum(1) - np.log(2 * np.pi) - log_p
    clear = abs(density - plane.levels[0]) > 0.01
    assert (plane.hit == (density > plane.levels[0]))[clear].all()


def test_a_plane_needs_two_dimensions() -> None:
    with pytest.raises(ConfigError, match="J = 2; this model has J = 3"):
        log_likelihood_plane(small_model(latent=3), X, np.zeros(2), np.zeros(2))
