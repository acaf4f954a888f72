"""Times that can be compared on a machine that others use too, and tables of them."""

from __future__ import annotations

import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

__all__ = ["away", "interleaved", "machine", "ratio", "say", "spread", "summary", "table"]


def interleaved(variants: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Runs A B C A B C ... and returns the seconds of each, so that what slows a round slows all of it.

    A variant may return seconds of its own (a float) where it does a part of the work and scales it up.
    """
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        for name, run in variants.items():
            say(f"round {number + 1} of {rounds}: {name}")
            start = time.perf_counter()
            found = run()
            took = time.perf_counter() - start
            seconds[name].append(found if isinstance(found, float) else took)
    return seconds


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Returns the median of the ratios within the rounds."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def spread(seconds: Sequence[float]) -> str:
    """Writes the median, and the least and the most of the rounds."""
    return f"{statistics.median(seconds):.3g} ({min(seconds):.3g} to {max(seconds):.3g})"


def away(value: Tensor, truth: Tensor) -> tuple[float, float]:
    """Returns the largest and the mean absolute difference where both are numbers."""
    return summary((value - truth).abs())


def summary(amounts: Tensor) -> tuple[float, float]:
    """Returns the largest and the mean of those that are numbers."""
    known = amounts[amounts.isfinite()]
    return (float(known.max()), float(known.mean())) if len(known) else (math.nan, math.nan)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]], *notes: str) -> None:
    """Prints a Markdown table at once; the first column is words, the others figures."""
    lines = [f"\n## {title}\n", "| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(f"{cell:.2g}" if isinstance(cell, float) else str(cell) for cell in row) + " |"
              for row in rows]  # fmt: skip
    print("\n".join([*lines, *(f"\n{note}" for note in notes)]), flush=True)


def say(words: str) -> None:
    """Tells, beside the tables, what is going on."""
    print(f"... {words}", file=sys.stderr, flush=True)


def machine() -> str:
    """Writes what the figures were taken on, and how busy it was."""
    try:
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        name = names[0].partition(": ")[2]
    except (OSError, IndexError):
        name = platform.machine()
    busy = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, torch {torch.__version__}, load {busy}"
