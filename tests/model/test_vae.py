"""Nets and models: shapes, gradients, what the likelihoods mean, and that a seed makes the weights."""

import math
import re

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from tests.toys import numpy_encoder, numpy_log_likelihood, small_config, small_model, toy_split
from vae.errors import ConfigError, DataError
from vae.model.distributions import generator
from vae.model.nets import down, mlp, to_pixels, up
from vae.model.objectives import ELBO, Autoencoder
from vae.model.vae import build, start_at
from vae.settings.config import ACTIVATIONS, LIKELIHOODS, ModelConfig

LAYERS = [((), ()), ((8,), (6,)), ((8, 7), (5, 6)), ((), (6,)), ((8,), ())]
IMAGES = toy_split(5).images


def every_kind(test):
    """Each likelihood, activation and depth."""
    test = pytest.mark.parametrize("layers", LAYERS)(test)
    test = pytest.mark.parametrize("activation", ACTIVATIONS)(test)
    return pytest.mark.parametrize("likelihood", LIKELIHOODS)(test)


def make(likelihood, activation, layers, **changes):
    encoder, decoder = layers
    changes = {"latent": 3, "encoder_layers": encoder, "decoder_layers": decoder} | changes
    return small_model(likelihood=likelihood, activation=activation, **changes)


@every_kind
def test_shapes(likelihood, activation, layers):
    model = make(likelihood, activation, layers, image_shape=(4, 3))
    for batch in [(), (1,), (5,), (2, 5), (4, 2, 5)]:
        q = model.encoder(torch.rand(*batch, 12))
        assert (q.batch_shape, q.event_shape) == (batch, (3,)) and q.mean.shape == q.stddev.shape == (*batch, 3)
        p = model.decoder(torch.randn(*batch, 3))
        assert (p.batch_shape, p.event_shape) == (batch, (12,)) and p.mean.shape == p.stddev.shape == (*batch, 12)
        assert p.log_prob(torch.zeros(12)).shape == batch
    assert model.prior.event_shape == (3,) and model.prior.batch_shape == ()


@every_kind
def test_every_weight_learns_from_the_elbo(likelihood, activation, layers):
    model = make(likelihood, activation, layers)
    ELBO(2)(model, model.pixels(IMAGES, generator(0)), generator(1)).elbo.mean().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and bool(weight.grad.isfinite().all()), name
        assert bool((weight.grad != 0).any()), name


@every_kind
def test_all_but_the_encoders_variance_learns_from_an_autoencoder(likelihood, activation, layers):
    model = make(likelihood, activation, layers)
    Autoencoder()(model, model.pixels(IMAGES, generator(0))).elbo.mean().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and bool(weight.grad.isfinite().all()), name
        assert bool((weight.grad != 0).any()), name
    mean, log_variance = model.encoder.head.weight.grad.chunk(2)
    assert mean.any() and not log_variance.any() and not model.encoder.head.bias.grad[3:].any()


