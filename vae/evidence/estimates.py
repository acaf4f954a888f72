"""Estimates of the evidence log p(x) and of its lower bound, in nats per image.

    naive Monte Carlo   log 1/L sum_l p(x|z_l)                 z_l ~ p(z)
    ELBO                1/L sum_l log p(x|z_l) - KL[q || p]    z_l ~ q(z|x)        Kingma & Welling (2013)

The naive estimate is unbiased before the logarithm, but p(x|z) is so skewed that almost all samples contribute nothing:
the sum needs about exp(KL[p(z|x) || p(z)]) samples (Chatterjee & Diaconis 2018), and with fewer it lies far
below log p(x). Both run in constant memory, however many samples they use.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Independent, kl_divergence

from vae.errors import ConfigError
from vae.evidence.checks import check_count, check_pixels
from vae.model import (
    LOG_2_PI,
    VAE,
    double_device,
    draw,
    in_double,
    quick_products,
    room,
    shrinking,
    softplus,
    unchecked,
)

__all__ = [
    "CHUNK",
    "Estimate",
    "Progress",
    "decoding",
    "elbo",
    "log_sums",
    "mean_error",
    "naive_monte_carlo",
    "naive_monte_carlo_path",
    "pairwise_log_prob",
    "part_of",
]

Progress = Callable[[float], None]  # called with the completed fraction, in [0, 1]; may raise to stop the work

CHUNK = 512  # latents decoded at once: 512 x 784 floats stay in the cache, and reuse memory of the process


class Estimate(NamedTuple):
    """The result of an estimator for B images.

    Attributes:
        value: (B,) float64, nats.
        standard_error: (B,) float64, nats, of the Monte Carlo noise only. For the naive estimate it is computed from
            the samples themselves (delta method), so it is far too small if no sample has hit the posterior.
        samples: L, number of samples per image.
        decodes: number of latents decoded, the cost.
        seconds: wall-clock time.
        ess: (B,) effective sample size (sum w)^2 / sum w^2, for weighted samples (Kong 1992).
        k_hat: (B,) shape of the tail of the weights, where it was fitted; above 0.7 the estimate is unreliable
            (Vehtari et al. 2024).
        error_bound: (B,) nats, upper bound on the error as stated by a deterministic method.
        edge: (B,) fraction of the mass at the rim of the region that such a method has covered.
    """

    value: Tensor
    standard_error: Tensor
    samples: int
    decodes: int
    seconds: float
    ess: Tensor | None = None
    k_hat: Tensor | None = None
    error_bound: Tensor | None = None
    edge: Tensor | None = None


def pairwise_log_prob(p: Distribution, x: Tensor) -> Tensor:
    """Evaluates each of B images under each of S decoded distributions, as matrix products.

    A diagonal Gaussian's log density is linear in (x^2, x, 1), and a Bernoulli's in (x, 1):

        log p(x|z) = x^2 . (-1 / 2 sigma^2) + x . (mu / sigma^2) - 1/2 sum(mu^2 / sigma^2 + log 2 pi sigma^2)
        log p(x|z) = x . logits - sum softplus(logits)

    Arguments:
        p: p(x|z) with batch shape (S,) and event shape (D,).
        x: (B, D). It is not centred: where sigma is small x is near 0, and centring would lose digits there.

    Returns:
        (S, B), nats.
    """
    base: Any = p.base_dist if isinstance(p, Independent) else p
    if isinstance(base, Bernoulli):
        return base.logits @ x.T - softplus(base.logits).sum(-1, keepdim=True)
    precision = (-base.log_variance).exp()
    scaled = base.loc * precision
    constant = base.loc * scaled + base.log_variance
    return precision @ (-0.5 * x * x).T + scaled @ x.T - 0.5 * (constant.sum(-1, keepdim=True) + x.shape[1] * LOG_2_PI)


def log_sums(log_w: Tensor) -> Tensor:
    """Returns log sum w and log sum w^2 over the samples, (2, B), for log weights (S, B)."""
    highest = log_w.amax(0).clamp_min(-1e300)  # finite even if all weights are 0
    w = (log_w - highest).exp_()
    return torch.stack([w.sum(0), w.square_().sum(0)]).log() + torch.stack([highest, 2 * highest])


def naive_monte_carlo(
    model: VAE,
    x: Tensor,
    samples: int,
    generator: torch.Generator | None = None,
    *,
    progress: Progress | None = None,
) -> Estimate:
    """Estimates log p(x) = log 1/L sum_l p(x|z_l) with L samples from the prior, the same for all images.

    Arguments:
        model: the VAE.
        x: (B, D) pixels, as returned by `VAE.pixels`.
        samples: L.
        generator: source of the randomness; another seed gives a replicate.
        progress: called with the completed fraction after each chunk of samples.

    Returns:
        The estimate, with its effective sample size. Its expectation lies below log p(x), far below for few samples.

    Raises:
        ConfigError: samples is not a whole number from 1 to `MOST_SAMPLES`.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    *_, estimate = naive_monte_carlo_path(model, x, (samples,), generator, progress=progress)
    return estimate


