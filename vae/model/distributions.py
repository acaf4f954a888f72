"""What `torch.distributions` lacks: draws from an explicit generator, and the likelihoods of an image's pixels.

A likelihood says two things that belong together, how it wants its pixels and which distribution a network's raw
outputs stand for:

    gaussian         x = (u + U[0, 1)) / 256        N(x | mu, diag sigma^2), a variance for each value
    gaussian-shared  x = (u + U[0, 1)) / 256        N(x | mu, sigma^2 I), one variance for the image
    bernoulli        x ~ Bernoulli(u / 255)         Bernoulli(x | logits)

u is an image in [0, 255], one value for each pixel in grey and three in colour. Dequantised pixels make the density of
x a lower bound on the probability of the 8-bit image (Theis, van den Oord & Bethge 2016); without the noise a free
variance has no upper bound, since border pixels are always 0. A Bernoulli is a likelihood of binary values only, so
images are binarised afresh at each draw.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Independent, Normal, constraints
from torch.distributions.utils import lazy_property

from vae.errors import ConfigError, DataError
from vae.settings import Likelihood

__all__ = [
    "BinaryPixels",
    "Gaussian",
    "Share",
    "bits_per_dimension",
    "bits_per_pixel",
    "diagonal_normal",
    "draw",
    "floored",
    "generator",
    "noise_like",
    "pixel_deviation",
    "prepare_pixels",
    "softplus",
    "standard_normal",
    "unchecked",
]

LOG_2_PI = math.log(2 * math.pi)
_checked: ContextVar[bool | None] = ContextVar("checked", default=None)  # None leaves it to torch


@contextlib.contextmanager
def unchecked() -> Iterator[None]:
    """Lets distributions over pixels and latents take whatever comes, in this thread.

    For a caller who draws the pixels itself and looks at the result: the checks are a tenth of a training step.
    """
    token = _checked.set(False)
    try:
        yield
    finally:
        _checked.reset(token)


class Gaussian(Normal):
    """N(mean, exp(log_variance)), a normal that keeps its log variance.

    A network gives the log variance and a density wants it: worked out from a deviation, it would cost a square and a
    logarithm for each pixel. The deviation, `scale`, is worked out when it is first asked for.
    """

    arg_constraints: ClassVar = {"loc": constraints.real, "log_variance": constraints.real}  # type: ignore[misc]

    def __init__(self, mean: Tensor, log_variance: Tensor) -> None:
        self.loc, self.log_variance = torch.broadcast_tensors(mean, log_variance)
        Distribution.__init__(self, self.loc.shape, validate_args=_checked.get())

    @lazy_property
    def scale(self) -> Tensor:
        return (0.5 * self.log_variance).exp()

    def expand(self, batch_shape: Any, _instance: Any = None) -> Gaussian:
        return Gaussian(self.loc.expand(batch_shape), self.log_variance.expand(batch_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -0.5 * ((value - self.loc).square() * (-self.log_variance).exp() + self.log_variance + LOG_2_PI)


class Share(torch.Generator):
    """A generator whose draws for the images of a batch are every `of`-th of those that a plain one gives for them all.

    So several processes that have each a share of the images see the noise that one would, seed for seed.

    Attributes:
        place, of: the images place, place + of, place + 2 of, ... are this process's.
        images: how many there are in the batch.
    """

    place, of, images = 0, 1, 0


class BinaryPixels(Bernoulli):
    """A Bernoulli whose log probability takes a quarter of the time of torch's, which is much of a training step."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__(logits=logits, validate_args=_checked.get())

    def expand(self, batch_shape: Any, _instance: Any = None) -> BinaryPixels:
        return BinaryPixels(self.logits.expand(batch_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Returns x l - max(l, 0) - log(1 + exp(-|l|)) for logits l, whose last term is within 1.2e-7 nats."""
        if self._validate_args:
            self._validate_sample(value)
        return _BinaryLogProb.apply(value, self.logits)


class _BinaryLogProb(torch.autograd.Function):
    """The log probability of binary pixels, whose gradient in the logits l is x - sigmoid(l)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, logits: Tensor) -> Tensor:
        ctx.save_for_backward(x, logits)
        positive = logits.relu()
        tail = (logits - 2 * positive).exp_().add_(1).log_()
        return (x * logits).sub_(positive).sub_(tail)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, logits = ctx.saved_tensors
        in_x = (slope * logits).sum_to_size(x.shape) if ctx.needs_input_grad[0] else None
        in_logits = (slope * (x - logits.sigmoid())).sum_to_size(logits.shape) if ctx.needs_input_grad[1] else None
        return in_x, in_logits


def generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Returns a generator of its own, so that no draw touches torch's global one (threads share that).

    Raises:
        ConfigError: the seed is not a whole number from 0 to 2^63 - 1.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise ConfigError(f"A seed must be a whole number from 0 to 2^63 - 1; it is {seed!r}.")
    return torch.Generator(device).manual_seed(seed)


def diagonal_normal(mean: Tensor, log_variance: Tensor) -> Independent:
    """Returns N(mean, diag exp(log_variance)) over the last dimension.

    Arguments:
        mean: (..., D).
        log_variance: broadcast against mean, in nats.
    """
    return Independent(Gaussian(mean, log_variance), 1)


def standard_normal(size: int, device: torch.device | str = "cpu") -> Independent:
    """Returns the prior N(0, I) over `size` dimensions."""
    return diagonal_normal(torch.zeros(size, device=device), torch.zeros(size, device=device))


def floored(log_variance: Tensor, floor: float | None) -> Tensor:
    """Keeps log variances above a floor, smoothly: log(e^v + e^floor).

    They are otherwise as they come, but for what float32 can hold: beyond +-80, 1 / sigma^2 summed over pixels is
    not a number.
    """
    bounded = log_variance.clamp(-80, 80)
    return bounded if floor is None else (bounded.exp() + math.exp(floor)).log().clamp_min(floor)


def softplus(v: Tensor) -> Tensor:
    """Returns log(1 + e^v) as exactly as `torch.nn.functional.softplus`, and five times as fast.

    torch works out log1p number by number, but log with vector instructions: log(1 + e) is taken of the rounded sum,
    and what rounding took from it is added. The gradient at v = 0 is not the right one.
    """
    small = v.abs().neg_().exp_()
    total = 1 + small
    lost = small - (total - 1)
    return v.clamp_min(0) + total.log() + lost / total


def draw(distribution: Distribution, generator: torch.Generator | None, shape: tuple[int, ...] = ()) -> Tensor:
    """Draws from a diagonal normal, z = mu + sigma * eps (reparameterised), or from a Bernoulli over pixels.

    `torch.distributions` draws from the global generator only, which all threads share. The noise is made where the
    generator is, and carried to where the distribution is: a generator on the CPU gives the same draws on any device,
    one on a GPU gives that GPU's draws quicker.

    Arguments:
        distribution: an `Independent` Normal or Bernoulli with batch shape B and event shape (D,).
        generator: where the randomness comes from; None for torch's global generator.
        shape: sample shape S in front.

    Returns:
        (*S, *B, D); gradients flow through a normal's mean and deviation.

    Raises:
        ConfigError: the distribution is neither.
    """
    base = distribution.base_dist if isinstance(distribution, Independent) else distribution
    if isinstance(base, Normal):
        mean = base.loc.expand(shape + base.loc.shape)
        return mean + base.scale * noise_like(mean, generator, torch.Tensor.normal_)
    if isinstance(base, Bernoulli):
        probs = base.probs.expand(shape + base.probs.shape)
        return torch.bernoulli(probs.to(_source(probs, generator)), generator=generator).to(probs.device)
    raise ConfigError(f"draw knows normal and Bernoulli distributions; it got {type(base).__name__}.")


def prepare_pixels(
    images: Tensor,
    likelihood: Likelihood,
    generator: torch.Generator | None,
    *,
    grey: bool = True,
    dequantised: bool = True,
) -> Tensor:
    """Turns 8-bit images into the pixels that a likelihood is a density of.

    Arguments:
        images: (..., H, W) uint8 in [0, 255], or (..., H, W, 3) in colour.
        likelihood: dequantised for the Gaussians, binarised for the Bernoulli.
        generator: source of the dequantisation or binarisation noise.
        grey: whether the images are grey, and not in colour.
        dequantised: whether a Gaussian's pixels are (u + U[0, 1)) / 256, as those of all models that are trained here;
            else they are u / 255.

    Returns:
        (..., D) float32 in [0, 1], row by row, the channels of a pixel together.

    Raises:
        DataError: the images are not uint8.
    """
    if images.dtype != torch.uint8:
        raise DataError(f"Images must be uint8 in [0, 255]; these are {images.dtype}. Scale and round them first.")
    u = images.flatten(-2 if grey else -3).float()
    if likelihood != "bernoulli" and not dequantised:
        return u / 255
    # float32 steps by 2^-16 at 255, so noise any nearer to 1 would round up into the next grey
    noise = noise_like(u, generator, torch.Tensor.uniform_, 0, 1 - 2**-16)
    return (noise * 255 < u).float() if likelihood == "bernoulli" else (u + noise) / 256


def noise_like(
    like: Tensor, generator: torch.Generator | None, fill: Callable[..., Tensor], *arguments: float
) -> Tensor:
    """Returns noise of the shape, kind and device of a tensor (..., B, D), of which the images of a batch are B.

    Arguments:
        like: the tensor.
        generator: source of the noise, on any device; None for torch's global generator.
        fill: `torch.Tensor.normal_` or `torch.Tensor.uniform_`, called with the arguments.
    """
    at = _source(like, generator)
    if isinstance(generator, Share):
        whole = like.new_empty(*like.shape[:-2], generator.images, like.shape[-1], device=at)
        return fill(whole, *arguments, generator=generator)[..., generator.place :: generator.of, :].to(like.device)
    return fill(torch.empty_like(like, device=at), *arguments, generator=generator).to(like.device)


def _source(like: Tensor, generator: torch.Generator | None) -> torch.device:
    """Returns where noise for a tensor is made: on the device of the generator."""
    return like.device if generator is None else generator.device


def pixel_deviation(distribution: Distribution) -> Tensor:
    """Returns sigma of each pixel, (..., D), in units of the pixel scale [0, 1]."""
    return distribution.stddev


def bits_per_dimension(log_density: float, likelihood: Likelihood, dimensions: int) -> float:
    """Converts nats per image to bits per dimension, lower is better: a dimension is one of the D values of an image.

    For the Gaussians -(log p(x) - D log 256) / (D log 2), the code length of the 8-bit image that the density of
    x = (u + U[0, 1)) / 256 bounds (Theis et al. 2016); for the Bernoulli -log p(x) / (D log 2), of the binary one.
    Of grey images these are bits per pixel.

    Arguments:
        log_density: nats for one image.
        likelihood: which values the density is of.
        dimensions: D.
    """
    ceiling = 0.0 if likelihood == "bernoulli" else dimensions * math.log(256)
    return (ceiling - log_density) / (dimensions * math.log(2))


bits_per_pixel = bits_per_dimension  # what it was called when all images were grey
