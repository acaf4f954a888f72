"""Is an image odd? Images that are none of a data set's, and how well a score such as log p(x) tells them apart.

The density of a deep generative model is a poor detector: images of another kind can score higher than those that it
learned from (Nalisnick, Matsukawa, Teh, Gorur & Lakshminarayanan 2019), simple ones above all (Serrà et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.errors import ConfigError, DataError
from vae.model import generator

__all__ = ["ODDITIES", "Oddity", "auroc", "auroc_error", "odd"]

Array = NDArray[Any]
Oddity = Literal["black", "dim", "mirrored", "upside_down", "shifted", "noisy", "scrambled", "inverted", "noise"]
ODDITIES: tuple[Oddity, ...] = get_args(Oddity)
SHIFT = 3  # pixels, down and to the right
NOISE = 20.0  # standard deviation, of the grey values 0 to 255


def odd(images: Tensor, kind: Oddity, seed: int = 0) -> Tensor:
    """Makes odd images of ordinary ones.

    Arguments:
        images: (N, H, W) or (N, H, W, 3) uint8 in [0, 255].
        kind: "black": nothing but background; "dim": half as bright; "mirrored": left is right; "upside_down";
            "shifted": 3 pixels down and to the right, what leaves the image comes in at the other side; "noisy": with
            Gaussian noise of 20 greys; "scrambled": values in another order, the same for all; "inverted": white is
            black; "noise": each value uniform.
        seed: of what is drawn.

    Returns:
        uint8, of the shape of the images.

    Raises:
        ConfigError: there is no such kind.
        DataError: the images are neither (N, H, W) nor (N, H, W, 3) uint8.
    """
    if kind not in ODDITIES:
        raise ConfigError(f"Odd images are one of {', '.join(ODDITIES)}; {kind!r} is not.")
    if images.dtype != torch.uint8 or not (images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)):
        raise DataError(
            f"Images must be (N, H, W) or (N, H, W, 3) uint8; these are {tuple(images.shape)} {images.dtype}."
        )
    noise = generator(seed)

    def noisy() -> Tensor:
        grey = images + NOISE * torch.randn(images.shape, generator=noise)
        return grey.round().clamp(0, 255).to(torch.uint8)

    def scrambled() -> Tensor:
        order = torch.randperm(images[0].numel(), generator=noise)
        return images.flatten(1)[:, order].view_as(images)

    makers: dict[Oddity, Callable[[], Tensor]] = {
        "black": lambda: torch.zeros_like(images),
        "dim": lambda: images // 2,
        "mirrored": lambda: images.flip(2),
        "upside_down": lambda: images.flip(1),
        "shifted": lambda: images.roll((SHIFT, SHIFT), (1, 2)),
        "noisy": noisy,
        "scrambled": scrambled,
        "inverted": lambda: 255 - images,
        "noise": lambda: torch.randint(0, 256, images.shape, generator=noise, dtype=torch.uint8),
    }
    return makers[kind]()


def auroc(ordinary: Array, odd: Array) -> float:
    """Returns the probability that an ordinary image scores higher than an odd one, ties counting half.

    It is the area under the receiver operating characteristic (Hanley & McNeil 1982): 1 for a perfect detector, 1/2 for
    one that knows nothing, below 1/2 where the odd ones score higher.

    Arguments:
        ordinary: (N,) scores.
        odd: (M,) scores.

    Raises:
        DataError: there are none of either, or a score is not a number.
    """
    if not len(ordinary) or not len(odd) or np.isnan(ordinary).any() or np.isnan(odd).any():
        raise DataError("Scores of both kinds are needed, and all must be numbers.")
    ranked = np.sort(odd)
    below = np.searchsorted(ranked, ordinary, "left").mean()
    not_above = np.searchsorted(ranked, ordinary, "right").mean()
    return float(below + not_above) / (2 * len(odd))


def auroc_error(ordinary: Array, odd: Array) -> float:
    """Returns the standard error of `auroc` where the odd images were made of the ordinary ones, over the N images.

    With V_n the share of odd images that ordinary image n scores higher than, and W_n the share of ordinary images that
    score higher than odd image n, ties counting half (DeLong, DeLong & Clarke-Pearson 1988),

        error^2 = variance of (V_n + W_n) / N,

    which takes in that the two scores of an image go together.

    Arguments:
        ordinary: (N,) scores.
        odd: (N,) scores, the n-th of the image that was made of the n-th ordinary one.

    Raises:
        DataError: there are fewer than two images, the numbers of scores differ, or a score is not a number.
    """
    if len(ordinary) != len(odd) or len(odd) < 2 or np.isnan(ordinary).any() or np.isnan(odd).any():
        raise DataError(
            f"The error needs two scores of each of at least two images, and all must be numbers; there are "
            f"{len(ordinary)} scores of ordinary images and {len(odd)} of odd ones."
        )
    higher = (ordinary[:, None] > odd) + 0.5 * (ordinary[:, None] == odd)
    return float((higher.mean(1) + higher.mean(0)).std(ddof=1) / np.sqrt(len(odd)))