@every_kind
def test_densities_are_those_of_the_model_written_in_numpy(likelihood, activation, layers):
    model = make(likelihood, activation, layers)
    x, z = model.pixels(IMAGES, generator(0)), torch.randn(5, 3)
    with torch.no_grad():
        q, log_p = model.encoder(x), model.decoder(z).log_prob(x)
    mean, deviation = numpy_encoder(model, x.numpy())
    # float32 nets of at most three layers: a few 1e-6 of numbers of order one; log p sums 16 such pixels
    np.testing.assert_allclose(q.mean, mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(q.stddev, deviation, rtol=1e-5)
    np.testing.assert_allclose(log_p, numpy_log_likelihood(model, z.numpy(), x.numpy()), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layers", [(6,), ()])
def test_a_shared_variance_is_one_number_an_image(layers):
    shared = small_model(likelihood="gaussian-shared", decoder_layers=layers).decoder(torch.randn(5, 2)).stddev
    own = small_model(likelihood="gaussian", decoder_layers=(6,)).decoder(torch.randn(5, 2)).stddev
    assert torch.equal(shared, shared[:, :1].expand(5, 16)) and not torch.equal(own, own[:, :1].expand(5, 16))
    assert (shared[0, 0] != shared[1, 0]) == bool(layers)  # without hidden layers it does not depend on z


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
@pytest.mark.parametrize("layers", [(6,), ()])
@pytest.mark.parametrize("floor", [-6.0, 1.0, None])
def test_the_floor_is_respected(likelihood, layers, floor):
    model = small_model(likelihood=likelihood, decoder_layers=layers, log_variance_floor=floor)
    with torch.no_grad():
        (model.decoder.log_variance.bias if layers else model.decoder.log_variance).fill_(-30)
        sigma = model.decoder(torch.randn(50, 2)).stddev
    if floor is None:
        torch.testing.assert_close(2 * sigma.log(), torch.full((50, 16), -30.0), rtol=0, atol=5)
    else:
        assert (sigma >= np.exp(floor / 2) * (1 - 1e-6)).all()  # the rounding of exp


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared", "bernoulli"])
@pytest.mark.parametrize("layers", [(), (8,)])
def test_the_mean_alone_is_that_of_the_density(likelihood, layers):
    model = small_model(likelihood=likelihood, decoder_layers=layers)
    z = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model.decoded_mean(z), model.decoder(z).mean)


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
def test_a_decoder_without_layers_is_linear_with_a_constant_variance(likelihood):
    decoder = small_model(likelihood=likelihood, decoder_layers=()).decoder.double()
    a, b = torch.randn(2, 7, 2, dtype=torch.float64)
    with torch.no_grad():
        mean = [decoder(z).mean for z in (a, b, 3 * a - 2 * b)]
        torch.testing.assert_close(3 * mean[0] - 2 * mean[1], mean[2])
        columns = decoder(torch.eye(2).double()).mean - decoder.location.bias
        torch.testing.assert_close(columns, decoder.location.weight.T)
        sigma = decoder(100 * a).stddev
    assert torch.equal(sigma, sigma[:1].expand(7, 16)) and mean[0].max() > 1  # no sigmoid: it leaves [0, 1]


def test_with_layers_the_mean_stays_within_the_pixels_range():
    mean = small_model().decoder(1000 * torch.randn(50, 2)).mean
    assert mean.min() >= 0 and mean.max() <= 1


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_density_of_an_image_sums_its_pixels(likelihood):
    model = small_model(likelihood=likelihood)
    x = model.pixels(IMAGES, generator(0)).numpy()
    with torch.no_grad():
        p = model.decoder(torch.randn(5, 2))
        log_p = p.log_prob(torch.from_numpy(x)).numpy()
    truth = stats.bernoulli(p.mean).logpmf(x) if likelihood == "bernoulli" else stats.norm(p.mean, p.stddev).logpdf(x)
    np.testing.assert_allclose(log_p, truth.sum(1), rtol=1e-4)


def test_a_bernoulli_decoder_refuses_grey_pixels():
    with pytest.raises(ValueError, match="support"):
        small_model(likelihood="bernoulli").decoder(torch.zeros(1, 2)).log_prob(torch.full((1, 16), 0.5))


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("changes", [{}, {"decoder_layers": ()}, {"channels": (3, 2)}])
def test_a_seed_makes_the_weights_and_nothing_else_is_touched(likelihood, changes):
    config = small_config(likelihood=likelihood, **changes)
    before = torch.get_rng_state()
    first, again, other = (build(config, seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    for key, weight in first.items():
        assert torch.equal(weight, again[key]), key
        assert key == "decoder.log_variance" or not torch.equal(weight, other[key]), key


def test_initial_weights_are_uniform_within_the_bound_of_their_inputs():
    model = build(small_config(encoder_layers=(200,), image_shape=(10, 10)))
    layer = model.encoder.body[0][0]
    assert isinstance(layer, nn.Linear)
    scaled = (layer.weight.detach() * 10).flatten()  # 100 inputs
    assert stats.kstest(scaled.numpy(), stats.uniform(-1, 2).cdf).pvalue > 1e-3


def test_a_model_that_no_memory_holds_is_refused():
    with pytest.raises(ConfigError, match="at most 200,000,000 weights"):
        build(small_config(encoder_layers=(16384, 16384)))


@pytest.mark.parametrize("shape", [(5, 2, 4), (5, 2, 4, 4), (2, 4, 1), (5, 4, 2, 3)])
def test_a_model_of_colour_takes_no_grey_images(shape):
    says = f"must be 2 x 4 pixels in colour, the size of the model; they have the shape {shape}."
    with pytest.raises(DataError, match=re.escape(says)):
        small_model(image_shape=(2, 4, 3)).pixels(torch.zeros(shape, dtype=torch.uint8))


@pytest.mark.parametrize("images", [torch.zeros(3, 4, 5), torch.zeros(3, 16), torch.zeros(16), torch.zeros(())])
def test_images_of_another_size_are_refused(images):
    with pytest.raises(DataError, match="4 x 4"):
        small_model().pixels(images.to(torch.uint8))


def test_pixels_are_dequantised_or_binarised_by_the_likelihood():
    flat = IMAGES.flatten(1).float()
    assert torch.equal((256 * small_model().pixels(IMAGES, generator(0))).floor(), flat)
    assert set(small_model(likelihood="bernoulli").pixels(IMAGES, generator(0)).unique().tolist()) == {0.0, 1.0}


def test_mlp_alternates_maps_and_activations():
    net = mlp(3, (5, 4), "tanh")
    kinds = [type(part) for part in net.modules() if not isinstance(part, nn.Sequential)]
    assert kinds == [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh] and net(torch.zeros(2, 3)).shape == (2, 4)
    x = torch.rand(2, 3)
    assert torch.equal(mlp(3, (), "relu")(x), x)


SIZES = [
    ((28, 28), 2), ((28, 28), 4), ((7, 5), 2), ((2, 9), 1), ((4, 3), 1), ((15, 17), 3), ((128, 120), 4),
    ((28, 28, 3), 2), ((7, 5, 3), 2), ((2, 9, 3), 1), ((64, 63, 3), 4),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "count"), SIZES)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_convolutions_take_images_of_any_size(shape, count, likelihood):
    pixels = math.prod(shape)
    channels = (3, 4, 2, 5)[:count]
    model = small_model(image_shape=shape, channels=channels, likelihood=likelihood, activation="tanh")
    for batch in [(), (5,), (2, 5)]:
        q = model.encoder(torch.rand(*batch, pixels))
        p = model.decoder(torch.randn(*batch, 2))
        assert (q.batch_shape, q.event_shape) == (batch, (2,)) and q.mean.shape == (*batch, 2)
        assert (p.batch_shape, p.event_shape) == (batch, (pixels,)) and p.mean.shape == (*batch, pixels)
    images = toy_split(5, shape).images
    ELBO(2)(model, model.pixels(images, generator(0)), generator(1)).elbo.mean().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and bool(weight.grad.isfinite().all()) and bool((weight.grad != 0).any()), name


def test_convolutions_without_layers_between_are_no_linear_model():
    model = small_model(channels=(3,), encoder_layers=(), decoder_layers=())
    assert model.decoder(1000 * torch.randn(50, 2)).mean.max() <= 1
    assert sum(p.numel() for p in model.encoder.parameters()) == 3 * 16 + 3 + 4 * (3 * 4) + 4
    # from 2 latents to 3 planes of 2 x 2, and a kernel of 4 x 4 for mean and variance each
    assert sum(p.numel() for p in model.decoder.parameters()) == 2 * 12 + 12 + 2 * (3 * 16 + 1)


@pytest.mark.parametrize("shape", [(6, 8, 1), (7, 5, 1), (7, 6, 3)])
def test_convolutions_are_those_written_in_numpy(shape):
    # out[i, j] = b + sum_kl w[k, l] x[2i + k - 1, 2j + l - 1]; the mirror adds w[k, l] x[i, j] to that place instead
    small = (shape[0] // 2, shape[1] // 2)
    places = [(i, j, k, m) for i in range(small[0]) for j in range(small[1]) for k in range(4) for m in range(4)]
    places = [(i, j, k, m) for i, j, k, m in places if 0 <= 2 * i + k - 1 < shape[0] and 0 <= 2 * j + m - 1 < shape[1]]
    net, mirror = down(shape, (3,), "tanh"), to_pixels(shape, (3,))
    x = np.random.default_rng(0).random(shape, np.float32)
    h = np.random.default_rng(1).random((*small, 3), np.float32)
    weight, bias = (p.detach().numpy() for p in net.parameters())  # (out, in, 4, 4)
    back, lift = (p.detach().numpy() for p in mirror.parameters())  # (in, out, 4, 4)
    want, image = np.tile(bias, (*small, 1)), np.tile(lift, (*shape[:2], 1))
    for i, j, k, m in places:
        want[i, j] += weight[:, :, k, m] @ x[2 * i + k - 1, 2 * j + m - 1]
        image[2 * i + k - 1, 2 * j + m - 1] += h[i, j] @ back[:, :, k, m]
    # sums of at most 48 float32 numbers of order one
    np.testing.assert_allclose(net(torch.from_numpy(x.reshape(1, -1))).detach()[0], np.tanh(want).ravel(), atol=1e-5)
    np.testing.assert_allclose(mirror(torch.from_numpy(h.reshape(1, -1))).detach()[0], image.ravel(), atol=1e-5)


def test_convolutions_move_nothing_in_memory():
    net, again = down((8, 8, 1), (3, 2), "relu"), up((8, 8, 1), (3, 2), "relu")
    x = torch.rand(5, 64)
    planes = net.layers(x.reshape(-1, 8, 8, 1).permute(0, 3, 1, 2))
    assert planes.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(planes.permute(0, 2, 3, 1).flatten(1), net(x))
    assert again(net(x)).shape == (5, 4 * 4 * 3)


def test_initial_weights_of_convolutions_are_uniform_within_the_bound_of_what_they_sum():
    model = build(small_config(channels=(40, 50), image_shape=(8, 8)))
    inward, outward = model.encoder.body[0].layers[2], model.decoder.body[-1].layers[0]
    for layer, summed in ((inward, 40 * 16), (outward, 50 * 4)):  # of a transposed kernel 2 x 2 meet in a pixel
        scaled = (layer.weight.detach() * summed**0.5).flatten()
        assert stats.kstest(scaled.numpy(), stats.uniform(-1, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(4, 4), (3, 2, 3)])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_model_may_begin_at_the_mean_image(likelihood, shape):
    config = ModelConfig(latent=2, image_shape=shape, likelihood=likelihood, encoder_layers=(7,), decoder_layers=(5,))
    plain, model = build(config), build(config)
    images = torch.randint(20, 235, (300, *shape), generator=generator(0)).to(torch.uint8)
    mean = images.double().mean(0).flatten() / 255
    start_at(model, images)
    x = torch.rand(6, math.prod(shape), generator=generator(1))
    assert torch.allclose(model.encoder(x).mean, plain.encoder(x - mean.float()).mean, atol=1e-6)
    with torch.no_grad():
        model.decoder.location.weight.zero_()
    assert torch.allclose(model.decoder(torch.randn(3, 2)).mean.double(), mean.expand(3, -1), atol=1e-6)


def test_a_linear_model_begins_at_the_mean_image_as_it_is():
    config = ModelConfig(latent=2, image_shape=(4, 4), encoder_layers=(), decoder_layers=())
    model, images = build(config), torch.full((3, 4, 4), 51, dtype=torch.uint8)
    start_at(model, images)
    assert torch.allclose(model.decoder(torch.zeros(1, 2)).mean, torch.full((1, 16), 0.2))
    assert torch.allclose(
        model.encoder(torch.full((1, 16), 0.2)).mean, build(config).encoder(torch.zeros(1, 16)).mean, atol=1e-6
    )


def test_convolutions_do_not_begin_at_the_mean_image():
    model = build(ModelConfig(channels=(4,), encoder_layers=(8,), decoder_layers=(8,)))
    with pytest.raises(ConfigError, match="only to perceptrons; this model has channels"):
        start_at(model, torch.zeros(2, 28, 28, dtype=torch.uint8))
