"""A step in slow motion: the same step, and each number against a formula."""

import numpy as np
import pytest
import torch

from tests.toys import numpy_encoder, numpy_log_likelihood, small_model, toy_dataset
from vae.errors import CheckpointError, DivergenceError
from vae.settings.config import LIKELIHOODS, TrainConfig
from vae.training.slowmotion import load_slow_step, save_slow_step, slow_step
from vae.training.trainer import Trainer

TOY = toy_dataset()
KINDS = [
    {}, {"samples": 3, "beta": 0.5}, {"objective": "iwae", "samples": 4}, {"objective": "autoencoder"},
    {"free_bits": 0.1},
]  # fmt: skip


def trainer(likelihood="gaussian", **changes) -> Trainer:
    config = TrainConfig(**{"epochs": 3, "batch_size": 100, "learning_rate": 0.01, **changes})
    made = Trainer(small_model(likelihood=likelihood, log_variance_floor=-2.0), TOY, config)
    made.advance()
    return made


@pytest.mark.parametrize("changes", KINDS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_weights_after_it_are_those_of_an_ordinary_step_bit_for_bit(changes, likelihood):
    slow, plain = trainer(likelihood, **changes), trainer(likelihood, **changes)
    for _ in range(3):
        slow_step(slow)
        plain.advance()
    (tensors, facts), (others, also) = slow.state(), plain.state()
    for clock in ("spent", "seconds"):
        facts.pop(clock), also.pop(clock)
    assert facts == also and tensors.keys() == others.keys()
    assert all(torch.equal(tensors[key], others[key]) for key in tensors)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("changes", KINDS)
def test_it_says_what_happened(changes, likelihood):
    made = trainer(likelihood, **changes, precision="float32")  # which the formulas below are held against
    model = small_model(likelihood=likelihood, log_variance_floor=-2.0)
    model.load_state_dict(made.model.state_dict())  # as it was before the step
    step = slow_step(made)
    assert (step.step, step.images, step.x.shape) == (2, 100, (4, 4))
    x = step.x.reshape(1, 16)
    mean, deviation = numpy_encoder(model, x)
    np.testing.assert_allclose(step.mean, mean[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(step.deviation, deviation[0], rtol=1e-4)
    np.testing.assert_allclose(step.z, step.mean + step.deviation * step.noise, rtol=1e-6, atol=1e-7)
    assert bool(step.noise.any()) == (changes.get("objective") != "autoencoder")
    log_likelihood = numpy_log_likelihood(model, step.z, x)
    np.testing.assert_allclose(step.reconstruction, log_likelihood.mean(), rtol=1e-4)
    p = model.decoder(torch.from_numpy(step.z))
    np.testing.assert_allclose(step.decoded_mean.reshape(-1, 16), p.mean.detach(), rtol=1e-5)
    np.testing.assert_allclose(step.decoded_deviation.reshape(-1, 16), p.stddev.detach(), rtol=1e-5)
    if changes.get("objective") != "autoencoder":
        each = 0.5 * (mean**2 + deviation**2 - 1 - np.log(deviation**2))[0]
        np.testing.assert_allclose(step.kl_by_dimension, each, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(step.kl, each.sum(), rtol=1e-4, atol=1e-6)
    ends = [
        np.concatenate([p.detach().flatten() for p in part.parameters()])
        for part in (model.encoder, made.model.encoder)
    ]
    np.testing.assert_allclose(step.weights[0], np.linalg.norm(ends[0]), rtol=1e-5)
    np.testing.assert_allclose(step.weights_change[0], np.linalg.norm(ends[1] - ends[0]), rtol=1e-4)


@pytest.mark.parametrize("beta", [1.0, 0.5])
def test_the_gradients_are_those_of_finite_differences(beta):
    made = trainer(beta=beta)
    model = small_model(log_variance_floor=-2.0)
    model.load_state_dict(made.model.state_dict())
    step = slow_step(made)

    def loss(mean, deviation):
        z = mean + deviation * step.noise[0].astype(float)
        kl = 0.5 * (mean**2 + deviation**2 - 1 - np.log(deviation**2)).sum()
        return beta * kl - numpy_log_likelihood(model, z, step.x.reshape(1, 16).astype(float))[0]

    at = (step.mean.astype(float), step.deviation.astype(float))
    for which, found in enumerate((step.mean_gradient, step.deviation_gradient)):
        for j in range(2):
            ends = []
            for way in (1e-5, -1e-5):
                moved = [value[None].copy() for value in at]
                moved[which][0, j] += way
                ends.append(loss(*moved))
            # central differences in float64 against float32's backward pass
            np.testing.assert_allclose(found[j], (ends[0] - ends[1]) / 2e-5, rtol=1e-3, atol=1e-4)


def test_a_step_comes_back_from_its_file(tmp_path):
    step = slow_step(trainer())
    assert load_slow_step(tmp_path / "step.npz") is None
    save_slow_step(tmp_path / "step.npz", step)
    again = load_slow_step(tmp_path / "step.npz")
    assert again and all(np.array_equal(a, b) for a, b in zip(step, again, strict=True))
    (tmp_path / "step.npz").write_bytes((tmp_path / "step.npz").read_bytes()[:-50])
    with pytest.raises(CheckpointError, match="damaged"):
        load_slow_step(tmp_path / "step.npz")


def test_a_step_that_diverges_says_so_and_leaves_no_hook():
    made = trainer()
    with torch.no_grad():
        made.model.decoder.location.weight.fill_(float("nan"))
    with pytest.raises(DivergenceError):
        slow_step(made)
    assert not made.model.encoder._forward_hooks and not made.model.decoder._forward_hooks
