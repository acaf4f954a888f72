"""Where the ELBO loses: log p(x) = ELBO + KL[q(z|x) || p(z|x)], image by image, in nats.

    KL = (log p(x) - best ELBO) + (best ELBO - ELBO)
         approximation gap        amortisation gap        Cremer, Li & Duvenaud (2018)

The best ELBO is that of the best diagonal Gaussian for this one image: the approximation gap is what the family cannot
do, the amortisation gap what the encoder does not find.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vae.evidence.checks import check_count, check_pixels
from vae.evidence.estimates import CHUNK
from vae.model import VAE, double_device, in_double, quick_products, unchecked

__all__ = ["Gap", "Refined", "refine"]

FITTED = 6, 8  # log2 of the draws that the fit sees, and nodes per axis where J <= 2
JUDGED = 10, 20  # likewise those that the ELBO is reported from
EVERY = 10  # steps between reports


class Refined(NamedTuple):
    """The best Gaussian q so far for each of B images.

    Attributes:
        mean: (B, J).
        deviation: (B, J).
        elbo: (B,) float64, nats; never below the encoder's.
        step: gradient steps done.
    """

    mean: Tensor
    deviation: Tensor
    elbo: Tensor
    step: int


class Gap(NamedTuple):
    """What separates the ELBO from log p(x), each (B,) nats.

    Attributes:
        elbo: of the encoder's q.
        best_elbo: of the best diagonal Gaussian, as `refine` finds it.
        log_p: log p(x).
    """

    elbo: Tensor
    best_elbo: Tensor
    log_p: Tensor

    @property
    def approximation(self) -> Tensor:
        """KL of the best diagonal Gaussian to p(z|x): what the family cannot do."""
        return self.log_p - self.best_elbo

    @property
    def amortisation(self) -> Tensor:
        """What the encoder does not find."""
        return self.best_elbo - self.elbo

    @property
    def kl(self) -> Tensor:
        """KL[q(z|x) || p(z|x)], the sum of both."""
        return self.log_p - self.elbo


def refine(model: VAE, x: Tensor, *, steps: int = 300, generator: torch.Generator | None = None) -> Iterator[Refined]:
    """Fits the best diagonal Gaussian q to each image by gradient ascent on its own ELBO, from the encoder's q.

    The noise is fixed, so that the ascent is smooth: Gauss-Hermite nodes for J <= 2, else quasi-random draws. The ELBO
    is reported, and the best q chosen, from other and many more of them than the fit sees, so that it is not biased
    upwards. For J up to 32 an image costs 64 decodes and gradients per step, and 400 or 1024 decodes per report.

    Arguments:
        model: the VAE.
        x: (B, D) pixels as the likelihood wants them, see `VAE.pixels`.
        steps: of Adam, in units of the encoder's deviations.
        generator: source of the noise.

    Yields:
        The encoder's q at step 0, then the best so far after every ten steps and at the end.

    Raises:
        ConfigError: steps is not a whole number from 1 to 100,000.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    check_pixels(model, x)
    check_count("The number of steps", steps, 10**5)
    return _refine(model, x, steps, generator)


