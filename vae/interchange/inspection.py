"""`inspect`: a VAE from a script or a notebook, stored so that the explorer and every estimator can use it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from vae.data import imports, load_dataset, stored
from vae.errors import ConfigError, VAEError
from vae.interchange.bring import PLAIN, Pixels, bring, keep, scored, told_kl
from vae.interchange.found import Found, Gives, found
from vae.interchange.own_images import check_replaceable, draft, shaped
from vae.model import Record, check_name, save
from vae.settings import refuse_taken

__all__ = ["Spread", "inspect"]

Spread = Literal["log variance", "variance", "standard deviation"]
SPREADS: dict[Spread, Callable[[Tensor], Tensor]] = {
    "log variance": lambda given: given,
    "variance": torch.Tensor.log,
    "standard deviation": lambda given: 2 * given.log(),
}
LIKELIHOODS = ("bernoulli", "gaussian")


def inspect(
    encoder: Callable[[Tensor], Any],
    decoder: Callable[[Tensor], Any],
    images: Any,
    labels: Any = None,
    *,
    likelihood: Literal["bernoulli", "gaussian"],
    name: str,
    sigma: float | None = None,
    pixels: Pixels = PLAIN,
    encoder_gives: Spread | None = None,
    decoder_gives: Gives | None = None,
    classes: Sequence[str] = (),
    overwrite: bool = False,
) -> Record:
    """Stores a VAE that was trained elsewhere as a model of this library, in a form that contains no code.

    It prints what could be inferred from the networks, and the command that opens the explorer with the model.

    Arguments:
        encoder: a module or a function from images to q(z|x): a mean and its log variance or standard deviation, as two
            tensors (N, J), or one of `torch.distributions`. The images are passed as (N, 1, H, W), (N, 3, H, W), (N,
            D), (N, H, W) or (N, H, W, 3), whichever it accepts first.
        decoder: a module or a function from z (N, J) to p(x|z): probabilities or logits of binary pixels, or the mean
            of a Gaussian, alone or with its log variance, or one of `torch.distributions`.
        images: to explore, (N, H, W), (N, 1, H, W), (N, H, W, 3) or (N, 3, H, W), 8-bit or in [0, 1]; a tenth of
            them is held out. Or the name of a data set, such as "mnist".
        labels: (N,) whole numbers, one per image.
        likelihood: "bernoulli" for binary pixels, or "gaussian".
        name: of the model, and of the data set that its images become.
        sigma: standard deviation of a Gaussian whose decoder returns only the mean, in units of pixels in [0, 1]. A
            decoder that was trained by the mean squared error has none of its own: by default it is the best value
            for the images.
        pixels: that the networks take; see `Pixels`.
        encoder_gives: meaning of the encoder's second tensor; inferred if not given.
        decoder_gives: output of the decoder; inferred if not given.
        classes: names of the labels 0, 1, ...
        overwrite: whether an existing model of that name may be replaced, and a data set that was created with one. If
            anything fails, nothing is changed.

    Returns:
        The record of the model.

    Raises:
        ConfigError: a network cannot be recorded, or its output does not match what was said about it.
        CheckpointError: the networks do not match each other, or the name is invalid or taken.
        DataError: the images or labels do not have this form, or there is another data set of that name.

    Example::

        vae.inspect(net.encode, net.decode, images, likelihood="bernoulli", name="mine")
    """
    check_name(name)
    if not overwrite:
        refuse_taken(name, "overwrite=True")
    if likelihood not in LIKELIHOODS:
        raise ConfigError(f"likelihood must be one of {', '.join(LIKELIHOODS)}; it is {likelihood!r}.")
    said: list[str] = []
    encoder, decoder = _still(encoder), _still(decoder)
    source = images if isinstance(images, str) else shaped(images)
    if not isinstance(source, str):
        check_replaceable(name, overwrite)
    sample = load_dataset(source).train.images[:500] if isinstance(source, str) else torch.from_numpy(source[:500])
    shape = tuple(sample.shape[1:])
    x = _seen(sample, pixels)
    arranged = _arrangement(encoder, x, shape)
    spread = encoder_gives or _told_spread(encoder(arranged(x)))
    said.append(f"The encoder takes images as {_of(arranged(x))}, and returns a mean and a {spread}.")

    def encoded(flat: Tensor) -> tuple[Tensor, Tensor]:
        mean, second = _mean_and_second(encoder(arranged(flat)))
        return mean.flatten(1), SPREADS[spread](second.flatten(1))

    z = encoded(x)[0]
    gives = decoder_gives or _told_gives(_first(decoder, z), likelihood)
    if (gives in ("probabilities", "logits")) != (likelihood == "bernoulli"):
        raise ConfigError(f"A {likelihood} likelihood is not possible with a decoder that returns {gives}.")
    said.append(f"The decoder returns {gives}.")

    def decoded(codes: Tensor) -> tuple[Tensor, ...]:
        return tuple(_flat(each, shape) for each in _parameters(decoder(codes), gives))

    networks: Found = found(encoded, decoded, z.shape[1], shape, gives, "a script")
    told_kl(bring(networks, sample, pixels, sigma), sample)  # before anything is stored
    if isinstance(source, str):
        record, more = keep(networks, name, load_dataset(source), pixels, sigma, overwrite=overwrite)
    else:
        with (
            draft(source, labels, classes) as given,
            imports.written_aside(given, name) as (card, aside),
        ):
            model, record, more = scored(networks, name, stored.load(card, aside), pixels, sigma)
            check_replaceable(name, overwrite)  # a set of this name may have been created meanwhile
            with stored.in_place(aside, name):
                save(model, record, overwrite=overwrite)
        said += card.warnings
    said += [*more, f"To explore it: vae app --model {name}"]
    print("\n".join(said))
    return record


def _still(network: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    """Returns a network in evaluation mode: a copy of a module, on the CPU."""
    owner = getattr(network, "__self__", None)
    if isinstance(network, nn.Module):
        return copy.deepcopy(network).cpu().eval()
    if isinstance(owner, nn.Module):  # net.encode of a network
        return getattr(copy.deepcopy(owner).cpu().eval(), network.__name__)
    return network


def _first(decoder: Callable[[Tensor], Any], z: Tensor) -> Any:
    """Returns the output of a decoder for z.

    Raises:
        ConfigError: it does not accept z.
    """
    try:
        return decoder(z)
    except Exception as error:  # a network may raise anything for input that it does not accept
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"The decoder must accept z of {z.shape[1]} dimensions, which the encoder returns; this one does not "
            f"({reason:.160}). Wrap it in a function that does."
        ) from error


def _seen(images: Tensor, pixels: Pixels) -> Tensor:
    """Returns images (N, ...) uint8 as a network sees them, flat."""
    return (images.flatten(1).float() / 255 - pixels.mean) / pixels.deviation


def _arrangement(encoder: Callable[[Tensor], Any], x: Tensor, shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
    """Finds the first arrangement of flat images that an encoder accepts."""
    height, width = shape[:2]
    ways: list[Callable[[Tensor], Tensor]] = (
        [lambda flat: flat.reshape(-1, 1, height, width)]
        if len(shape) == 2
        else [lambda flat: flat.reshape(-1, height, width, 3).permute(0, 3, 1, 2)]
    )
    ways += [lambda flat: flat, lambda flat: flat.reshape(-1, *shape)]
    reasons = []
    for way in ways:
        try:
            with torch.no_grad():
                mean, second = _mean_and_second(encoder(way(x)))
            if len(mean) == len(second) == len(x) and mean.flatten(1).shape == second.flatten(1).shape:
                return way
            reasons.append(f"for {_of(way(x))} it returns {tuple(mean.shape)} and {tuple(second.shape)}")
        except VAEError:
            raise
        except Exception as error:  # a network may raise anything for input that it does not accept
            reasons.append(f"{_of(way(x))}: {' '.join(str(error).split()):.100}")
    raise ConfigError(
        f"The encoder does not accept images in any of the usual forms ({'; '.join(reasons)}). Wrap it in a function."
    )


def _of(x: Tensor) -> str:
    return f"(N, {', '.join(map(str, x.shape[1:]))})"


def _mean_and_second(given: Any) -> tuple[Tensor, Tensor]:
    if isinstance(given, Independent):
        given = given.base_dist
    if isinstance(given, Normal):
        return given.loc, given.scale
    if isinstance(given, Distribution):
        raise ConfigError(f"q(z|x) must be a diagonal Gaussian; the encoder returns a {type(given).__name__}.")
    if isinstance(given, dict):
        given = tuple(given.values())
    if isinstance(given, (tuple, list)) and len(given) == 2 and all(isinstance(each, Tensor) for each in given):
        return given[0], given[1]
    came = f"{len(given)} values" if isinstance(given, (tuple, list)) else f"one {type(given).__name__}"
    raise ConfigError(
        "The encoder must return the mean and the log variance of q(z|x), two tensors without a sample of z, or a "
        "Normal; "
        f"it returns {came}. Wrap it in a function that does."
    )


def _told_spread(given: Any) -> Spread:
    """Infers what comes with the mean: a standard deviation is never negative, but log variances often are."""
    if isinstance(given, Distribution):
        return "standard deviation"
    return "standard deviation" if bool((_mean_and_second(given)[1] > 0).all()) else "log variance"


def _told_gives(given: Any, likelihood: str) -> Gives:
    if isinstance(given, Independent):
        given = given.base_dist
    if isinstance(given, Bernoulli):
        return "logits"
    if isinstance(given, Normal) or (isinstance(given, (tuple, list)) and len(given) >= 2 and likelihood == "gaussian"):
        return "mean and log variance"
    if likelihood == "gaussian":
        return "mean"
    values = given[0] if isinstance(given, (tuple, list)) else given
    return "probabilities" if bool(((values >= 0) & (values <= 1)).all()) else "logits"


def _parameters(given: Any, gives: Gives) -> tuple[Tensor, ...]:
    if isinstance(given, Independent):
        given = given.base_dist
    if isinstance(given, Bernoulli):
        return (given.logits if gives == "logits" else given.probs,)
    if isinstance(given, Normal):
        return (given.loc, 2 * given.scale.log().expand(given.loc.shape))[: 1 if gives == "mean" else 2]
    values = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if gives != "mean and log variance":
        return values[:1]
    return values[0], values[1].expand(values[0].shape)


def _flat(values: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Returns the output of a decoder as rows of pixels, row by row, the channels of a pixel adjacent."""
    if len(shape) == 3 and values.ndim == 4 and values.shape[1] == 3 and tuple(values.shape[1:]) != shape:
        values = values.permute(0, 2, 3, 1)
    return values.flatten(1)
