"""What a decoder's variance does, against scipy and numpy in float64."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial import cKDTree

from tests.toys import numpy_log_likelihood, small_model, toy_split
from vae.errors import ConfigError, DataError
from vae.model.distributions import draw
from vae.model.vae import VAE, build
from vae.uses import variance

FLOAT32 = 1e-5  # relative, of sums over 16 pixels in float32


def pairs(model: VAE, count: int = 40, seed: int = 1) -> tuple[np.ndarray, torch.Tensor]:
    """Latents, and the pixels of as many images."""
    z = np.random.default_rng(seed).standard_normal((count, model.config.latent)).astype(np.float32)
    return z, model.pixels(toy_split(count).images, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
@pytest.mark.parametrize("floor", [-6.0, None])
def test_nats_by_pixel_sum_to_the_log_likelihood(likelihood: str, floor: float | None) -> None:
    model = small_model(likelihood=likelihood, log_variance_floor=floor)
    z, x = pairs(model)
    nats = variance.nats_by_pixel(model, z, x)
    assert nats.shape == (4, 4)
    want = numpy_log_likelihood(model, z.astype(float), x.double().numpy()).mean()
    np.testing.assert_allclose(nats.sum(), want, rtol=FLOAT32)
    with torch.inference_mode():
        own = model.decoder(torch.from_numpy(z)).log_prob(x).mean().item()
    np.testing.assert_allclose(nats.sum(), own, rtol=FLOAT32)


def test_nats_of_each_pixel_of_a_linear_decoder() -> None:
    model = small_model(decoder_layers=(), log_variance_floor=None)
    with torch.no_grad():
        model.decoder.log_variance.copy_(torch.linspace(-8, 2, 16))
    z, x = pairs(model)
    weights = {name: value.double().numpy() for name, value in model.decoder.state_dict().items()}
    mean = z @ weights["location.weight"].T + weights["location.bias"]
    want = stats.norm(mean, np.exp(weights["log_variance"] / 2)).logpdf(x.double().numpy()).mean(0)
    np.testing.assert_allclose(
        variance.nats_by_pixel(model, z, x).ravel(), want, rtol=1e-4
    )  # (x - mu)^2 cancels digits


def test_more_images_than_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    z, x = pairs(model)
    distance = np.arange(len(z)) / 10
    edges = np.array([1.0, 2.0])
    at_once = (
        variance.nats_by_pixel(model, z, x), variance.mean_deviation(model, z), variance.floor_path(model, z, x, [-3]),
        *variance.calibration(model, z, x, edges), *variance.residuals_by_distance(model, z, x, distance, edges),
        *variance.nearest(z, z[::2]),
    )  # fmt: skip
    monkeypatch.setattr(variance, "_BATCH", 7)
    in_parts = (
        variance.nats_by_pixel(model, z, x), variance.mean_deviation(model, z), variance.floor_path(model, z, x, [-3]),
        *variance.calibration(model, z, x, edges), *variance.residuals_by_distance(model, z, x, distance, edges),
        *variance.nearest(z, z[::2]),
    )  # fmt: skip
    for a, b in zip(at_once, in_parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=FLOAT32)


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
@pytest.mark.parametrize("floor", [-6.0, None])
@pytest.mark.parametrize("other", [-9.0, 0.5, None])
def test_another_floor_is_a_model_built_with_it(likelihood: str, floor: float | None, other: float | None) -> None:
    model = small_model(likelihood=likelihood, log_variance_floor=floor)
    built = build(dataclasses.replace(model.config, log_variance_floor=other), seed=3)
    built.load_state_dict(model.state_dict())
    moved = variance.with_floor(model, other)
    z, x = pairs(model)
    with torch.inference_mode():
        latents = torch.from_numpy(z)
        torch.testing.assert_close(moved.decoder(latents).stddev, built.decoder(latents).stddev, rtol=0, atol=0)
        torch.testing.assert_close(moved.decoder(latents).mean, model.decoder(latents).mean, rtol=0, atol=0)
    assert moved.config == built.config
    assert (model.config.log_variance_floor, model.decoder.config.log_variance_floor) == (floor, floor)
    if other is not None:
        (path,) = variance.floor_path(model, z, x, [other])
        want = numpy_log_likelihood(built, z.astype(float), x.double().numpy())
        np.testing.assert_allclose(path, want, rtol=FLOAT32)


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
def test_residuals_over_sigma_and_their_error(likelihood: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variance, "_BATCH", 130)
    model = small_model(likelihood=likelihood)
    z, x = pairs(model, 400)
    ratio, error = variance.observed_over_predicted(model, z, x)
    with torch.inference_mode():
        p = model.decoder(torch.from_numpy(z)).base_dist
    observed = (x - p.mean).double().square().sum(1).numpy()
    predicted = p.stddev.double().expand_as(x).square().sum(1).numpy()
    assert ratio == pytest.approx(np.sqrt(observed.sum() / predicted.sum()), rel=FLOAT32)
    rows = np.random.default_rng(0).integers(0, 400, (2000, 400))  # the bootstrap, known to 1.6 %
    spread = np.sqrt(observed[rows].sum(1) / predicted[rows].sum(1)).std()
    assert error == pytest.approx(spread, rel=0.06)
    assert variance.observed_over_predicted(model, z[:1], x[:1])[1] is None


def test_border_is_what_is_black_in_nearly_all_images() -> None:
    images = torch.zeros(200, 2, 3, dtype=torch.uint8)
    images[:2, 0, 0] = 9  # black in 99 of 100
    images[:3, 0, 1] = 1  # in fewer
    images[:, 1, 2] = 255
    assert variance.border(images).tolist() == [[True, False, True], [True, True, False]]
    with pytest.raises(DataError, match="at least one"):
        variance.border(images[:0])


def test_mean_deviation_of_a_linear_decoder() -> None:
    model = small_model(decoder_layers=(), log_variance_floor=None)
    with torch.no_grad():
        model.decoder.log_variance.copy_(torch.linspace(-8, 2, 16))
    want = np.exp(np.linspace(-8, 2, 16) / 2).mean()
    np.testing.assert_allclose(variance.mean_deviation(model, np.zeros((3, 2))), [want] * 3, rtol=FLOAT32)


def test_calibration_gathers_pixels_by_their_deviation() -> None:
    model = small_model(seed=2)
    z, x = pairs(model)
    with torch.inference_mode():
        p = model.decoder(torch.from_numpy(z)).base_dist
        sigma, residual = p.scale.double().numpy(), (x - p.loc).double().numpy()
    edges = np.quantile(sigma, [0.2, 0.5, 0.9])
    found = variance.calibration(model, z, x, np.array([1e-9, *edges, 1e9]))  # the two ends hold nothing
    groups = [(sigma >= low) & (sigma < high) for low, high in zip([0, *edges], [*edges, 9], strict=True)]
    np.testing.assert_allclose(found.share, [group.mean() for group in groups])
    np.testing.assert_allclose(found.predicted, [np.sqrt((sigma[group] ** 2).mean()) for group in groups], rtol=FLOAT32)
    np.testing.assert_allclose(
        found.observed, [np.sqrt((residual[group] ** 2).mean()) for group in groups], rtol=FLOAT32
    )


def test_what_a_model_draws_itself_is_calibrated() -> None:
    model = small_model(decoder_layers=(), log_variance_floor=None)
    with torch.no_grad():
        model.decoder.log_variance.copy_(torch.linspace(-12, 2, 16))
    z = np.random.default_rng(0).standard_normal((4000, 2)).astype(np.float32)
    with torch.inference_mode():
        x = draw(model.decoder(torch.from_numpy(z)), torch.Generator().manual_seed(0))
    found = variance.calibration(model, z, x, np.geomspace(1e-3, 1, 5))
    # a root mean square of n residuals is off by 1 / sqrt(2 n); 4000 in the smallest bin, five times that
    np.testing.assert_allclose(found.observed, found.predicted, rtol=5 / np.sqrt(2 * 4000))
    wrong = variance.calibration(variance.with_floor(model, -2), z, x, np.geomspace(1e-3, 1, 5))
    assert wrong.observed[0] < 0.8 * wrong.predicted[0]


def test_nearest_codes_agree_with_a_tree() -> None:
    random = np.random.default_rng(0)
    codes, z = (random.standard_normal((count, 3)).astype(np.float32) for count in (700, 600))
    distance, rows = variance.nearest(z, codes)
    want, places = cKDTree(codes).query(z)
    np.testing.assert_allclose(distance, want, rtol=1e-4)
    np.testing.assert_array_equal(rows, places)
    distance, rows = variance.nearest(codes, codes)
    assert not distance.any()
    np.testing.assert_array_equal(rows, np.arange(700))


def test_rays_lead_away_from_the_prior_mean() -> None:
    codes = np.array([[3, 4], [0, 0], [-1, 0]], np.float32)
    found = variance.outwards(codes, (0, 2))
    np.testing.assert_allclose(found, [*codes.tolist(), [4.2, 5.6], [2, 0], [-3, 0]], rtol=1e-6)


def test_residuals_by_distance_are_medians_of_bins() -> None:
    model = small_model(seed=4)
    z, x = pairs(model)
    distance = np.tile([0, 0.5, 1.0, 7.0], 10)
    found = variance.residuals_by_distance(model, z, x, distance, np.array([0, 1.0, 2.0]))
    with torch.inference_mode():
        p = model.decoder(torch.from_numpy(z)).base_dist
        sigma, residual = p.scale.double().numpy(), (x - p.loc).double().numpy()
    groups = [distance == 0, (distance > 0) & (distance <= 1), distance > 2]  # none lies between 1 and 2
    of_each = {
        "distance": distance,
        "deviation": sigma.mean(1),
        "residual": np.sqrt((residual**2).mean(1)),
        "standardised": np.sqrt(((residual / sigma) ** 2).mean(1)),
    }
    for name, values in of_each.items():
        want = [np.median(values[group]) for group in groups]
        np.testing.assert_allclose(getattr(found, name), want, rtol=FLOAT32, err_msg=name)
    assert found.latents.tolist() == [10, 20, 10]


def test_bad_input_is_named() -> None:
    model, binary = small_model(), small_model(likelihood="bernoulli")
    z, x = pairs(model)
    with pytest.raises(ConfigError, match="Bernoulli"):
        variance.with_floor(binary, -3)
    with pytest.raises(ConfigError, match="Bernoulli"):
        variance.mean_deviation(binary, z)
    with pytest.raises(ConfigError, match="between -40 and 4"):
        variance.with_floor(model, 5)
    with pytest.raises(DataError, match="one latent"):
        variance.nats_by_pixel(model, z[:-1], x)
    with pytest.raises(DataError, match=r"\(N, 2\)"):
        variance.mean_deviation(model, z[:, :1])
    with pytest.raises(DataError, match="finite"):
        variance.mean_deviation(model, np.full((1, 2), np.nan))
    with pytest.raises(DataError, match="Images must have"):
        variance.floor_path(model, z, x[:, :3], [-3])


def test_deviation_by_level_averages_background_edges_and_ink() -> None:
    mean, deviation = np.array([[0.0, 0.05, 0.5], [0.9, 0.95, 1.0]]), np.array([[0.1, 0.3, 0.4], [0.5, 0.6, 0.7]])
    assert np.allclose(variance.deviation_by_level(mean, deviation), (0.2, 0.4, 0.6))
    assert np.isnan(variance.deviation_by_level(mean[:1], deviation[:1])[2])
