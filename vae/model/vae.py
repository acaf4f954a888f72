"""The model: an encoder and a decoder whose `forward` returns a distribution.

    z ~ p(z) = N(0, I)                                    prior
    x ~ p(x|z) = N(x | mu_x(z), diag sigma_x^2(z))        decoder
    q(z|x) = N(z | mu_z(x), diag sigma_z^2(x))            encoder, the recognition model

Kingma & Welling (2013), with the variance of each pixel learned; a pixel in colour has three values, each with its own.
Both event dimensions are inside, so `log_prob` gives one number per image and the objective reads as it is written.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vae.errors import ConfigError, DataError
from vae.model.distributions import BinaryPixels, diagonal_normal, floored, generator, prepare_pixels, standard_normal
from vae.model.nets import down, halved, mlp, to_pixels, up
from vae.settings import ImportedConfig, ModelConfig

__all__ = ["MOST_WEIGHTS", "VAE", "Decoder", "Encoder", "build", "count_weights", "start_at"]

MOST_WEIGHTS = 200_000_000  # 0.8 GB, and four times that while Adam trains them
_BATCH = 256  # images added up at once


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
        # an image unlike any that was learned from can drive both beyond what float32 can hold
        return diagonal_normal(mean.clamp(-1e4, 1e4), log_variance.clamp(-30, 12))


class Decoder(nn.Module):
    """p(x|z) over the D values of an image.

    With hidden layers the mean goes through a sigmoid, since pixels lie in [0, 1]. Without them the decoder is
    linear and its variance a parameter, so that log p(x) is known in closed form.
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
        location = self.location(h).to(z.dtype)  # under autocast the nets may be coarser, the density is not
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
    """A prior, a decoder and an encoder, and the config they were built from.

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
        """Where the weights are."""
        return next((weight.device for weight in self.parameters()), torch.device("cpu"))

    def decoded_mean(self, z: Tensor) -> Tensor:
        """Returns E[x|z] (..., D) alone, for latents (..., J)."""
        return self.decoder.mean(z)  # type: ignore[operator]

    def pixels(self, images: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """Returns images as the pixels (..., D) in [0, 1] that this model's likelihood is over.

        Arguments:
            images: (..., H, W) uint8, or (..., H, W, 3) for a model of images in colour.
            noise: source of the dequantisation or binarisation noise; None for torch's global generator.

        Raises:
            DataError: the images are not uint8, or not of the model's size.
        """
        shape = self.config.image_shape
        if tuple(images.shape[-len(shape) :]) != shape:
            want, came = (" x ".join(map(str, each)) for each in (shape, images.shape[-len(shape) :]))
            raise DataError(f"The images must be {want} pixels, as the model is; they are {came or 'single numbers'}.")
        dequantised = isinstance(self.config, ModelConfig) or self.config.dequantised
        return prepare_pixels(images, self.config.likelihood, noise, grey=self.config.grey, dequantised=dequantised)


def count_weights(config: ModelConfig) -> int:
    """Returns how many weights a model would have, without making it."""
    return sum(p.numel() for p in _planned(config).parameters())


def _planned(config: ModelConfig) -> VAE:
    with torch.device("meta"):
        return VAE(Encoder(config), Decoder(config), config)


def build(config: ModelConfig, seed: int = 0) -> VAE:
    """Makes an untrained model, its weights uniform in +-1/sqrt(inputs that an output sums), biases too.

    Arguments:
        config: what the model is.
        seed: of the initial weights; torch's global generator is not touched.

    Raises:
        ConfigError: the seed is not one, or the model has more than `MOST_WEIGHTS` weights.
    """
    model = _planned(config)
    if (weights := sum(p.numel() for p in model.parameters())) > MOST_WEIGHTS:
        raise ConfigError(f"A model has at most {MOST_WEIGHTS:,} weights; this has {weights:,}. Take narrower layers.")
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
    """Sets biases so that an untrained perceptron begins at the mean image m of these (N, H, W) or (N, H, W, 3) uint8.

    The encoder's first layer sees x - m, b' = b - W m, and the decoder's mean begins near m, its last bias at
    log m / (1 - m); a linear decoder's at m.

    Raises:
        ConfigError: the model is convolutional, whose biases are not by pixel.
    """
    if not isinstance(model.config, ModelConfig) or model.config.channels:
        raise ConfigError("initial mean-image is for perceptrons; this model has channels. Choose initial random.")
    sums = sum(part.sum(0, dtype=torch.int64) for part in images.split(1000))  # never all of them in another type
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
    """Returns how many inputs an output sums."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    window = layer.in_channels * math.prod(layer.kernel_size)
    return window if isinstance(layer, nn.Conv2d) else window / math.prod(layer.stride)


def _smallest(config: ModelConfig) -> int:
    """Returns how many pixels an image has after all convolutions."""
    return math.prod(halved(config.planes, len(config.channels)))
