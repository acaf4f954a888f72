"""How fast and how right the estimators of log p(x) are: `python -m benchmarks.evidence`, or `--quick` for a smoke run.

Prints Markdown tables; benchmarks/README.md says what each row means.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

import vae
from benchmarks.measure import away, interleaved, machine, ratio, say, spread, summary, table
from benchmarks.references import brute, double, log_joint, mass_elsewhere, radius_for, reference
from vae.data import available
from vae.errors import DataError
from vae.evidence import CHUNK, Estimate, exact_evidence, pairwise_log_prob, posterior
from vae.model import draw

__all__ = ["main"]

GAUSSIAN, BERNOULLI, FREE, SHARED = (
    "mnist-2d",
    "mnist-bernoulli-2d",
    "mnist-free-variance-2d",
    "mnist-shared-variance-2d",
)
SMALL = "small"  # see benchmarks.peak
COUNTS = 20  # nats below an image's best draw, within which a draw counts
SECTIONS = ("naive", "memory", "exact", "sharp", "precision")


class Sizes(NamedTuple):
    """How much work is done."""

    rounds: int
    images: int = 64
    loop_images: int = 8  # of these; the loop's seconds are scaled up
    samples: int = 100_000
    shipped_peaks: tuple[int, ...] = (10**4, 10**5, 10**6)
    small_peaks: tuple[int, ...] = (10**4, 10**5, 10**6, 10**7)
    side: int = 2001  # nodes along the brute grid
    every: int = 1  # one block of its rows in so many
    survey: int = 1001  # nodes along the grid that looks for mass elsewhere
    sharp_images: int = 64
    precision_samples: int = 20_000
    precision_posteriors: int = 16


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes, to see that all works; the figures mean nothing"
    )
    parser.add_argument("--rounds", type=int, help="of interleaved runs, 3 if not given (1 with --quick)")
    parser.add_argument("--images", type=int, help=f"of {FREE}, 64 if not given (2 with --quick)")
    parser.add_argument("--all", action="store_true", help=f"also the 10,000 test images of {BERNOULLI}")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="one part; may be given again")
    chosen = parser.parse_args()
    if min(chosen.rounds or 1, chosen.images or 1) < 1:
        parser.error("--rounds and --images must be at least 1.")
    if chosen.quick:
        sizes = Sizes(
            chosen.rounds or 1, 4, 1, 8192, (10**4,), (10**4, 10**5), 2001, 100, 201, chosen.images or 2, 2000, 2
        )
    else:
        sizes = Sizes(chosen.rounds or 3, sharp_images=chosen.images or 64)
    print(f"{machine()}\n\n{'A smoke run: its figures mean nothing. ' * chosen.quick}Medians of {sizes.rounds} "
          "interleaved rounds (least to most); ratios are taken inside a round.", flush=True)  # fmt: skip
    with torch.no_grad():  # not inference_mode: the quadrature takes derivatives
        for section in chosen.only or SECTIONS:
            {"naive": naive, "memory": memory, "exact": against_brute, "sharp": sharp, "precision": precision}[section](
                sizes
            )
    if chosen.all:
        everything(sizes)


def test_pixels(model: vae.VAE, count: int) -> Tensor:
    """Returns the first test images as pixels."""
    name = "mnist" if available("mnist") else "mnist-sample"
    images = vae.load_dataset(name).test.images[:count]
    if len(images) < count:
        raise DataError(f"There are {len(images)} test images of {name}, not {count}; `vae data mnist` fetches all.")
    return model.pixels(images, vae.generator(0))


def naive(sizes: Sizes) -> None:
    """Naive Monte Carlo against a loop over images, and against decoding alone."""
    model = vae.load(GAUSSIAN)
    x = test_pixels(model, sizes.images)
    stream = vae.generator(1)  # chunk by chunk, as the estimator draws
    chunks = [draw(model.prior, stream, (min(CHUNK, sizes.samples - i),)) for i in range(0, sizes.samples, CHUNK)]
    z = torch.cat(chunks)
    estimates: dict[str, Tensor] = {}
    looping: list[float] = []  # seconds of the loop without those of decoding

    def library() -> None:
        estimates["library"] = vae.naive_monte_carlo(model, x, sizes.samples, vae.generator(1)).value

    def decode() -> None:
        for part in chunks:
            model.decoder(part)

    def loop() -> float:
        start = time.perf_counter()
        p = model.decoder(z)
        p = Independent(Normal(p.mean, p.stddev), 1)  # torch's own, not the library's
        decoding = time.perf_counter() - start
        each = [p.log_prob(image).double().logsumexp(0) - math.log(sizes.samples) for image in x[: sizes.loop_images]]
        looping.append((time.perf_counter() - start - decoding) * len(x) / sizes.loop_images)
        estimates["loop"] = torch.stack(each)
        return decoding + looping[-1]

    model.decoder(chunks[0]).log_prob(x[0])
    vae.naive_monte_carlo(model, x, CHUNK, vae.generator(1))
    seconds = interleaved({"naive_monte_carlo": library, "decoding alone": decode, "loop": loop}, sizes.rounds)
    ours, alone, loops = seconds.values()
    largest, mean = away(estimates["library"][: sizes.loop_images], estimates["loop"])
    table(
        f"Naive Monte Carlo: {GAUSSIAN}, {sizes.samples:,} samples, {sizes.images} images",
        ["", "seconds", "ratio", "target"],
        [
            ["`vae.naive_monte_carlo`", spread(ours), "", ""],
            ["decoding alone (ratio: the first / this)", spread(alone), f"{ratio(ours, alone):.3g}", "<= 1.3"],
            ["loop, decoding once (ratio: this / the first)", spread(loops), f"{ratio(loops, ours):.3g}", ">= 50"],
            ["loop, decoding left out (same ratio)", spread(looping), f"{ratio(looping, ours):.3g}", ""],
        ],
        f"The loop ran on {sizes.loop_images} of the {sizes.images} images, and its seconds are scaled up. Its values "
        f"differ from the library's by {largest:.2g} nats at most, {mean:.2g} on average.",
    )  # fmt: skip


def memory(sizes: Sizes) -> None:
    """Peak memory of naive Monte Carlo against its number of samples."""
    rows = []
    for name, peaks in ((GAUSSIAN, sizes.shipped_peaks), (SMALL, sizes.small_peaks)):
        first = None
        for samples in peaks:
            say(f"memory of {name} with {samples:,} samples")
            command = [sys.executable, "-m", "benchmarks.peak", name, str(samples), "64"]
            run = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
            if run.returncode:
                print(f"\nMemory was not measured: {(run.stderr.strip().splitlines() or ['?'])[-1]}")
                return
            extra, seconds = map(float, run.stdout.split())
            first = first or extra
            rows.append([f"{name}, L = {samples:,}", f"{extra:.0f}", f"{extra / first:.2f}", f"{seconds:.2g}"])
    table(
        "Peak memory of naive Monte Carlo, 64 images, a fresh process each",
        ["", "MiB above the previous usage", "times the first", "seconds"], rows,
        "Target: flat from L = 10^4 to 10^7. `small` is an untrained model of 196 pixels and 64 hidden units.",
    )  # fmt: skip


def against_brute(sizes: Sizes) -> None:
    """The quadrature against an even grid, in time and in nats."""
    for name, limit, faster in ((BERNOULLI, 1.0, 50), (GAUSSIAN, 2.5, 40)):
        quadrature(name, sizes.images, sizes, f"< {limit:g} s", f">= {faster}")


def sharp(sizes: Sizes) -> None:
    """The quadrature where posteriors are sharpest."""
    quadrature(FREE, sizes.sharp_images, sizes)


def quadrature(name: str, images: int, sizes: Sizes, limit: str = "", faster: str = "") -> None:
    """Prints seconds and errors of `exact` for a model, beside an even grid where a target for its ratio is given."""
    model = vae.load(name)
    x, accurate = test_pixels(model, images), double(model)
    bernoulli = model.config.likelihood == "bernoulli"
    references = []
    for i in range(images):
        say(f"{name}: reference of image {i + 1} of {images}")
        references.append(reference(model, accurate, x[i : i + 1], 1e-6 if bernoulli else 1e-5))
    radius = radius_for(model, x, references)
    say(f"{name}: looking for mass elsewhere")
    elsewhere = mass_elsewhere(model, x, references, radius, sizes.survey)
    found: dict[str, Estimate] = {}
    even: list[Tensor] = []

    def library() -> None:
        found["exact"] = exact_evidence(model, x)

    def grid() -> float:
        value, seconds = brute(model, x, radius, sizes.side, sizes.every)
        even.append(value)
        return seconds

    exact_evidence(model, x[:1])
    seconds = interleaved({"exact": library, "brute grid": grid} if faster else {"exact": library}, sizes.rounds)
    timed = [[f"`vae.evidence.exact.exact`, {images} images", spread(seconds["exact"]), "1", limit]]
    if faster:
        grids = seconds["brute grid"]
        words = f"{sizes.side} x {sizes.side} nodes on [-{radius:g}, {radius:g}]^2"
        words += f", 1 in {sizes.every} blocks of rows, scaled up" * (sizes.every > 1)
        timed.append([words, spread(grids), f"{ratio(grids, seconds['exact']):.3g}", faster])
    table(f"Exact log p(x): {name}, time", ["", "seconds", "times exact", "target"], timed)

    value, bound = found["exact"].value, found["exact"].error_bound
    assert bound is not None
    truth = torch.tensor([each.log_p for each in references], dtype=torch.float64)
    change = torch.tensor([each.change for each in references], dtype=torch.float64)
    rows: list[list[object]] = [
        ["exact against the reference", *away(value, truth), "<= 1e-05" if bernoulli else "<= 0.001" if faster else ""],
        ["the reference against its grid of twice the step", *summary(change), ""],
        ["error bound that exact states", *summary(bound), ""],
    ]
    if even and sizes.every == 1:
        rows[1:1] = [
            ["exact against the brute grid", *away(value, even[0]), "<= 1e-05" if bernoulli else ""],
            ["the brute grid against the reference", *away(even[0], truth), ""],
        ]
    judged = value.isfinite() & truth.isfinite()
    excess = ((value - truth).abs() - bound)[judged]
    marked = int((~value.isfinite()).sum())
    table(
        f"Exact log p(x): {name}, nats", ["", "largest", "mean", "target"], rows,
        f"Marked as not converged: {marked} of {images} ({marked / images:.1%}; target at most 1 in 100). Without a "
        f"reference: {int((~truth.isfinite()).sum())}.",
        f"Within the stated error bound: {int((excess <= 0).sum())} of the {len(excess)} others "
        f"({float((excess <= 0).double().mean()):.1%}); the worst lies {summary(excess)[0]:.2g} nats beyond it "
        "(below 0 is within).",
        f"Mass that a {sizes.survey} x {sizes.survey} survey sees outside the reference's cells: "
        f"{float(elsewhere.nan_to_num(0).max()):.1g} of p(x) at most. "
        f"Points decoded: {found['exact'].decodes:,}. Mean log p(x): {float(value.nanmean()):.3f}.",
    )  # fmt: skip


def everything(sizes: Sizes) -> None:
    """All test images of the Bernoulli model."""
    model = vae.load(BERNOULLI)
    x = test_pixels(model, 10_000)
    runs: list[Estimate] = []
    (seconds,) = interleaved({"all test images": lambda: runs.append(exact_evidence(model, x))}, sizes.rounds).values()
    bound = runs[-1].error_bound
    assert bound is not None
    table(
        f"Exact log p(x): {BERNOULLI}, all test images",
        ["images", "seconds", "target", "marked", "largest error bound"],
        [[f"{len(x):,}", spread(seconds), "< 30", str(int((~bound.isfinite()).sum())), summary(bound)[0]]],
        f"Mean log p(x): {float(runs[-1].value.nanmean()):.4f} nats.",
    )  # fmt: skip


def precision(sizes: Sizes) -> None:
    """float32 against float64: log p(x|z) at the same z, and log p(x) from the same z."""
    rows = []
    for name, words in ((GAUSSIAN, "gaussian, floor -6"), (FREE, "gaussian, no floor"), (SHARED, "gaussian-shared"),
                        (BERNOULLI, "bernoulli")):  # fmt: skip
        say(f"float32 against float64: {name}")
        model = vae.load(name)
        accurate, x = double(model), test_pixels(model, sizes.images)
        z = draw(model.prior, vae.generator(1), (sizes.precision_samples,))
        pairs = [
            (
                pairwise_log_prob(model.decoder(part), x).double(),
                pairwise_log_prob(accurate.decoder(part.double()), x.double()),
            )
            for part in z.split(CHUNK)
        ]
        single, full = (torch.cat(column) for column in zip(*pairs, strict=True))
        near = full > full.amax(0) - COUNTS
        estimates = away(single.logsumexp(0), full.logsumexp(0))
        rows.append([f"{words}: naive, {len(z):,} samples from the prior", *away(single, full), *estimates])
        rows.append([f"{words}: of these, the samples that count", *away(single[near], full[near]), "", ""])
        at_nodes, totals = [], []
        for image in x[: sizes.precision_posteriors].split(1):
            try:
                found = posterior(model, image)
            except DataError:
                continue
            nodes = torch.from_numpy(found.z).float()
            heavy = nodes[torch.from_numpy(found.weight) > 1e-8]
            single = torch.cat([log_joint(model, image, part) for part in heavy.split(CHUNK)]).double()
            full = torch.cat([log_joint(accurate, image.double(), part.double()) for part in heavy.split(CHUNK)])
            at_nodes.append((single - full).abs().flatten())
            totals.append((single.logsumexp(0) - full.logsumexp(0)).abs())
        if at_nodes:
            rows.append([f"{words}: exact, nodes of {len(at_nodes)} posteriors", *summary(torch.cat(at_nodes)),
                         *summary(torch.cat(totals))])  # fmt: skip
    table(
        "float32 against float64, nats",
        ["", "log p(x given z), largest", "mean", "log p(x), largest", "mean"], rows,
        f"{sizes.images} images; pixels are not centred. A draw counts within {COUNTS} nats of its image's best draw, "
        "a node with more than 1e-8 of the mass.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
