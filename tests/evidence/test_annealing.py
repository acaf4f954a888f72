"""Annealed importance sampling against closed forms: the truth in between, and unbiased before the logarithm."""

import math

import numpy as np
import pytest
import torch

from tests.toys import follows_its_generator, linear_model, small_model, toy, toy_split
from vae.errors import ConfigError, DataError
from vae.evidence import annealing
from vae.evidence.annealing import STARTS, annealed_importance_sampling, reverse_annealing, schedule, simulate
from vae.evidence.exact import exact, posterior
from vae.model.distributions import generator

FLOAT32 = 1e-4  # nats: what sums over 25 pixels, of order ten nats, lose in float32


@pytest.mark.parametrize("latent", [5, 10, 20])
@pytest.mark.parametrize("start", STARTS)
def test_forward_and_reverse_bracket_the_evidence_of_a_linear_model(latent, start):
    model, truth, _ = linear_model(latent)
    z, x = simulate(model, 64, generator(1))
    exact = torch.from_numpy(truth.logpdf(x))
    options = {"steps": 20, "leapfrog": 2, "start": start, "generator": generator(0)}
    low = annealed_importance_sampling(model, x, chains=4, **options).value - exact
    high = reverse_annealing(model, x, z[None], **options).value - exact
    for side, bias in ((-1, low), (1, high)):
        noise = float(bias.std()) / 8
        assert float(bias.mean()) * side > -4 * noise - FLOAT32  # on the right side of the truth, but for noise
        assert abs(float(bias.mean())) < 0.15 * latent + 4 * noise  # and not far
    if start == "prior":
        assert float(high.mean() - low.mean()) > 0.01  # where the path is long the gap shows


@pytest.mark.parametrize("start", STARTS)
def test_the_weights_are_unbiased_before_the_logarithm(start):
    # 3 temperatures and one leapfrog step: far from converged, and right on average all the same
    model, truth, _ = linear_model(1)
    x = torch.from_numpy(truth.rvs(1, random_state=3)).float()[None].repeat(256, 1)
    options = {"chains": 32, "steps": 3, "leapfrog": 1, "start": start, "generator": generator(0)}
    estimate = annealed_importance_sampling(model, x, **options)
    ratio = (estimate.value - float(truth.logpdf(x[0]))).exp()
    assert abs(float(ratio.mean()) - 1) < 4 * float(ratio.std()) / 16 + FLOAT32
    assert float(ratio.std()) / 16 < 0.05


def test_reverse_weights_are_unbiased_for_one_over_the_evidence():
    model, truth, _ = linear_model(1)
    z, x = simulate(model, 256, generator(1))
    estimate = reverse_annealing(model, x, z[None], steps=3, leapfrog=1, start="encoder", generator=generator(0))
    ratio = (torch.from_numpy(truth.logpdf(x)) - estimate.value).exp()
    assert abs(float(ratio.mean()) - 1) < 4 * float(ratio.std()) / 16 + FLOAT32


def test_one_temperature_is_importance_sampling_from_the_base():
    model, x = toy()
    z = torch.empty(8, 4, 2)
    noise = generator(0)
    z.normal_(generator=noise)  # the pilot's
    z.normal_(generator=noise)
    estimate = annealed_importance_sampling(model, x, steps=1, start="prior", generator=generator(0))
    with torch.no_grad():
        log_p = model.decoder(z).log_prob(x).double()
    torch.testing.assert_close(estimate.value, log_p.logsumexp(0) - math.log(8), rtol=0, atol=FLOAT32)
    w = (log_p - log_p.max()).exp()
    torch.testing.assert_close(estimate.ess, w.sum(0) ** 2 / (w * w).sum(0), rtol=1e-3, atol=0)
    torch.testing.assert_close(estimate.standard_error, w.std(0) / w.mean(0) / math.sqrt(8), rtol=1e-3, atol=0)


