"""Procrustes: known turns are found, and no other turn does better."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

from vae.errors import ConfigError
from vae.latent.alignment import align

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("latent", [2, 3, 10])
@pytest.mark.parametrize("reflect", [False, True])
def test_a_known_turn_is_found(latent, reflect):
    reference = RANDOM.normal(size=(200, latent)).astype(np.float32)
    turn = ortho_group.rvs(latent, random_state=1)
    turn[0] *= np.sign(np.linalg.det(turn)) * (-1 if reflect else 1)
    found = align(reference @ turn.T, reference)
    np.testing.assert_allclose(found.rotation, turn, atol=1e-6)
    np.testing.assert_allclose(found.codes, reference, atol=1e-5)
    assert found.residual < 1e-10 and np.sign(np.linalg.det(found.rotation)) == (-1 if reflect else 1)


def test_it_is_the_best_of_all_turns_of_the_plane():
    a, b = RANDOM.normal(size=(2, 50, 2))
    b += 2 * a @ [[0, 1], [1, 0]]
    found = align(a, b)
    angles = np.linspace(0, 2 * np.pi, 3601)
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
    turns = np.concatenate([turns, turns @ np.diag([1, -1])])
    brute = (((a @ turns - b) ** 2).sum((1, 2)) / (b**2).sum()).min()
    assert brute - 1e-5 < found.residual <= brute
    np.testing.assert_allclose(found.rotation, orthogonal_procrustes(a, b)[0], atol=1e-12)


def test_codes_that_are_alike_need_no_turn_and_dead_ones_do_no_harm():
    a = RANDOM.normal(size=(30, 3)) * [1, 1, 0]
    assert align(a, a).residual < 1e-20
    assert np.isfinite(align(np.zeros((5, 2)), np.zeros((5, 2))).codes).all()


@pytest.mark.parametrize(("a", "b"), [
    (np.zeros((3, 2)), np.zeros((4, 2))), (np.zeros((3, 2)), np.zeros((3, 3))), (np.zeros(3), np.zeros(3)),
    (np.zeros((0, 2)), np.zeros((0, 2))), (np.full((3, 2), np.nan), np.zeros((3, 2))),
])  # fmt: skip
def test_what_cannot_be_aligned_is_refused(a, b):
    with pytest.raises(ConfigError, match="aligned"):
        align(a, b)
