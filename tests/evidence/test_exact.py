"""The exact evidence against closed forms from scipy and brute grids in numpy, both in float64."""

import math
from unittest import mock

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp

from tests.toys import float32_bound, numpy_encoder, numpy_log_likelihood, small_model, toy_split
from vae.errors import ConfigError, DataError
from vae.evidence import exact as module
from vae.evidence import tempered
from vae.evidence.estimates import elbo, naive_monte_carlo, pairwise_log_prob
from vae.evidence.exact import exact, is_known, posterior, thermodynamic_path
from vae.evidence.gaps import refine
from vae.evidence.importance import importance_sampling
from vae.evidence.tempered import Tempered
from vae.model.distributions import LOG_2_PI, diagonal_normal, generator
from vae.settings.config import LIKELIHOODS

IMAGES = toy_split(2).images
FLOAT64 = 1e-9  # nats: what sums of thousands lose in float64; the reference has the model's numbers to the last digit
GAUSSIANS = ["gaussian", "gaussian-shared"]


def linear_model(latent, likelihood="gaussian", log_variance=-2.0, shape=(5, 5), floor=None):
    """A linear decoder with a dense W, and images from it; the encoder knows nothing."""
    layers = {"encoder_layers": (), "decoder_layers": (), "log_variance_floor": floor}
    model = small_model(likelihood=likelihood, latent=latent, image_shape=shape, **layers)
    rng = np.random.default_rng(latent)
    pixels = math.prod(shape)
    w, b = rng.standard_normal((pixels, latent)) * 0.5 / math.sqrt(latent), rng.uniform(0, 1, pixels)
    raw = np.full(1, log_variance) if likelihood == "gaussian-shared" else rng.normal(log_variance, 0.5, pixels)
    w, b, raw = (values.astype(np.float32).astype(np.float64) for values in (w, b, raw))  # as the model holds them
    with torch.no_grad():
        model.decoder.location.weight.copy_(torch.from_numpy(w))
        model.decoder.location.bias.copy_(torch.from_numpy(b))
        model.decoder.log_variance.copy_(torch.from_numpy(raw))
    raw = np.broadcast_to(raw, pixels)
    psi = np.exp(raw if floor is None else floor + np.logaddexp(0, raw - floor))
    truth = stats.multivariate_normal(b, w @ w.T + np.diag(psi))
    return model, truth, torch.from_numpy(truth.rvs(4, random_state=3)).float()


def bent_model(likelihood="gaussian", activation="tanh", latent=2, seed=0, **changes):
    """A decoder that bends the plane, its weights three times the initial ones, and pixels for it."""
    floor = {"log_variance_floor": -3.0, **changes}
    model = small_model(seed, likelihood=likelihood, activation=activation, latent=latent, **floor)
    with torch.no_grad():
        for weight in model.decoder.parameters():
            weight.mul_(3)
    return model, model.pixels(IMAGES, generator(0))


class Grid:
    """p(x, z) and q(z|x) on a brute grid in float64, all images (N, B)."""

    def __init__(self, model, x, steps, end=8.0):
        line = np.linspace(-end, end, steps)
        dims = model.config.latent
        self.cell = dims * math.log(line[1] - line[0])
        self.z = np.stack(np.meshgrid(*[line] * dims), -1).reshape(-1, dims)
        x = x.double().numpy()
        self.log_p = np.stack([numpy_log_likelihood(model, self.z, row) for row in x], 1)
        self.log_prior = stats.norm.logpdf(self.z).sum(-1)[:, None]
        mean, deviation = numpy_encoder(model, x)
        self.log_q = stats.norm(mean, deviation).logpdf(self.z[:, None]).sum(-1)
        self.evidence = logsumexp(self.log_p + self.log_prior + self.cell, 0)
        self.weight = np.exp(self.log_p + self.log_prior + self.cell - self.evidence)


def brute(model, x):
    return Grid(model, x, *((4001,) if model.config.latent == 1 else (241,)))


@pytest.mark.parametrize("likelihood", GAUSSIANS)
@pytest.mark.parametrize("latent", [1, 2, 5, 10, 20])
def test_a_linear_decoder_has_a_closed_form(likelihood, latent):
    model, truth, x = linear_model(latent, likelihood)
    found = exact(model, x)
    np.testing.assert_allclose(found.value, truth.logpdf(x.double()), rtol=0, atol=FLOAT64)
    assert found.value.dtype == torch.float64 and (found.error_bound == 0).all() and (found.standard_error == 0).all()