def test_more_temperatures_are_tighter():
    model, truth, _ = linear_model(10)
    x = torch.from_numpy(truth.rvs(64, random_state=3)).float()
    few, many = (
        annealed_importance_sampling(model, x, chains=4, steps=steps, start="prior", generator=generator(0)).value
        for steps in (4, 40)
    )
    exact = torch.from_numpy(truth.logpdf(x))
    assert float((exact - many).mean()) < 0.5 * float((exact - few).mean())


def test_a_move_keeps_its_density():
    # particles of the posterior stay particles of the posterior, whatever the step size
    model, truth, _ = linear_model(2)
    x = torch.from_numpy(truth.rvs(1, random_state=3)).float()[None]
    path = annealing._Path(model, x, "encoder")
    w, psi = (p.detach().double() for p in (model.decoder.location.weight, model.decoder.log_variance.exp()))
    covariance = torch.linalg.inv(torch.eye(2).double() + (w / psi[:, None]).T @ w)
    mean = (x.double() - model.decoder.location.bias.double()) @ (w / psi[:, None]) @ covariance
    noise = torch.empty(4000, 1, 2, dtype=torch.float64).normal_(generator=generator(0))
    at = path.at((mean + noise @ torch.linalg.cholesky(covariance).T).float().detach())
    noise = generator(1)
    for _ in range(5):
        at, accepted = path.move(at, 1.0, torch.tensor([1.3]), 2, noise)
    assert 0.2 < float(accepted) < 0.97
    spread = covariance.diagonal().sqrt().detach()
    moved = (at.z.double()[:, 0] - mean.detach()) / spread
    assert (moved.mean(0).abs() < 4 / math.sqrt(4000)).all()
    assert ((moved.std(0) - 1).abs() < 4 / math.sqrt(8000)).all()


def test_the_schedule_rises_from_the_base_to_the_posterior():
    beta = schedule(50)
    assert beta.shape == (51,) and beta.dtype == torch.float64 and beta[0] == 0 and beta[-1] == 1
    assert (beta.diff() > 0).all() and (beta.diff().diff() > 0).all()


def test_simulated_images_come_from_their_latents():
    model, truth, _ = linear_model(2)
    z, x = simulate(model, 4000, generator(0))
    assert z.shape == (4000, 2) and x.shape == (4000, 25)
    residual = x - model.decoder(z).mean.detach()
    deviation = model.decoder(z[:1]).stddev.detach()[0]
    assert ((residual.std(0) / deviation - 1).abs() < 4 / math.sqrt(8000)).all()
    np.testing.assert_allclose(np.cov(x.numpy().T), truth.cov, rtol=0, atol=0.05)
    _, binary = simulate(small_model(likelihood="bernoulli"), 10, generator(0))
    assert ((binary == 0) | (binary == 1)).all()


@pytest.mark.parametrize("likelihood", ["gaussian-shared", "bernoulli"])
def test_other_likelihoods_are_bracketed(likelihood):
    model = small_model(likelihood=likelihood)
    z, x = simulate(model, 64, generator(1))
    low = annealed_importance_sampling(model, x, chains=4, steps=10, generator=generator(0))
    high = reverse_annealing(model, x, z[None], steps=10, generator=generator(0))
    gap = high.value - low.value
    assert -4 * float(gap.std()) / 8 - FLOAT32 < float(gap.mean()) < 0.2


def test_decodes_are_all_counted_and_few_at_once():
    model, x = toy(200)
    decoded = []
    model.decoder.register_forward_pre_hook(lambda module, arguments: decoded.append(arguments[0][..., 0].numel()))
    estimate = annealed_importance_sampling(model, x, steps=3, leapfrog=2, generator=generator(0))
    assert sum(decoded) == estimate.decodes and max(decoded) <= annealing.PARTICLES
    assert estimate.samples == 8 and estimate.value.shape == estimate.ess.shape == estimate.standard_error.shape == (
        200,
    )
    assert (
        estimate.value.dtype == torch.float64 and (estimate.ess <= 8 + 1e-9).all() and (estimate.ess >= 1 - 1e-9).all()
    )


def test_one_chain_tells_no_error():
    model, x = toy()
    estimate = annealed_importance_sampling(model, x, chains=1, steps=3, generator=generator(0))
    assert estimate.standard_error.isinf().all() and estimate.value.isfinite().all()


