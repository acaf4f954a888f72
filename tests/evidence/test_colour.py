"""Images in colour: the same values laid out as grey images, with weights to match, have the same evidence."""

import math

import numpy as np
import pytest
import torch

from tests.toys import numpy_encoder, numpy_log_likelihood, small_model, toy_split
from vae.evidence import evaluation, exact_evidence, gaps, naive_monte_carlo, thermodynamic_path
from vae.model import LIKELIHOODS, VAE, generator

pytestmark = pytest.mark.slow

SHAPE = (3, 4, 3)
D = math.prod(SHAPE)
ORDER = torch.arange(D).reshape(SHAPE).permute(0, 2, 1).flatten()  # each row red, then green, then blue: 3 x 12 in grey
FLOAT32 = {"rtol": 1e-5, "atol": 2e-4}  # nats: 36 terms of order 10 are added up in another order


def pair(likelihood: str, **changes: object) -> tuple[VAE, torch.Tensor, VAE, torch.Tensor]:
    """A model of images in colour with three images for it, and the model of the same images laid out in grey."""
    settings = {"likelihood": likelihood, "activation": "silu", "log_variance_floor": -3.0, **changes}
    colour, grey = (small_model(image_shape=shape, **settings) for shape in (SHAPE, (SHAPE[0], 3 * SHAPE[1])))
    weights = colour.state_dict()
    for key, value in weights.items():
        if key == ("encoder.body.0.0.weight" if colour.config.encoder_layers else "encoder.head.weight"):
            weights[key] = value[:, ORDER]
        elif key.startswith(("decoder.location", "decoder.log_variance")) and len(value) == D:
            weights[key] = value[ORDER]
    grey.load_state_dict(weights)
    x = colour.pixels(toy_split(3, SHAPE).images, generator(0))
    return colour, x, grey, x[:, ORDER].contiguous()


def test_a_flat_image_is_row_by_row_the_channels_of_a_pixel_together() -> None:
    image = torch.arange(D, dtype=torch.uint8).reshape(1, *SHAPE)
    flat = (small_model(image_shape=SHAPE).pixels(image, generator(0)) * 256).floor()[0]
    for row, column, channel in [(0, 0, 0), (0, 0, 2), (0, 1, 0), (1, 0, 0), (2, 3, 1)]:
        assert flat[(row * SHAPE[1] + column) * 3 + channel] == image[0, row, column, channel]


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("layers", [(), (8,)])
def test_the_densities_are_over_all_values(likelihood: str, layers: tuple[int, ...]) -> None:
    model, x, *_ = pair(likelihood, encoder_layers=layers, decoder_layers=layers)
    z = torch.randn(3, 2, generator=generator(1))
    p, q = model.decoder(z), model.encoder(x).base_dist
    assert p.event_shape == (D,)
    want = numpy_log_likelihood(model, z.numpy(), x.numpy())
    np.testing.assert_allclose(p.log_prob(x).detach().numpy(), want, **FLOAT32)
    mean, deviation = numpy_encoder(model, x.numpy())
    np.testing.assert_allclose(q.mean.detach().numpy(), mean, atol=1e-5)
    np.testing.assert_allclose(q.stddev.detach().numpy(), deviation, atol=1e-5)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize(
    ("method", "samples", "steps"),
    [("naive", 300, None), ("elbo", 20, None), ("importance", 200, None), ("ais", 4, 20), ("exact", None, None)],
)
def test_every_estimator_says_the_same_of_colour_and_of_grey(
    likelihood: str, method: str, samples: int | None, steps: int | None
) -> None:
    colour, x, grey, y = pair(likelihood)
    of_colour, of_grey = (
        evaluation.evaluate(model, images, method, samples=samples, steps=steps, generator=generator(3))[0]
        for model, images in ((colour, x), (grey, y))
    )
    np.testing.assert_allclose(of_colour.value, of_grey.value, **FLOAT32)
    if method != "exact":
        np.testing.assert_allclose(of_colour.standard_error, of_grey.standard_error, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_exact_evidence_is_that_of_many_draws(likelihood: str) -> None:
    model, x, *_ = pair(likelihood)
    truth, drawn = exact_evidence(model, x), naive_monte_carlo(model, x, 200_000, generator(0))
    assert ((drawn.value - truth.value).abs() < 5 * drawn.standard_error + 1e-3).all()


def test_the_refined_bound_and_the_thermodynamic_path_are_the_same() -> None:
    colour, x, grey, y = pair("gaussian")
    refined = [next(gaps.refine(model, one[:1], generator=generator(0))) for model, one in ((colour, x), (grey, y))]
    np.testing.assert_allclose(refined[0].elbo, refined[1].elbo, **FLOAT32)
    betas = np.linspace(0, 1, 5)
    paths = [thermodynamic_path(model, one[:1], betas, base="prior") for model, one in ((colour, x), (grey, y))]
    np.testing.assert_allclose(paths[0].log_z, paths[1].log_z, **FLOAT32)