@torch.inference_mode()
def naive_monte_carlo_path(
    model: VAE,
    x: Tensor,
    sizes: Sequence[int],
    generator: torch.Generator | None = None,
    *,
    progress: Progress | None = None,
) -> Iterator[Estimate]:
    """Yields naive Monte Carlo at each of several numbers of samples, along one stream of samples.

    Arguments:
        model, x, generator, progress: as for `naive_monte_carlo`.
        sizes: numbers of samples, increasing.
    """
    check_pixels(model, x)
    for size in sizes:
        check_count("The number of samples", size)
    if any(a >= b for a, b in pairwise(sizes)):
        raise ConfigError(f"sizes must increase; they are {tuple(sizes)}.")
    start, seconds = time.perf_counter(), 0.0
    x = x.to(model.device)
    # log sum w and log sum w^2 over the samples so far, in float64
    sums = torch.full((2, len(x)), -math.inf, dtype=torch.float64, device=double_device(x.device))
    chunk = max(64, min(CHUNK, 2**22 // len(x)))  # so that log p(x|z) of all pairs stays at 32 MB too
    chunk = room(x.device, chunk, decoding(model) + 32 * len(x))

    def add(count: int) -> Tensor:
        z = draw(model.prior, generator, (count,))
        with quick_products(), unchecked():
            log_p = pairwise_log_prob(model.decoder(z), x)
        return torch.logaddexp(sums, log_sums(in_double(log_p)))

    done = 0
    for size in sizes:
        while done < size:
            asked = min(chunk, size - done)
            sums, count = shrinking(add, asked)
            chunk = chunk if count == asked else count
            done += count
            if progress:
                progress(done / sizes[-1])
        ess = (2 * sums[0] - sums[1]).exp()
        # the relative variance of the mean of w is sum w^2 / (sum w)^2 - 1 / L
        relative = (1 / ess - 1 / size).clamp_min(0)
        error = relative.sqrt() if size > 1 else torch.full_like(relative, math.inf)
        seconds += time.perf_counter() - start
        yield Estimate((sums[0] - math.log(size)).cpu(), error.cpu(), size, size, seconds, ess.cpu())
        start = time.perf_counter()  # time spent by the caller does not count


@torch.inference_mode()
def elbo(
    model: VAE,
    x: Tensor,
    samples: int,
    generator: torch.Generator | None = None,
    *,
    kl: Literal["analytic", "sampled"] = "analytic",
    progress: Progress | None = None,
) -> Estimate:
    """Estimates the ELBO, 1/L sum_l log p(x|z_l) - KL[q(z|x) || p(z)] with z_l ~ q(z|x).

    Arguments:
        model, x, generator, progress: as for `naive_monte_carlo`.
        samples: L, number of samples per image.
        kl: in closed form, or from the same samples, 1/L sum_l log q(z_l|x) - log p(z_l).

    Returns:
        The estimate, unbiased for the ELBO, which is below log p(x) by KL[q(z|x) || p(z|x)].

    Raises:
        ConfigError: samples is not a whole number from 1 to `MOST_SAMPLES`.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    check_pixels(model, x)
    check_count("The number of samples", samples)
    start = time.perf_counter()
    values, errors, done = [], [], 0
    x = x.to(model.device)
    chunk = room(x.device, CHUNK, decoding(model))
    for part in x.split(chunk):
        q = model.encoder(part)
        total = torch.zeros(2, len(part), dtype=torch.float64, device=double_device(x.device))
        shift = torch.zeros(())
        taken, step = 0, max(1, chunk // len(part))
        while taken < samples:
            terms, step = shrinking(partial(_terms, model, part, q, generator, kl), min(step, samples - taken))
            if taken == 0:
                shift = terms[0].clone()  # avoids cancellation in the sum of squares
            total += torch.stack([(terms - shift).sum(0), (terms - shift).square().sum(0)])
            taken += len(terms)
            done += terms.numel()
            if progress:
                progress(done / (samples * len(x)))
        mean, square = total / samples
        values.append(mean + shift)
        if kl == "analytic":
            values[-1] -= in_double(kl_divergence(q, model.prior))
        spread = (square - mean * mean).clamp_min(0) / max(samples - 1, 1)
        errors.append(spread.sqrt() if samples > 1 else torch.full_like(mean, math.inf))
    seconds = time.perf_counter() - start
    return Estimate(torch.cat(values).cpu(), torch.cat(errors).cpu(), samples, samples * len(x), seconds)


def _terms(model: VAE, x: Tensor, q: Distribution, generator: torch.Generator | None, kl: str, count: int) -> Tensor:
    """Returns log p(x|z) of samples from q, or log p(x, z) - log q(z|x) if the KL is sampled too, (S, B) float64."""
    z = draw(q, generator, (count,))
    with quick_products(), unchecked():
        terms = in_double(model.decoder(z).log_prob(x))
    if kl == "sampled":
        terms += in_double(model.prior.log_prob(z) - q.log_prob(z))
    return terms


def decoding(model: VAE) -> int:
    """Returns roughly how many bytes it takes to decode a latent and to evaluate an image there."""
    return 256 * model.config.pixels  # 64 numbers per pixel, for layers and intermediate results


def mean_error(estimate: Estimate, chosen: Tensor) -> Tensor:
    """Returns the Monte Carlo error of the mean over the chosen images (B,), in nats.

    If all images share one stream of samples, as in naive Monte Carlo, their errors may all have the same sign; the
    result is then the mean of the errors, an upper limit.
    """
    error = estimate.standard_error[chosen]
    shared = estimate.decodes == estimate.samples
    return error.mean() if shared else error.square().sum().sqrt() / max(len(error), 1)


def part_of(progress: Progress | None, first: float, share: float) -> Progress | None:
    """Returns a progress callback for work that is a share of the whole and begins at the fraction `first`."""
    return (lambda done: progress(first + share * done)) if progress else None
