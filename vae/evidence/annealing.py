"""Annealed importance sampling of the evidence log p(x), for any number of latent dimensions, in nats per image.

    pi_beta(z) ~ r(z)^(1 - beta) p(x, z)^beta                  from a base r at beta = 0 to p(z|x) at beta = 1
    log w = sum_t (beta_t - beta_(t-1)) log p(x, z_t) / r(z_t)      with z_(t+1) from z_t by HMC that keeps pi_beta_t

E[w] = p(x) (Neal 2001), so the log of a mean of w over chains lies below log p(x) on average. The same path run
backwards from an exact posterior sample has E[1 / w] = 1 / p(x) and lies above: the two bracket the truth
(bidirectional Monte Carlo, Grosse, Ghahramani & Adams 2015). Exact posterior samples come with simulated images:
z ~ p(z), x ~ p(x|z). HMC is that of Neal (2011); its step sizes are tuned in a pilot run and fixed in the main run.
"""

from __future__ import annotations

import math
import time
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae.errors import ConfigError, DataError
from vae.evidence.checks import check_count, check_pixels
from vae.evidence.estimates import Estimate, Progress, decoding
from vae.model import VAE, double_device, draw, in_double, noise_like, quick_products, room, unchecked

__all__ = ["STARTS", "Start", "annealed_importance_sampling", "reverse_annealing", "schedule", "simulate"]

Start = Literal["prior", "encoder"]
STARTS: tuple[Start, ...] = get_args(Start)

PARTICLES = 1024  # chains times images that move at once: one step for all of them takes some tenths of a second
ACCEPTANCE = 0.65  # target for HMC's proposals, optimal for long trajectories (Neal 2011)
FARTHEST = 1e4  # a trajectory that goes beyond is rejected, before numbers overflow
PILOT = 2  # the pilot run uses every second temperature
PILOT_CHAINS = 8


