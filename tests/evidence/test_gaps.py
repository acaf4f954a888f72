"""The best diagonal Gaussian against its closed form under a linear decoder, and against brute quadrature."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.toys import (
    follows_its_generator,
    linear_model,
    numpy_encoder,
    numpy_log_likelihood,
    small_model,
    toy,
    toy_split,
)
from vae.errors import ConfigError, DataError
from vae.evidence import gaps
from vae.evidence.gaps import Gap, refine
from vae.model.distributions import generator

FLOAT32 = 1e-4  # nats: what sums over 25 pixels, of order ten nats, lose in float32


def spoilt(latent, likelihood="gaussian"):
    """A linear model, four images of it, and an encoder that is off by up to a deviation and a half in width."""
    model, truth, x = linear_model(latent, likelihood)
    with torch.no_grad():
        model.encoder.head.bias.add_(0.5 * torch.randn(2 * latent, generator=generator(1)))
    return model, truth, x


def posterior(model, x):
    """Mean (B, J) and precision (J, J) of p(z|x) of a linear model."""
    w = model.decoder.location.weight.detach().double().numpy()
    b = model.decoder.location.bias.detach().double().numpy()
    psi = np.broadcast_to(np.exp(model.decoder.log_variance.detach().double().numpy()), 25)
    precision = np.eye(w.shape[1]) + (w / psi[:, None]).T @ w
    return (x.double().numpy() - b) @ (w / psi[:, None]) @ np.linalg.inv(precision), precision


def numpy_elbo(model, x, mean, deviation):
    """By Gauss-Hermite with 60 nodes per axis, in float64; J = 2."""
    line, mass = np.polynomial.hermite_e.hermegauss(60)
    nodes = np.stack(np.meshgrid(line, line), -1).reshape(-1, 1, 2)
    weights = np.outer(mass, mass).ravel() / (2 * math.pi)
    log_p = numpy_log_likelihood(model, mean + deviation * nodes, x)
    kl = 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation)).sum(1)
    return weights @ log_p - kl


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
@pytest.mark.parametrize("latent", [1, 2, 5, 20])
def test_the_best_gaussian_of_a_linear_model(latent, likelihood):
    model, truth, x = spoilt(latent, likelihood)
    mean, precision = posterior(model, x)
    first, *_, last = refine(model, x, steps=120, generator=generator(0))
    spread = np.diag(precision) ** -0.5
    # the ascent ends within a hundredth of a deviation
    np.testing.assert_allclose((last.mean.numpy() - mean) / spread, np.zeros_like(mean), rtol=0, atol=0.01)
    np.testing.assert_allclose(last.deviation.numpy() / spread, np.ones_like(mean), rtol=0.01)
    # KL[best || posterior] = 1/2 (sum log P_jj - log det P), and of an error e of e^2 / 2 a dimension
    family = 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])
    gap = Gap(first.elbo, last.elbo, torch.from_numpy(truth.logpdf(x)))
    np.testing.assert_allclose(gap.approximation, np.full(4, family), rtol=0, atol=1e-3)
    q_mean, q_spread = numpy_encoder(model, x.numpy())
    off = ((q_mean - mean) @ precision * (q_mean - mean)).sum(1)
    kl = 0.5 * (off + (q_spread**2 * np.diag(precision)).sum(1) - latent - np.linalg.slogdet(precision)[1])
    kl -= np.log(q_spread).sum(1)
    np.testing.assert_allclose(gap.kl, kl, rtol=0, atol=1e-3)
    assert (gap.amortisation > 0.01).all()


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared", "bernoulli"])
def test_what_is_reported_is_the_elbo_of_what_is_reported(likelihood):
    model, x = toy(likelihood=likelihood, activation="tanh")
    for refined in refine(model, x, steps=30, generator=generator(0)):
        truth = numpy_elbo(model, x.numpy(), refined.mean.double().numpy(), refined.deviation.double().numpy())
        np.testing.assert_allclose(refined.elbo, truth, rtol=0, atol=FLOAT32)


def test_quasi_random_draws_report_an_unbiased_elbo():
    model, x = toy(latent=3, activation="tanh")
    *_, last = refine(model, x, steps=100, generator=generator(0))
    z = last.mean + last.deviation * torch.empty(40_000, 4, 3).normal_(generator=generator(9))
    with torch.no_grad():
        log_p = model.decoder(z).log_prob(x).double()
    mean, spread = last.mean.double(), last.deviation.double()
    kl = 0.5 * (mean.square() + spread.square() - 1 - 2 * spread.log()).sum(1)
    error = 4 * log_p.std(0) / math.sqrt(40_000)
    assert ((last.elbo - (log_p.mean(0) - kl)).abs() < error + 0.005).all() and (error < 0.05).all()


@pytest.mark.parametrize("latent", [2, 5])
def test_reports_only_rise_and_start_at_the_encoder(latent):
    model, x = toy(latent=latent)
    reports = list(refine(model, x, steps=45, generator=generator(0)))
    assert [refined.step for refined in reports] == [0, 10, 20, 30, 40, 45]
    with torch.no_grad():
        q = model.encoder(x)
    assert torch.equal(reports[0].mean, q.mean) and torch.equal(reports[0].deviation, q.stddev)
    assert all((b.elbo >= a.elbo).all() for a, b in pairwise(reports))
    assert (reports[-1].elbo > reports[0].elbo + 0.001).all()
    assert all((refined.deviation > 0).all() and refined.elbo.dtype == torch.float64 for refined in reports)


def test_an_encoder_at_its_best_is_kept():
    model, _, x = linear_model(1)
    first, *_, last = refine(model, x, steps=30)
    assert ((last.elbo - first.elbo).abs() < FLOAT32).all()


def test_a_posterior_far_sharper_than_the_encoder_is_found():
    model, truth, x = spoilt(2)
    with torch.no_grad():
        model.encoder.head.bias[2:] += 6  # twenty times too wide
        model.encoder.head.bias[:2] += 1
    _, precision = posterior(model, x)
    *_, last = refine(model, x)
    family = 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])
    np.testing.assert_allclose(truth.logpdf(x) - last.elbo.numpy(), np.full(4, family), rtol=0, atol=0.01)


def test_a_model_far_from_its_images_stays_finite():
    model = small_model(log_variance_floor=-16.0, image_shape=(28, 28))
    with torch.no_grad():
        model.decoder.log_variance.bias.fill_(-15)
    first, *_, last = refine(model, torch.rand(2, 784), steps=20)
    assert last.elbo.isfinite().all() and last.mean.isfinite().all() and (last.elbo >= first.elbo).all()


def test_parts_of_the_images_do_not_change_the_fit(monkeypatch):
    model, x = toy(6)
    *_, whole = refine(model, x, steps=20)
    monkeypatch.setattr(gaps, "CHUNK", 128)  # two images at once
    *_, parts = refine(model, x, steps=20)
    # Adam divides by the size of a gradient, so float32 noise of 1e-6 counts where the gradient is small
    torch.testing.assert_close(parts.mean, whole.mean, rtol=0, atol=1e-2)
    torch.testing.assert_close(parts.elbo, whole.elbo, rtol=0, atol=1e-3)


def test_no_more_than_a_chunk_is_decoded_at_once():
    model, x = toy(100)
    decoded = []
    model.decoder.register_forward_pre_hook(lambda module, arguments: decoded.append(arguments[0][..., 0].numel()))
    list(refine(model, x, steps=2))
    assert max(decoded) <= gaps.CHUNK and sum(decoded) > 100 * 2 * 64


def test_a_fit_follows_its_generator_and_leaves_torch_and_the_model_alone():
    model, x = toy(latent=3)
    follows_its_generator(lambda noise: [*refine(model, x, steps=10, generator=noise)][-1].elbo)
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_the_callers_mode_does_not_matter():
    model, _ = toy()
    with torch.inference_mode():
        x = model.pixels(toy_split(4).images, generator(0))
        *_, inside = refine(model, x, steps=5)
    *_, outside = refine(model, x.clone(), steps=5)
    assert torch.equal(inside.elbo, outside.elbo)


def test_the_parts_of_a_gap_add_up():
    gap = Gap(torch.tensor([1.0]), torch.tensor([2.5]), torch.tensor([4.0]))
    assert (gap.amortisation, gap.approximation, gap.kl) == (1.5, 1.5, 3.0)


@pytest.mark.parametrize("steps", [0, -1, 1.5, "8", None, True, 10**6])
def test_a_wrong_number_of_steps_is_refused(steps):
    with pytest.raises(ConfigError, match="number of steps must be a whole number from 1 to"):
        refine(small_model(), torch.rand(2, 16), steps=steps)  # at once, not when the first report is asked for


@pytest.mark.parametrize("x", [torch.rand(2, 15), torch.rand(0, 16), torch.full((2, 16), float("nan"))])
def test_wrong_pixels_are_refused(x):
    with pytest.raises(DataError, match="must"):
        refine(small_model(), x)
