"""The gap between the ELBO and log p(x) = ELBO + KL[q(z|x) || p(z|x)], image by image, in nats.

    KL = (log p(x) - best ELBO) + (best ELBO - ELBO)
         approximation gap        amortisation gap        Cremer, Li & Duvenaud (2018)

The best ELBO is that of the best diagonal Gaussian for this particular image: the approximation gap is due to the
limits of the family, the amortisation gap to the encoder.
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

FITTED = 6, 8  # log2 of the number of samples used by the fit, and nodes per axis if J <= 2
JUDGED = 10, 20  # the same for the ELBO that is reported
EVERY = 10  # steps between reports


class Refined(NamedTuple):
    """The best Gaussian q so far for each of B images.

    Attributes:
        mean: (B, J).
        deviation: (B, J), standard deviations.
        elbo: (B,) float64, nats; never below that of the encoder's q.
        step: number of gradient steps taken.
    """

    mean: Tensor
    deviation: Tensor
    elbo: Tensor
    step: int


class Gap(NamedTuple):
    """The parts of the gap between the ELBO and log p(x), each (B,) nats.

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
        """KL of the best diagonal Gaussian to p(z|x), due to the limits of the family."""
        return self.log_p - self.best_elbo

    @property
    def amortisation(self) -> Tensor:
        """Difference between the best ELBO and that of the encoder's q."""
        return self.best_elbo - self.elbo

    @property
    def kl(self) -> Tensor:
        """KL[q(z|x) || p(z|x)], the sum of both."""
        return self.log_p - self.elbo


def refine(model: VAE, x: Tensor, *, steps: int = 300, generator: torch.Generator | None = None) -> Iterator[Refined]:
    """Fits the best diagonal Gaussian q to each image by gradient ascent on its own ELBO, from the encoder's q.

    The noise is fixed, so that the ascent is smooth: Gauss-Hermite nodes for J <= 2, otherwise quasi-random samples.
    The ELBO that is reported, and by which the best q is chosen, uses other and many more samples than the fit, so that
    it is not biased upwards. For J up to 32 each image costs 64 decodes with gradients per step, and 400 or 1024
    decodes per report.

    Arguments:
        model: the VAE.
        x: (B, D) pixels, as returned by `VAE.pixels`.
        steps: of Adam, in units of the encoder's standard deviations.
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


@torch.inference_mode(False)  # the fit needs gradients, whatever mode the caller is in
@torch.no_grad()
def _refine(model: VAE, x: Tensor, steps: int, generator: torch.Generator | None) -> Iterator[Refined]:
    x = x.to(model.device).clone()
    fitted, judged = (_noise(model.config.latent, *size, generator, x.device) for size in (FITTED, JUDGED))
    q = model.encoder(x)
    mean, unit = q.mean, q.stddev
    # q is N(mean + unit * shift, (unit * exp(growth))^2), so that one learning rate suits sharp and wide posteriors
    at = torch.zeros(2, *unit.shape, device=x.device)
    first, second, best = torch.zeros_like(at), torch.zeros_like(at), at
    value = _elbo(model, x, mean, unit, judged)
    yield Refined(mean.cpu(), unit.cpu(), value.cpu(), 0)
    for step in range(1, steps + 1):
        gradient = _slope(model, x, mean, unit, at, fitted).nan_to_num(0, 0, 0)
        first = 0.9 * first + 0.1 * gradient
        second = 0.9 * second + 0.1 * gradient.square()  # short memory, since gradients may be huge at first
        rate = 0.1 * (1 - (step - 1) / steps)  # Adam's (Kingma & Ba 2015), falling to 0 so that the last steps settle
        way = (first / (1 - 0.9**step)) / ((second / (1 - 0.9**step)).sqrt() + 1e-8)
        at = at + rate * torch.stack(
            [at[1].exp() * way[0], way[1]]
        )  # means move in units of the current standard deviation
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
    # the covariance is made that of a standard normal too, so that quadratic functions of z are averaged exactly
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
            slopes += torch.autograd.grad(value, here)  # with respect to these only; the weights get no gradient
    return torch.cat(slopes, 1)
