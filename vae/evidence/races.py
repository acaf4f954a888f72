"""Estimators of log p(x) side by side: the same images, increasing numbers of samples, several replicates of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae.errors import ConfigError
from vae.evidence.annealing import annealed_importance_sampling
from vae.evidence.checks import check_count, check_pixels
from vae.evidence.estimates import Estimate, Progress, elbo, naive_monte_carlo_path
from vae.evidence.importance import importance_sampling_path
from vae.model import VAE, generator

__all__ = [
    "CHAINS", "ESTIMATORS", "FEW", "MANY", "MOST", "WITHIN", "Runner", "Step", "Track", "arrival", "medians", "near",
    "race", "tracks",
]  # fmt: skip

Runner = Literal["naive", "elbo", "importance", "jackknife", "ais"]
ESTIMATORS: tuple[Runner, ...] = ("naive", "elbo", "importance", "jackknife", "ais")

MANY = 10_000  # samples beyond which fewer replicates are run
FEW = 3  # replicates beyond that number, and for AIS
MOST = {"elbo": 1000, "ais": 100}  # samples of the ELBO, temperatures of AIS
CHAINS = 4  # of AIS
WITHIN = 1.0  # nats from the level, at which an estimate counts as near


class Step(NamedTuple):
    """One estimator has reached a number of samples.

    Attributes:
        runner: the estimator.
        replicate: index of the replicate, from 0.
        samples: samples per image; for AIS, which takes many steps per sample, evaluations of the decoder per image.
        seconds: time that this replicate took for that number of samples.
        value: (B,), nats.
        share: completed fraction of the race, in [0, 1].
    """

    runner: Runner
    replicate: int
    samples: int
    seconds: float
    value: Tensor
    share: float


class Track(NamedTuple):
    """The estimates of one estimator in a race, means over the images.

    Attributes:
        runner: which estimator.
        samples: (K,), for each image, increasing.
        seconds: (K,), the median over the replicates; NaN where they do not matter.
        value: (R, K), nats, one row for each replicate; NaN where a replicate has not got that far.
    """

    runner: Runner
    samples: NDArray[Any]
    seconds: NDArray[Any]
    value: NDArray[Any]

    @property
    def median(self) -> NDArray[Any]:
        """(K,), nats, over the replicates; NaN where none of them has a number."""
        return medians(self.value)


def race(
    model: VAE,
    x: Tensor,
    runners: Sequence[Runner],
    most: int,
    *,
    replicates: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> Iterator[Step]:
    """Runs estimators of log p(x) in turn, size by size: 1, 2, 5, 10, ... samples.

    Arguments:
        model: the VAE.
        x: (B, D) pixels, as returned by `VAE.pixels`.
        runners: which estimators.
        most: number of samples up to which they run; the ELBO stops at 1000, and AIS at 100 temperatures.
        replicates: how often each runs, with independent samples; only 3 for AIS and beyond 10,000 samples.
        seed: of the random numbers.
        progress: called from time to time; an exception that it raises stops the work within a chunk.

    Raises:
        ConfigError: a runner is unknown, or a number is not a positive whole number.
        DataError: x is not (B, D), not finite float32, or grey under a Bernoulli.
    """
    check_pixels(model, x)
    check_count("The number of samples", most)
    check_count("The number of replicates", replicates, 1000)
    if unknown := set(runners) - set(ESTIMATORS):
        raise ConfigError(f"The estimators are {', '.join(ESTIMATORS)}; {', '.join(sorted(unknown))} is unknown.")
    sizes = [m * 10**k for k in range(len(str(most))) for m in (1, 2, 5) if m * 10**k <= most]
    paths = {
        (runner, i): _path(runner, model, x, sizes, generator(seed + i), progress)
        for runner in runners
        for i in range(replicates)
    }
    order = [
        (size, runner, i)
        for size in sizes
        for runner, i in paths
        if size in _sizes(runner, sizes) and (i < FEW or (size <= MANY and runner != "ais"))
    ]
    for done, (size, runner, i) in enumerate(order, 1):
        estimate = next(paths[runner, i])
        samples = estimate.decodes // len(x) if runner == "ais" else size
        yield Step(runner, i, samples, estimate.seconds, estimate.value, done / len(order))


def tracks(steps: Sequence[Step]) -> list[Track]:
    """Returns the steps of a race by estimator, in the order in which the estimators began."""
    found = []
    for runner in dict.fromkeys(step.runner for step in steps):
        mine = [step for step in steps if step.runner == runner]
        samples = sorted({step.samples for step in mine})
        value = np.full((1 + max(step.replicate for step in mine), len(samples)), np.nan)
        seconds = np.full(value.shape, np.nan)
        for step in mine:
            place = step.replicate, samples.index(step.samples)
            value[place], seconds[place] = float(step.value.mean()), step.seconds
        found.append(Track(runner, np.array(samples), np.nanmedian(seconds, 0), value))
    return found


def medians(value: NDArray[Any]) -> NDArray[Any]:
    """Returns the median over the rows (R, K) of numbers without the NaN among them, (K,); NaN where all are NaN."""
    empty = np.isnan(value).all(0)
    return np.where(empty, np.nan, np.nanmedian(np.where(empty, 0.0, value), 0))


def near(median: NDArray[Any], level: float, *, bound: bool = False) -> NDArray[Any]:
    """Returns which estimates (K,) are finite and within `WITHIN` of a level.

    Arguments:
        median: (K,), nats, for more and more samples.
        level: log p(x), nats, or a lower bound on it.
        bound: whether the level is a lower bound. An estimate above it then counts as near, because log p(x) may be
            there too.
    """
    away = median - level
    return np.isfinite(median) & ((away >= -WITHIN) if bound else (np.abs(away) <= WITHIN))


def arrival(median: NDArray[Any], level: float, *, bound: bool = False) -> int | None:
    """Returns the first place from which on estimates stay near a level, or None.

    A single estimate may be near by chance, so at least the last two must be.

    Arguments:
        median, level, bound: as for `near`.
    """
    off = np.flatnonzero(~near(median, level, bound=bound))
    first = int(off[-1]) + 1 if len(off) else 0
    return first if first < len(median) - 1 else None


def _sizes(runner: Runner, sizes: Sequence[int]) -> list[int]:
    least = {"jackknife": 2, "ais": 5}.get(runner, 1)
    return [size for size in sizes if least <= size <= MOST.get(runner, sizes[-1])]


def _path(
    runner: Runner, model: VAE, x: Tensor, sizes: Sequence[int], draws: torch.Generator, progress: Progress | None
) -> Iterator[Estimate]:
    mine = _sizes(runner, sizes)
    if not mine:
        return iter(())
    if runner == "naive":
        return naive_monte_carlo_path(model, x, mine, draws, progress=progress)
    if runner in ("importance", "jackknife"):
        return importance_sampling_path(model, x, mine, draws, jackknife=runner == "jackknife", progress=progress)
    once: Callable[[int], Estimate] = (
        partial(_elbo, model, x, draws, progress) if runner == "elbo" else partial(_ais, model, x, draws, progress)
    )
    return map(once, mine)


def _elbo(model: VAE, x: Tensor, draws: torch.Generator, progress: Progress | None, size: int) -> Estimate:
    return elbo(model, x, size, draws, progress=progress)


def _ais(model: VAE, x: Tensor, draws: torch.Generator, progress: Progress | None, size: int) -> Estimate:
    return annealed_importance_sampling(model, x, chains=CHAINS, steps=size, generator=draws, progress=progress)