@pytest.mark.parametrize("floor", [-2.5, -6.0])
def test_the_closed_form_knows_the_floor(floor):
    model, truth, x = linear_model(5, floor=floor, log_variance=-3.0)
    np.testing.assert_allclose(exact(model, x).value, truth.logpdf(x.double()), rtol=0, atol=FLOAT64)


DEEP = [(1, -2.0), (1, -8.0), (2, -2.0), (2, -8.0)]  # J and log variance


@pytest.mark.parametrize("likelihood", GAUSSIANS)
@pytest.mark.parametrize(("latent", "log_variance"), DEEP)
def test_quadrature_finds_the_closed_form(likelihood, latent, log_variance):
    model, truth, x = linear_model(latent, likelihood, log_variance)
    found = Tempered(model, x).double().integrate(1e-3, keep=None)
    assert (found.error <= 1e-3).all()
    # the densities are worked out in float64, and then kept in float32: each is off by at most 2^-24 of itself
    noise = [
        2**-24 * np.abs(grid.log_density[grid.log_density > grid.log_density.max() - 20]).max() for grid in found.grids
    ]
    assert (np.abs(found.log_value - truth.logpdf(x.double())) < found.error + noise).all()


def other_orders(order):
    """Another processor's float32: `pairwise_log_prob` with its terms shuffled, and summed up in parts of `order`."""

    def sums(p, x):
        source = generator(order)

        def times(a, b):  # (S, D) and (B, D) to (S, B)
            total = torch.zeros(len(a), len(b))
            for mine in torch.randperm(a.shape[1], generator=source).split(order):
                total = total + a[:, mine] @ b[:, mine].T
            return total

        precision = (-p.base_dist.log_variance).exp()
        scaled, ones = p.base_dist.loc * precision, torch.ones(1, x.shape[1])
        constant = times(p.base_dist.loc * scaled, ones) + times(p.base_dist.log_variance + LOG_2_PI, ones)
        return times(precision, -0.5 * x * x) + times(scaled, x) - 0.5 * constant

    return sums


def worst(shape):
    """log p(x|z) that is off by all that float32 may lose in any order: everywhere alike, or up and down."""

    def sums(p, x):
        source = generator(0)
        accurate = diagonal_normal(p.base_dist.loc.double(), p.base_dist.log_variance.double())
        value, bound = pairwise_log_prob(accurate, x.double()), float32_bound(p, x)
        return {
            "low": value - bound,
            "high": value + bound,
            "noise": value + bound * (2 * torch.rand(bound.shape, generator=source) - 1),
            "steps": value + bound * (value > value.amax(0) - 1),  # only near the top of what is decoded at once
            "waves": value + bound * (3 * value).sin(),  # as the height changes
        }[shape].float()

    return sums


FLOATS = {
    "as here": pairwise_log_prob,
    **{f"by {order}": other_orders(order) for order in (1, 4)},
    **{shape: worst(shape) for shape in ("low", "high", "noise", "steps", "waves")},
}


@pytest.mark.parametrize("floats", FLOATS)
@pytest.mark.parametrize(("latent", "log_variance"), DEEP)
@pytest.mark.slow
def test_what_is_stated_covers_the_float32_of_any_processor(floats, latent, log_variance, monkeypatch):
    model, truth, x = linear_model(latent, "gaussian", log_variance)
    truth = truth.logpdf(x.double())
    monkeypatch.setattr(tempered, "pairwise_log_prob", FLOATS[floats])
    for i in range(len(x)):
        found = posterior(model, x[i : i + 1])
        assert abs(found.log_p - truth[i]) < found.error
    monkeypatch.setattr(module, "is_linear_gaussian", lambda config: False)  # so that `exact` takes grids here too
    found = exact(model, x)
    assert (np.abs(found.value.numpy() - truth) < found.error_bound.numpy()).all()


@pytest.mark.parametrize(("activation", "latent"), [("tanh", 1), ("tanh", 2), ("relu", 1)])
@pytest.mark.parametrize("floats", ["by 1", "high", "noise", "waves"])
def test_it_covers_it_for_a_network_too(floats, activation, latent, monkeypatch):
    model, x = bent_model("gaussian", activation, latent, log_variance_floor=-16.0)
    with torch.no_grad():
        model.decoder.log_variance.bias.sub_(4)
    truth = brute(model, x).evidence
    monkeypatch.setattr(tempered, "pairwise_log_prob", FLOATS[floats])
    found = exact(model, x)
    assert (np.abs(found.value.numpy() - truth) < found.error_bound.numpy()).all()


