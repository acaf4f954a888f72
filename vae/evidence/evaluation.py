"""A single entry point to all estimators of log p(x), by name, and a summary of their results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vae.errors import ConfigError
from vae.evidence.annealing import Start, annealed_importance_sampling, reverse_annealing
from vae.evidence.checks import check_count
from vae.evidence.estimates import Estimate, Progress, elbo, mean_error, naive_monte_carlo, part_of
from vae.evidence.exact import exact, posterior
from vae.evidence.importance import importance_sampling
from vae.model import VAE
from vae.settings import methods

__all__ = ["METHODS", "SAMPLES", "STEPS", "UNRELIABLE", "Method", "evaluate", "figures", "sandwich"]

Method = methods.Evidence
METHODS, SAMPLES, STEPS = methods.EVIDENCE, methods.SAMPLES, methods.STEPS
UNRELIABLE = 0.7  # k-hat above which an estimate is unreliable (Vehtari et al. 2024)


def evaluate(
    model: VAE,
    x: Tensor,
    method: Method,
    *,
    samples: int | None = None,
    steps: int | None = None,
    replicates: int = 1,
    jackknife: bool = False,
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> list[Estimate]:
    """Estimates log p(x) or its bound by a method given by name.

    Arguments:
        model: the VAE.
        x: (B, D) pixels, as returned by `VAE.pixels`.
        method: one of `METHODS`.
        samples: L of the ELBO and of naive Monte Carlo, K of importance sampling, or the chains of AIS; by default that
            of `SAMPLES`.
        steps: number of temperatures of AIS, by default `STEPS`.
        replicates: R, how often to repeat with new samples.
        jackknife: corrects the bias of importance sampling; the value is then no longer a bound.
        generator: source of the randomness.
        progress: called with the completed fraction; an exception that it raises stops the work.

    Returns:
        R estimates, values in nats.

    Raises:
        ConfigError: a number is outside what the method allows, or has no effect on it; or the method does not apply
            to this model.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    methods.check_evidence(method, samples, steps, replicates, jackknife)
    check_count("The number of replicates", replicates, 1000)
    count = SAMPLES.get(method, 0) if samples is None else samples
    estimates: list[Estimate] = []
    for _ in range(replicates):
        tell = part_of(progress, len(estimates) / replicates, 1 / replicates)
        if method == "elbo":
            estimate = elbo(model, x, count, generator, progress=tell)
        elif method == "naive":
            estimate = naive_monte_carlo(model, x, count, generator, progress=tell)
        elif method == "importance":
            estimate = importance_sampling(model, x, count, generator, jackknife=jackknife, progress=tell)
        elif method == "ais":
            temperatures = STEPS if steps is None else steps
            estimate = annealed_importance_sampling(
                model, x, chains=count, steps=temperatures, start="encoder", generator=generator, progress=tell
            )
        else:
            estimate = exact(model, x, progress=tell)
        estimates.append(estimate)
    return estimates


def sandwich(
    model: VAE,
    x: Tensor,
    z: Tensor | None = None,
    *,
    chains: int | None = None,
    steps: int | None = None,
    start: Start = "encoder",
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> tuple[Estimate, Estimate]:
    """Brackets log p(x) by AIS from both sides (Grosse, Ghahramani & Adams 2015).

    Arguments:
        model, x, generator, progress: as for `evaluate`.
        z: (C, B, J) exact samples from p(z|x), such as those of `annealing.simulate`; if not given, they come from a
            grid, which requires J = 1 or 2.
        chains, steps, start: of both runs; the reverse run has as many chains as there are samples.

    Returns:
        The estimates whose expectations lie below and above log p(x).

    Raises:
        ConfigError: no z is given and J is above 2, or a number is outside what AIS allows.
        DataError: x or z is invalid, or the posterior of an image is too sharp for a grid.
    """
    if z is None and model.config.latent > 2:
        raise ConfigError(
            "Exact posterior samples come from a grid for J = 1 or 2, or with simulated images; "
            f"this model has J = {model.config.latent}. Pass the z from which the images were simulated."
        )
    chains = SAMPLES["ais"] if chains is None else chains
    steps = STEPS if steps is None else steps
    share = 1 / 3 if z is None else 0.5  # approximate share of the time
    low = annealed_importance_sampling(
        model, x, chains=chains, steps=steps, start=start, generator=generator, progress=part_of(progress, 0, share)
    )
    if z is None:
        drawn = []
        for i, image in enumerate(x.split(1)):
            tell = part_of(progress, (1 + i / len(x)) / 3, 1 / (3 * len(x)))
            drawn.append(posterior(model, image, progress=tell).sample(chains, generator))
        z = torch.stack(drawn, 1)
    high = reverse_annealing(
        model, x, z, steps=steps, start=start, generator=generator, progress=part_of(progress, 1 - share, share)
    )
    return low, high


def figures(estimates: Sequence[Estimate]) -> dict[str, Any]:
    """Summarises replicates, for JSON: None for a figure that is not finite; figures that do not apply are left out.

    Returns:
        `mean_nats`, the mean over images and replicates; `standard_error_nats`, its standard error, from the spread
        over images; `monte_carlo_error_nats`, from the spread of the replicates or, if there is only one, from its
        samples; `seconds` in total; `ess`, the median over images; `k_hat`, the largest; `k_hat_above_0.7`, a fraction
        of the images with a known k-hat; `k_hat_unknown`, the number of others;
        `error_bound_nats` and `edge_mass`, the largest over the images that converged; `not_converged`, the number that
        did not, which are left out of the means.
    """
    values = torch.stack([estimate.value for estimate in estimates])
    first, runs = estimates[0], len(estimates)
    good = values.isfinite().all(0) if first.error_bound is not None else torch.ones(values.shape[1], dtype=torch.bool)
    values = values[:, good]
    images = values.shape[1]
    if runs > 1:  # naive Monte Carlo shares its samples among all images, so replicates say more
        noise = values.mean(1).std() / math.sqrt(runs)
    else:
        noise = mean_error(first, good)
    says: dict[str, Any] = {
        "mean_nats": _finite(values.mean()),
        "standard_error_nats": _finite(values.mean(0).std() / math.sqrt(images)) if images > 1 else None,
        "monte_carlo_error_nats": _finite(noise) if images else None,
        "seconds": sum(estimate.seconds for estimate in estimates),
    }
    if first.ess is not None:
        says["ess"] = _finite(_stacked(estimates, "ess").mean(0).median())
    if first.k_hat is not None:
        k_hat = _stacked(estimates, "k_hat").amax(0)
        fitted = k_hat[~k_hat.isnan()]
        says["k_hat"] = _finite(fitted.max()) if len(fitted) else None
        says["k_hat_above_0.7"] = _finite((fitted > UNRELIABLE).double().mean())
        says["k_hat_unknown"] = len(k_hat) - len(fitted)
    if first.error_bound is not None:
        says["error_bound_nats"] = _finite(first.error_bound[good].max()) if images else None
        if first.edge is not None:
            says["edge_mass"] = _finite(first.edge[good].max()) if images else None
        says["not_converged"] = int((~good).sum())
    return says


def _stacked(estimates: Sequence[Estimate], name: str) -> Tensor:
    return torch.stack([getattr(estimate, name) for estimate in estimates])


def _finite(number: Tensor) -> float | None:
    return number.item() if bool(number.isfinite()) else None
