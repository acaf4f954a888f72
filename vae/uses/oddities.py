"""Anomaly detection: unusual images made from ordinary ones, and how well a score such as log p(x) detects them.

The density of a deep generative model is a poor detector: images of another kind can score higher than the training
images (Nalisnick, Matsukawa, Teh, Gorur & Lakshminarayanan 2019), especially simple ones (Serrà et al. 2020).
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
NOISE = 20.0  # standard deviation, in grey levels from 0 to 255


def odd(images: Tensor, kind: Oddity, seed: int = 0) -> Tensor:
    """Makes unusual images from ordinary ones.

    Arguments:
        images: (N, H, W) or (N, H, W, 3) uint8 in [0, 255].
        kind: "black": nothing but background; "dim": half as bright; "mirrored": left and right swapped; "upside_down";
            "shifted": 3 pixels down and to the right, with wrap-around; "noisy": with Gaussian noise of 20 grey levels;
            "scrambled": values permuted, the same way for all; "inverted": black and white swapped; "noise": each
            value uniform.
        seed: of the random numbers.

    Returns:
        uint8, of the shape of the images.

    Raises:
        ConfigError: there is no such kind.
        DataError: the images are neither (N, H, W) nor (N, H, W, 3) uint8.
    """
    if kind not in ODDITIES:
        raise ConfigError(f"kind must be one of {', '.join(ODDITIES)}; it is {kind!r}.")
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
    """Returns the probability that an ordinary image scores higher than an odd one, with ties counting half.

    It is the area under the receiver operating characteristic curve (Hanley & McNeil 1982): 1 for a perfect detector,
    1/2 for an uninformative one, below 1/2 if the odd images score higher.

    Arguments:
        ordinary: (N,) scores.
        odd: (M,) scores.

    Raises:
        DataError: there are no scores of one kind, or a score is NaN.
    """
    if not len(ordinary) or not len(odd) or np.isnan(ordinary).any() or np.isnan(odd).any():
        raise DataError("Scores of both kinds of image are needed, and none may be NaN.")
    ranked = np.sort(odd)
    below = np.searchsorted(ranked, ordinary, "left").mean()
    not_above = np.searchsorted(ranked, ordinary, "right").mean()
    return float(below + not_above) / (2 * len(odd))


def auroc_error(ordinary: Array, odd: Array) -> float:
    """Returns the standard error of `auroc` if the odd images were made from the ordinary ones, over the N images.

    With V_n the fraction of odd images that ordinary image n scores higher than, and W_n the fraction of ordinary
    images that score higher than odd image n, ties counting half (DeLong, DeLong & Clarke-Pearson 1988),

        error^2 = variance of (V_n + W_n) / N,

    which accounts for the correlation between the two scores of an image.

    Arguments:
        ordinary: (N,) scores.
        odd: (N,) scores, the n-th that of the image made from the n-th ordinary one.

    Raises:
        DataError: there are fewer than two images, the numbers of scores differ, or a score is NaN.
    """
    if len(ordinary) != len(odd) or len(odd) < 2 or np.isnan(ordinary).any() or np.isnan(odd).any():
        raise DataError(
            f"The error needs two scores of each of at least two images, and none may be NaN; there are "
            f"{len(ordinary)} scores of ordinary images and {len(odd)} of odd ones."
        )
    higher = (ordinary[:, None] > odd) + 0.5 * (ordinary[:, None] == odd)
    return float((higher.mean(1) + higher.mean(0)).std(ddof=1) / np.sqrt(len(odd)))
