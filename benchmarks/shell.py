"""How long a shell waits for what needs no PyTorch: help, lists, and refusals, beside what an import of PyTorch takes.

python -m benchmarks.shell      # half a minute
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable

from benchmarks.measure import interleaved, machine, ratio, spread, table

TARGET = 0.5  # seconds of each command
COMMANDS = {
    "vae --help": 0,
    "vae models": 0,
    "vae data": 0,
    "vae train new --epochs=many": 2,
    "vae train new --epochs=0": 2,
    "vae evaluat": 2,
    "vae evaluate mnist-2dd": 2,
}
TORCH = "import torch"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="how often each runs (%(default)s)")
    chosen = parser.parse_args()
    print(f"# {machine()}")
    variants = {
        "Python alone": started("-c", "pass"),
        TORCH: started("-c", TORCH),
        **{words: started("-m", *words.split(), code=code) for words, code in COMMANDS.items()},
    }
    for run in variants.values():
        run()  # once before, so that all find their files in memory
    seconds = interleaved(variants, chosen.rounds)
    rows = [
        [f"`{name}`" if name in COMMANDS else name, spread(times), f"{ratio(times, seconds[TORCH]):.2f}"]
        for name, times in seconds.items()
    ]
    table("A shell", ["", "seconds", f"times `{TORCH}`"], rows, f"Target: {TARGET} s for each command.")


def started(*words: str, code: int = 0) -> Callable[[], None]:
    """Returns a function that runs Python with these words, and looks that it ends with this code."""

    def run() -> None:
        ended = subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert ended.returncode == code, ended.stderr

    return run


if __name__ == "__main__":
    main()
