"""A VAE of this library, made of networks from elsewhere and of what their owner says about pixels and likelihood.

    probabilities, logits      p(x|z) = Bernoulli(x | logits) over binary pixels; grey ones are binarised
    mean                       p(x|z) = N(x | mu(z), sigma^2 I), sigma given, or the best for training images
    mean and log variance      p(x|z) = N(x | mu(z), diag sigma^2(z))

A network that takes pixels as (x - m) / s gets them in that form, and its output is converted back, mu = m + s mu' and
log sigma^2 = log sigma'^2 + 2 log s, so that every density here is over pixels in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vae.data import Dataset, said_size
from vae.errors import ConfigError, DataError
from vae.interchange.found import Found
from vae.latent import ALL_COLLAPSED, encode, held_out_figures
from vae.model import VAE, Graph, ImportedConfig, Record, assemble, capture, draw, generator, save

__all__ = ["PLAIN", "Pixels", "best_deviation", "bring", "keep", "scored", "told_kl"]

MOST_FITTED = 10_000  # training images from whose residuals sigma is fitted
_BATCH, _TOLD = 500, 1000  # images
_MANY_NATS = 50  # of KL per latent dimension, more than any learned posterior has


class Pixels(NamedTuple):
    """The pixels that a network from elsewhere takes.

    Attributes:
        mean, deviation: its input is (x - mean) / deviation for x in [0, 1]; (0.5, 0.5) is the interval [-1, 1].
        dequantised: whether x is (u + U[0, 1)) / 256 for the 8-bit u, so that log p(x) bounds the probability of the
            8-bit image, or else u / 255. Binary pixels are sampled from u / 255 in either case.
    """

    mean: float = 0.0
    deviation: float = 1.0
    dequantised: bool = True


PLAIN = Pixels()


def bring(found: Found, images: Tensor, pixels: Pixels = PLAIN, sigma: float | None = None) -> VAE:
    """Makes a VAE.

    Arguments:
        found: the networks, and the kind of output of the decoder.
        images: (N, H, W) or (N, H, W, 3) uint8, training images; for sigma, and to check that the networks accept them.
        pixels: that the networks take.
        sigma: standard deviation of a Gaussian whose decoder returns only the mean, in units of pixels in [0, 1]; by
            default the one that maximises the ELBO of the images, sigma^2 = mean of (x - mu(z))^2 with z ~ q(z|x).

    Returns:
        The model. Its standard deviation is `model.decoder(z).stddev`.

    Raises:
        CheckpointError: the networks do not match each other.
        ConfigError: pixels or sigma are out of range, or sigma is given although the decoder has its own.
        DataError: the images are not of the size that the networks take.
    """
    if not (math.isfinite(pixels.mean) and 0 < pixels.deviation < math.inf):
        raise ConfigError(
            f"Pixels must be standardised by a mean and a standard deviation above 0; these are {pixels[:2]}."
        )
    if sigma is not None and (found.gives != "mean" or not 1e-4 <= sigma <= 10):
        raise ConfigError(
            "sigma must be from 0.0001 to 10 in units of pixels in [0, 1], for a decoder that returns only the mean; "
            f"it is {sigma!r}, and this decoder returns {found.gives}."
        )
    if tuple(images.shape[1:]) != found.image_shape or not len(images):
        came = said_size(tuple(images.shape[1:])) if len(images) else "none"
        raise DataError(
            f"The images must be {said_size(found.image_shape)}, the size of the networks; they are {came}."
        )
    shared = found.gives == "mean"
    config = ImportedConfig(
        latent=found.latent, likelihood="gaussian-shared" if shared else found.likelihood,
        image_shape=found.image_shape, dequantised=pixels.dequantised, origin=found.source,
    )  # fmt: skip
    encoder = _standardised(found.encoder, pixels, config.pixels)
    decoder = _DECODERS[found.gives](found.decoder, pixels, config.latent)
    first = 0.0 if sigma is None else 2 * math.log(sigma)
    model = assemble(config, encoder, decoder, torch.tensor([first]) if shared else None)
    if shared and sigma is None:
        best = best_deviation(model, images[:MOST_FITTED])
        model = assemble(config, encoder, decoder, torch.tensor([2 * math.log(best)]))
    return model


def keep(
    found: Found,
    name: str,
    dataset: Dataset,
    pixels: Pixels = PLAIN,
    sigma: float | None = None,
    *,
    overwrite: bool = False,
) -> tuple[Record, list[str]]:
    """Makes a VAE as `bring` does, evaluates it on held-out images, and saves it.

    Arguments:
        found, pixels, sigma: see `bring`.
        name: of the model.
        dataset: to show the model with; unless sigma is given, it is fitted to its training images.
        overwrite: whether an existing model of that name may be replaced.

    Returns:
        The record of the model, and messages about it, in sentences.

    Raises:
        CheckpointError, ConfigError, DataError: as for `bring` and `vae.save`.
        ConfigError: the posteriors are so far from the prior that something must be wrong.
    """
    model, record, says = scored(found, name, dataset, pixels, sigma)
    save(model, record, overwrite=overwrite)
    return record, says


def scored(
    found: Found, name: str, dataset: Dataset, pixels: Pixels = PLAIN, sigma: float | None = None
) -> tuple[VAE, Record, list[str]]:
    """Makes a VAE and evaluates it as `keep` does, without saving it.

    Returns:
        The model, its record, and messages about it, in sentences.

    Raises:
        CheckpointError, ConfigError, DataError: as for `keep`.
    """
    model = bring(found, dataset.train.images, pixels, sigma)
    shown = dataset.test.images[:_TOLD]
    says = [told_kl(model, shown)]
    if found.likelihood == "bernoulli" and bool(((shown > 0) & (shown < 255)).any()):
        says.append(
            "The likelihood is for binary pixels, but the images are not binary: each pixel is set to 1 with "
            "probability u / 255, where u is its 8-bit value, and to 0 otherwise."
        )
    if found.gives == "mean":
        value = float(model.decoder(torch.zeros(1, model.config.latent)).stddev[0, 0])
        says.append(
            f"sigma of p(x|z) is {value:.4f}, the best for the images."
            if sigma is None
            else f"sigma of p(x|z) is {value:.4f}."
        )
    record = Record(
        name=name, model=model.config, images=dataset.name, data_checksum=dataset.checksum,
        held_out=held_out_figures(model, dataset),
    )  # fmt: skip
    says.append(f"The held-out ELBO is {record.held_out['elbo']:,.1f} nats per image.")
    return model, record, says


def told_kl(model: VAE, images: Tensor) -> str:
    """Describes how far the posteriors of images are from the prior, and whether they have collapsed to it.

    Raises:
        ConfigError: they are so far that something must be wrong.
    """
    kl = encode(model, images).kl
    mean = float(kl.sum(1).mean())
    amount = f"{mean:.1f}" if mean >= 1 else f"{mean:.2g}"
    told = f"KL[q(z|x) || p(z)] is {amount} nats per image over {kl.shape[1]} dimensions."
    if not kl.mean() < _MANY_NATS:
        raise ConfigError(
            f"{told} No learned posterior is so far from the prior: state what comes with the mean (a log variance or "
            "a standard "
            "deviation), or which pixels the encoder takes."
        )
    if mean < ALL_COLLAPSED:
        return (
            f"{told} That is below {ALL_COLLAPSED:g} nats: the posterior has collapsed to the prior, so z contains "
            "almost no information about x."
        )
    return told


@torch.inference_mode()
def best_deviation(model: VAE, images: Tensor) -> float:
    """Returns the sigma that maximises the ELBO, the root mean square of x - mu(z) over pixels and z ~ q(z|x).

    Arguments:
        model: its p(x|z) is N(x | mu(z), sigma^2 I), with any sigma.
        images: (N, H, W) or (N, H, W, 3) uint8.
    """
    noise, total = generator(0), 0.0
    for part in images.split(_BATCH):
        x = model.pixels(part, noise)
        z = draw(model.encoder(x), noise)
        total += float((x - model.decoder(z).mean).double().square().sum())
    return max(math.sqrt(total / (len(images) * model.config.pixels)), 1e-4)


def _standardised(encoder: Graph, pixels: Pixels, inputs: int) -> Graph:
    if pixels[:2] == (0, 1):
        return encoder
    return _rewritten(lambda x: encoder((x - pixels.mean) / pixels.deviation), inputs)


def _logits(decoder: Graph, pixels: Pixels, latent: int) -> Graph:
    return decoder


def _probabilities(decoder: Graph, pixels: Pixels, latent: int) -> Graph:
    """Returns the decoder without the sigmoid at its end, so that no logit is lost to rounding, or the logit of it."""
    bare = _without_sigmoid(decoder)
    return bare or _rewritten(lambda z: decoder(z)[0].clamp(1e-7, 1 - 1e-7).logit(), latent)


def _mean(decoder: Graph, pixels: Pixels, latent: int) -> Graph:
    if pixels[:2] == (0, 1):
        return decoder
    return _rewritten(lambda z: decoder(z)[0] * pixels.deviation + pixels.mean, latent)


def _mean_and_log_variance(decoder: Graph, pixels: Pixels, latent: int) -> Graph:
    if pixels[:2] == (0, 1):
        return decoder

    def turned(z: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = decoder(z)
        return mean * pixels.deviation + pixels.mean, log_variance + 2 * math.log(pixels.deviation)

    return _rewritten(turned, latent)


_DECODERS: dict[str, Callable[[Graph, Pixels, int], Graph]] = {
    "logits": _logits,
    "probabilities": _probabilities,
    "mean": _mean,
    "mean and log variance": _mean_and_log_variance,
}


def _rewritten(network: Callable[[Tensor], Tensor | tuple[Tensor, ...]], inputs: int) -> Graph:
    return capture(network, torch.rand(7, inputs, generator=generator(0)))


def _without_sigmoid(graph: Graph) -> Graph | None:
    """Returns a graph that gives the input of the sigmoid at the end of this one, or None if there is none."""
    moves = {"view", "_unsafe_view", "permute", "clone", "alias", "squeeze.dim", "squeeze.dims", "unsqueeze"}
    place = graph.outputs[0].get("node", 0)
    while place:
        name, arguments, _ = graph.nodes[place - 1]
        if name == "sigmoid":
            nodes = list(graph.nodes)
            nodes[place - 1] = ["alias", arguments, {}]
            return Graph(nodes, graph.outputs, list(graph.weights))
        if name not in moves:
            return None
        place = arguments[0].get("node", 0)
    return None