def annealed_importance_sampling(
    model: VAE,
    x: Tensor,
    *,
    chains: int = 8,
    steps: int = 200,
    leapfrog: int = 5,
    start: Start = "encoder",
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Estimates log p(x) from below by annealing from a base, which is easy to sample, to the posterior.

    Arguments:
        model: the VAE.
        x: (B, D) pixels, as returned by `VAE.pixels`.
        chains: C independent runs for each image, averaged as log 1/C sum_c w_c.
        steps: T, number of temperatures of `schedule`; the gap to log p(x) falls as 1/T at best.
        leapfrog: steps per HMC move, each with one gradient of the decoder.
        start: the base: q(z|x), which is tighter for images like the training images (Wu et al. 2017), or the prior,
            for images that the encoder may not handle well, such as simulated ones.
        generator: source of the randomness.
        progress: called with the completed fraction after each temperature.

    Returns:
        The estimate, with chains as its samples and their effective sample size. Its expectation lies below log p(x).
        The standard error is the spread of the chains (delta method), too small if a few of them dominate the sum.

    Raises:
        ConfigError: chains, steps or leapfrog is not a whole number from 1, or too large; start is neither.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    check_pixels(model, x)
    _check_options(chains, steps, leapfrog, start)
    return _anneal(model, x, None, chains, steps, leapfrog, start, generator, progress)


def reverse_annealing(
    model: VAE,
    x: Tensor,
    z: Tensor,
    *,
    steps: int = 200,
    leapfrog: int = 5,
    start: Start = "encoder",
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Estimates log p(x) from above, by annealing from exact posterior samples to the base.

    With the same generator it uses the pilot run, and so the step sizes, of `annealed_importance_sampling`.

    Arguments:
        model, x, steps, leapfrog, start, generator, progress: as for `annealed_importance_sampling`.
        z: (C, B, J) samples from p(z|x), one chain from each: those of `simulate`, or of a grid if J <= 2.

    Returns:
        The estimate -log 1/C sum_c 1/w_c. Its expectation lies above log p(x).

    Raises:
        ConfigError: steps or leapfrog is not a whole number from 1, or too large; start is neither.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli; z is not (C, B, J) finite float32.
    """
    check_pixels(model, x)
    if z.ndim != 3 or len(z) == 0 or z.shape[1:] != (len(x), model.config.latent):
        raise DataError(f"Latents must have shape (C, {len(x)}, {model.config.latent}); theirs is {tuple(z.shape)}.")
    if z.dtype != torch.float32 or not bool(z.isfinite().all()):
        raise DataError(f"Latents must be finite float32 numbers; these {z.dtype} are not.")
    _check_options(len(z), steps, leapfrog, start)
    return _anneal(model, x, z, len(z), steps, leapfrog, start, generator, progress)


def schedule(steps: int) -> Tensor:
    """Returns the temperatures beta_0 = 0 to beta_T = 1, (T + 1,) float64, as (t / T)^4.

    They are close together near the base: under a sharp decoder log p(x|z) varies by thousands of nats over the prior,
    but only by about J / 2 over the posterior.
    """
    return torch.linspace(0, 1, steps + 1, dtype=torch.float64) ** 4


@torch.no_grad()
def simulate(model: VAE, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Samples z ~ p(z) and x ~ p(x|z), so that each z is an exact sample from p(z|x).

    Arguments:
        model: the VAE.
        count: B.
        generator: source of the randomness.

    Returns:
        z (B, J) and the images x (B, D); Gaussian pixels may lie outside [0, 1].

    Raises:
        ConfigError: count is not a whole number from 1 to a million.
    """
    check_count("The number of images", count, 10**6)
    z = draw(model.prior, generator, (count,))
    return z.cpu(), draw(model.decoder(z), generator).cpu()


class _State(NamedTuple):
    """Particles (C, B, J), their log p(x|z) (C, B) float64, and its gradient."""

    z: Tensor
    log_p: Tensor
    gradient: Tensor


class _Path:
    """The densities between the base and the posterior for B images; beta is a number."""

    def __init__(self, model: VAE, x: Tensor, start: Start) -> None:
        self.model, self.x, self.decodes = model, x, 0
        with torch.no_grad():
            q = model.encoder(x)
            self.q_variance = q.variance
            self.base = q if start == "encoder" else model.prior.expand((len(x),))
        self.base64 = _double(self.base)
        self.prior64 = _double(model.prior)

    def at(self, z: Tensor) -> _State:
        with torch.enable_grad(), quick_products(), unchecked():
            z = z.detach().requires_grad_()
            log_p = self.model.decoder(z).log_prob(self.x)
            (gradient,) = torch.autograd.grad(log_p.sum(), z)  # with respect to z only; the weights get no gradient
        self.decodes += log_p.numel()
        return _State(z.detach(), in_double(log_p.detach()), gradient)

    def log_ratio(self, at: _State) -> Tensor:
        """log p(x, z) / r(z), (C, B)."""
        z = in_double(at.z)
        return at.log_p + self.prior64.log_prob(z) - self.base64.log_prob(z)

    def log_density(self, at: _State, beta: float) -> Tensor:
        """log r(z)^(1 - beta) p(x, z)^beta, (C, B)."""
        return self.base64.log_prob(in_double(at.z)) + beta * self.log_ratio(at)

    def slope(self, at: _State, beta: float) -> Tensor:
        """Gradient of `log_density`, (C, B, J)."""
        return (1 - beta) * (self.base.mean - at.z) / self.base.variance + beta * (at.gradient - at.z)

    def scale(self, beta: float) -> Tensor:
        """Approximate standard deviations of pi_beta, (B, J), from the encoder: the length scales of HMC."""
        return ((1 - beta) / self.base.variance + beta / self.q_variance).rsqrt()

    def move(
        self, at: _State, beta: float, step: Tensor, leapfrog: int, generator: torch.Generator | None
    ) -> tuple[_State, Tensor]:
        """Makes one HMC move that leaves pi_beta invariant; also returns the mean acceptance rate, (B,)."""
        length = step[:, None].float().to(at.z.device) * self.scale(beta)
        momentum = noise_like(at.z, generator, torch.Tensor.normal_)
        before = self.log_density(at, beta) - 0.5 * in_double(momentum).square().sum(-1)
        new, slope = at, self.slope(at, beta)
        lost = torch.zeros_like(at.z[..., 0], dtype=torch.bool)
        for _ in range(leapfrog):
            momentum = momentum + 0.5 * length * slope
            z = new.z + length * momentum
            out = ~(z.abs() < FARTHEST).all(-1)
            lost |= out
            new = self.at(torch.where(out[..., None], at.z, z))
            slope = self.slope(new, beta)
            momentum = momentum + 0.5 * length * slope
        after = self.log_density(new, beta) - 0.5 * in_double(momentum).square().sum(-1)
        chance = (after - before).clamp_max(0).exp().nan_to_num(0).masked_fill(lost.to(after.device), 0)
        taken = noise_like(chance, generator, torch.Tensor.uniform_) < chance
        here = taken.to(at.z.device)[..., None]
        moved = _State(
            torch.where(here, new.z, at.z), torch.where(taken, new.log_p, at.log_p),
            torch.where(here, new.gradient, at.gradient),
        )  # fmt: skip
        return moved, chance.mean(0)


@torch.inference_mode(False)  # HMC needs gradients, whatever mode the caller is in
@torch.no_grad()
def _anneal(
    model: VAE,
    x: Tensor,
    z: Tensor | None,
    chains: int,
    steps: int,
    leapfrog: int,
    start: Start,
    generator: torch.Generator | None,
    progress: Progress | None,
) -> Estimate:
    """Runs forward from the base, or backward from posterior samples z, over batches of images."""
    clock = time.perf_counter()
    beta = schedule(steps).tolist()
    pilot = range(1, steps, PILOT)
    temperatures = range(1, steps + 1) if z is None else range(steps, 0, -1)
    x = x.to(model.device)
    size = room(x.device, PARTICLES, 3 * decoding(model)) // max(chains, PILOT_CHAINS)
    done, total = 0, (len(pilot) + len(temperatures)) * math.ceil(len(x) / size)
    weights, decodes = [], 0
    for first in range(0, len(x), size):
        path = _Path(model, x[first : first + size].clone(), start)
        at = path.at(draw(path.base, generator, (PILOT_CHAINS,)))
        step = torch.full((len(path.x),), 0.3, dtype=torch.float64, device=double_device(x.device))
        found = {}  # step sizes of the images, by temperature
        for t in pilot:
            found.update(dict.fromkeys(range(t, t + PILOT), step))
            at, accepted = path.move(at, beta[t], step, leapfrog, generator)
            step = (step * (accepted - ACCEPTANCE).exp()).clamp(1e-4, 3)
            done += 1
            if progress:
                progress(done / total)
        begins = draw(path.base, generator, (chains,)) if z is None else z[:, first : first + size].to(x.device)
        at = path.at(begins.clone())
        log_w = torch.zeros_like(at.log_p)
        for t in temperatures:
            log_w += (beta[t] - beta[t - 1]) * path.log_ratio(at)
            following = t if z is None else t - 1
            if 0 < following < steps:
                at, _ = path.move(at, beta[following], found[following], leapfrog, generator)
            done += 1
            if progress:
                progress(done / total)
        weights.append(log_w)
        decodes += path.decodes
    sign = 1 if z is None else -1
    log_w = sign * torch.cat(weights, 1).cpu()
    ess = (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp()
    relative = (1 / ess - 1 / chains).clamp_min(0) * chains / max(chains - 1, 1)
    error = relative.sqrt() if chains > 1 else torch.full_like(relative, math.inf)
    value = sign * (log_w.logsumexp(0) - math.log(chains))
    return Estimate(value, error, chains, decodes, time.perf_counter() - clock, ess)


def _double(p: Independent) -> Independent:
    return Independent(Normal(in_double(p.mean), in_double(p.stddev)), 1)


def _check_options(chains: int, steps: int, leapfrog: int, start: str) -> None:
    check_count("The number of chains", chains, PARTICLES)
    check_count("The number of temperatures", steps, 10**5)
    check_count("The number of leapfrog steps", leapfrog, 1000)
    if start not in STARTS:
        raise ConfigError(f"start must be one of {', '.join(STARTS)}; it is {start!r}.")