def test_estimates_follow_their_generator_and_leave_torch_and_the_model_alone():
    model, x = toy()
    follows_its_generator(lambda noise: annealed_importance_sampling(model, x, steps=5, generator=noise).value)
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_the_callers_mode_does_not_matter():
    model, _ = toy()
    with torch.inference_mode():
        x = model.pixels(toy_split(4).images, generator(0))
        inside = annealed_importance_sampling(model, x, steps=3, generator=generator(0))
    outside = annealed_importance_sampling(model, x.clone(), steps=3, generator=generator(0))
    assert torch.equal(inside.value, outside.value)


def test_a_model_far_from_its_images_stays_finite():
    model = small_model(log_variance_floor=-16.0, image_shape=(28, 28))
    with torch.no_grad():
        model.decoder.log_variance.bias.fill_(-15)
    for start in STARTS:
        estimate = annealed_importance_sampling(model, torch.rand(3, 784), steps=5, start=start, generator=generator(0))
        assert estimate.value.isfinite().all() and (estimate.value < -1e6).all()


def test_progress_is_told_and_stops():
    model, x = toy(200)
    told = []
    annealed_importance_sampling(model, x, steps=5, generator=generator(0), progress=told.append)
    assert told == sorted(told) and len(told) > 10 and told[-1] == 1 and 0 < told[0] < 0.2

    class Stopped(Exception):
        pass

    def stop(share):
        raise Stopped

    with pytest.raises(Stopped):
        annealed_importance_sampling(model, x, steps=100_000, leapfrog=1, generator=generator(0), progress=stop)


@pytest.mark.parametrize("option", ["chains", "steps", "leapfrog"])
@pytest.mark.parametrize("count", [0, -1, 1.5, "8", None, True, 10**6])
def test_a_wrong_count_is_refused(option, count):
    with pytest.raises(ConfigError, match="must be a whole number from 1 to"):
        annealed_importance_sampling(small_model(), torch.rand(2, 16), **{option: count})


def test_a_wrong_start_is_refused():
    with pytest.raises(ConfigError, match="prior, encoder"):
        annealed_importance_sampling(small_model(), torch.rand(2, 16), start="posterior")


@pytest.mark.parametrize("x", [torch.rand(2, 15), torch.rand(0, 16), torch.full((2, 16), float("nan"))])
def test_wrong_pixels_are_refused(x):
    with pytest.raises(DataError, match="must"):
        annealed_importance_sampling(small_model(), x)


@pytest.mark.parametrize("z", [
    torch.rand(2, 2), torch.rand(0, 2, 2), torch.rand(1, 3, 2), torch.rand(1, 2, 3), torch.rand(1, 2, 2).double(),
    torch.full((1, 2, 2), float("nan")),
])  # fmt: skip
def test_wrong_latents_are_refused(z):
    with pytest.raises(DataError, match="Latents must"):
        reverse_annealing(small_model(), torch.rand(2, 16), z)


@pytest.mark.parametrize("count", [0, -1, 1.5, True, 10**7])
def test_a_wrong_number_of_images_is_refused(count):
    with pytest.raises(ConfigError, match="number of images"):
        simulate(small_model(), count)


@pytest.mark.slow
def test_draws_from_the_grid_bracket_the_evidence_of_a_given_image():
    model = small_model(2, activation="tanh", log_variance_floor=-3.0)
    with torch.no_grad():
        model.decoder.location.weight.mul_(4)
    x = model.pixels(toy_split(1).images, generator(0))
    truth = exact(model, x).value
    z = posterior(model, x).sample(16, generator(1))[:, None]
    options = {"steps": 60, "start": "prior"}
    low = annealed_importance_sampling(model, x, chains=16, generator=generator(2), **options)
    high = reverse_annealing(model, x, z, generator=generator(2), **options)
    noise = 4 * (low.standard_error + high.standard_error)
    assert (low.value < truth + noise).all()
    assert (truth < high.value + noise).all()
    assert (high.value - low.value < 0.5).all()
