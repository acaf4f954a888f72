"""Small models and data sets that the tests make for themselves."""

import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch.nn.functional import softplus

from vae.data.datasets import Dataset, Split
from vae.model.distributions import generator
from vae.model.vae import VAE, Decoder, Encoder, build
from vae.settings.config import ModelConfig

SMALL: dict[str, Any] = {"latent": 2, "encoder_layers": (8,), "decoder_layers": (8,), "image_shape": (4, 4)}

LAYERS = """
latent = 3
image = [28, 28]
likelihood = "bernoulli"
[encoder]
layers = ["fc1", "relu"]
mean = "fc21"
log_variance = "fc22"
[decoder]
layers = ["fc3", "relu", "fc4", "sigmoid"]
"""  # of a state dict of PyTorch's own VAE example


def small_config(**changes: Any) -> ModelConfig:
    return ModelConfig(**{**SMALL, **changes})


def small_model(seed: int = 0, **changes: Any) -> VAE:
    """An untrained model of 16 pixels, in evaluation mode."""
    return build(small_config(**changes), seed).eval()


def toy(images: int = 4, **changes: Any) -> tuple[VAE, torch.Tensor]:
    """A small model, and pixels for it."""
    model = small_model(**changes)
    return model, model.pixels(toy_split(images).images, generator(0))


def linear_model(latent: int, likelihood: str = "gaussian", wide: float = 1.0) -> tuple[VAE, Any, torch.Tensor]:
    """A linear decoder with a dense W, its p(x) from scipy, and four images of that.

    The encoder has the posterior's mean and `wide` times its deviations.
    """
    layers = {"encoder_layers": (), "decoder_layers": (), "log_variance_floor": None}
    model = small_model(likelihood=likelihood, latent=latent, image_shape=(5, 5), **layers)
    rng = np.random.default_rng(latent)
    w, b = rng.standard_normal((25, latent)) * 0.3 / math.sqrt(latent), rng.uniform(0, 1, 25)
    log_psi = np.full(1, -2.0) if likelihood == "gaussian-shared" else rng.uniform(-3, -1, 25)
    psi = np.broadcast_to(np.exp(log_psi), 25)
    covariance = np.linalg.inv(np.eye(latent) + (w / psi[:, None]).T @ w)
    to_mean = covariance @ (w / psi[:, None]).T
    bias = np.concatenate([-to_mean @ b, np.log(wide**2 * np.diag(covariance))])
    with torch.no_grad():
        model.decoder.location.weight.copy_(torch.from_numpy(w))
        model.decoder.location.bias.copy_(torch.from_numpy(b))
        model.decoder.log_variance.copy_(torch.from_numpy(log_psi))
        model.encoder.head.weight.zero_()[:latent].copy_(torch.from_numpy(to_mean))
        model.encoder.head.bias.copy_(torch.from_numpy(bias))
    truth = stats.multivariate_normal(b, w @ w.T + np.diag(psi))
    return model, truth, torch.from_numpy(truth.rvs(4, random_state=3)).float()