@pytest.mark.parametrize(
    ("likelihood", "activation"),
    [
        ("gaussian", "tanh"),
        ("gaussian", "relu"),
        ("gaussian-shared", "silu"),
        ("bernoulli", "tanh"),
        ("bernoulli", "relu"),
    ],
)
def test_a_bent_decoder_is_as_on_a_brute_grid(likelihood, activation):
    model, x = bent_model(likelihood, activation)
    found, truth = exact(model, x), brute(model, x).evidence
    slack = 1e-3 if activation == "relu" else 0  # the brute grid too misses kinks by its step squared
    assert (np.abs(found.value.numpy() - truth) < found.error_bound.numpy() + slack).all()
    assert (found.error_bound <= 1e-3).all() and found.decodes > 0


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_one_dimension(likelihood):
    model, x = bent_model(likelihood, latent=1)
    found = exact(model, x)
    assert (np.abs(found.value.numpy() - brute(model, x).evidence) < found.error_bound.numpy()).all()


def test_images_far_beyond_one_batch(monkeypatch):
    model, x = bent_model()
    whole = exact(model, x)
    monkeypatch.setattr(module, "_BATCH", 1)
    told = []
    parts = exact(model, x, progress=told.append)
    assert ((parts.value - whole.value).abs() <= parts.error_bound + whole.error_bound).all()
    assert told == sorted(told) and told[-1] == pytest.approx(1) and parts.error_bound.shape == (2,)


def test_a_looser_tolerance_is_cheaper_and_as_said():
    model, x = bent_model("bernoulli", "relu")
    loose, tight = exact(model, x, tolerance=0.1), exact(model, x, tolerance=1e-4)
    assert loose.decodes < tight.decodes and ((loose.value - tight.value).abs() <= loose.error_bound).all()


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_the_bound_and_its_divergence_from_the_posterior_make_the_evidence(likelihood):
    model, x = bent_model(likelihood)
    with torch.no_grad():
        model.encoder.head.bias[2:] -= 4  # so that 20 Gauss-Hermite nodes per axis are enough for the bound
    grid = brute(model, x)  # in numpy; the bound and the evidence are the library's
    q = np.exp(grid.log_q + grid.cell)
    divergence = (q * (grid.log_q - (grid.log_p + grid.log_prior - grid.evidence))).sum(0)
    bound = next(refine(model, x, generator=generator(0))).elbo.numpy()
    assert bound + divergence == pytest.approx(exact(model, x).value.numpy(), abs=1e-3)
    assert (divergence > 0.01).all()


@pytest.mark.parametrize(("likelihood", "latent"), [("gaussian", 1), ("gaussian", 2), ("bernoulli", 2)])
def test_the_posterior_is_that_of_the_grid(likelihood, latent):
    model, x = bent_model(likelihood, latent=latent)
    x = x[:1]
    found, grid = posterior(model, x), brute(model, x)
    weight = grid.weight[:, 0]
    assert found.weight.sum() == pytest.approx(1) and found.z.shape == (len(found.weight), latent)
    assert abs(found.log_p - grid.evidence[0]) <= found.error <= 1e-3 and found.edge < 1e-3
    assert found.kl_prior == pytest.approx((weight * (grid.log_p[:, 0] - grid.evidence[0])).sum(), abs=3e-3)
    mean, variance = weight @ grid.z, np.atleast_2d(np.cov(grid.z.T, aweights=weight))
    np.testing.assert_allclose(found.weight @ found.z, mean, atol=2e-3)
    draws = found.sample(40_000, generator(1))
    assert draws.shape == (40_000, latent) and draws.dtype == torch.float32
    # six standard errors of a mean, and of a variance of nearly normal draws, and the cell's own step^2 / 12
    assert (np.abs(draws.double().mean(0).numpy() - mean) < 6 * np.sqrt(variance.diagonal() / 40_000) + 2e-3).all()
    spread = np.atleast_2d(np.cov(draws.double().numpy().T))
    assert np.abs(spread - variance).max() < 0.05 * variance.max() + found.step**2 / 12


