"""Importance sampling of the evidence log p(x) with the encoder as its proposal, in nats per image.

    IWAE         log 1/K sum_k w_k,    w_k = p(x, z_k) / q(z_k|x),  z_k ~ q(z|x)    Burda, Grosse & Salakhutdinov (2016)
    jackknife    K IWAE_K - (K - 1) 1/K sum_i IWAE_(K-1) without w_i                 Nowozin (2018)

The bound increases with K from the ELBO to log p(x), slowly if q misses a mode or is too narrow: a few weights then
dominate the sum. The effective sample size and k-hat reveal that as far as the samples do. Memory is constant in K.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae.errors import ConfigError
from vae.evidence.checks import check_count, check_pixels
from vae.evidence.estimates import Estimate, Progress, decoding, log_sums, part_of
from vae.evidence.tails import pareto_k
from vae.model import VAE, double_device, draw, in_double, quick_products, room, shrinking, unchecked

__all__ = ["CHUNK", "GROUP", "MOST_FITTED", "Jackknife", "importance_sampling", "importance_sampling_path"]

MOST_FITTED = 10_000  # log weights per image to which k-hat is fitted
CHUNK = 1024  # latents decoded at once; with 4096, 784-200-200 took 2.2 times as long (1 MB of cache per core)
GROUP = 256  # images whose log weights are held at once: 10 MB
TOP = 32  # largest weights, which the jackknife stores individually; any other is below 1/33 of the sum
POWERS = 9  # of the other weights; the series is truncated at (1/33)^9 = 2e-14


def importance_sampling(
    model: VAE,
    x: Tensor,
    samples: int,
    generator: torch.Generator | None = None,
    *,
    jackknife: bool = False,
    progress: Progress | None = None,
) -> Estimate:
    """Estimates log p(x) = log 1/K sum_k p(x, z_k) / q(z_k|x) with K samples from q(z|x) of each image.

    Arguments:
        model: the VAE.
        x: (B, D) pixels, as returned by `VAE.pixels`.
        samples: K.
        generator: source of the randomness.
        jackknife: corrects the bias of order 1/K; the value is then no longer a bound on log p(x), and noisier.
        progress: called with the completed fraction after each chunk of samples.

    Returns:
        The estimate, with its effective sample size and k-hat. Without the jackknife its expectation lies below
        log p(x). The standard error is computed from the samples themselves (delta method), so it is too small if k-hat
        is above 0.7. k-hat is fitted to the first `MOST_FITTED` log weights of each image.

    Raises:
        ConfigError: samples is not a whole number from 1 (2 with the jackknife) to `MOST_SAMPLES`.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    check_pixels(model, x)
    check_count("The number of samples", samples)
    done: list[Estimate] = []
    group = room(model.device, GROUP, 16 * min(samples, MOST_FITTED))
    for part in x.split(group):
        told = part_of(progress, len(done) * group / len(x), len(part) / len(x))
        done += importance_sampling_path(model, part, (samples,), generator, jackknife=jackknife, progress=told)
    value, error, ess, k_hat = (
        torch.cat([getattr(estimate, name) for estimate in done])
        for name in ("value", "standard_error", "ess", "k_hat")
    )
    seconds = sum(estimate.seconds for estimate in done)
    return Estimate(value, error, samples, samples * len(x), seconds, ess, k_hat)


