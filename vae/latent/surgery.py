"""The parts of the mean KL in the bound (Hoffman & Johnson 2016, "ELBO surgery").

    1/N sum_n KL[q(z|x_n) || p(z)]  =  I(n; z)  +  KL[q(z) || p(z)],      q(z) = 1/N sum_n q(z|x_n)
    I(n; z) = 1/N sum_n KL[q(z|x_n) || q(z)]  <=  log N

The first part is the information that a code carries about which image it came from: useful. The second measures how
far the codes as a whole are from the prior: where they differ, samples from p(z) decode badly. The bound penalises both
alike.

Both refer to the empirical distribution of the N given images, for which the identity is exact. With fewer images the
first part is smaller, since it is at most log N, and the second larger. For the distribution of all possible images,
the first is at least the average over sets of N of them, and at most the mean KL.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from vae.errors import ConfigError, DataError
from vae.evidence import check_count
from vae.latent.aggregate import log_density, prior_log_density
from vae.latent.codes import Codes
from vae.model import generator

__all__ = ["Surgery", "growth", "surgery"]

Array = NDArray[Any]


class Surgery(NamedTuple):
    """The two parts of the mean KL of N images, nats.

    Attributes:
        images: N.
        mean_kl: 1/N sum_n KL[q(z|x_n) || p(z)], in closed form.
        mutual_information: I(n; z), estimated from samples.
        mutual_information_error: its standard error.
        marginal_kl: KL[q(z) || p(z)], from the same samples.
        marginal_kl_error: its standard error.
    """

    images: int
    mean_kl: float
    mutual_information: float
    mutual_information_error: float
    marginal_kl: float
    marginal_kl_error: float

    @property
    def ceiling(self) -> float:
        """log N, the upper bound on the mutual information with the index of an image."""
        return math.log(self.images)


def surgery(codes: Codes, draws: int = 2000, seed: int = 0) -> Surgery:
    """Splits the mean KL of the images with the given codes.

    I is the mean of log q(z|x_n) - log q(z), and KL[q(z) || p(z)] that of log q(z) - log p(z), over samples of an image
    n and of z from its q(z|x_n). KL[q(z|x_n) || p(z)], whose mean over all images is known, serves as a control variate
    for the second.

    Arguments:
        codes: of N images, see `latent.encode`.
        draws: S, number of samples.
        seed: of the samples.

    Raises:
        DataError: there are no codes.
        ConfigError: draws is not a whole number from 2 to 100,000.
    """
    check_count("The number of samples", draws, 100_000)
    if draws < 2:
        raise ConfigError("The number of samples must be at least 2, for a standard error; it is 1.")
    count = len(codes.mean)
    if not count:
        raise DataError("The mean KL needs at least one image; there are none.")
    noise = generator(seed)
    rows = torch.randint(count, (draws,), generator=noise).numpy()
    eps = torch.randn(draws, codes.mean.shape[1], generator=noise, dtype=torch.float64).numpy()
    deviation = codes.deviation[rows].astype(np.float64)
    z = codes.mean[rows] + deviation * eps
    own = -0.5 * (eps * eps).sum(1) - np.log(deviation).sum(1) - 0.5 * eps.shape[1] * math.log(2 * math.pi)
    log_q = log_density(codes, z)
    kl = codes.kl.sum(1, dtype=np.float64)
    information = own - log_q
    marginal = log_q - prior_log_density(z) - (kl[rows] - kl.mean())
    means = (float(values.mean()) for values in (kl, information, marginal))
    errors = [float(values.std(ddof=1)) / math.sqrt(draws) for values in (information, marginal)]
    mean_kl, first, second = means
    return Surgery(count, mean_kl, first, errors[0], second, errors[1])


def growth(codes: Codes, sizes: Sequence[int], draws: int = 2000, seed: int = 0) -> list[Surgery]:
    """Splits the mean KL of the first images, for several numbers of them, to show how the parts depend on the number.

    Arguments:
        codes: of N images.
        sizes: numbers of images, at least 1; those above N are left out.
        draws, seed: as for `surgery`.
    """
    return [surgery(Codes(*(part[:size] for part in codes)), draws, seed) for size in sizes if size <= len(codes.mean)]