def follows_its_generator(values: Callable[[torch.Generator], torch.Tensor]) -> None:
    """Checks that the same seed gives the same values, another one others, and that torch's own generator rests."""
    before = torch.get_rng_state()
    first, again, other = (values(generator(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def toy_split(count: int, shape: tuple[int, ...] = (4, 4), seed: int = 0) -> Split:
    """Images of a soft blob whose place has two dimensions, so that there is something for two latents to learn.

    In colour, (H, W, 3), it is red on the left and blue on the right.
    """
    places = torch.rand(count, 2, 1, 1, generator=torch.Generator().manual_seed(seed))
    rows, columns = torch.meshgrid(*(torch.linspace(0, 1, size) for size in shape[:2]), indexing="ij")
    distance = (rows - places[:, 0]) ** 2 + (columns - places[:, 1]) ** 2
    light = 255 * torch.exp(-4 * math.pi * distance)
    if len(shape) == 3:
        across = places[:, 1, :, :, None]
        light = light[..., None] * torch.cat([1 - across, 0.3 + 0 * across, across], 3)
    images = light.round().to(torch.uint8)
    return Split(images, torch.zeros(count, dtype=torch.long))


def toy_dataset(
    train: int = 256, test: int = 64, shape: tuple[int, ...] = (4, 4), name: str = "mnist-sample"
) -> Dataset:
    """A data set in memory; it goes by a name that the library knows."""
    splits = toy_split(train, shape, 1), toy_split(test, shape, 2)
    checksum = hashlib.sha256(splits[0].images.numpy().tobytes()).hexdigest()
    return Dataset(name, *splits, ("blob",), checksum)


def float32_bound(p: Any, x: torch.Tensor, likely: bool = False) -> torch.Tensor:
    """Returns by how much log p(x|z) may be off where float32 adds it up, whatever the order, (S, B) nats.

    A sum of n products is off by at most gamma_n = n u / (1 - n u) of the sum of their magnitudes, u = 2^-24 (Higham
    2002, section 3.1). Errors that do not all point one way leave a few times sqrt(n) u of it (Higham & Mary 2019).

    Arguments:
        p: decoded distributions (S,) over D pixels, `Independent`; what they were decoded with is not counted.
        x: (B, D).
        likely: gives 4 sqrt(n) u instead of gamma_n.
    """
    base, x = p.base_dist, x.double()
    if isinstance(base, torch.distributions.Bernoulli):
        logits = base.logits.double()
        size = logits.abs() @ x.T + softplus(logits).sum(-1, keepdim=True)
    else:
        mean, log_variance = base.loc.double(), base.log_variance.double()
        precision = (-log_variance).exp()
        own = mean.square() * precision + log_variance.abs() + math.log(2 * math.pi)
        size = precision @ (0.5 * x.square()).T + (mean * precision).abs() @ x.abs().T + 0.5 * own.sum(-1, keepdim=True)
    n, u = x.shape[1] + 8, 2.0**-24  # 8 roundings make a term of its parts, and add up the sums
    return size * (4 * math.sqrt(n) * u if likely else n * u / (1 - n * u))


# The model again, in numpy and float64, for an independent truth.

_ACTIVATIONS = {"relu": lambda h: np.maximum(h, 0), "tanh": np.tanh, "silu": lambda h: h / (1 + np.exp(-h))}


def _hidden(
    part: Encoder | Decoder, layers: int, activation: str, h: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What comes out of the hidden layers, and the weights of the whole part."""
    weights = {key: value.detach().double().numpy() for key, value in part.state_dict().items()}
    for i in range(layers):
        h = _ACTIVATIONS[activation](h @ weights[f"body.{i}.0.weight"].T + weights[f"body.{i}.0.bias"])
    return h, weights


def numpy_encoder(model: VAE, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of q(z|x), (B, J) each."""
    h, weights = _hidden(model.encoder, len(model.config.encoder_layers), model.config.activation, x)
    mean, log_variance = np.split(h @ weights["head.weight"].T + weights["head.bias"], 2, axis=-1)
    return mean, np.exp(log_variance / 2)


def numpy_log_likelihood(model: VAE, z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """log p(x|z) in nats, latents (..., J) and pixels (..., D) broadcast against each other."""
    config = model.config
    h, weights = _hidden(model.decoder, len(config.decoder_layers), config.activation, z)
    location = h @ weights["location.weight"].T + weights["location.bias"]
    mean = location if config.linear and config.likelihood != "bernoulli" else 1 / (1 + np.exp(-location))
    if config.likelihood == "bernoulli":
        return np.where(x > 0.5, np.log(mean), np.log1p(-mean)).sum(-1)
    raw, floor = weights.get("log_variance"), config.log_variance_floor
    if raw is None:
        raw = h @ weights["log_variance.weight"].T + weights["log_variance.bias"]
    variance = np.exp(raw if floor is None else floor + np.logaddexp(0, raw - floor))
    return stats.norm(mean, np.sqrt(np.broadcast_to(variance, mean.shape))).logpdf(x).sum(-1)