@torch.inference_mode()
def importance_sampling_path(
    model: VAE,
    x: Tensor,
    sizes: Sequence[int],
    generator: torch.Generator | None = None,
    *,
    jackknife: bool = False,
    progress: Progress | None = None,
) -> Iterator[Estimate]:
    """Yields importance sampling at each of several numbers of samples, along one stream of samples.

    Arguments:
        model, x, generator, jackknife, progress: as for `importance_sampling`; up to `MOST_FITTED` log weights are
            stored per image, 40 kB.
        sizes: numbers of samples K, increasing.
    """
    check_pixels(model, x)
    for size in sizes:
        check_count("The number of samples", size)
    if any(a >= b for a, b in pairwise(sizes)):
        raise ConfigError(f"sizes must increase; they are {tuple(sizes)}.")
    if jackknife and 1 in sizes:
        raise ConfigError("The jackknife leaves out one sample at a time, so it needs at least 2 samples; it got 1.")
    start, seconds = time.perf_counter(), 0.0
    x = x.to(model.device)
    chunk = room(x.device, CHUNK, decoding(model))
    parts = x.split(chunk)
    qs = [model.encoder(part) for part in parts]
    home = double_device(x.device)
    fitted = torch.empty(min(MOST_FITTED, sizes[-1]), len(x), device=home)
    k_hat, seen = torch.empty(0), 0
    # log sum w and log sum w^2 over the samples so far, in float64
    sums = torch.full((2, len(x)), -math.inf, dtype=torch.float64, device=home)
    left_out = Jackknife(len(x), home)
    done, step = 0, max(1, chunk // len(x))

    def log_weights(count: int) -> Tensor:
        pieces = []
        for q, part in zip(qs, parts, strict=True):
            z = draw(q, generator, (count,))
            with quick_products(), unchecked():
                log_p = in_double(model.decoder(z).log_prob(part)) + in_double(model.prior.log_prob(z))
            exact_q = Independent(Normal(in_double(q.mean), in_double(q.stddev)), 1)
            pieces.append(log_p - exact_q.log_prob(in_double(z)))
        return torch.cat(pieces, 1)

    for size in sizes:
        while done < size:
            asked = min(step, size - done)
            log_w, count = shrinking(log_weights, asked)
            step = step if count == asked else count
            sums = torch.logaddexp(sums, log_sums(log_w))
            if jackknife:
                left_out.add(log_w)
            fitted[done : done + count] = log_w[: max(0, len(fitted) - done)]
            done += count
            if progress:
                progress(done / sizes[-1])
        value = sums[0] - math.log(size)
        if jackknife:
            value += (size - 1) * math.log1p(-1 / size) - (size - 1) / size * left_out.log_shares_left(sums[0])
        ess = (2 * sums[0] - sums[1]).exp()
        # the relative variance of the mean of w is sum w^2 / (sum w)^2 - 1 / K, up to Bessel's factor K / (K - 1)
        relative = (1 / ess - 1 / size).clamp_min(0) * size / max(size - 1, 1)
        error = relative.sqrt() if size > 1 else torch.full_like(relative, math.inf)
        if seen < min(size, MOST_FITTED):
            seen = min(size, MOST_FITTED)
            k_hat = pareto_k(fitted[:seen])
        seconds += time.perf_counter() - start
        yield Estimate(value.cpu(), error.cpu(), size, size * len(x), seconds, ess.cpu(), k_hat)
        start = time.perf_counter()  # time spent by the caller does not count


class Jackknife:
    """The effect on log sum w of leaving out each sample, in constant memory and without cancellation.

    The largest weights are stored individually: where one of them is nearly the whole sum, the sum of the others is
    added up rather than obtained by subtraction. The small ones use the series log(1 - r) = -sum_m r^m / m, for which
    sums of powers suffice.
    """

    def __init__(self, images: int, device: torch.device | str = "cpu") -> None:
        # log w of the largest, in decreasing order, and log sum w^m of the others
        self.top, self.rest = torch.full((TOP + POWERS, images), -math.inf, dtype=torch.float64, device=device).split(
            [TOP, POWERS]
        )

    def add(self, log_w: Tensor) -> None:
        """Adds more log weights, (K, B) float64."""
        ordered = torch.cat([self.top, log_w]).sort(0, descending=True).values
        self.top, others = ordered.split([TOP, len(log_w)])
        powers = torch.stack([(m * others).logsumexp(0) for m in range(1, POWERS + 1)])
        self.rest = torch.logaddexp(self.rest, powers)

    def log_shares_left(self, log_sum: Tensor) -> Tensor:
        """Returns sum_i log(1 - w_i / sum w), (B,), for log_sum = log sum w, (B,)."""
        largest = torch.cat([self.top[1:], self.rest[:1]]).logsumexp(0) - log_sum
        shares = (self.top[1:] - log_sum).exp()  # each at most 1/2
        m = torch.arange(1, POWERS + 1, dtype=torch.float64, device=shares.device)[:, None]
        return largest + torch.log1p(-shares).sum(0) - ((self.rest - m * log_sum).exp() / m).sum(0)