def test_draws_follow_their_generator():
    model, x = bent_model()
    found = posterior(model, x[:1])
    first, again, other = (found.sample(50, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def nodes():
    """Betas and weights that integrate polynomials of degree 17 over [0, 1]."""
    at, weight = np.polynomial.legendre.leggauss(9)
    return (at + 1) / 2, weight / 2


@pytest.mark.parametrize(("likelihood", "base"), [("gaussian", "encoder"), ("bernoulli", "prior")])
def test_the_thermodynamic_integral_is_the_evidence(likelihood, base):
    model, x = bent_model(likelihood)
    x = x[:1]
    betas, weight = nodes()
    path = thermodynamic_path(model, x, np.concatenate([[0], betas, [1]]), base=base, tolerance=1e-3)
    assert (np.diff(path.integrand) > -1e-3).all()  # its slope is a variance
    value = exact(model, x).value.item()
    assert weight @ path.integrand[1:-1] == pytest.approx(value, abs=5e-3)
    assert path.log_z[0] == pytest.approx(0, abs=1e-3) and path.log_z[-1] == pytest.approx(value, abs=2e-3)
    grid = brute(model, x)
    start = grid.log_prior[:, 0] if base == "prior" else grid.log_q[:, 0]
    gain = grid.log_p[:, 0] + grid.log_prior[:, 0] - start
    first, last = (np.exp(start + grid.cell) * gain).sum(), grid.weight[:, 0] @ gain
    assert path.integrand[0] == pytest.approx(first, abs=2e-2)  # the ELBO, where the base is the encoder
    assert path.integrand[-1] == pytest.approx(last, abs=2e-2)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.slow
def test_bounds_stand_in_their_order_in_random_models(seed):
    likelihood, activation = LIKELIHOODS[seed % 3], ["relu", "tanh", "silu"][seed // 2]
    model, x = bent_model(likelihood, activation, latent=1 + seed % 2, seed=seed)
    value = exact(model, x).value
    many = x.repeat(200, 1)
    low = elbo(model, x, 20_000, generator(seed))
    runs = [importance_sampling(model, many, k, generator(seed)).value.view(200, len(x)) for k in (2, 16)]
    bounds, errors = [r.mean(0) for r in runs], [r.std(0) / math.sqrt(200) for r in runs]
    assert (low.value < bounds[0] + 4 * (low.standard_error + errors[0])).all()
    assert (bounds[0] < bounds[1] + 4 * (errors[0] + errors[1])).all()
    assert (bounds[1] < value + 4 * errors[1] + 1e-3).all()
    # the mean of w itself, not of its logarithm, is p(x)
    estimate = naive_monte_carlo(model, x, 200_000, generator(seed))
    trusted = estimate.ess > 500
    assert trusted.any()
    assert ((estimate.value - value).abs() < 5 * estimate.standard_error + 1e-3)[trusted].all()


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("kind", ["blank", "saturated", "noise", "beyond"])
def test_odd_images_have_an_answer(likelihood, kind):
    model, _ = bent_model(likelihood)
    x = {
        "blank": torch.zeros(1, 16),
        "saturated": torch.ones(1, 16),
        "noise": torch.rand(1, 16, generator=generator(0)).round(),
        "beyond": torch.linspace(-3, 4, 16)[None],
    }[kind]
    if likelihood == "bernoulli" and kind == "beyond":
        with pytest.raises(DataError, match="grey"):
            exact(model, x)
        return
    found = exact(model, x)
    truth = brute(model, x).evidence
    assert (np.abs(found.value.numpy() - truth) < found.error_bound.numpy()).all()


@pytest.mark.parametrize("size", [1e15, 1e25, 3e38])
def test_pixels_beyond_all_reason_are_marked(size):
    model, _ = bent_model()
    x = torch.full((2, 16), size)
    x[1] = 0.5
    found = exact(model, x)
    assert torch.isnan(found.value[0]) or found.value[0] < -1e20
    assert torch.isfinite(found.value[1]) and found.error_bound[1] <= 1e-3
    with pytest.raises(DataError, match="Choose another image"):
        posterior(model, torch.full((1, 16), 3e38))


def test_a_decoder_that_ignores_z():
    model, x = bent_model()
    with torch.no_grad():
        model.decoder.body[0][0].weight.zero_()
    found = exact(model, x)
    at_any = numpy_log_likelihood(model, np.zeros((1, 2)), x.double().numpy())
    assert (np.abs(found.value.numpy() - at_any) < found.error_bound.numpy()).all()
    assert posterior(model, x[:1]).kl_prior == pytest.approx(0, abs=1e-4)


@pytest.mark.slow
def test_an_encoder_that_ignores_x_or_is_far_off():
    model, x = bent_model()
    truth = brute(model, x).evidence
    with torch.no_grad():
        model.encoder.head.weight.zero_()
        for bias in ([0, 0, 0, 0], [30, -30, -8, -8], [1e30, 0, 80, -40]):
            model.encoder.head.bias.copy_(torch.tensor(bias).float())
            found = exact(model, x)
            assert (np.abs(found.value.numpy() - truth) < found.error_bound.numpy()).all()


@pytest.mark.parametrize(
    "call", [exact, posterior, lambda model, x: thermodynamic_path(model, x, np.linspace(0, 1, 3))]
)
def test_too_many_dimensions_are_refused_with_a_way_out(call):
    model = small_model(latent=3)
    with pytest.raises(ConfigError, match=r"J = 3\. Use importance sampling or AIS"):
        call(model, torch.rand(1, 16))


@pytest.mark.parametrize("tolerance", [0, -1, math.nan, math.inf, 1e-12, 100])
def test_a_wrong_tolerance_is_refused(tolerance):
    with pytest.raises(ConfigError, match="tolerance"):
        exact(small_model(), torch.rand(1, 16), tolerance=tolerance)


@pytest.mark.parametrize("betas", [[-0.1], [1.1], [math.nan], [], [[0.5]]])
def test_wrong_betas_are_refused(betas):
    with pytest.raises(ConfigError, match="from 0 to 1"):
        thermodynamic_path(small_model(), torch.rand(1, 16), np.array(betas))


@pytest.mark.parametrize("x", [torch.rand(2, 15), torch.rand(0, 16), torch.full((2, 16), math.nan), torch.ones(16)])
def test_wrong_pixels_are_refused(x):
    for call in CALLS:
        with pytest.raises(DataError):
            call(small_model(), x)


@pytest.mark.slow
def test_a_path_from_farther_out_than_a_grid_is_refused_at_once():
    # where the encoder puts images that are unlike those of the training; laid ring by ring a grid took hours
    model = small_model(latent=2)
    x = model.pixels(toy_split(1).images, generator(0))
    for mean, log_variance in ((300.0, 0.0), (0.0, 12.0)):
        q = diagonal_normal(torch.full((1, 2), mean), torch.full((1, 2), log_variance))
        with mock.patch.object(model.encoder, "forward", lambda x, q=q: q.expand(x.shape[:1])):
            with pytest.raises(DataError, match=r"a grid to 40\. Start from the prior"):
                thermodynamic_path(model, x, np.linspace(0, 1, 33), base="encoder")
            assert np.isfinite(thermodynamic_path(model, x, np.linspace(0, 1, 3)).log_z).all()


CALLS = [exact, posterior, lambda model, x, **how: thermodynamic_path(model, x, np.linspace(0, 1, 3), **how)]


@pytest.mark.parametrize("call", CALLS)
def test_progress_is_told_to_the_end_and_can_stop_it(call):
    model, x = bent_model()
    told = []
    call(model, x[:1], progress=told.append)
    assert len(told) > 3 and told == sorted(told) and told[0] < 0.5 and told[-1] == 1

    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(model, x[:1], progress=stop)


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"latent": 1}, True), ({"latent": 2}, True), ({"latent": 3}, False),
        ({"latent": 20, "decoder_layers": ()}, True),
        ({"latent": 3, "decoder_layers": (), "likelihood": "bernoulli"}, False),
        ({"latent": 2, "decoder_layers": (), "likelihood": "bernoulli"}, True),
    ],
)  # fmt: skip
def test_where_the_evidence_is_known_it_can_be_had(changes, known):
    model = small_model(**changes)
    assert is_known(model.config) == known
    x = model.pixels(IMAGES, generator(0))
    if known:
        assert exact(model, x).value.isfinite().all()
    else:
        with pytest.raises(ConfigError, match="importance sampling or AIS"):
            exact(model, x)


@pytest.mark.parametrize("likelihood", GAUSSIANS)
@pytest.mark.parametrize("latent", [5, 10, 20])
def test_naive_monte_carlo_finds_the_closed_form_where_the_posterior_is_wide(likelihood, latent):
    model, truth, x = linear_model(latent, likelihood, log_variance=0.5)
    estimate = naive_monte_carlo(model, x, 100_000, generator(latent))
    assert (estimate.ess > 1000).all()
    assert ((estimate.value - exact(model, x).value).abs() < 4.5 * estimate.standard_error).all()
    assert (np.abs(estimate.value.numpy() - truth.logpdf(x.double())) < 4.5 * estimate.standard_error.numpy()).all()
