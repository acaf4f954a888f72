"""The model: an encoder and a decoder whose `forward` returns a distribution.

    z ~ p(z) = N(0, I)                                    prior
    x ~ p(x|z) = N(x | mu_x(z), diag sigma_x^2(z))        decoder
    q(z|x) = N(z | mu_z(x), diag sigma_z^2(x))            encoder, the recognition model

Kingma & Welling (2013), with a learned variance for each pixel; a pixel in colour has three values, each with its own.
Event dimensions are part of both distributions, so `log_prob` gives one number per image and the objective is written
in code as it is on paper.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vae.data import said_size
from vae.errors import ConfigError, DataError
from vae.model.distributions import BinaryPixels, diagonal_normal, floored, generator, prepare_pixels, standard_normal
from vae.model.nets import down, halved, mlp, to_pixels, up
from vae.settings import ImportedConfig, ModelConfig

__all__ = ["MOST_WEIGHTS", "VAE", "Decoder", "Encoder", "build", "count_weights", "start_at"]

MOST_WEIGHTS = 200_000_000  # 0.8 GB, and four times that while Adam trains them
_BATCH = 256  # images summed at once


class Encoder(nn.Module):
    """q(z|x), a diagonal Gaussian over the latents of an image."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        inputs = config.channels[-1] * _smallest(config) if config.channels else config.pixels
        self.body = mlp(inputs, config.encoder_layers, config.activation)
        if config.channels:
            self.body.insert(0, down(config.planes, config.channels, config.activation))
        self.head = nn.Linear((inputs, *config.encoder_layers)[-1], 2 * config.latent)

    def forward(self, x: Tensor) -> Independent:
        """Returns q(z|x), event shape (J,), for pixels (..., D) in [0, 1]."""
        mean, log_variance = self.head(self.body(x)).to(x.dtype).chunk(2, -1)
        # an image unlike the training images can drive both beyond the range of float32
        return diagonal_normal(mean.clamp(-1e4, 1e4), log_variance.clamp(-30, 12))