@torch.inference_mode(False)  # whatever the caller is in: the fit needs gradients
@torch.no_grad()
def _refine(model: VAE, x: Tensor, steps: int, generator: torch.Generator | None) -> Iterator[Refined]:
    x = x.to(model.device).clone()
    fitted, judged = (_noise(model.config.latent, *size, generator, x.device) for size in (FITTED, JUDGED))
    q = model.encoder(x)
    mean, unit = q.mean, q.stddev
    # q is N(mean + unit * shift, (unit * exp(growth))^2), so that one rate serves sharp and wide posteriors
    at = torch.zeros(2, *unit.shape, device=x.device)
    first, second, best = torch.zeros_like(at), torch.zeros_like(at), at
    value = _elbo(model, x, mean, unit, judged)
    yield Refined(mean.cpu(), unit.cpu(), value.cpu(), 0)
    for step in range(1, steps + 1):
        gradient = _slope(model, x, mean, unit, at, fitted).nan_to_num(0, 0, 0)
        first = 0.9 * first + 0.1 * gradient
        second = 0.9 * second + 0.1 * gradient.square()  # no longer memory: a start far off has huge gradients
        rate = 0.1 * (1 - (step - 1) / steps)  # Adam's (Kingma & Ba 2015), falling to 0 so that the last steps settle
        way = (first / (1 - 0.9**step)) / ((second / (1 - 0.9**step)).sqrt() + 1e-8)
        at = at + rate * torch.stack([at[1].exp() * way[0], way[1]])  # means go by shares of their deviation so far
        if step % EVERY == 0 or step == steps:
            now = _elbo(model, x, mean + unit * at[0], unit * at[1].exp(), judged)
            best = torch.where((now > value).to(at.device)[:, None], at, best)
            value = torch.where(now > value, now, value)
            yield Refined((mean + unit * best[0]).cpu(), (unit * best[1].exp()).cpu(), value.cpu(), step)


def _noise(
    latent: int, log2: int, nodes: int, generator: torch.Generator | None, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Returns standard normal points (S, J) and their weights (S,) float64, the same for all images."""
    points, weights = _points(latent, log2, nodes, generator)
    return points.to(device), weights.to(double_device(device))


def _points(latent: int, log2: int, nodes: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    if latent <= 2:
        line, mass = np.polynomial.hermite_e.hermegauss(nodes)
        grid = np.stack(np.meshgrid(*[line] * latent), -1).reshape(-1, latent)
        weights = np.stack(np.meshgrid(*[mass] * latent), -1).reshape(-1, latent).prod(-1)
        return torch.from_numpy(grid).float(), torch.from_numpy(weights / weights.sum())
    seed = int(torch.randint(2**31, (), generator=generator, device=generator.device if generator else "cpu"))
    size = 2 ** max(log2, latent.bit_length() + 1)
    points = torch.quasirandom.SobolEngine(latent, scramble=True, seed=seed).draw(size, dtype=torch.float64)
    noise = torch.special.ndtri(points.clamp(1e-9, 1 - 1e-9))
    noise = noise - noise.mean(0)
    # with the covariance of a standard normal too, what is quadratic in z is averaged without error
    factor = torch.linalg.cholesky(noise.T @ noise / size)
    noise = torch.linalg.solve_triangular(factor, noise.T, upper=False).T
    return noise.float(), torch.full((size,), 1 / size, dtype=torch.float64)


def _elbo(model: VAE, x: Tensor, mean: Tensor, deviation: Tensor, noise: tuple[Tensor, Tensor]) -> Tensor:
    """The ELBO of q = N(mean, diag deviation^2), (B,) float64, with the KL in closed form."""
    points, weights = noise
    values = []
    for part, m, s in zip(*(each.split(max(1, CHUNK // len(points))) for each in (x, mean, deviation)), strict=True):
        with quick_products(), unchecked():
            log_p = in_double(model.decoder(m + s * points[:, None]).log_prob(part))
        m, s = in_double(m), in_double(s)
        kl = 0.5 * (m.square() + s.square() - 1).sum(-1) - s.log().sum(-1)
        values.append(weights @ log_p - kl)
    return torch.cat(values)


def _slope(model: VAE, x: Tensor, mean: Tensor, unit: Tensor, at: Tensor, noise: tuple[Tensor, Tensor]) -> Tensor:
    """The gradient of the ELBO in shift and growth, (2, B, J)."""
    size = max(1, CHUNK // len(noise[0]))
    slopes = []
    for part, m, u, here in zip(x.split(size), mean.split(size), unit.split(size), at.split(size, 1), strict=True):
        with torch.enable_grad():
            here = here.detach().requires_grad_()
            value = _elbo(model, part, m + u * here[0], u * here[1].exp(), noise).sum()
            slopes += torch.autograd.grad(value, here)  # of these alone: weights are left as they are
    return torch.cat(slopes, 1)
