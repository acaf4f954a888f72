"""What importing a set and training on it take by the number of its images, which stay on disk.

    python -m benchmarks.own_data            # two minutes; needs 2 GB of disk
    python -m benchmarks.own_data --quick    # tiny sizes, to see that it works; its figures mean nothing

See the README beside this file for what the rows mean.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import vae
from benchmarks.measure import interleaved, machine, say, table
from vae.data import imports
from vae.training import Trainer

__all__ = ["main"]

MODEL = vae.ModelConfig(latent=20, encoder_layers=(400,), decoder_layers=(400,))  # 784-400-20
TRAINING = vae.TrainConfig(epochs=1000, weight_decay=0.1)
SIDE = 28


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400, help="of a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each trains (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    chosen = parser.parse_args()
    print(f"# {machine()}")
    counts = (100, 1000, 2000) if chosen.quick else (1000, 60_000, 1_000_000)
    steps, rounds = (4, 1) if chosen.quick else (chosen.steps, chosen.rounds)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VAE_DATA"] = folder
        took = {count: _imported(Path(folder), count) for count in counts}
        trainers = {count: Trainer(vae.build(MODEL), vae.load_dataset(f"set-{count}"), TRAINING) for count in counts}
        before = _own_megabytes()
        seconds = interleaved({str(count): _steps_of(trainers[count], steps) for count in counts}, rounds)
        grown = _own_megabytes() - before
    rows = []
    for count in counts:
        speeds = sorted(TRAINING.batch_size * steps / second for second in seconds[str(count)])
        speed = statistics.median(speeds)
        rows.append(
            (
                f"{count:,} images", f"{took[count]:.2f}", f"{count / took[count]:,.0f}",
                f"{speed:,.0f} ({speeds[0]:,.0f} to {speeds[-1]:,.0f})", f"{len(trainers[count].images) / speed:.2f}",
            )
        )  # fmt: skip
    head = ("row", "import, seconds", "images per second", "training, images per second", "an epoch, seconds")
    table(
        "Sets of one's own, 28 x 28, 784-400-20, batches of 128", head, rows,
        f"Memory of the process, its maps of files left out, grew by {grown:.0f} MB in all steps together.",
    )  # fmt: skip


def _imported(folder: Path, count: int) -> float:
    """Writes random images as .npy, imports them, and returns the seconds of the import."""
    say(f"importing {count:,} images")
    source = folder / "source.npy"
    random = np.random.default_rng(0)
    images = np.lib.format.open_memmap(source, "w+", np.uint8, (count, SIDE, SIDE))
    for first in range(0, count, 10_000):
        block = images[first : first + 10_000]
        block[:] = random.integers(0, 256, block.shape, dtype=np.uint8)
    images.flush()
    del images
    clock = time.perf_counter()
    imports.keep(imports.open_source(source), f"set-{count}")
    seconds = time.perf_counter() - clock
    source.unlink()
    return seconds


def _steps_of(trainer: Trainer, steps: int) -> Callable[[], object]:
    trainer.advance()  # what is first met is slow

    def run() -> None:
        for _ in range(steps):
            trainer.advance()

    return run


def _own_megabytes() -> float:
    """Memory that is the process's own, in megabytes; Linux only, 0 elsewhere."""
    try:
        found = re.search(r"^RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
