"""Codes, decoded planes and principal axes, against the model itself and numpy."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import kl_divergence

from tests.toys import small_model, toy_split
from vae.errors import ConfigError, DataError
from vae.latent.codes import (
    Axes,
    coordinate_axes,
    decode,
    encode,
    manifold,
    normal_quantiles,
    principal_axes,
)
from vae.model.distributions import generator
from vae.settings.config import LIKELIHOODS

IMAGES = toy_split(50).images


def correlated(count=500, latent=4, seed=0):
    """Means with a covariance that is far from diagonal, and away from the origin."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((count, latent)) @ rng.standard_normal((latent, latent)) + 3).astype(np.float32)


@torch.no_grad()
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_codes_are_those_of_the_encoder(likelihood):
    model = small_model(likelihood=likelihood, latent=3)
    codes = encode(model, IMAGES, seed=4)
    x = model.pixels(IMAGES, generator(4))
    for i in range(50):  # one image at a time
        q = model.encoder(x[i])
        # a matrix product of one row and one of fifty round differently in the last digits
        np.testing.assert_allclose(codes.mean[i], q.mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(codes.deviation[i], q.stddev, rtol=1e-5)
        np.testing.assert_allclose(codes.kl[i].sum(), kl_divergence(q, model.prior), rtol=1e-4)
    truth = 0.5 * (codes.mean**2 + codes.deviation**2 - 1 - 2 * np.log(codes.deviation))
    np.testing.assert_allclose(codes.kl, truth, rtol=1e-3, atol=1e-6)
    assert codes.mean.dtype == codes.deviation.dtype == codes.kl.dtype == np.float32


def test_codes_follow_their_seed_and_leave_the_global_generator_alone():
    model, before = small_model(), torch.get_rng_state()
    first, again, other = (encode(model, IMAGES, seed=seed).mean for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_batches_do_not_mix_up_images():
    model = small_model()
    whole, parts = encode(model, IMAGES), encode(model, IMAGES, batch=7)
    # the noise of other draws moves a code by far less than another image would
    assert np.abs(whole.mean - parts.mean).max() < 0.01 < np.abs(whole.mean - np.roll(parts.mean, 1, 0)).max()
    z = np.random.default_rng(0).standard_normal((50, 2)).astype(np.float32)
    np.testing.assert_allclose(decode(model, z).mean, decode(model, z, batch=7).mean, rtol=1e-5, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_decoded_arrays_are_those_of_the_decoder(likelihood):
    model = small_model(likelihood=likelihood, image_shape=(4, 3))
    z = np.random.default_rng(0).standard_normal((5, 2))
    decoded = decode(model, z.astype(np.float32), seed=3)
    p = model.decoder(torch.from_numpy(z).float())
    for array, truth in ((decoded.mean, p.mean), (decoded.deviation, p.stddev)):
        assert array.shape == (5, 4, 3) and array.dtype == np.float32
        np.testing.assert_allclose(array.reshape(5, 12), truth, rtol=1e-6)
    assert decoded.sample.shape == (5, 4, 3)
    many = decode(model, np.repeat(z[:1], 20_000, 0).astype(np.float32), seed=3).sample.reshape(-1, 12)
    mean, deviation = p.mean[0].numpy(), p.stddev[0].numpy()
    assert (np.abs(many.mean(0) - mean) < 5 * deviation / np.sqrt(20_000)).all()  # five standard errors
    np.testing.assert_allclose(many.std(0), deviation, rtol=0.03)  # 1 / sqrt(40,000) = 0.5 %


def test_draws_follow_their_seed():
    model, z, before = small_model(), np.zeros((3, 2), np.float32), torch.get_rng_state()
    first, again, other = (decode(model, z, seed=seed).sample for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_latents_may_be_of_another_kind_and_read_only():
    z = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    truth = decode(small_model(), z).mean
    frozen = z.copy()
    frozen.flags.writeable = False
    for same in (frozen, z.astype(float), z.T.copy().T):
        assert np.array_equal(decode(small_model(), same).mean, truth)


@pytest.mark.parametrize(
    "z", [np.zeros((3, 1)), np.zeros(2), np.zeros((1, 3, 2)), np.full((2, 2), np.nan), 1e39 * np.eye(2)]
)
def test_wrong_latents_are_refused(z):
    with pytest.raises(ConfigError, match=r"\(N, 2\)"):
        decode(small_model(), z)


@pytest.mark.parametrize("images", [torch.zeros(2, 5, 4).byte(), torch.zeros(2, 4, 4), torch.zeros(2, 16).byte()])
def test_wrong_images_are_refused(images):
    with pytest.raises(DataError):
        encode(small_model(), images)


@pytest.mark.parametrize("count", [1, 2, 5, 20, 101])
def test_normal_quantiles(count):
    steps = normal_quantiles(count)
    assert steps.dtype == np.float32 and steps.shape == (count,)
    np.testing.assert_allclose(steps, stats.norm.ppf((np.arange(count) + 0.5) / count), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("count", [0, -3])
def test_there_is_no_empty_manifold(count):
    with pytest.raises(ConfigError):
        normal_quantiles(count)


@torch.no_grad()
def test_the_manifold_lies_as_on_a_map():
    # an image is z itself: its left half says the first coordinate, its right half the second
    model = small_model(decoder_layers=(), image_shape=(1, 2))
    model.decoder.location.weight.copy_(torch.eye(2))
    model.decoder.location.bias.zero_()
    steps, sheet = manifold(model, coordinate_axes(np.eye(2, dtype=np.float32), 0, 1), 5)
    assert sheet.shape == (5, 5, 1, 2)
    np.testing.assert_allclose(steps, stats.norm.ppf([0.1, 0.3, 0.5, 0.7, 0.9]), rtol=1e-6, atol=1e-7)
    for row in range(5):
        for column in range(5):
            # to the right the first coordinate increases, and to the top the second
            np.testing.assert_allclose(sheet[row, column, 0], [steps[column], steps[4 - row]], rtol=1e-5, atol=1e-6)


def test_the_manifold_is_what_decode_makes_of_the_plane():
    model = small_model(latent=4)
    axes = principal_axes(correlated())
    steps, sheet = manifold(model, axes, 4)
    for row, column in np.ndindex(4, 4):
        z = axes.centre + steps[column] * axes.directions[0] + steps[3 - row] * axes.directions[1]
        np.testing.assert_allclose(sheet[row, column], decode(model, z[None]).mean[0], rtol=1e-4, atol=1e-6)


def test_principal_axes_are_the_eigenvectors_of_the_covariance():
    means = correlated()
    axes = principal_axes(means)
    values, vectors = np.linalg.eigh(np.cov(means.T.astype(float)))
    order = values.argsort()[::-1]
    np.testing.assert_allclose(axes.share, (values / values.sum())[order[:2]], rtol=1e-4)
    np.testing.assert_allclose(axes.centre, means.mean(0), rtol=1e-5)
    for direction, vector in zip(axes.directions, vectors.T[order[:2]], strict=True):
        assert abs(direction @ vector) == pytest.approx(1, abs=1e-4)  # up to its sign
        assert direction[np.abs(direction).argmax()] > 0
    np.testing.assert_allclose(axes.directions @ axes.directions.T, np.eye(2), atol=1e-5)
    assert axes.share[0] >= axes.share[1] >= 0 and axes.share.sum() <= 1 + 1e-6
    np.testing.assert_allclose(axes.project(means).var(0) / means.var(0).sum(), axes.share, rtol=1e-4)


def test_principal_axes_never_flip():
    means = correlated()
    mirrored = principal_axes(means.mean(0) * 2 - means)
    np.testing.assert_allclose(mirrored.directions, principal_axes(means).directions, atol=1e-4)


@pytest.mark.parametrize("axes", [
    principal_axes(correlated()), coordinate_axes(correlated(), 3, 1), coordinate_axes(correlated(), 0, 2, np.ones(4)),
])  # fmt: skip
def test_project_and_lift_are_inverse_on_the_plane(axes):
    plane = np.random.default_rng(1).standard_normal((20, 2)).astype(np.float32)
    np.testing.assert_allclose(axes.project(axes.lift(plane)), plane, atol=1e-5)
    # and what is off the plane falls on the nearest point of it
    z = correlated(20)
    rest = z - axes.lift(axes.project(z))
    np.testing.assert_allclose(rest @ axes.directions.T, 0, atol=1e-4)


def test_coordinate_axes_go_through_the_chosen_point():
    means = correlated()
    centre = np.array([1.0, 2.0, 3.0, 4.0])
    axes = coordinate_axes(means, 2, 0, centre)
    np.testing.assert_allclose(axes.lift(np.array([[10.0, 20.0]])), [[20.0, 2.0, 10.0, 4.0]])
    np.testing.assert_allclose(axes.project(means), means[:, [2, 0]], rtol=1e-6)
    np.testing.assert_allclose(axes.share, means.var(0)[[2, 0]] / means.var(0).sum(), rtol=1e-5)
    assert centre.tolist() == [1, 2, 3, 4]
    assert coordinate_axes(means, 2, 0).lift(np.zeros((1, 2))).tolist() == [[0, 0, 0, 0]]


def test_one_dimension_gives_a_line():
    means = correlated(latent=1)
    axes = coordinate_axes(means, 0, 0)
    assert axes.project(means).tolist() == np.hstack([means, 0 * means]).tolist()
    assert axes.share.tolist() == [1, 0] and axes.lift(np.array([[2.0, 5.0]])).tolist() == [[2]]


@pytest.mark.parametrize("pair", [(0, 4), (-1, 0), (4, 4)])
def test_a_coordinate_that_is_not_there_is_refused(pair):
    with pytest.raises(ConfigError, match="from 0 to 3"):
        coordinate_axes(correlated(), *pair)


@pytest.mark.parametrize("shape", [(1, 4), (50, 1)])
def test_a_plane_needs_two_of_each(shape):
    with pytest.raises(ConfigError, match="2 images and 2 dimensions"):
        principal_axes(np.zeros(shape, np.float32))


def test_codes_that_are_all_the_same_have_no_share():
    means = np.ones((50, 4), np.float32)
    axes: Axes
    for axes in (principal_axes(means), coordinate_axes(means, 0, 1)):
        assert axes.share.tolist() == [0, 0] and np.isfinite(axes.directions).all()