class Decoder(nn.Module):
    """p(x|z) over the D values of an image.

    With hidden layers the mean passes through a sigmoid, since pixels are in [0, 1]. Without them the decoder is
    linear and its variance is a parameter, so that log p(x) has a closed form.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        layers = config.decoder_layers
        if config.channels:
            layers += (config.channels[-1] * _smallest(config),)
        self.body = mlp(config.latent, layers, config.activation)
        width = (config.latent, *layers)[-1]
        if config.channels:
            self.body.append(up(config.planes, config.channels, config.activation))
            width = config.channels[0] * math.prod(halved(config.planes, 1))

        def outputs(count: int) -> nn.Module:
            if config.channels and count == config.pixels:
                return to_pixels(config.planes, config.channels)
            return nn.Linear(width, count)

        self.location = outputs(config.pixels)
        self.log_variance: nn.Module | nn.Parameter | None = None
        if variances := {"gaussian": config.pixels, "gaussian-shared": 1, "bernoulli": 0}[config.likelihood]:
            self.log_variance = nn.Parameter(torch.zeros(variances)) if config.linear else outputs(variances)

    def forward(self, z: Tensor) -> Distribution:
        """Returns p(x|z), event shape (D,), for latents (..., J)."""
        h = self.body(z)
        location = self.location(h).to(
            z.dtype
        )  # under autocast the networks may be less precise, but the density is not
        if self.log_variance is None:
            return Independent(BinaryPixels(logits=location), 1)
        raw = self.log_variance(h) if isinstance(self.log_variance, nn.Module) else self.log_variance
        mean = location if self.config.linear else location.sigmoid()
        return diagonal_normal(mean, floored(raw.to(z.dtype), self.config.log_variance_floor))

    def mean(self, z: Tensor) -> Tensor:
        """Returns E[x|z] (..., D) alone, for latents (..., J), in a third of the time of `forward`."""
        location = self.location(self.body(z)).to(z.dtype)
        return location if self.config.linear and self.config.likelihood != "bernoulli" else location.sigmoid()


class VAE(nn.Module):
    """A prior, a decoder and an encoder, with the config from which they were built.

    Example:
        >>> model = build(ModelConfig(latent=3, encoder_layers=(8,), decoder_layers=(8,)))
        >>> model.decoder(torch.zeros(5, 3)).mean.shape
        torch.Size([5, 784])
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, config: ModelConfig | ImportedConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.config = config

    @property
    def prior(self) -> Independent:
        """p(z) = N(0, I)."""
        return standard_normal(self.config.latent, self.device)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next((weight.device for weight in self.parameters()), torch.device("cpu"))

    def decoded_mean(self, z: Tensor) -> Tensor:
        """Returns only the mean E[x|z], (..., D), for latents (..., J)."""
        return self.decoder.mean(z)  # type: ignore[operator]

    def pixels(self, images: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """Converts images to the pixels (..., D) in [0, 1] over which this model's likelihood is defined.

        Arguments:
            images: (..., H, W) uint8, or (..., H, W, 3) for a model of images in colour.
            noise: source of the dequantisation or binarisation noise; None for torch's global generator.

        Raises:
            DataError: the images are not uint8, or not of the model's size.
        """
        shape = self.config.image_shape
        if tuple(images.shape[-len(shape) :]) != shape:
            raise DataError(
                f"The images must be {said_size(shape)}, the size of the model; they have the shape "
                f"{tuple(images.shape)}."
            )
        dequantised = isinstance(self.config, ModelConfig) or self.config.dequantised
        return prepare_pixels(images, self.config.likelihood, noise, grey=self.config.grey, dequantised=dequantised)


def count_weights(config: ModelConfig) -> int:
    """Returns how many weights a model would have, without building it."""
    return sum(p.numel() for p in _planned(config).parameters())


def _planned(config: ModelConfig) -> VAE:
    with torch.device("meta"):
        return VAE(Encoder(config), Decoder(config), config)


def build(config: ModelConfig, seed: int = 0) -> VAE:
    """Builds an untrained model, with weights and biases uniform in +-1/sqrt(number of inputs to an output).

    Arguments:
        config: what the model is.
        seed: of the initial weights; torch's global generator is not touched.

    Raises:
        ConfigError: the seed is invalid, or the model has more than `MOST_WEIGHTS` weights.
    """
    model = _planned(config)
    if (weights := sum(p.numel() for p in model.parameters())) > MOST_WEIGHTS:
        raise ConfigError(
            f"A model may have at most {MOST_WEIGHTS:,} weights; this one has {weights:,}. Choose narrower layers."
        )
    model.to_empty(device="cpu")
    source = generator(seed)
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                bound = _summed(part) ** -0.5
                for values in part.parameters():
                    values.uniform_(-bound, bound, generator=source)
            elif isinstance(part, Decoder) and isinstance(part.log_variance, nn.Parameter):
                part.log_variance.zero_()
    return model


@torch.no_grad()
def start_at(model: VAE, images: Tensor) -> None:
    """Sets biases so that an untrained perceptron starts at the mean m of images (N, H, W) or (N, H, W, 3), uint8.

    The encoder's first layer sees x - m, b' = b - W m, and the decoder's mean starts near m, with last bias
    log m / (1 - m), or m for a linear decoder.

    Raises:
        ConfigError: the model is convolutional, so that its biases do not belong to pixels.
    """
    if not isinstance(model.config, ModelConfig) or model.config.channels:
        raise ConfigError(
            "initial mean-image applies only to perceptrons; this model has channels. Choose initial random."
        )
    sums = sum(
        part.sum(0, dtype=torch.int64) for part in images.split(1000)
    )  # so that the whole set is never converted at once
    assert isinstance(sums, Tensor)
    mean = (sums.double() / len(images)).float().flatten() / 255
    mean = mean.to(model.device)
    first = next(part for part in model.encoder.modules() if isinstance(part, nn.Linear))
    first.bias.sub_(first.weight @ mean)
    assert isinstance(model.decoder, Decoder)
    bias = model.decoder.location.bias
    assert isinstance(bias, Tensor)
    bias.copy_(mean if model.config.linear else torch.logit(mean, 1e-3))


def _summed(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Returns the number of inputs that an output sums."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    window = layer.in_channels * math.prod(layer.kernel_size)
    return window if isinstance(layer, nn.Conv2d) else window / math.prod(layer.stride)


def _smallest(config: ModelConfig) -> int:
    """Returns the number of pixels of an image after all convolutions."""
    return math.prod(halved(config.planes, len(config.channels)))
