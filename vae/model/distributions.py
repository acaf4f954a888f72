"""What `torch.distributions` lacks: sampling with an explicit generator, and likelihoods for the pixels of an image.

A likelihood determines two things that belong together: how pixels are prepared, and which distribution the raw
outputs of a network parametrise:

    gaussian         x = (u + U[0, 1)) / 256        N(x | mu, diag sigma^2), a variance for each value
    gaussian-shared  x = (u + U[0, 1)) / 256        N(x | mu, sigma^2 I), one variance for the image
    bernoulli        x ~ Bernoulli(u / 255)         Bernoulli(x | logits)

u is an image in [0, 255], with one value per pixel in grey and three in colour. With dequantised pixels the log density
of x is a lower bound on the log probability of the 8-bit image (Theis, van den Oord & Bethge 2016). Without the noise,
the density under a free variance would be unbounded, since border pixels are always 0. A Bernoulli is a likelihood of
binary values only, so images are binarised afresh each time.
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
    """Disables the checks of distributions over pixels and latents, in this thread.

    For callers who prepare the pixels themselves and check the result: the checks are a tenth of a training step.
    """
    token = _checked.set(False)
    try:
        yield
    finally:
        _checked.reset(token)


class Gaussian(Normal):
    """N(mean, exp(log_variance)), a normal distribution that stores its log variance.

    Networks output the log variance, and the density needs it: computing it from a standard deviation would cost a
    square and a logarithm per pixel. The standard deviation, `scale`, is computed when it is first accessed.
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
    """A generator that gives the images of a batch every `of`-th of the samples that a plain one gives for all of them.

    Several processes that each hold a share of the images therefore see the same noise as a single process would.

    Attributes:
        place, of: this process holds the images place, place + of, place + 2 of, ...
        images: number of images in the batch.
    """

    place, of, images = 0, 1, 0


class BinaryPixels(Bernoulli):
    """A Bernoulli whose `log_prob` takes a quarter of the time of torch's, which is a large part of a training step."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__(logits=logits, validate_args=_checked.get())

    def expand(self, batch_shape: Any, _instance: Any = None) -> BinaryPixels:
        return BinaryPixels(self.logits.expand(batch_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Returns x l - max(l, 0) - log(1 + exp(-|l|)) for logits l, with the last term exact to 1.2e-7 nats."""
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
    """Returns a new generator, so that torch's global one, which all threads share, is never used.

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

    Without a floor they are only limited to the range of float32: beyond +-80, the sum of 1 / sigma^2 over pixels
    overflows.
    """
    bounded = log_variance.clamp(-80, 80)
    return bounded if floor is None else (bounded.exp() + math.exp(floor)).log().clamp_min(floor)


def softplus(v: Tensor) -> Tensor:
    """Returns log(1 + e^v) as accurately as `torch.nn.functional.softplus`, and five times as fast.

    torch computes log1p one number at a time, but log with vector instructions: this takes log(1 + e^v) of the rounded
    sum and adds a correction for the rounding. The gradient at v = 0 is not correct.
    """
    small = v.abs().neg_().exp_()
    total = 1 + small
    lost = small - (total - 1)
    return v.clamp_min(0) + total.log() + lost / total


def draw(distribution: Distribution, generator: torch.Generator | None, shape: tuple[int, ...] = ()) -> Tensor:
    """Samples from a diagonal normal, z = mu + sigma * eps (reparameterised), or from a Bernoulli over pixels.

    `torch.distributions` samples with the global generator only, which all threads share. The noise is generated on the
    generator's device and moved to that of the distribution: a generator on the CPU gives the same samples on any
    device, and one on a GPU gives different samples, faster.

    Arguments:
        distribution: an `Independent` Normal or Bernoulli with batch shape B and event shape (D,).
        generator: source of the randomness; None for torch's global generator.
        shape: leading sample shape S.

    Returns:
        (*S, *B, D); gradients flow through the mean and the standard deviation of a normal.

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
    raise ConfigError(f"draw supports normal and Bernoulli distributions; it got {type(base).__name__}.")


def prepare_pixels(
    images: Tensor,
    likelihood: Likelihood,
    generator: torch.Generator | None,
    *,
    grey: bool = True,
    dequantised: bool = True,
) -> Tensor:
    """Converts 8-bit images to the pixels over which a likelihood is defined.

    Arguments:
        images: (..., H, W) uint8 in [0, 255], or (..., H, W, 3) in colour.
        likelihood: dequantised for the Gaussians, binarised for the Bernoulli.
        generator: source of the dequantisation or binarisation noise.
        grey: whether the images are grey rather than in colour.
        dequantised: whether the pixels of a Gaussian are (u + U[0, 1)) / 256, as for all models that are trained here,
            or else u / 255.

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
    # float32 has a spacing of 2^-16 at 255, so noise any closer to 1 would round up to the next grey level
    noise = noise_like(u, generator, torch.Tensor.uniform_, 0, 1 - 2**-16)
    return (noise * 255 < u).float() if likelihood == "bernoulli" else (u + noise) / 256


def noise_like(
    like: Tensor, generator: torch.Generator | None, fill: Callable[..., Tensor], *arguments: float
) -> Tensor:
    """Returns noise with the shape, type and device of a tensor (..., B, D), where B counts the images of a batch.

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
    """Returns where noise for a tensor is generated: on the device of the generator."""
    return like.device if generator is None else generator.device


def pixel_deviation(distribution: Distribution) -> Tensor:
    """Returns the standard deviation of each pixel, (..., D), in units of the pixel scale [0, 1]."""
    return distribution.stddev


def bits_per_dimension(log_density: float, likelihood: Likelihood, dimensions: int) -> float:
    """Converts nats per image to bits per dimension (lower is better), where a dimension is one of the D values.

    For the Gaussians it is -(log p(x) - D log 256) / (D log 2), an upper bound on the code length of the 8-bit image
    (Theis et al. 2016), since x = (u + U[0, 1)) / 256; for the Bernoulli, -log p(x) / (D log 2), that of the binary
    image. For grey images these are bits per pixel.

    Arguments:
        log_density: nats per image.
        likelihood: which determines the values that the density is over.
        dimensions: D.
    """
    ceiling = 0.0 if likelihood == "bernoulli" else dimensions * math.log(256)
    return (ceiling - log_density) / (dimensions * math.log(2))


bits_per_pixel = bits_per_dimension  # its former name, from when all images were grey
