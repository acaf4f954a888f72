"""What the mean KL of the bound is made of (Hoffman & Johnson 2016, "ELBO surgery").

    1/N sum_n KL[q(z|x_n) || p(z)]  =  I(n; z)  +  KL[q(z) || p(z)],      q(z) = 1/N sum_n q(z|x_n)
    I(n; z) = 1/N sum_n KL[q(z|x_n) || q(z)]  <=  log N

The first part is what a code says of which image it came from: useful. The second is how far the codes as a whole lie
from the prior: draws from p(z) decode badly where they differ. The bound charges for both alike.

Both are of the empirical distribution of the N images given, for which the identity is exact. With fewer images the
first part is smaller, since it is at most log N, and the second larger. For all images that there could be, the first
is at least what N of them give on average, and at most the mean KL.
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
        mutual_information: I(n; z), from draws.
        mutual_information_error: its standard error.
        marginal_kl: KL[q(z) || p(z)], from the same draws.
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
        """log N, above which no mutual information with the number of an image can be."""
        return math.log(self.images)


def surgery(codes: Codes, draws: int = 2000, seed: int = 0) -> Surgery:
    """Splits the mean KL of the images that codes are of.

    I is the mean of log q(z|x_n) - log q(z) and KL[q(z) || p(z)] that of log q(z) - log p(z), over draws of an image n
    and of z from its q(z|x_n). KL[q(z|x_n) || p(z)], whose mean over all images is known, is a control variate of the
    second.

    Arguments:
        codes: of N images, see `latent.encode`.
        draws: S.
        seed: of the draws.

    Raises:
        DataError: there are no codes.
        ConfigError: draws is not a whole number from 2 to 100,000.
    """
    check_count("The number of draws", draws, 100_000)
    if draws < 2:
        raise ConfigError("The number of draws must be at least 2, for their standard error; it is 1.")
    count = len(codes.mean)
    if not count:
        raise DataError("The mean KL is one of images; there are none.")
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
    """Splits the mean KL of the first images, for several numbers of them: how far the parts depend on how many.

    Arguments:
        codes: of N images.
        sizes: numbers of images, each from 1; those above N are left out.
        draws, seed: as for `surgery`.
    """
    return [surgery(Codes(*(part[:size] for part in codes)), draws, seed) for size in sizes if size <= len(codes.mean)]
